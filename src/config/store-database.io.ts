/**
 * The database of the configuration store: one SQLite file in the data folder, locked for one process. A revision is one
 * transaction that is on stable storage when `record` returns (write-ahead log, synchronous=FULL), so whatever moment a
 * crash comes at, a start finds the old revision or the new one, whole. Few and small writes: made on the control thread.
 * Effects: the database file and its log.
 */
import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError, whyOf } from '../core/errors.ts';
import type { CandidateInfo, RevisionInfo, Unconfirmed } from './configuration-store.ts';
import type { Json } from './document.ts';

const FILE = 'config.db';
const SETTINGS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA secure_delete = ON;
  PRAGMA temp_store = MEMORY;
`;
const SCHEMA_VERSION = 1;
const SCHEMA = `
  CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE revision (
    number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, author TEXT NOT NULL, comment TEXT NOT NULL,
    rollback_to INTEGER, document TEXT NOT NULL
  ) STRICT;
  CREATE TABLE candidate (
    session TEXT PRIMARY KEY, author TEXT NOT NULL, base INTEGER NOT NULL, version INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL, sealed TEXT NOT NULL
  ) STRICT;
  CREATE TABLE unconfirmed (
    revision INTEGER PRIMARY KEY, back_to INTEGER NOT NULL, deadline_ms INTEGER NOT NULL, author TEXT NOT NULL
  ) STRICT;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

export type StoredRevision = RevisionInfo & { readonly document: Json };
/** The candidate's tree, encrypted as a whole: it may have a secret where the schema knows none. */
export type StoredCandidate = CandidateInfo & { readonly sealed: string };
type Row = Readonly<Record<string, unknown>>;

/** What one commit writes, all of it or nothing. */
export type Recording = {
  readonly revision: StoredRevision;
  /** The candidate that became this revision. */
  readonly session?: string;
  readonly unconfirmed?: Unconfirmed;
  /** So many revisions stay, this one among them. */
  readonly keep?: number;
};

const OLDEST = 'oldest revision kept';

export const storeFile = (dataDir: string): string => path.join(dataDir, FILE);

export class StoreDatabase {
  readonly #db: DatabaseSync;
  readonly file: string;

  private constructor(db: DatabaseSync, file: string) {
    this.#db = db;
    this.file = file;
  }

  /** Creates or opens, and locks. Throws GatewayError `storage` with the reason in words. */
  static open(dataDir: string): StoreDatabase {
    const file = storeFile(dataDir);
    let db: DatabaseSync | undefined;
    try {
      fs.closeSync(fs.openSync(file, 'a', 0o600));
      db = new DatabaseSync(file);
      db.exec(SETTINGS);
      const store = new StoreDatabase(db, file);
      store.#prepare();
      return store;
    } catch (error) {
      db?.close();
      throw openFailure(error, file);
    }
  }

  setting(name: string): string | undefined {
    const value = this.#db.prepare('SELECT value FROM setting WHERE name = ?').get(name)?.['value'];
    return typeof value === 'string' ? value : undefined;
  }

  setSetting(name: string, value: string): void {
    this.#db.prepare('INSERT OR REPLACE INTO setting VALUES (?, ?)').run(name, value);
  }

  head(): StoredRevision | undefined {
    const row = this.#db.prepare('SELECT * FROM revision ORDER BY number DESC LIMIT 1').get();
    return row === undefined ? undefined : this.#revisionOf(row);
  }

  revision(number: number): StoredRevision | undefined {
    const row = this.#db.prepare('SELECT * FROM revision WHERE number = ?').get(number);
    return row === undefined ? undefined : this.#revisionOf(row);
  }

  /** Those below this number were removed, or stand there only to compare others with. */
  oldestKept(): number {
    return Number(this.setting(OLDEST) ?? 1);
  }

  /** Newest first, those below `before`. */
  history(before: number, limit: number): RevisionInfo[] {
    const columns = 'number, at_ms, author, comment, rollback_to';
    const rows = this.#db
      .prepare(`SELECT ${columns} FROM revision WHERE number < ? AND number >= ? ORDER BY number DESC LIMIT ?`)
      .all(before, this.oldestKept(), limit);
    return rows.map(infoOf);
  }

