/**
 * What the admin thread may ask of the control thread, answered: status, metrics, revocation lists. The objects behind
 * `admin/control-calls.ts`. Effects: asks the threads.
 */
import type { ConnectionLimits } from './accept/connection-limits.ts';
import type { ControlCalls } from './admin/control-calls.ts';
import { effectiveMaxConcurrency } from './config/effective-policy.ts';
import type { ConfigurationStore } from './config/configuration-store.ts';
import type { MetricsSnapshot } from './log/metrics.ts';
import type { CompiledRevision } from './pipeline/thread-messages.ts';
import type { CrlStore } from './tls/crl-store.io.ts';

export type ControlParts = {
  readonly startedMs: number;
  readonly receiveThreads: number;
  readonly revision: () => CompiledRevision;
  readonly limits: ConnectionLimits;
  readonly metrics: () => Promise<MetricsSnapshot>;
  readonly crls: CrlStore;
  readonly configuration: ConfigurationStore;
};

export function controlCalls(parts: ControlParts): ControlCalls {
  const { startedMs, receiveThreads, limits, metrics, crls, configuration } = parts;
  return {
    gateway: {
      status: async () => {
        const { number, config, slots } = parts.revision();
        return {
          startedMs,
          revision: number,
          receiveThreads,
          pid: process.pid,
          residentBytes: process.memoryUsage.rss(),
          listeners: Object.entries(config.listeners).map(([name, listener]) => ({
            name,
            addresses: listener.address,
            connections: limits.connectionsTo(slots[name] ?? 0),
            maxConnections: effectiveMaxConcurrency(listener),
          })),
        };
      },
      metrics,
    },
    crls: {
      list: async () => crls.list(),
      update: (source) => crls.updateNow(source),
    },
    configuration,
  };
}
