/**
 * An administrator's work on the queue, in the hands of delivery: delete, bounce, deliver now (AsyncOS deleterecipients,
 * bouncerecipients, delivernow). A recipient is first claimed as delivery claims it, so that nobody delivers what is being
 * deleted; one that a transaction carries at this moment is left to it, and said so. What waits here for a connection is
 * taken back first. Messages that come after the work began, its own bounces among them, are not in it.
 * One piece of work at a time, in parts of bounded time; whatever a part has answered for is on stable storage.
 * Effects: the queue, the log, through the ledger.
 */
import { GatewayError } from '../core/errors.ts';
import type { Clock, DueRecipient } from '../core/ports.ts';
import { matcherOf, QUEUE_START, type QueuePlace, type QueueRange, selectionText } from '../core/queue-selection.ts';
import type { MailLog } from '../log/mail-event.ts';
import type { QueueClient } from '../queue/queue-client.io.ts';
import type { Ledger } from './ledger.io.ts';
import type { Disposal, DisposalReport, Haste, HasteReport } from './operations.ts';

/** A part answers after about so long. */
const PART_MS = 3_000;
const PORTION = 500;
/** Messages that are bounced at the same time: they share commits. */
const BOUNCED_TOGETHER = 50;
/** Longer than a part; a lease that runs out would double a bounce. */
const LEASE_MS = 3_600_000;

export type QueueWorkParts = {
  readonly queue: Pick<QueueClient, 'select' | 'hasten'>;
  readonly owner: string;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: MailLog;
  /** The highest MID given so far. */
  readonly lastMid: () => number;
  /** Takes back what waits for a connection. */
  readonly withdraw: (matches: (row: DueRecipient) => boolean) => readonly DueRecipient[];
  readonly stopping: () => boolean;
  /** Everything that is due now, also for hosts that were down. */
  readonly kick: () => void;
  /** A look at what is due. */
  readonly wake: () => void;
};

type Tally = { recipients: number; messages: number; bounces: number };

export class QueueWork {
  readonly #parts: QueueWorkParts;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: QueueWorkParts) {
    this.#parts = parts;
  }

  dispose(disposal: Disposal): Promise<DisposalReport> {
    // Room was made, or what could not be recorded was given back.
    return this.#inTurn(() => this.#dispose(disposal)).finally(() => this.#parts.wake());
  }

  async #dispose(disposal: Disposal): Promise<DisposalReport> {
    const { queue, owner, ledger, clock, stopping } = this.#parts;
    const { selection } = disposal;
    if (stopping()) throw new GatewayError('closed', 'the gateway is stopping');
    const { after: from, upTo } = this.#rangeOf(disposal.range);
    const untilMs = clock.now() + PART_MS;
    const tally: Tally = { recipients: 0, messages: 0, bounces: 0 };
    const busy = new Set<string>();
    await this.#takeBack(disposal, upTo, { tally, busy });
    let after: QueuePlace | undefined = from;
    while (after !== undefined && !stopping() && clock.now() < untilMs) {
      const range: QueueRange = { after, upTo };
      const claim = { owner, nowMs: clock.now(), leaseMs: LEASE_MS };
      const portion = await queue.select({ selection, range, limit: PORTION, claim });
      for (const [mid, rid] of portion.busy) busy.add(`${mid}:${rid}`);
      await this.#carryOut(disposal, ledger.hold(portion.recipients), tally);
      after = portion.after;
    }
    // What delivery claimed meanwhile and has not begun yet.
    await this.#takeBack(disposal, upTo, { tally, busy });
    return { ...tally, inDelivery: busy.size, ...(after === undefined ? {} : { range: { after, upTo } }) };
  }

  deliverNow(haste: Haste): Promise<HasteReport> {
    return this.#inTurn(() => this.#deliverNow(haste));
  }

  async #deliverNow({ selection, range, by }: Haste): Promise<HasteReport> {
    const { queue, clock, log, kick, stopping } = this.#parts;
    const { after: from, upTo } = this.#rangeOf(range);
    const untilMs = clock.now() + PART_MS;
    let recipients = 0;
    let after: QueuePlace | undefined = from;
    do {
      const part = await queue.hasten(selection, { after, upTo }, clock.now());
      recipients += part.hastened;
      after = part.after;
    } while (after !== undefined && !stopping() && clock.now() < untilMs);
    log.emit({ event: 'deliver-now', selection: selectionText(selection), recipients, by });
    kick();
    return { recipients, ...(after === undefined ? {} : { range: { after, upTo } }) };
  }

  #rangeOf(range: QueueRange | undefined): QueueRange {
    return range ?? { after: QUEUE_START, upTo: this.#parts.lastMid() };
  }

  async #takeBack(
    disposal: Disposal,
    upTo: number,
    { tally, busy }: { tally: Tally; busy: Set<string> },
  ): Promise<void> {
    const matches = matcherOf(disposal.selection);
    const rows = this.#parts.withdraw(
      ({ mid, recipient, sender }) =>
        mid <= upTo && matches({ mid, rid: recipient.rid, address: recipient.address, sender }),
    );
    for (const { mid, recipient } of rows) busy.delete(`${mid}:${recipient.rid}`);
    await this.#carryOut(disposal, rows, tally);
  }

  /** Of any messages. What cannot be recorded is given back, and the part fails; what was done before stays done. */
  async #carryOut(disposal: Disposal, rows: readonly DueRecipient[], tally: Tally): Promise<void> {
    const { ledger } = this.#parts;
    const rest = [...rows];
    try {
      while (rest.length > 0) {
        const portion = rest.splice(0, PORTION);
        if (disposal.action === 'delete') tally.messages += (await ledger.remove(portion, disposal)).length;
        else await this.#bounce(disposal, portion, tally);
        tally.recipients += portion.length;
      }
    } catch (error) {
      await ledger.release(rest);
      throw error;
    }
  }

  async #bounce(disposal: Disposal, rows: readonly DueRecipient[], tally: Tally): Promise<void> {
    const { ledger } = this.#parts;
    const messages = [...Map.groupBy(rows, ({ mid }) => mid).values()];
    while (messages.length > 0) {
      const together = messages.splice(0, BOUNCED_TOGETHER);
      const bounced = await Promise.allSettled(together.map((group) => ledger.bounce(group, disposal)));
      for (const result of bounced) {
        if (result.status === 'fulfilled') {
          tally.bounces += result.value.notifications;
          tally.messages += result.value.finished;
        }
      }
      const failed = bounced.find((result) => result.status === 'rejected');
      if (failed === undefined) continue;
      await ledger.release(messages.flat());
      throw failed.reason;
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
