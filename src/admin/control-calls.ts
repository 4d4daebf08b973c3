/**
 * What the admin thread may ask of the control thread, as groups of async calls (`core/calls.io.ts`); arguments and
 * answers are structured-clone data. `gateway.ts` answers them. Pure: types only.
 */
import type { ConfigurationStore } from '../config/configuration-store.ts';
import type { MetricsSnapshot } from '../log/metrics.ts';
import type { CrlListing } from '../tls/crl-listing.ts';

export type ListenerStatus = {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly connections: number;
  readonly maxConnections: number;
};

export type GatewayStatus = {
  readonly startedMs: number;
  readonly revision: number;
  readonly receiveThreads: number;
  readonly pid: number;
  readonly residentBytes: number;
  readonly listeners: readonly ListenerStatus[];
};

export type ControlCalls = {
  readonly gateway: {
    status(): Promise<GatewayStatus>;
    metrics(): Promise<MetricsSnapshot>;
  };
  readonly crls: {
    list(): Promise<CrlListing>;
    /** Rejects with GatewayError `config` where there is no such source. */
    update(source: string | undefined): Promise<CrlListing>;
  };
  /** `compiled` holds secrets: they go no further than this thread. */
  readonly configuration: Omit<ConfigurationStore, 'mode'>;
};
