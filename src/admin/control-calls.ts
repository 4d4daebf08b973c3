/**
 * What the admin thread may ask of the control thread, as groups of async calls (`core/calls.io.ts`); arguments and
 * answers are structured-clone data. `control/control-calls.io.ts` answers them. Pure: types only.
 */
import type { AlertListing, AlertRecord } from '../alerts/alert-listing.ts';
import type { ConfigurationStore } from '../config/configuration-store.ts';
import type { TopSender } from '../accept/top-senders.ts';
import type { Mark, Standing, WhichListeners } from '../core/suspension.ts';
import type { DeliveryOperations } from '../delivery/operations.ts';
import type { Rates } from '../log/event-rates.ts';
import type { MetricsSnapshot } from '../log/metrics.ts';
import type { CrlListing } from '../tls/crl-listing.ts';

export type ListenerStatus = {
  readonly name: string;
  /** Receiving is suspended. */
  readonly suspended?: Mark;
  readonly addresses: readonly string[];
  readonly connections: number;
  readonly maxConnections: number;
};

export type GatewayStatus = {
  /** In words: `Online`, `Receiving suspended` … */
  readonly systemStatus: string;
  readonly deliverySuspended?: Mark;
  readonly workQueuePaused?: Mark;
  /** Events per hour, by counter. */
  readonly rates: Rates;
  /** The next numbers. */
  readonly ids: { readonly icid: number; readonly mid: number; readonly dcid: number };
  readonly startedMs: number;
  readonly counters: Readonly<Record<string, number>>;
  /** The same since they were reset; without gauges. */
  readonly countersSinceReset: Readonly<Record<string, number>>;
  readonly resetMs?: number;
  readonly revision: number;
  readonly receiveThreads: number;
  readonly pid: number;
  readonly residentBytes: number;
  readonly listeners: readonly ListenerStatus[];
};

/** `listeners`: undefined leaves receiving alone; `delivery`: only true changes it. */
export type SuspendOrder = {
  readonly listeners?: WhichListeners | undefined;
  readonly delivery?: boolean | undefined;
  readonly by: string;
  readonly reason?: string | undefined;
};

/** A row of `topin`. `connectionsIn`: now. */
export type TopIn = TopSender & { readonly connectionsIn: number };

export type ControlCalls = {
  readonly suspension: {
    standing(): Promise<Standing>;
    /** Rejects with GatewayError `config` where there is no such listener. */
    suspend(order: SuspendOrder): Promise<Standing>;
    resume(order: SuspendOrder): Promise<Standing>;
    pauseWorkQueue(by: string, reason: string | undefined): Promise<Standing>;
    resumeWorkQueue(by: string): Promise<Standing>;
  };
  readonly receiving: { topIn(most: number): Promise<readonly TopIn[]> };
  /** Of the delivery thread. */
  readonly delivery: Omit<DeliveryOperations, 'suspensionChanged' | 'sendAlert'>;
  readonly gateway: {
    status(): Promise<GatewayStatus>;
    metrics(): Promise<MetricsSnapshot>;
    /** When; `hits`: those of rules, too. */
    resetCounters(by: string, hits: boolean): Promise<number>;
  };
  readonly crls: {
    list(): Promise<CrlListing>;
    /** Rejects with GatewayError `config` where there is no such source. */
    update(source: string | undefined): Promise<CrlListing>;
  };
  readonly alerts: {
    list(): Promise<AlertListing>;
    /** What the first attempt brought; undefined where there is no such recipient. */
    test(recipient: string | undefined): Promise<AlertRecord | undefined>;
  };
  /** `compiled` holds secrets: they go no further than this thread. */
  readonly configuration: Omit<ConfigurationStore, 'mode'>;
};