  /** Returns when the revision is on stable storage; throws, and has changed nothing, where it cannot be. */
  record({ revision, session, unconfirmed, keep }: Recording): void {
    this.#transaction(() => {
      const { number, atMs, author, comment, rollbackTo, document } = revision;
      this.#db
        .prepare('INSERT INTO revision VALUES (?, ?, ?, ?, ?, ?)')
        .run(number, atMs, author, comment, rollbackTo ?? null, JSON.stringify(document));
      this.#db.exec('DELETE FROM unconfirmed');
      if (session !== undefined) this.removeCandidate(session);
      if (keep !== undefined) this.#prune(number - keep + 1);
      if (unconfirmed === undefined) return;
      const { backTo, deadlineMs, author: who } = unconfirmed;
      this.#db.prepare('INSERT INTO unconfirmed VALUES (?, ?, ?, ?)').run(number, backTo, deadlineMs, who);
    });
  }

  unconfirmed(): Unconfirmed | undefined {
    const row = this.#db.prepare('SELECT * FROM unconfirmed').get();
    if (row === undefined) return undefined;
    return {
      revision: Number(row['revision']),
      backTo: Number(row['back_to']),
      deadlineMs: Number(row['deadline_ms']),
      author: String(row['author']),
    };
  }

  confirm(): void {
    this.#db.exec('DELETE FROM unconfirmed');
  }

  candidates(): CandidateInfo[] {
    const columns = 'session, author, base, version, changed_ms';
    return this.#db.prepare(`SELECT ${columns} FROM candidate ORDER BY changed_ms`).all().map(candidateOf);
  }

  candidate(session: string): StoredCandidate | undefined {
    const row = this.#db.prepare('SELECT * FROM candidate WHERE session = ?').get(session);
    return row === undefined ? undefined : { ...candidateOf(row), sealed: String(row['sealed']) };
  }

  putCandidate({ session, author, base, version, changedMs, sealed }: StoredCandidate): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO candidate VALUES (?, ?, ?, ?, ?, ?)')
      .run(session, author, base, version, changedMs, sealed);
  }

  removeCandidate(session: string): void {
    this.#db.prepare('DELETE FROM candidate WHERE session = ?').run(session);
  }

  removeCandidatesBefore(changedMs: number): void {
    this.#db.prepare('DELETE FROM candidate WHERE changed_ms < ?').run(changedMs);
  }

  /** Every document and candidate as `change` makes it, with a setting that says so: all of it or nothing. */
  rewrite(
    change: { document: (tree: Json) => Json; sealed: (text: string) => string },
    setting: [string, string],
  ): void {
    this.#transaction(() => {
      const revisions = this.#db.prepare('SELECT number FROM revision').all();
      const putRevision = this.#db.prepare('UPDATE revision SET document = ? WHERE number = ?');
      for (const { number } of revisions) {
        const revision = this.revision(Number(number));
        if (revision !== undefined)
          putRevision.run(JSON.stringify(change.document(revision.document)), revision.number);
      }
      const putCandidate = this.#db.prepare('UPDATE candidate SET sealed = ? WHERE session = ?');
      for (const { session } of this.candidates()) {
        const candidate = this.candidate(session);
        if (candidate !== undefined) putCandidate.run(change.sealed(candidate.sealed), session);
      }
      this.setSetting(...setting);
    });
    // What the log still holds of before.
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #prepare(): void {
    const version = Number(this.#db.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version > SCHEMA_VERSION)
      throw new GatewayError('storage', `${this.file} was written by a newer version of Sallyport: run that version`);
    // Takes the lock for good.
    this.#transaction(() => (version === 0 ? this.#db.exec(SCHEMA) : undefined));
    const found = this.#db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (found !== 'ok') throw damaged(this.file, String(found));
  }

  /**
   * The last one before `oldest` stays to compare the oldest with, and so does what a candidate began with and all since:
   * its owner must be told of what changed meanwhile.
   */
  #prune(oldest: number): void {
    if (oldest <= this.oldestKept()) return;
    this.setSetting(OLDEST, String(oldest));
    const bases = this.candidates().map(({ base }) => base);
    this.#db.prepare('DELETE FROM revision WHERE number < ?').run(Math.min(oldest - 1, ...bases));
  }

  #transaction(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #revisionOf(row: Row): StoredRevision {
    try {
      return { ...infoOf(row), document: JSON.parse(String(row['document'])) as Json };
    } catch {
      throw damaged(this.file, `revision ${String(row['number'])} is not JSON`);
    }
  }
}

const infoOf = (row: Row): RevisionInfo => ({
  number: Number(row['number']),
  atMs: Number(row['at_ms']),
  author: String(row['author']),
  comment: String(row['comment']),
  ...(row['rollback_to'] === null ? {} : { rollbackTo: Number(row['rollback_to']) }),
});

const candidateOf = (row: Row): CandidateInfo => ({
  session: String(row['session']),
  author: String(row['author']),
  base: Number(row['base']),
  version: Number(row['version']),
  changedMs: Number(row['changed_ms']),
});

/** Primary result codes of SQLite; the extended code is in the upper bits. */
const SQLITE = { busy: 5, corrupt: 11, notADatabase: 26 } as const;

function openFailure(error: unknown, file: string): GatewayError {
  if (error instanceof GatewayError) return error;
  const errcode = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
  const text = whyOf(error);
  if (errcode === SQLITE.busy)
    return new GatewayError('storage', `${file} is in use: another process works on this data folder`);
  if (errcode === SQLITE.corrupt || errcode === SQLITE.notADatabase) return damaged(file, text);
  return new GatewayError('storage', `cannot open ${file}: ${text}`, { cause: error });
}

const damaged = (file: string, how: string): GatewayError =>
  new GatewayError('storage', `${file} is damaged (${how}): restore it from a copy`);
