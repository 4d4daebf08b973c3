/**
 * Changes to the queue, many in one transaction. What a request changes is kept apart from the database until the
 * commit has returned: counts, leases and spool files follow the disk and never run ahead of it.
 * If a batch fails, each of its requests is tried alone, so that one that cannot be stored does not fail the others;
 * that is cheaper than a savepoint around every request of every batch that succeeds.
 * Effects: the database, the spool folder.
 */
import fs from 'node:fs';
import { GatewayError } from '../core/errors.ts';
import type { FreeSpace } from './free-space.io.ts';
import { type CounterValues, nextReservation, peekCounters } from './id-counters.ts';
import type { DueKey, Leases } from './leases.ts';
import type { QueueDatabase } from './queue-database.io.ts';
import type { Change } from './queue-protocol.ts';
import type { MessageRows } from './queue-rows.ts';
import type { Reserve } from './reserve.io.ts';
import { hasten, inWorkQueue, leaveWorkQueue } from './rescheduling.io.ts';
import { spoolPath } from './spool.io.ts';
import { isBroken, isFull, storageFailure } from './store-failure.ts';
import { WORK_QUEUE } from './work-queue.ts';

/** One request of a batch; `fail` or `done` is called once, `done` only after the commit. */
export type PendingChange = {
  readonly change: Change;
  /** With the value of the answer: of a settlement, the messages of which nothing is open any more. */
  done(value: unknown): void;
  fail(error: GatewayError): void;
};

/** What becomes true in memory and in the spool folder once the commit has returned. */
type Effects = {
  messages: number;
  recipients: number;
  settlements: number;
  logBytes: number;
  readonly placed: DueKey[];
  readonly settled: (readonly [mid: number, rid: number])[];
  readonly spoolFiles: string[];
  /** New mail waits in the work queue from now on, or no longer. */
  paused?: boolean;
};

const noEffects = (): Effects => ({
  messages: 0,
  recipients: 0,
  settlements: 0,
  logBytes: 0,
  placed: [],
  settled: [],
  spoolFiles: [],
});

export type GroupCommitParts = {
  readonly db: QueueDatabase;
  readonly leases: Leases;
  readonly freeSpace: FreeSpace;
  readonly reserve: Reserve;
  readonly spoolDir: string;
  readonly ids: SharedArrayBuffer;
  readonly reserved: CounterValues;
  /** Told, with the reason, when disk or database turn out to be broken, and again only after something has worked. */
  readonly onBroken: (why: string) => void;
};

/** What a commit adds to the log beside the bodies: about so many pages of 4 KiB. */
const COMMIT_LOG_BYTES = 8 * 4096;

export class GroupCommit {
  readonly #parts: GroupCommitParts;
  #reserved: CounterValues;
  #logBytes = 0;
  #broken = false;
  readonly counts: { messages: number; recipients: number };
  readonly stats = { accepted: 0, settled: 0, commits: 0 };
  /** Recipients that were given a time to be tried at, now or later. */
  #placed = 0;
  #paused: boolean;

  constructor(parts: GroupCommitParts) {
    this.#parts = parts;
    this.#reserved = parts.reserved;
    this.counts = parts.db.counts();
    this.#paused = parts.db.standing().has(WORK_QUEUE);
  }

