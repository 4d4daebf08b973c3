/**
 * The queue port in memory, for tests of the walks: same promises as the real store except that nothing survives.
 * Effects: none.
 */
import { GatewayError } from '../../src/core/errors.ts';
import type { Mid, Rid } from '../../src/core/ids.ts';
import type {
  Body,
  DueRecipient,
  NewMessage,
  QueueStore,
  QueueSummary,
  Recipient,
  Settlement,
} from '../../src/core/ports.ts';
import { PATIENCE_MS } from './eventually.ts';

type Row = {
  readonly message: NewMessage;
  readonly recipient: Recipient;
  dueMs: number;
  attempts: number;
  firstAttemptMs?: number;
  lastError?: string;
  lease?: { readonly owner: string; readonly untilMs: number };
};

export class MemoryQueue implements QueueStore {
  readonly #rows = new Map<string, Row>();
  readonly #messages = new Map<Mid, NewMessage>();
  readonly #onArrival: (() => void)[] = [];
  /** Everything that was settled, in order. */
  readonly settled: Settlement[] = [];
  readonly bounces: NewMessage[] = [];
  /** The next calls of `settle` that fail. */
  failSettles = 0;
  readonly #watchers = new Set<() => void>();

  onArrival(callback: () => void): void {
    this.#onArrival.push(callback);
  }

  async accept(message: NewMessage): Promise<void> {
    this.#refuse([message]);
    this.#insert(message);
    for (const callback of this.#onArrival) callback();
  }

  async claim(owner: string, nowMs: number, leaseMs: number, limit: number): Promise<readonly DueRecipient[]> {
    const due = [...this.#rows.values()]
      .filter((row) => row.dueMs <= nowMs && (row.lease === undefined || row.lease.untilMs <= nowMs))
      .sort((a, b) => a.dueMs - b.dueMs || a.message.mid - b.message.mid || a.recipient.rid - b.recipient.rid)
      .slice(0, limit);
    for (const row of due) row.lease = { owner, untilMs: nowMs + leaseMs };
    return due.map(dueRecipient);
  }

  async release(owner: string, rows: readonly { mid: Mid; rid: Rid }[]): Promise<void> {
    for (const { mid, rid } of rows) {
      const row = this.#rows.get(key(mid, rid));
      if (row?.lease?.owner === owner) delete row.lease;
    }
    this.#changed();
  }

  async readBody(mid: Mid): Promise<Body> {
    const message = this.#messages.get(mid);
    if (message === undefined) throw new GatewayError('storage', `no message ${mid}`);
    return message.body;
  }

  async settle(settlements: readonly Settlement[], bounces: readonly NewMessage[]): Promise<readonly Mid[]> {
    if (this.failSettles > 0) {
      this.failSettles--;
      throw new GatewayError('storage-full', 'disk full');
    }
    this.#refuse(bounces);
    const finished = settlements.flatMap((settlement) => (this.#settleOne(settlement) ? [settlement.mid] : []));
    for (const bounce of bounces) this.#insert(bounce);
    this.settled.push(...settlements);
    this.bounces.push(...bounces);
    this.#changed();
    return finished;
  }

  async nextDueMs(): Promise<number | undefined> {
    const free = [...this.#rows.values()].filter((row) => row.lease === undefined);
    return free.length === 0 ? undefined : Math.min(...free.map((row) => row.dueMs));
  }

  async summary(): Promise<QueueSummary> {
    const received = [...this.#messages.values()].map((message) => message.receivedMs);
    return {
      messages: this.#messages.size,
      activeRecipients: this.#rows.size,
      ...(received.length > 0 ? { oldestReceivedMs: Math.min(...received) } : {}),
    };
  }

  get leased(): number {
    return [...this.#rows.values()].filter((row) => row.lease !== undefined).length;
  }

  /** Until the queue looks as wanted. */
  async until(wanted: () => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!wanted()) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`the queue is not as wanted: ${JSON.stringify(this.settled)}`);
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#watchers.delete(done);
          resolve();
        };
        const timer = setTimeout(done, left);
        this.#watchers.add(done);
      });
    }
  }

  #refuse(messages: readonly NewMessage[]): void {
    for (const { mid, envelope } of messages)
      if (this.#messages.has(mid) || envelope.recipients.length === 0)
        throw new GatewayError('storage', `message ${mid} cannot be stored`);
  }

  #insert(message: NewMessage): void {
    this.#messages.set(message.mid, message);
    for (const recipient of message.envelope.recipients)
      this.#rows.set(key(message.mid, recipient.rid), { message, recipient, dueMs: message.receivedMs, attempts: 0 });
  }

  /** True when it finished its message. */
  #settleOne(settlement: Settlement): boolean {
    const { mid, rid } = settlement;
    const row = this.#rows.get(key(mid, rid));
    if (row === undefined) return false;
    if (settlement.outcome === 'retry') {
      row.dueMs = settlement.nextAttemptMs;
      row.attempts++;
      row.firstAttemptMs ??= settlement.nowMs;
      row.lastError = settlement.error;
      delete row.lease;
      return false;
    }
    if (settlement.outcome === 'later') {
      row.dueMs = settlement.nextAttemptMs;
      delete row.lease;
      return false;
    }
    this.#rows.delete(key(mid, rid));
    if ([...this.#rows.values()].some((other) => other.message.mid === mid)) return false;
    return this.#messages.delete(mid);
  }

  #changed(): void {
    for (const wake of this.#watchers) wake();
  }
}

const key = (mid: Mid, rid: Rid): string => `${mid}:${rid}`;

function dueRecipient({ message, recipient, attempts, firstAttemptMs, lastError }: Row): DueRecipient {
  const { sender, body, smtpUtf8, ret, envid } = message.envelope;
  return {
    mid: message.mid,
    recipient,
    sender,
    body,
    smtpUtf8,
    ...(ret === undefined ? {} : { ret }),
    ...(envid === undefined ? {} : { envid }),
    size: message.body.kind === 'inline' ? message.body.bytes.length : message.body.size,
    receivedMs: message.receivedMs,
    attempts,
    ...(firstAttemptMs === undefined ? {} : { firstAttemptMs }),
    ...(lastError === undefined ? {} : { lastError }),
  };
}
