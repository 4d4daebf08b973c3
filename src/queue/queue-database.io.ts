/**
 * The embedded queue's database (node:sqlite): one file, write-ahead log, every commit flushed to disk before it
 * returns, locked for this process alone. All calls block, so only the store's own thread makes them. Callers bracket
 * changes with begin and commit; every method throws what SQLite throws.
 * Effects: the database file and its log.
 */
import fs from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { GatewayError } from '../core/errors.ts';
import { COUNTER_NAMES, type CounterValues } from './id-counters.ts';
import type { DueKey } from './leases.ts';
import type { QueuedMessage } from './queue-protocol.ts';
import { MIGRATIONS, SQL } from './queue-schema.ts';
import type { DueRow, MessageRows, SelectedRow, SettlementRow } from './queue-rows.ts';
import type { QueuePlace, QueueRange } from '../core/queue-selection.ts';
import { damaged, openFailure } from './store-failure.ts';
import { IN_WORK_QUEUE_MS } from './work-queue.ts';

/** Databases up to this size are read through at start; larger ones would keep the mail waiting too long. */
const CHECKED_BYTES = 256 * 1024 * 1024;
/** The log is cut back to this size after it has been copied into the database. */
const LOG_KEPT_BYTES = 32 * 1024 * 1024;

// EXCLUSIVE comes first: so the log's index lives in memory and a second process is refused.
// Checkpoints are the store's to time, because one in the middle of a commit delays everyone who waits for it.
const SETTINGS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 0;
  PRAGMA journal_size_limit = ${LOG_KEPT_BYTES};
  PRAGMA temp_store = MEMORY;
  PRAGMA cache_size = -65536;
