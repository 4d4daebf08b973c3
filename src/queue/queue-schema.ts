/**
 * The embedded queue's tables and every SQL statement that touches them. `recipient` is what is worked on: its index
 * `recipient_due` keeps claims at O(log n) however long the queue is. A recipient whose `next_attempt_ms` is NULL is
 * held: its message lost its body and waits for an administrator. `standing` has what an administrator said and what
 * must hold after a restart: suspensions, and that the work queue is paused.
 * Pure: text only.
 */

/** Migration i brings a database from user_version i to i + 1. Never edited once released, only added to. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE message (
    mid INTEGER PRIMARY KEY,
    icid INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    sender TEXT NOT NULL,
    body TEXT NOT NULL,
    smtp_utf8 INTEGER NOT NULL,
    ret TEXT,
    envid TEXT,
    size INTEGER NOT NULL,
    spool_file TEXT,
    origin TEXT NOT NULL
  ) STRICT;
  CREATE INDEX message_spooled ON message (spool_file) WHERE spool_file IS NOT NULL;
  CREATE TABLE recipient (
    mid INTEGER NOT NULL,
    rid INTEGER NOT NULL,
    next_attempt_ms INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    first_attempt_ms INTEGER,
    address TEXT NOT NULL,
    notify TEXT,
    orcpt TEXT,
    last_error TEXT,
    PRIMARY KEY (mid, rid)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX recipient_due ON recipient (next_attempt_ms, mid, rid);
  CREATE TABLE body (mid INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE id (name TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE standing (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
];

export const SQL = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',

  insertMessage: 'INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  insertRecipient:
    'INSERT INTO recipient (mid, rid, address, notify, orcpt, next_attempt_ms) VALUES (?, ?, ?, ?, ?, ?)',
  insertBody: 'INSERT INTO body VALUES (?, ?)',

  retryRecipient: `UPDATE recipient SET attempts = attempts + 1, first_attempt_ms = coalesce(first_attempt_ms, ?),
    next_attempt_ms = ?, last_error = ? WHERE mid = ? AND rid = ? AND next_attempt_ms IS NOT NULL`,
  removeRecipient: 'DELETE FROM recipient WHERE mid = ? AND rid = ? AND next_attempt_ms IS NOT NULL',
  removeHeldRecipient: 'DELETE FROM recipient WHERE mid = ? AND rid = ? AND next_attempt_ms IS NULL',
  reschedule: 'UPDATE recipient SET next_attempt_ms = ? WHERE mid = ? AND rid = ? AND next_attempt_ms IS NOT NULL',
  hasRecipient: 'SELECT 1 FROM recipient WHERE mid = ? LIMIT 1',
  removeMessage: 'DELETE FROM message WHERE mid = ? RETURNING spool_file',
  removeBody: 'DELETE FROM body WHERE mid = ?',

  due: `SELECT r.next_attempt_ms, r.mid, r.rid, r.address, r.notify, r.orcpt, r.attempts, r.first_attempt_ms, r.last_error,
      m.sender, m.body, m.smtp_utf8, m.ret, m.envid, m.size, m.received_ms
    FROM recipient AS r INDEXED BY recipient_due CROSS JOIN message AS m ON m.mid = r.mid
    WHERE (r.next_attempt_ms, r.mid, r.rid) > (?, ?, ?) AND r.next_attempt_ms <= ?
    ORDER BY r.next_attempt_ms, r.mid, r.rid`,
  selected: `SELECT r.next_attempt_ms, r.mid, r.rid, r.address, r.notify, r.orcpt, r.attempts, r.first_attempt_ms,
      r.last_error, m.sender, m.body, m.smtp_utf8, m.ret, m.envid, m.size, m.received_ms
    FROM recipient AS r CROSS JOIN message AS m ON m.mid = r.mid
    WHERE (r.mid, r.rid) > (?, ?) AND r.mid <= ? ORDER BY r.mid, r.rid LIMIT ?`,
  inWorkQueue: `SELECT mid, rid FROM recipient INDEXED BY recipient_due WHERE next_attempt_ms = ?
    ORDER BY mid, rid LIMIT ?`,
  countWorkQueue: `SELECT count(*) FROM (SELECT DISTINCT mid FROM recipient INDEXED BY recipient_due
    WHERE next_attempt_ms = ? LIMIT ?)`,
  dueTimes: `SELECT next_attempt_ms, mid, rid FROM recipient INDEXED BY recipient_due
    WHERE (next_attempt_ms, mid, rid) > (?, ?, ?) ORDER BY next_attempt_ms, mid, rid`,

  message: 'SELECT size, spool_file FROM message WHERE mid = ?',
  body: 'SELECT bytes FROM body WHERE mid = ?',
  oldest: 'SELECT received_ms FROM message ORDER BY mid LIMIT 1',
  highestMid: 'SELECT max(mid) FROM message',
  countMessages: 'SELECT count(*) FROM message',
  countRecipients: 'SELECT count(*) FROM recipient INDEXED BY recipient_due WHERE next_attempt_ms IS NOT NULL',
  listMessages: 'SELECT mid, icid, received_ms, sender, size, origin FROM message WHERE mid > ? ORDER BY mid LIMIT ?',
  listRecipients: `SELECT rid, address, attempts, next_attempt_ms, last_error FROM recipient WHERE mid = ? ORDER BY rid`,
  addresses: 'SELECT mid, rid, address, attempts FROM recipient WHERE (mid, rid) > (?, ?) ORDER BY mid, rid LIMIT ?',

  spooled: 'SELECT mid, size, spool_file FROM message INDEXED BY message_spooled WHERE spool_file IS NOT NULL',
  hold: 'UPDATE recipient SET next_attempt_ms = NULL WHERE mid = ?',
  unhold: `UPDATE recipient SET next_attempt_ms = (SELECT received_ms FROM message AS m WHERE m.mid = recipient.mid)
    WHERE mid = ? AND next_attempt_ms IS NULL`,

  standing: 'SELECT name, value FROM standing',
  keep: 'INSERT INTO standing VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  forget: 'DELETE FROM standing WHERE name = ?',

  readIds: 'SELECT name, next FROM id',
  writeId: 'INSERT INTO id VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET next = excluded.next',
} as const;
