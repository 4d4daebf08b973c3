/**
 * The file in which the control thread keeps client history and rule hits: `history.db` in the data folder. Losing its
 * last seconds in a crash loses no mail and no decision, so it is written without a flush per batch.
 * Effects: an SQLite file.
 */
import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ClientFacts, HistoryBatch, KeptHits, SeenClient } from './client-history.ts';

const MAX_CLIENTS = 100_000;
const FILE = 'history.db';
/** A command line may be reading, from the first moment of the file on. */
const BUSY_MS = 2000;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clients (
  key TEXT PRIMARY KEY, facts TEXT NOT NULL, sessions INTEGER NOT NULL, last_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS clients_by_age ON clients (last_ms);
CREATE TABLE IF NOT EXISTS certificates (
  fingerprint TEXT NOT NULL, place INTEGER NOT NULL, der BLOB NOT NULL, PRIMARY KEY (fingerprint, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hits (
  rule TEXT PRIMARY KEY, hits INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;

export class ClientHistory {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** For the gateway that keeps it. `nowMs` is when counting began, where the file is new. */
  static open(dataDir: string, nowMs: number): ClientHistory {
    const file = path.join(dataDir, FILE);
    // It has names and addresses of people: for the gateway alone, as its journals, which take over the mode.
    fs.closeSync(fs.openSync(file, 'a', 0o600));
    const db = new DatabaseSync(file, { timeout: BUSY_MS });
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    db.exec(SCHEMA);
    db.prepare('INSERT OR IGNORE INTO meta VALUES (?, ?)').run('since', nowMs);
    return new ClientHistory(db);
  }

  /** For a command line beside a running gateway; undefined where none has kept anything yet. */
  static read(dataDir: string): ClientHistory | undefined {
    const file = path.join(dataDir, FILE);
    if (!fs.existsSync(file)) return undefined;
    const db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
    // A gateway may be making it right now.
    if (db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'hits'").get() !== undefined) return new ClientHistory(db);
    db.close();
    return undefined;
  }

  add({ clients, certificates, hits }: HistoryBatch): void {
    const client = this.#db.prepare(
      `INSERT INTO clients VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET
       facts = excluded.facts, sessions = sessions + excluded.sessions, last_ms = max(last_ms, excluded.last_ms)`,
    );
    const certificate = this.#db.prepare('INSERT OR IGNORE INTO certificates VALUES (?, ?, ?)');
    const rule = this.#db.prepare(
      `INSERT INTO hits VALUES (?, ?, ?, ?) ON CONFLICT (rule) DO UPDATE SET
       hits = hits + excluded.hits, last_ms = max(last_ms, excluded.last_ms)`,
    );
    this.#transact(() => {
      for (const { key, facts, sessions, lastMs } of clients) client.run(key, JSON.stringify(facts), sessions, lastMs);
      for (const { fingerprint, chain } of certificates)
        for (const [place, der] of chain.entries()) certificate.run(fingerprint, place, der);
      for (const each of hits) rule.run(each.rule, each.hits, each.lastMs, each.lastMs);
    });
  }

  /** Forgets clients that were last seen before `beforeMs`, and the oldest beyond the bound. */
  forget(beforeMs: number): void {
    this.#transact(() => {
      this.#db.prepare('DELETE FROM clients WHERE last_ms < ?').run(beforeMs);
      this.#db
        .prepare('DELETE FROM clients WHERE key IN (SELECT key FROM clients ORDER BY last_ms DESC LIMIT -1 OFFSET ?)')
        .run(MAX_CLIENTS);
      this.#db.exec(
        `DELETE FROM certificates WHERE fingerprint NOT IN
         (SELECT json_extract(facts, '$.certificate') FROM clients WHERE json_extract(facts, '$.certificate') IS NOT NULL)`,
      );
    });
  }

  countClients(sinceMs: number): number {
    return Number(this.#db.prepare('SELECT count(*) AS n FROM clients WHERE last_ms >= ?').get(sinceMs)?.['n']);
  }

  /** Clients seen since, latest first. */
  clients(sinceMs: number, limit = MAX_CLIENTS): SeenClient[] {
    const rows = this.#db
      .prepare('SELECT key, facts, sessions, last_ms FROM clients WHERE last_ms >= ? ORDER BY last_ms DESC LIMIT ?')
      .all(sinceMs, limit);
    return rows.map((row) => ({
      key: String(row['key']),
      facts: JSON.parse(String(row['facts'])) as ClientFacts,
      sessions: Number(row['sessions']),
      lastMs: Number(row['last_ms']),
    }));
  }

  /** The certificate of that fingerprint, then what was sent along with it. */
  chainOf(fingerprint: string): Uint8Array[] {
    return this.#db
      .prepare('SELECT der FROM certificates WHERE fingerprint = ? ORDER BY place')
      .all(fingerprint)
      .map((row) => row['der'] as Uint8Array);
  }

  hits(): KeptHits[] {
    return this.#db
      .prepare('SELECT rule, hits, first_ms, last_ms FROM hits')
      .all()
      .map((row) => ({
        rule: String(row['rule']),
        hits: Number(row['hits']),
        firstMs: Number(row['first_ms']),
        lastMs: Number(row['last_ms']),
      }));
  }

  /** Counting of rules begins anew; what is known of clients stays. */
  forgetHits(nowMs: number): void {
    this.#transact(() => {
      this.#db.exec('DELETE FROM hits');
      this.#db.prepare("UPDATE meta SET value = ? WHERE name = 'since'").run(nowMs);
    });
  }

  /** When counting began. */
  sinceMs(): number {
    return Number(this.#db.prepare("SELECT value FROM meta WHERE name = 'since'").get()?.['value'] ?? 0);
  }

  close(): void {
    this.#db.close();
  }

  #transact(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}