`;

export type SettledMessage = { readonly spoolFile: string | undefined };
export type SpooledRow = { readonly mid: number; readonly size: number; readonly file: string };

type StatementName = keyof typeof SQL;

export class QueueDatabase {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #statements = new Map<StatementName, StatementSync>();

  private constructor(db: DatabaseSync, file: string) {
    this.#db = db;
    this.#file = file;
  }

  /** Creates or opens, locks and migrates. Throws GatewayError `storage` with the reason in words. */
  static open(file: string): QueueDatabase {
    let db: DatabaseSync | undefined;
    try {
      // Queued mail is for nobody else's eyes; SQLite gives the log the mode of the database.
      fs.closeSync(fs.openSync(file, 'a', 0o600));
      db = new DatabaseSync(file, { enableForeignKeyConstraints: false });
      db.exec(SETTINGS);
      const queue = new QueueDatabase(db, file);
      queue.#migrate();
      queue.#check();
      return queue;
    } catch (error) {
      db?.close();
      throw openFailure(error, file);
    }
  }

  get inTransaction(): boolean {
    return this.#db.isTransaction;
  }

  begin(): void {
    this.#statement('begin').run();
  }

  /** Returns when the changes are on stable storage. */
  commit(): void {
    this.#statement('commit').run();
  }

  /** Does nothing where SQLite has rolled back by itself, as it does on a full disk. */
  rollback(): void {
    if (this.#db.isTransaction) this.#statement('rollback').run();
  }

  insertMessage({ message, recipients, bytes }: MessageRows): void {
    this.#statement('insertMessage').run(...message);
    const insert = this.#statement('insertRecipient');
    for (const row of recipients) insert.run(...row);
    if (bytes !== undefined) this.#statement('insertBody').run(message[0], bytes);
  }

  /** False where there is no such recipient. */
  retryRecipient(mid: number, rid: number, retry: NonNullable<SettlementRow['retry']>): boolean {
    const { nowMs, nextAttemptMs, error } = retry;
    return this.#statement('retryRecipient').run(nowMs, nextAttemptMs, error, mid, rid).changes !== 0;
  }

  /** False where there is no such recipient. */
  removeRecipient(mid: number, rid: number): boolean {
    return this.#statement('removeRecipient').run(mid, rid).changes !== 0;
  }

  /** The same for a recipient that is held because its message lost its body. */
  removeHeldRecipient(mid: number, rid: number): boolean {
    return this.#statement('removeHeldRecipient').run(mid, rid).changes !== 0;
  }

  /** Gives a recipient another time; false where there is none that could have one. */
  reschedule(mid: number, rid: number, atMs: number): boolean {
    return this.#statement('reschedule').run(atMs, mid, rid).changes !== 0;
  }

  /** Removes the message and its body if no recipient is left. */
  removeIfFinished(mid: number): SettledMessage | undefined {
    if (this.#statement('hasRecipient').get(mid) !== undefined) return undefined;
    const row = this.#statement('removeMessage').get(mid);
    if (row === undefined) return undefined;
    const { spool_file: file } = row;
    if (typeof file === 'string') return { spoolFile: file };
    this.#statement('removeBody').run(mid);
    return { spoolFile: undefined };
  }

  /** Due recipients after `cursor`, in order, read one by one. */
  due(cursor: DueKey, nowMs: number): Iterable<DueRow> {
    return this.#statement('due').iterate(...cursor, nowMs) as Iterable<unknown> as Iterable<DueRow>;
  }

  /** Recipients of a range with their messages, by MID and RID, read one by one. */
  selected({ after, upTo }: QueueRange, limit: number): Iterable<SelectedRow> {
    return this.#statement('selected').iterate(...after, upTo, limit) as Iterable<unknown> as Iterable<SelectedRow>;
  }

  /** Recipients whose message waits in the work queue, oldest first. */
  inWorkQueue(limit: number): QueuePlace[] {
    const rows = this.#statement('inWorkQueue').all(IN_WORK_QUEUE_MS, limit);
    return rows.map(({ mid, rid }) => [Number(mid), Number(rid)]);
  }

  /** Messages in the work queue, counted up to `limit`. */
  countWorkQueue(limit: number): number {
    return Number(Object.values(this.#statement('countWorkQueue').get(IN_WORK_QUEUE_MS, limit) ?? {})[0] ?? 0);
  }

  /** When recipients after `cursor` become due, in order, read one by one. */
  dueTimes(cursor: DueKey): Iterable<DueKey> {
    return this.#statement('dueTimes').iterate(...cursor) as Iterable<unknown> as Iterable<DueKey>;
  }

  body(mid: number): { readonly bytes: Uint8Array } | { readonly file: string; readonly size: number } | undefined {
    const message = this.#statement('message').get(mid);
    if (message === undefined) return undefined;
    const { size, spool_file: file } = message;
    if (typeof file === 'string') return { file, size: Number(size) };
    const bytes = this.#statement('body').get(mid)?.['bytes'];
    return bytes instanceof Uint8Array ? { bytes } : undefined;
  }

  hasMessage(mid: number): boolean {
    return this.#statement('message').get(mid) !== undefined;
  }

  counts(): { messages: number; recipients: number } {
    return { messages: this.#number('countMessages') ?? 0, recipients: this.#number('countRecipients') ?? 0 };
  }

  /** The arrival of the message with the lowest MID: the oldest, but for the time a message takes to arrive. */
  oldestReceivedMs(): number | undefined {
    return this.#number('oldest');
  }

  highestMid(): number {
    return this.#number('highestMid') ?? 0;
  }

  /** Messages after `afterMid`, by MID, with all their recipients. */
  listMessages(afterMid: number, limit: number): QueuedMessage[] {
    return this.#statement('listMessages')
      .all(afterMid, limit)
      .map((row) => ({ ...messageOf(row), recipients: this.#listRecipients(Number(row['mid'])) }));
  }

  addresses(after: QueuePlace, limit: number): { mid: number; rid: number; address: string; attempts: number }[] {
    const rows = this.#statement('addresses').all(...after, limit);
    return rows.map(({ mid, rid, address, attempts }) => ({
      mid: Number(mid),
      rid: Number(rid),
      address: String(address),
      attempts: Number(attempts),
    }));
  }

  /** Messages whose body is a spool file. */
  spooled(): SpooledRow[] {
    const rows = this.#statement('spooled').all();
    return rows.map(({ mid, size, spool_file: file }) => ({
      mid: Number(mid),
      size: Number(size),
      file: String(file),
    }));
  }

  /** Takes a message's recipients out of delivery, or puts them back. Says how many changed. */
  hold(mid: number, held: boolean): number {
    return Number(this.#statement(held ? 'hold' : 'unhold').run(mid).changes);
  }

  /** What was said to hold after a restart, by name. */
  standing(): Map<string, string> {
    const rows = this.#statement('standing').all();
    return new Map(rows.map(({ name, value }) => [String(name), String(value)]));
  }

  /** `null` forgets it. */
  keep(name: string, value: string | null): void {
    if (value === null) this.#statement('forget').run(name);
    else this.#statement('keep').run(name, value);
  }

  readIds(): CounterValues {
    const stored = new Map(
      this.#statement('readIds')
        .all()
        .map(({ name, next }) => [name, Number(next)]),
    );
    return { icid: stored.get('icid') ?? 1, mid: stored.get('mid') ?? 1, dcid: stored.get('dcid') ?? 1 };
  }

  writeIds(next: CounterValues): void {
    for (const name of COUNTER_NAMES) this.#statement('writeId').run(name, next[name]);
  }

  /** Copies the log into the database and starts the log anew. `truncate` also gives the log's space back. */
  checkpoint(mode: 'PASSIVE' | 'TRUNCATE'): void {
    this.#db.exec(`PRAGMA wal_checkpoint(${mode})`);
  }

  close(): void {
    this.#db.close();
  }

  #migrate(): void {
    const version = Number(this.#db.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version > MIGRATIONS.length) {
      throw new GatewayError('storage', `${this.#file} was written by a newer version of Sallyport: run that version`);
    }
    // Takes the lock for good, even where there is nothing to migrate and the disk may be full.
    this.#db.exec('BEGIN EXCLUSIVE');
    const migrations = MIGRATIONS.slice(version);
    for (const migration of migrations) this.#db.exec(migration);
    if (migrations.length > 0) this.#db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    this.#db.exec('COMMIT');
  }

  #check(): void {
    if (fs.statSync(this.#file).size > CHECKED_BYTES) return;
    const how = this.#db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (how !== 'ok') throw damaged(this.#file, String(how));
  }

  #number(name: StatementName): number | undefined {
    const value = Object.values(this.#statement(name).get() ?? {})[0];
    return value === null || value === undefined ? undefined : Number(value);
  }

  #statement(name: StatementName): StatementSync {
    let statement = this.#statements.get(name);
    if (statement === undefined) {
      statement = this.#db.prepare(SQL[name]);
      statement.setReturnArrays(name === 'due' || name === 'dueTimes' || name === 'selected');
      this.#statements.set(name, statement);
    }
    return statement;
  }

  #listRecipients(mid: number): QueuedMessage['recipients'] {
    return this.#statement('listRecipients').all(mid).map(recipientOf);
  }
}

type Row = ReturnType<StatementSync['all']>[number];

const messageOf = ({
  mid,
  icid,
  received_ms: receivedMs,
  sender,
  size,
  origin,
}: Row): Omit<QueuedMessage, 'recipients'> => ({
  mid: Number(mid) as QueuedMessage['mid'],
  icid: Number(icid),
  receivedMs: Number(receivedMs),
  sender: String(sender),
  size: Number(size),
  origin: JSON.parse(String(origin)) as QueuedMessage['origin'],
});

function nextAttemptOf(value: unknown): { nextAttemptMs?: number; inWorkQueue?: true } {
  if (value === null) return {};
  return Number(value) === IN_WORK_QUEUE_MS ? { inWorkQueue: true } : { nextAttemptMs: Number(value) };
}

const recipientOf = (row: Row): QueuedMessage['recipients'][number] => ({
  rid: Number(row['rid']) as QueuedMessage['recipients'][number]['rid'],
  address: String(row['address']),
  attempts: Number(row['attempts']),
  ...nextAttemptOf(row['next_attempt_ms']),
  ...(row['last_error'] === null ? {} : { lastError: String(row['last_error']) }),
});