  /** Answers every request of the batch. True where some recipient may be due that was not before. */
  apply(batch: readonly PendingChange[]): boolean {
    const admitted = batch.filter((pending) => this.#admit(pending));
    if (admitted.length === 0) return false;
    const placedBefore = this.#placed;
    const failure = this.#transact(admitted);
    if (failure === undefined) return this.#placed > placedBefore;
    if (isBroken(failure)) {
      this.#reportBroken(failure);
      for (const pending of admitted) this.#refuse(pending, failure);
      return false;
    }
    // A log that has been copied into the database can be written over from its start.
    if (isFull(failure)) this.tryCheckpoint();
    for (const pending of admitted) {
      const why = this.#alone(pending);
      if (why !== undefined) this.#refuse(pending, why);
    }
    return this.#placed > placedBefore;
  }

  /** What became of mail is written down also on a full disk: it frees more than it takes. */
  #alone(pending: PendingChange): unknown {
    const why = this.#transact([pending]);
    const isOutcome = pending.change.op === 'settle';
    if (why === undefined || !isOutcome || !isFull(why) || !this.#parts.reserve.spend()) return why;
    this.tryCheckpoint();
    return this.#transact([pending]);
  }

  /** Moves the limits of the counters on where they come near; the timer calls it, commits do it by the way. */
  reserveIds(): void {
    if (nextReservation(peekCounters(this.#parts.ids), this.#reserved) === undefined) return;
    this.#transact([]);
  }

  /** Copies the log into the database once it has grown by `minLogBytes`. */
  checkpointFrom(minLogBytes: number): void {
    if (this.#logBytes >= minLogBytes) this.tryCheckpoint();
  }

  /** A failure leaves everything as it was, and the next one tries again. */
  tryCheckpoint(mode: 'PASSIVE' | 'TRUNCATE' = 'PASSIVE'): void {
    this.#logBytes = 0;
    try {
      this.#parts.db.checkpoint(mode);
    } catch (error) {
      if (isBroken(error)) this.#reportBroken(error);
    }
  }

  /** At a clean stop the counters go on without a gap. */
  writeExactIds(): void {
    const { db, ids } = this.#parts;
    db.begin();
    db.writeIds(peekCounters(ids));
    db.commit();
  }

  /** Commits the batch whole, or changes nothing and says why. */
  #transact(batch: readonly PendingChange[]): unknown {
    const { db, ids } = this.#parts;
    const effects = noEffects();
    const values: unknown[] = [];
    const reservation = nextReservation(peekCounters(ids), this.#reserved);
    try {
      db.begin();
      for (const { change } of batch) values.push(this.#change(change, effects));
      if (reservation !== undefined) db.writeIds(reservation);
      db.commit();
    } catch (error) {
      return this.#rolledBack(error);
    }
    this.#reserved = reservation ?? this.#reserved;
    this.#broken = false;
    this.#logBytes += COMMIT_LOG_BYTES;
    this.stats.commits++;
    this.stats.accepted += batch.filter(({ change }) => change.op === 'accept').length;
    this.#follow(effects);
    for (const [i, pending] of batch.entries()) pending.done(values[i]);
    return undefined;
  }

  #rolledBack(error: unknown): unknown {
    try {
      this.#parts.db.rollback();
    } catch (rollbackError) {
      return rollbackError;
    }
    return error ?? new GatewayError('storage', 'the queue could not be changed');
  }

  /** The value of its answer. */
  #change(change: Change, effects: Effects): unknown {
    const { db } = this.#parts;
    switch (change.op) {
      case 'accept':
        return this.#insert(this.#paused ? inWorkQueue(change.rows) : change.rows, effects);
      case 'settle':
        return this.#settle(change, effects);
      case 'hasten':
        return hasten(this.#parts, change, effects.placed);
      case 'leaveWorkQueue':
        return leaveWorkQueue(this.#parts, change, effects.placed);
      case 'keep':
        if (change.name === WORK_QUEUE) effects.paused = change.value !== null;
        return db.keep(change.name, change.value);
    }
  }

  /** The messages it finished. */
  #settle(change: Extract<Change, { op: 'settle' }>, effects: Effects): readonly number[] {
    const { db } = this.#parts;
    const touched = new Set<number>();
    const finished: number[] = [];
    for (const { mid, rid, retry, laterMs, evenHeld } of change.settlements) {
      effects.settled.push([mid, rid]);
      effects.settlements++;
      if (retry !== undefined) {
        if (db.retryRecipient(mid, rid, retry)) effects.placed.push([retry.nextAttemptMs, mid, rid]);
      } else if (laterMs !== undefined) {
        if (db.reschedule(mid, rid, laterMs)) effects.placed.push([laterMs, mid, rid]);
      } else if (db.removeRecipient(mid, rid)) {
        effects.recipients--;
        touched.add(mid);
      } else if (evenHeld === true && db.removeHeldRecipient(mid, rid)) touched.add(mid);
    }
    for (const mid of touched) {
      const removed = db.removeIfFinished(mid);
      if (removed === undefined) continue;
      finished.push(mid);
      effects.messages--;
      if (removed.spoolFile !== undefined) effects.spoolFiles.push(removed.spoolFile);
    }
    for (const bounce of change.bounces) this.#insert(bounce, effects);
    return finished;
  }

  #insert(rows: MessageRows, effects: Effects): void {
    this.#parts.db.insertMessage(rows);
    effects.messages++;
    effects.logBytes += rows.bytes?.byteLength ?? 0;
    effects.recipients += rows.recipients.length;
    for (const [mid, rid, , , , dueMs] of rows.recipients) effects.placed.push([dueMs, mid, rid]);
  }

  /** Memory and spool folder follow what the disk now says. */
  #follow({ messages, recipients, settlements, logBytes, placed, settled, spoolFiles, paused }: Effects): void {
    const { leases, spoolDir } = this.#parts;
    this.#logBytes += logBytes;
    this.counts.messages += messages;
    this.counts.recipients += recipients;
    this.stats.settled += settlements;
    for (const [mid, rid] of settled) leases.settled(mid, rid);
    for (const key of placed) leases.placed(key);
    this.#placed += placed.length;
    if (paused !== undefined) this.#paused = paused;
    // A file that stays behind is an orphan, and goes when the store opens again.
    for (const file of spoolFiles) fs.unlink(spoolPath(spoolDir, file), () => {});
  }

  /** New mail needs room, and a spooled body must be there whole before the queue promises it. */
  #admit(pending: PendingChange): boolean {
    const { change } = pending;
    if (change.op !== 'accept') return true;
    try {
      this.#parts.freeSpace.check();
      if (!this.#parts.reserve.ensure())
        throw new GatewayError('storage-full', 'there is no room for the reserve of the data folder');
      this.#checkSpooled(change.rows);
      return true;
    } catch (error) {
      this.#refuse(pending, error);
      return false;
    }
  }

  #checkSpooled({ message }: MessageRows): void {
    const [size, file] = [message[8], message[9]];
    if (file === null) return;
    const found = fs.statSync(spoolPath(this.#parts.spoolDir, file), { throwIfNoEntry: false })?.size;
    if (found !== size)
      throw new GatewayError('storage', `spool file ${file} has ${found ?? 'no'} bytes instead of ${size}`);
  }

  #reportBroken(error: unknown): void {
    if (!this.#broken) this.#parts.onBroken(error instanceof Error ? error.message : String(error));
    this.#broken = true;
  }

  #refuse(pending: PendingChange, error: unknown): void {
    if (pending.change.op === 'accept') this.#removeSpooled(pending.change.rows);
    pending.fail(
      storageFailure(error, pending.change.op === 'accept' ? 'cannot queue the message' : 'cannot record the outcome'),
    );
  }

  /** Nothing of a refused message is kept, unless its MID is taken: then the file is the other message's. */
  #removeSpooled({ message: [mid, , , , , , , , , file] }: MessageRows): void {
    const { db, spoolDir } = this.#parts;
    if (file === null) return;
    try {
      if (!db.hasMessage(mid)) fs.rmSync(spoolPath(spoolDir, file), { force: true });
    } catch {
      // The database does not answer, so the file stays until the store opens again.
    }
  }
}
