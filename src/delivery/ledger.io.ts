/**
 * The delivery side of the queue's books: which recipients are held here, what the outcomes of a job mean on stable
 * storage and in the log, and the bounces that go with them, in one step.
 * Effects: the queue, the spool, the log.
 */
import type { BounceProfileConfig } from '../config/schema.ts';
import type { Dcid, Mid, Rid } from '../core/ids.ts';
import type { Clock, DueRecipient, NewMessage, QueueStore, Settlement } from '../core/ports.ts';
import type { MailLog } from '../log/mail-event.ts';
import { openBody } from './body-source.io.ts';
import { ORIGINAL_HEAD_BYTES, reportMessage } from './bounce.ts';
import { type Conclusion, concludeJob, type Ended, type RetryDecision } from './conclusion.ts';
import type { Errands } from './errands.io.ts';

export type DeliveryQueue = QueueStore & {
  onArrival?(callback: () => void): void;
};

export type LedgerOptions = {
  readonly queue: DeliveryQueue;
  readonly owner: string;
  readonly spoolDir: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: MailLog;
  readonly nextMid: () => Mid;
  readonly errands: Errands;
  /** Of the configuration in force. */
  readonly settings: () => { readonly hostname: string; readonly profile: BounceProfileConfig };
  readonly decideRetry: (
    profile: BounceProfileConfig,
    facts: { attempts: number; nowMs: number; random: number },
  ) => RetryDecision;
};

/** Where outcomes come from; DCID 0 where there was no connection. */
export type Where = { readonly dcid: Dcid; readonly host?: string | undefined; readonly dsnPassedOn?: boolean };
const NOWHERE: Where = { dcid: 0 as Dcid };

export class Ledger {
  readonly #on: LedgerOptions;
  /** `mid:rid` of everything that is waiting or under way here: a lease that ended must not double it. */
  readonly #held = new Set<string>();
  #givenUp = false;

  constructor(options: LedgerOptions) {
    this.#on = options;
  }

  /** Of claimed recipients, those that are not held already. */
  hold(rows: readonly DueRecipient[]): DueRecipient[] {
    const fresh = rows.filter((row) => !this.#held.has(nameOf(keyOf(row))));
    for (const row of fresh) this.#held.add(nameOf(keyOf(row)));
    return fresh;
  }

  async release(rows: readonly DueRecipient[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#on.queue.release(this.#on.owner, rows.map(keyOf));
    for (const row of rows) this.#held.delete(nameOf(keyOf(row)));
  }

  /** From now on what is not certain goes back to the queue untouched: connections were cut by us. */
  giveUp(): void {
    this.#givenUp = true;
  }

  /** Outcomes of one job, or of recipients of one message, become settlements, log lines and bounces. */
  async conclude(ended: readonly Ended[], where: Where = NOWHERE): Promise<void> {
    if (this.#givenUp) {
      await this.release(ended.filter(({ outcome }) => outcome.kind === 'retry').map(({ row }) => row));
      await this.#record(
        ended.filter(({ outcome }) => outcome.kind !== 'retry'),
        where,
      );
    } else await this.#record(ended, where);
  }

  async discard(rows: readonly DueRecipient[], route: string): Promise<void> {
    const [first] = rows;
    if (first === undefined) return;
    const rids = rows.map(({ recipient }) => recipient.rid);
    this.#on.log.emit({ event: 'discarded', mid: first.mid, rids, route });
    const done = await this.#settle(
      rows.map((row) => ({ ...keyOf(row), outcome: 'dropped', response: route })),
      [],
    );
    for (const mid of done) this.#on.log.emit({ event: 'message-done', mid });
  }

  async #record(ended: readonly Ended[], { dcid, host, dsnPassedOn = false }: Where): Promise<void> {
    const [first] = ended;
    if (first === undefined) return;
    const { clock, random, log, settings, decideRetry } = this.#on;
    const { profile } = settings();
    const nowMs = clock.now();
    const share = random();
    const retry = (attempts: number): RetryDecision => decideRetry(profile, { attempts, nowMs, random: share });
    const conclusion = concludeJob({ ended, nowMs, profile, dcid, remoteHost: host, dsnPassedOn, retry });
    for (const event of conclusion.events) log.emit(event);
    const bounces = await this.#bounces(conclusion, first.row, nowMs);
    const done = await this.#settle(conclusion.settlements, bounces);
    for (const { mid } of bounces) log.emit({ event: 'bounce-generated', mid, of: first.row.mid });
    for (const mid of done) log.emit({ event: 'message-done', mid });
  }

  async #bounces({ reports }: Conclusion, of: DueRecipient, nowMs: number): Promise<NewMessage[]> {
    if (reports.length === 0) return [];
    const { queue, spoolDir, nextMid, random, settings } = this.#on;
    const { hostname } = settings();
    const original = await queue
      .readBody(of.mid)
      .then((body) => openBody(body, spoolDir))
      .then(async (source) => ({ bytes: source.bytes, head: await source.head(ORIGINAL_HEAD_BYTES) }))
      .catch(() => undefined); // a bounce without the original is better than none
    return reports.map((report) => reportMessage({ ...report, mid: nextMid(), hostname, nowMs, random, of, original }));
  }

  async #settle(settlements: readonly Settlement[], bounces: readonly NewMessage[]): Promise<readonly Mid[]> {
    const { queue, errands } = this.#on;
    // A queue may take the memory of a body over, even when it fails: every try gets a copy.
    const done = await errands.insist(() => queue.settle(settlements, bounces.map(withOwnBody)));
    for (const row of settlements) {
      this.#held.delete(nameOf(row));
      if (row.outcome === 'retry') errands.wakeAt(row.nextAttemptMs);
    }
    if (bounces.length > 0) errands.wake();
    return done;
  }
}

function withOwnBody(message: NewMessage): NewMessage {
  if (message.body.kind !== 'inline') return message;
  return { ...message, body: { kind: 'inline', bytes: new Uint8Array(message.body.bytes) } };
}

const keyOf = ({ mid, recipient }: DueRecipient): { mid: Mid; rid: Rid } => ({ mid, rid: recipient.rid });
const nameOf = ({ mid, rid }: { mid: Mid; rid: Rid }): string => `${mid}:${rid}`;
