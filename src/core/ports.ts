/**
 * The interfaces of all effects: pure code and the walks see the world only through these. Every port has at least one
 * real adapter (`*.io.ts`) and one contract suite (`test/contract/`) that each adapter passes. Types only.
 */
import type { Icid, Mid, Rid } from './ids.ts';
import type { Answer } from './verdict.ts';

/** Wall clock in milliseconds since 1970 (UTC). */
export type Clock = { now(): number };

/** DNS as the gateway needs it. `no` = the name does not exist or has no such record; `unknown` = time-out, SERVFAIL. */
export type Dns = {
  reverse(ip: string): Promise<Answer<readonly string[]>>;
  /** A and AAAA records of a host name. */
  addresses(host: string): Promise<Answer<readonly string[]>>;
  mx(domain: string): Promise<Answer<readonly { exchange: string; preference: number }[]>>;
};

/** A recipient as it was accepted. `notify`, `orcpt`: RFC 3461 parameters, kept as given. */
export type Recipient = {
  readonly rid: Rid;
  readonly address: string;
  readonly notify?: string;
  readonly orcpt?: string;
};

export type Envelope = {
  /** Envelope sender without angle brackets; '' is the null reverse-path. */
  readonly sender: string;
  readonly recipients: readonly Recipient[];
  readonly body: '7BIT' | '8BITMIME';
  readonly smtpUtf8: boolean;
  /** RFC 3461 RET and ENVID, kept as given. */
  readonly ret?: 'FULL' | 'HDRS';
  readonly envid?: string;
};

/** The message text with CRLF line ends, without dot-stuffing, with our Received field on top. */
export type Body =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  /** A file in the spool folder, already fsynced together with its folder. `file` is its name, not a path. */
  | { readonly kind: 'spooled'; readonly file: string; readonly size: number };

export type NewMessage = {
  readonly mid: Mid;
  readonly icid: Icid;
  readonly receivedMs: number;
  readonly envelope: Envelope;
  readonly body: Body;
  /** Facts for tracking: who sent it and how we know. */
  readonly origin: {
    readonly listener: string;
    readonly remoteAddress: string;
    readonly senderGroup: string;
    readonly user?: string;
    readonly certificate?: string;
  };
};

/** One recipient that is due, with what delivery needs of its message. */
export type DueRecipient = {
  readonly mid: Mid;
  readonly recipient: Recipient;
  readonly sender: string;
  readonly body: '7BIT' | '8BITMIME';
  readonly smtpUtf8: boolean;
  readonly ret?: 'FULL' | 'HDRS';
  readonly envid?: string;
  readonly size: number;
  readonly receivedMs: number;
  /** Attempts so far. */
  readonly attempts: number;
  readonly firstAttemptMs?: number;
  readonly lastError?: string;
};

export type Settlement = { readonly mid: Mid; readonly rid: Rid } /** `deleted`: by an administrator. */ & (
  | { readonly outcome: 'delivered' | 'bounced' | 'dropped' | 'deleted'; readonly response: string }
  | { readonly outcome: 'retry'; readonly nextAttemptMs: number; readonly error: string; readonly nowMs: number }
  /** Not tried, and not before this time. */
  | { readonly outcome: 'later'; readonly nextAttemptMs: number }
);

export type QueueSummary = {
  readonly messages: number;
  readonly activeRecipients: number;
  readonly oldestReceivedMs?: number;
};

/**
 * The queue. Every call that changes something resolves only when the change is on stable storage and survives
 * power loss; until `accept` resolves nothing of the message is kept. Rejects with GatewayError
 * `storage-full` or `storage`, and then nothing has changed.
 */
export type QueueStore = {
  accept(message: NewMessage): Promise<void>;
  /**
   * Recipients whose time has come, oldest first, leased to `owner` until `nowMs + leaseMs`; nobody else gets them
   * meanwhile. Embedded: a restart ends all leases.
   */
  claim(owner: string, nowMs: number, leaseMs: number, limit: number): Promise<readonly DueRecipient[]>;
  /** Gives leased recipients back untouched (graceful stop). */
  release(owner: string, rows: readonly { mid: Mid; rid: Rid }[]): Promise<void>;
  readBody(mid: Mid): Promise<Body>;
  /**
   * Outcomes and the bounces they cause, in one transaction. A message without open recipients is removed with its body;
   * the answer names those.
   */
  settle(settlements: readonly Settlement[], bounces: readonly NewMessage[]): Promise<readonly Mid[]>;
  /** When the next recipient that nobody holds becomes due. */
  nextDueMs(): Promise<number | undefined>;
  summary(): Promise<QueueSummary>;
};
