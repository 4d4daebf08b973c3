/**
 * The delivery side of the queue's books: which recipients are held here, what the outcomes of a job mean on stable
 * storage and in the log, and the bounces that go with them, in one step.
 * Effects: the queue, the spool, the log.
 */
import type { BounceProfileConfig } from '../config/schema.ts';
import { type Dcid, type Mid, NO_DCID, type Rid } from '../core/ids.ts';
import type { Clock, DueRecipient, NewMessage, QueueStore, Settlement } from '../core/ports.ts';
import { recipientHost } from '../core/queue-selection.ts';
import type { MailLog } from '../log/mail-event.ts';
import { openBody } from './body-source.io.ts';
import { ORIGINAL_HEAD_BYTES, reportMessage } from './bounce.ts';
import { bouncedByAdministrator, type Conclusion, concludeJob, type Ended, type RetryDecision } from './conclusion.ts';
import type { Errands } from './errands.io.ts';
import type { Fate, HostCounters } from './host-counters.ts';

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
  readonly counters: HostCounters;
  /** Of the configuration in force. */
  readonly settings: () => { readonly hostname: string; readonly profile: BounceProfileConfig };
  readonly decideRetry: (
    profile: BounceProfileConfig,
    facts: { attempts: number; nowMs: number; random: number },
  ) => RetryDecision;
};

/** Where outcomes come from. */
export type Where = { readonly dcid: Dcid; readonly host?: string | undefined; readonly dsnPassedOn?: boolean };
const NOWHERE: Where = { dcid: NO_DCID };

/** Notifications that were queued, and messages of which nothing is left. */
export type Recorded = { readonly notifications: number; readonly finished: number };

/** What an administrator asked for. */
export type Order = { readonly by: string; readonly reason?: string | undefined };

export class Ledger {
  readonly #on: LedgerOptions;
  /**
   * `mid:rid` of everything that is waiting or under way here: a lease that ended must not double it. What is leaving may
   * be claimed anew before the answer about its leaving has been read here.
   */
  readonly #held = new Map<string, Hold>();
  #givenUp = false;

  constructor(options: LedgerOptions) {
    this.#on = options;
  }

