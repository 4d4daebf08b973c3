/**
 * What an administrator may ask of delivery and of receipt, as calls between threads: structured-clone data both ways.
 * Pure: types only.
 */
import type { TopSender } from '../accept/top-senders.ts';
import type { AlertMail, AlertSent } from '../core/alert.ts';
import type { QueueRange, QueueSelection } from '../core/queue-selection.ts';
import type { HopState, HostCounts } from './host-counters.ts';

/** `range` is where an earlier part of the same work stopped. */
export type Disposal = {
  readonly action: 'delete' | 'bounce';
  readonly selection: QueueSelection;
  readonly range?: QueueRange | undefined;
  readonly by: string;
  readonly reason?: string | undefined;
};

export type DisposalReport = {
  readonly recipients: number;
  /** Messages of which nothing is left in the queue. */
  readonly messages: number;
  /** Delivery status notifications that were queued. */
  readonly bounces: number;
  /** Selected recipients that were being delivered: their delivery settles them, they were not touched. */
  readonly inDelivery: number;
  /** There is more: call again with this range. */
  readonly range?: QueueRange;
};

export type Haste = {
  readonly selection: QueueSelection;
  readonly range?: QueueRange | undefined;
  readonly by: string;
};
export type HasteReport = { readonly recipients: number; readonly range?: QueueRange };

/** What delivery knows of a recipient host. */
export type HostDelivery = {
  readonly counts: HostCounts;
  /** The row of SMTP routes, or that there is none. */
  readonly rule: string;
  /** Of the next hop, which other hosts may share. */
  readonly state: HopState | undefined;
  readonly connections: { readonly connecting: number; readonly established: number };
};

export type HopAddressState = {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** It failed a moment ago and is left alone until then. */
  readonly downUntilMs?: number;
};
export type HostAddresses =
  | { readonly kind: 'addresses'; readonly addresses: readonly HopAddressState[] }
  | { readonly kind: 'none'; readonly why: string };

export type DeliveryLoad = { readonly connections: number; readonly waiting: number };

/** Served by the delivery thread. */
export type DeliveryOperations = {
  /** What is suspended has changed. */
  suspensionChanged(): Promise<void>;
  load(): Promise<DeliveryLoad>;
  /** Every host that it has met, and `also`. */
  hosts(also: readonly string[]): Promise<readonly HostDelivery[]>;
  host(host: string): Promise<HostDelivery & { readonly addresses: HostAddresses }>;
  /** A bounded part of the work, on stable storage when it answers. */
  dispose(disposal: Disposal): Promise<DisposalReport>;
  deliverNow(haste: Haste): Promise<HasteReport>;
  /** One attempt, past the queue and everything else that delivery does. */
  sendAlert(mail: AlertMail): Promise<AlertSent>;
};

/** Served by each receive thread. */
export type ReceiveOperations = {
  suspensionChanged(): Promise<void>;
  topSenders(most: number): Promise<readonly TopSender[]>;
};
