/**
 * What a client thread and the store say to each other over a MessagePort. Requests of one turn of the event loop
 * travel as one message, and so do the answers of one commit: a message between threads costs more than what is in it.
 * Pure.
 */
import type { MessagePort } from 'node:worker_threads';
import type { GatewayErrorCode } from '../core/errors.ts';
import type { Mid, Rid } from '../core/ids.ts';
import type { NewMessage } from '../core/ports.ts';
import type { DueRow, MessageRows, SelectedRow, SettlementRow } from './queue-rows.ts';
import type { QueuePlace, QueueRange, QueueSelection } from '../core/queue-selection.ts';

/** A message in the queue as an administrator sees it. */
export type QueuedMessage = {
  readonly mid: Mid;
  readonly icid: number;
  readonly receivedMs: number;
  readonly sender: string;
  readonly size: number;
  readonly origin: NewMessage['origin'];
  readonly recipients: readonly {
    readonly rid: Rid;
    readonly address: string;
    readonly attempts: number;
    /** Absent where the recipient is held because the message's body is missing, or waits in the work queue. */
    readonly nextAttemptMs?: number;
    readonly inWorkQueue?: true;
    readonly lastError?: string;
  }[];
};

/** Counted since the store was opened. */
export type StoreStats = {
  readonly accepted: number;
  readonly settled: number;
  /** Transactions that changed something: each cost one flush to disk. */
  readonly commits: number;
  readonly leased: number;
};

/** A part of a longer list; `after` says where to go on, absent at the end. */
export type MessagePage = { readonly messages: readonly QueuedMessage[]; readonly after?: number };
/** Recipients at one host; `oldestMid` leads to the oldest message. */
export type HostRecipients = {
  readonly host: string;
  readonly recipients: number;
  /** Of those, tried at least once. */
  readonly attempted: number;
  readonly oldestMid: number;
};
export type HostPage = { readonly hosts: readonly HostRecipients[]; readonly after?: QueuePlace };

/** `claim`: what nobody works on is leased to this owner, and is all that comes. */
export type SelectRequest = {
  readonly selection: QueueSelection;
  readonly range: QueueRange;
  readonly limit: number;
  readonly claim?: { readonly owner: string; readonly nowMs: number; readonly leaseMs: number };
};
export type SelectReply = {
  readonly rows: readonly SelectedRow[];
  /** Which of these somebody works on, by index; none where they were claimed. */
  readonly leased: readonly number[];
  /** Selected, and left out because somebody works on them. */
  readonly busy: readonly QueuePlace[];
  /** Where to go on; absent at the end. */
  readonly after?: QueuePlace;
};
/** Recipients whose next attempt is now, and where to go on. */
export type HastenReply = { readonly hastened: number; readonly after?: QueuePlace };

export type RequestBody =
  | { readonly op: 'accept'; readonly rows: MessageRows }
  | {
      readonly op: 'settle';
      readonly settlements: readonly SettlementRow[];
      readonly bounces: readonly MessageRows[];
      /** It may wait a moment for a commit that is made for others. */
      readonly patient: boolean;
    }
  | {
      readonly op: 'claim';
      readonly owner: string;
      readonly nowMs: number;
      readonly leaseMs: number;
      readonly limit: number;
    }
  | { readonly op: 'release'; readonly owner: string; readonly rows: readonly (readonly [mid: number, rid: number])[] }
  | { readonly op: 'readBody'; readonly mid: number }
  | { readonly op: 'listMessages'; readonly afterMid: number; readonly limit: number; readonly domain?: string }
  | { readonly op: 'hosts'; readonly after: QueuePlace }
  | ({ readonly op: 'select' } & SelectRequest)
  | { readonly op: 'nextDue' | 'summary' | 'stats' | 'standing' | 'workQueue' }
  | {
      readonly op: 'hasten';
      readonly selection: QueueSelection;
      readonly range: QueueRange;
      readonly nowMs: number;
    }
  | { readonly op: 'leaveWorkQueue'; readonly nowMs: number; readonly limit: number }
  | { readonly op: 'keep'; readonly name: string; readonly value: string | null }
  | { readonly op: 'onArrival' };
/** What changes the queue and so takes part in a commit. */
export type Change = Extract<RequestBody, { op: (typeof CHANGES)[number] }>;
export type Read = Exclude<RequestBody, Change | { op: 'onArrival' }>;
export const CHANGES = ['accept', 'settle', 'hasten', 'leaveWorkQueue', 'keep'] as const;

export type StoreRequest = RequestBody & { readonly id: number };
export type ToStore = readonly StoreRequest[];

export type BodyReply = { readonly bytes: Uint8Array } | { readonly file: string; readonly size: number };
export type ClaimReply = readonly DueRow[];

export type FromStore = {
  /** Requests that are done and have nothing more to say. */
  readonly done: readonly number[];
  readonly values: readonly (readonly [id: number, value: unknown])[];
  readonly failed: readonly (readonly [id: number, code: GatewayErrorCode, message: string])[];
  /** Something may be due that was not before. */
  readonly arrived: boolean;
};

/** The control thread and the store's thread. */
export type StoreStart = {
  readonly dataDir: string;
  readonly minFreeBytes: number;
  readonly underWay: SharedArrayBuffer;
};
export type ToWorker =
  | { readonly type: 'connect'; readonly port: MessagePort }
  | { readonly type: 'limits'; readonly minFreeBytes: number }
  | { readonly type: 'close' };
export type FromWorker =
  | { readonly type: 'open'; readonly ids: SharedArrayBuffer }
  | { readonly type: 'failed'; readonly code: GatewayErrorCode; readonly message: string }
  | { readonly type: 'system'; readonly level: 'info' | 'warning' | 'critical'; readonly text: string };