  /** Of claimed recipients, those that are not held already. */
  hold(rows: readonly DueRecipient[]): DueRecipient[] {
    const fresh = rows.filter((row) => this.#held.get(nameOf(keyOf(row)))?.leaving !== false);
    for (const row of fresh) this.#held.set(nameOf(keyOf(row)), { leaving: false });
    return fresh;
  }

  async release(rows: readonly DueRecipient[]): Promise<void> {
    if (rows.length === 0) return;
    const { queue, owner } = this.#on;
    const keys = rows.map(keyOf);
    await this.#leave(keys, () => queue.release(owner, keys));
  }

  /** The change ends the leases of these recipients. Where it fails they stay held. */
  async #leave<T>(keys: readonly Key[], change: () => Promise<T>): Promise<T> {
    const holds = keys.map((key): [string, Hold | undefined] => [nameOf(key), this.#held.get(nameOf(key))]);
    for (const [, hold] of holds) if (hold !== undefined) hold.leaving = true;
    try {
      const value = await change();
      for (const [name, hold] of holds) if (this.#held.get(name) === hold) this.#held.delete(name);
      return value;
    } catch (error) {
      for (const [, hold] of holds) if (hold !== undefined) hold.leaving = false;
      throw error;
    }
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

  /** They wait for the next period of a recipient limit, which is no attempt. */
  async postpone(rows: readonly DueRecipient[], to: { untilMs: number; domain: string; rule: string }): Promise<void> {
    const { untilMs, domain, rule } = to;
    for (const [mid, group] of Map.groupBy(rows, (row) => row.mid)) {
      const rids = group.map(({ recipient }) => recipient.rid);
      this.#on.log.emit({ event: 'pending', mid, rids, domain, rule, untilMs });
    }
    const later = rows.map((row) => ({ ...keyOf(row), outcome: 'later' as const, nextAttemptMs: untilMs }));
    await this.#settle(later, []);
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

  /**
   * An administrator deletes recipients, of any messages: on stable storage when this resolves. Where that is not
   * possible they are given back, and it rejects. Says which messages are gone with them.
   */
  async remove(rows: readonly DueRecipient[], { by, reason }: Order): Promise<readonly Mid[]> {
    const { queue, log, clock } = this.#on;
    const response = reason ?? '';
    const settlements = rows.map((row): Settlement => ({ ...keyOf(row), outcome: 'deleted', response }));
    const done = await this.#orRelease(rows, () => this.#leave(settlements, () => queue.settle(settlements, [])));
    for (const [mid, group] of Map.groupBy(rows, (row) => row.mid)) {
      const rids = group.map(({ recipient }) => recipient.rid);
      log.emit({ event: 'deleted', mid, rids, by, ...(reason === undefined ? {} : { reason }) });
    }
    for (const mid of done) log.emit({ event: 'message-done', mid });
    for (const row of rows) this.#count(row, { kind: 'deleted' }, { nowMs: clock.now() });
    return done;
  }

  /** The same for bounces, of one message. */
  async bounce(rows: readonly DueRecipient[], { by, reason }: Order): Promise<Recorded> {
    const ended = rows.map((row) => bouncedByAdministrator(row, by, reason));
    return this.#orRelease(rows, () => this.#record(ended, NOWHERE, 'once'));
  }

  async #orRelease<T>(rows: readonly DueRecipient[], change: () => Promise<T>): Promise<T> {
    try {
      return await change();
    } catch (error) {
      await this.release(rows);
      throw error;
    }
  }

  /** `once`: it is told of and counted only when it is on stable storage. */
  async #record(ended: readonly Ended[], where: Where, how: 'insist' | 'once' = 'insist'): Promise<Recorded> {
    const [first] = ended;
    if (first === undefined) return { notifications: 0, finished: 0 };
    const { dcid, host, dsnPassedOn = false } = where;
    const { clock, random, log, settings, decideRetry } = this.#on;
    const { profile } = settings();
    const nowMs = clock.now();
    const share = random();
    const retry = (attempts: number): RetryDecision => decideRetry(profile, { attempts, nowMs, random: share });
    const conclusion = concludeJob({ ended, nowMs, profile, dcid, remoteHost: host, dsnPassedOn, retry });
    if (how === 'insist') for (const event of conclusion.events) log.emit(event);
    const bounces = await this.#bounces(conclusion, first.row, nowMs);
    const done = await this.#settle(conclusion.settlements, bounces, how);
    if (how === 'once') for (const event of conclusion.events) log.emit(event);
    for (const final of conclusion.finals) this.#count(final.row, final, { nowMs, remoteHost: host });
    for (const { mid } of bounces) log.emit({ event: 'bounce-generated', mid, of: first.row.mid });
    for (const mid of done) log.emit({ event: 'message-done', mid });
    return { notifications: bounces.length, finished: done.length };
  }

  #count({ recipient }: DueRecipient, fate: Fate, facts: { nowMs: number; remoteHost?: string | undefined }): void {
    this.#on.counters.count(recipientHost(recipient.address), fate, facts);
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

  async #settle(
    settlements: readonly Settlement[],
    bounces: readonly NewMessage[],
    how: 'insist' | 'once' = 'insist',
  ): Promise<readonly Mid[]> {
    const { queue, errands } = this.#on;
    // A queue may take the memory of a body over, even when it fails: every try gets a copy.
    const settle = (): Promise<readonly Mid[]> => queue.settle(settlements, bounces.map(withOwnBody));
    const leave = (): Promise<readonly Mid[]> => this.#leave(settlements, settle);
    const done = how === 'once' ? await leave() : await errands.insist(leave);
    for (const row of settlements)
      if (row.outcome === 'retry' || row.outcome === 'later') errands.wakeAt(row.nextAttemptMs);
    if (bounces.length > 0) errands.wake();
    return done;
  }
}

function withOwnBody(message: NewMessage): NewMessage {
  if (message.body.kind !== 'inline') return message;
  return { ...message, body: { kind: 'inline', bytes: new Uint8Array(message.body.bytes) } };
}

type Key = { readonly mid: Mid; readonly rid: Rid };
type Hold = { leaving: boolean };

const keyOf = ({ mid, recipient }: DueRecipient): Key => ({ mid, rid: recipient.rid });
const nameOf = ({ mid, rid }: Key): string => `${mid}:${rid}`;
