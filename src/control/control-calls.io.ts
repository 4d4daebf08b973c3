/**
 * What the admin thread may ask of the control thread, answered: status, metrics, revocation lists. The objects behind
 * `admin/control-calls.ts`. Effects: asks the threads.
 */
import type { ConnectionLimits } from '../accept/connection-limits.ts';
import { mergeTopSenders } from '../accept/top-senders.ts';
import type { ControlCalls, TopIn } from '../admin/control-calls.ts';
import type { ConfigurationStore } from '../config/configuration-store.ts';
import { effectiveMaxConcurrency } from '../config/effective-policy.ts';
import type { Clock } from '../core/ports.ts';
import { listenerMark, type Mark, systemStatus } from '../core/suspension.ts';
import type { DeliveryOperations, ReceiveOperations } from '../delivery/operations.ts';
import type { CounterReset } from '../log/counter-reset.ts';
import type { MailLog } from '../log/mail-event.ts';
import { type MetricsSnapshot, sumSeries } from '../log/metrics.ts';
import type { CompiledRevision } from '../pipeline/thread-messages.ts';
import { peekCounters } from '../queue/id-counters.ts';
import type { CrlStore } from '../tls/crl-store.io.ts';
import type { Alerts } from './alerts.io.ts';
import type { HistoryKeeper } from './history-keeper.io.ts';
import type { RateWatch } from './rate-watch.io.ts';
import type { SuspensionKeeper } from './suspension-keeper.io.ts';

/** Of each receive thread. */
const MOST_SENDERS = 1024;

export type ControlParts = {
  readonly startedMs: number;
  readonly receiveThreads: number;
  readonly revision: () => CompiledRevision;
  readonly limits: ConnectionLimits;
  readonly metrics: () => Promise<MetricsSnapshot>;
  readonly crls: CrlStore;
  readonly configuration: ConfigurationStore;
  readonly alerts: Pick<Alerts, 'list' | 'test'>;
  readonly suspensions: SuspensionKeeper;
  readonly ids: SharedArrayBuffer;
  readonly rates: Pick<RateWatch, 'rates'>;
  readonly counterReset: CounterReset;
  readonly history: Pick<HistoryKeeper, 'forgetHits'>;
  readonly clock: Clock;
  readonly log: MailLog;
  readonly threads: { readonly delivery: DeliveryOperations; readonly receipts: readonly ReceiveOperations[] };
};

/** For `serveCalls` on the admin thread's line. */
export function controlCalls(parts: ControlParts): ControlCalls {
  const { crls, configuration, alerts, suspensions, threads } = parts;
  return {
    gateway: gatewayCalls(parts),
    crls: {
      list: async () => crls.list(),
      update: (source) => crls.updateNow(source),
    },
    alerts: {
      list: async () => alerts.list(),
      test: (recipient) => alerts.test(recipient),
    },
    configuration,
    suspension: {
      standing: async () => suspensions.standing,
      suspend: (order) => suspensions.suspend(order),
      resume: (order) => suspensions.resume(order),
      pauseWorkQueue: (by, reason) => suspensions.pauseWorkQueue(by, reason),
      resumeWorkQueue: (by) => suspensions.resumeWorkQueue(by),
    },
    receiving: { topIn: (most) => topIn(parts, most) },
    delivery: {
      load: () => threads.delivery.load(),
      hosts: (also) => threads.delivery.hosts(also),
      host: (host) => threads.delivery.host(host),
      dispose: (disposal) => threads.delivery.dispose(disposal),
      deliverNow: (haste) => threads.delivery.deliverNow(haste),
    },
  };
}

function gatewayCalls(parts: ControlParts): ControlCalls['gateway'] {
  const { startedMs, receiveThreads, limits, metrics, suspensions, counterReset, clock } = parts;
  return {
    status: async () => {
      const { number, config, slots } = parts.revision();
      const { standing } = suspensions;
      const counters = sumSeries(await metrics());
      return {
        systemStatus: systemStatus(standing, Object.keys(config.listeners)),
        ...(standing.delivery === undefined ? {} : { deliverySuspended: standing.delivery }),
        ...(standing.workQueue === undefined ? {} : { workQueuePaused: standing.workQueue }),
        ids: peekCounters(parts.ids),
        rates: await parts.rates.rates(),
        startedMs,
        counters,
        countersSinceReset: counterReset.since(counters),
        ...(counterReset.atMs === undefined ? {} : { resetMs: counterReset.atMs }),
        revision: number,
        receiveThreads,
        pid: process.pid,
        residentBytes: process.memoryUsage.rss(),
        listeners: Object.entries(config.listeners).map(([name, listener]) => ({
          name,
          addresses: listener.address,
          connections: limits.connectionsTo(slots[name] ?? 0),
          maxConnections: effectiveMaxConcurrency(listener),
          ...suspendedOf(listenerMark(standing, name)),
        })),
      };
    },
    metrics,
    resetCounters: async (by, hits) => {
      if (hits) parts.history.forgetHits();
      const nowMs = clock.now();
      counterReset.reset(sumSeries(await metrics()), nowMs);
      const what = hits ? 'the counters and the hits of rules' : 'the counters';
      parts.log.emit({ event: 'system', level: 'info', text: `User ${by} reset ${what}` });
      return nowMs;
    },
  };
}

const suspendedOf = (mark: Mark | undefined): { suspended?: Mark } => (mark === undefined ? {} : { suspended: mark });

/** Those with connections now first, then those who have had most. */
async function topIn({ threads, limits, revision }: ControlParts, most: number): Promise<TopIn[]> {
  const tables = await Promise.all(threads.receipts.map((receipt) => receipt.topSenders(MOST_SENDERS)));
  const { slots } = revision();
  return mergeTopSenders(tables)
    .map((row) => ({ ...row, connectionsIn: limits.connectionsFrom(slots[row.listener] ?? 0, row.remoteAddress) }))
    .toSorted((a, b) => b.connectionsIn - a.connectionsIn || b.connections - a.connections)
    .slice(0, most);
}
