/**
 * The accounts' database (node:sqlite), one file in the data folder, flushed to disk with every change: accounts, what
 * they prove themselves with, sessions, and the audit record. Calls block, so only the admin thread makes them; mail has
 * a database of its own.
 * Effects: the database file and its log.
 */
import fs from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { GatewayError, whyOf } from '../core/errors.ts';
import { MIGRATIONS, SQL, type StatementName } from './accounts-schema.ts';

// Patience first: whoever reads the file from outside, such as a backup, may hold it when it is opened.
const SETTINGS = `
  PRAGMA busy_timeout = 2000;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  PRAGMA cache_size = -2048;
`;

export type Row = ReturnType<StatementSync['all']>[number];

export class AccountsDatabase {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<StatementName, StatementSync>();

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Creates or opens, and migrates. Throws GatewayError `storage` with the reason in words. */
  static open(file: string): AccountsDatabase {
    let db: DatabaseSync | undefined;
    try {
      // Hashes of passwords are for nobody else's eyes; SQLite gives the log the mode of the database.
      fs.closeSync(fs.openSync(file, 'a', 0o600));
      db = new DatabaseSync(file, { enableForeignKeyConstraints: true });
      db.exec(SETTINGS);
      const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
      if (version > MIGRATIONS.length) throw new Error('it was written by a newer version of Sallyport');
      db.exec('BEGIN IMMEDIATE');
      for (const migration of MIGRATIONS.slice(version)) db.exec(migration);
      db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
      db.exec('COMMIT');
      return new AccountsDatabase(db);
    } catch (error) {
      db?.close();
      const why = whyOf(error);
      throw new GatewayError('storage', `cannot open ${file}: ${why}`, { cause: error });
    }
  }

  all(name: StatementName, ...values: SQLInputValue[]): readonly Row[] {
    return this.#statement(name).all(...values);
  }

  get(name: StatementName, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(name).get(...values);
  }

  /** How many rows changed. */
  run(name: StatementName, ...values: SQLInputValue[]): number {
    return Number(this.#statement(name).run(...values).changes);
  }

  /** What is only noted, such as when something was used last: a disk that takes nothing more must not keep anybody out. */
  note(name: StatementName, ...values: SQLInputValue[]): void {
    try {
      this.run(name, ...values);
    } catch (error) {
      if (!isDatabaseError(error)) throw error;
    }
  }

  /** Runs an insert; the id that the row got. */
  insert(name: StatementName, ...values: SQLInputValue[]): number {
    return Number(this.#statement(name).run(...values).lastInsertRowid);
  }

  /** All of `work` or nothing. */
  transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#db.close();
  }

  #statement(name: StatementName): StatementSync {
    let statement = this.#statements.get(name);
    if (statement === undefined) {
      statement = this.#db.prepare(SQL[name]);
      this.#statements.set(name, statement);
    }
    return statement;
  }
}

export const isDatabaseError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';

export const text = (value: Row[string] | undefined): string => String(value ?? '');
export const number = (value: Row[string] | undefined): number => Number(value);
export const optionalNumber = (value: Row[string] | undefined): number | undefined =>
  value === null || value === undefined ? undefined : Number(value);
