/**
 * The tables of the accounts' database and every SQL statement that touches them. Secrets are stored as what cannot be
 * turned back: passwords as argon2id, tokens and session cookies as SHA-256 of 256 random bits. The audit record is
 * append-only by triggers: an entry is written before the change it tells of, its outcome after it.
 * Pure: text only.
 */

/** Migration i brings a database from user_version i to i + 1. Never edited once released, only added to. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE account (
    name TEXT PRIMARY KEY,
    full_name TEXT NOT NULL,
    role TEXT NOT NULL,
    enabled INTEGER NOT NULL DEFAULT 1,
    password TEXT,
    password_ms INTEGER,
    created_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    last_login_ms INTEGER,
    version INTEGER NOT NULL DEFAULT 1
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE certificate (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    identity BLOB NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    issuer TEXT NOT NULL,
    added_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX certificate_account ON certificate (account);
  CREATE TABLE token (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    secret BLOB NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    last_used_ms INTEGER,
    last_used_from TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX token_account ON token (account);
  CREATE TABLE passkey (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    name TEXT NOT NULL,
    public_key BLOB NOT NULL,
    counter INTEGER NOT NULL,
    transports TEXT NOT NULL,
    synced INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    last_used_ms INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX passkey_account ON passkey (account);
  CREATE TABLE session (
    secret BLOB PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    how TEXT NOT NULL,
    address TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    chain TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX session_account ON session (account);
  CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    how TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    facts TEXT NOT NULL
  ) STRICT;
  CREATE TABLE audit_outcome (
    id INTEGER PRIMARY KEY REFERENCES audit (id),
    at_ms INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL
  ) STRICT;
  CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'the audit record is append-only'); END;
  CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'the audit record is append-only'); END;
  CREATE TRIGGER outcome_stays BEFORE DELETE ON audit_outcome BEGIN SELECT raise(ABORT, 'the audit record is append-only'); END;
  CREATE TRIGGER outcome_unchanged BEFORE UPDATE ON audit_outcome BEGIN SELECT raise(ABORT, 'the audit record is append-only'); END;
  `,
];

export const SQL = {
  accounts: 'SELECT * FROM account ORDER BY name',
  account: 'SELECT * FROM account WHERE name = ?',
  insertAccount: `INSERT INTO account (name, full_name, role, password, password_ms, created_ms, created_by)
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  changeAccount: `UPDATE account SET full_name = ?, role = ?, enabled = ?, version = version + 1 WHERE name = ? AND version = ?`,
  setPassword: 'UPDATE account SET password = ?, password_ms = ?, version = version + 1 WHERE name = ?',
  rehash: 'UPDATE account SET password = ? WHERE name = ? AND password = ?',
  touchAccount: 'UPDATE account SET last_login_ms = ? WHERE name = ?',
  deleteAccount: 'DELETE FROM account WHERE name = ? AND version = ?',
  otherAdministrators: `SELECT count(*) AS n FROM account WHERE role = 'administrator' AND enabled = 1 AND name <> ?`,

  certificates: 'SELECT id, subject, issuer, added_ms FROM certificate WHERE account = ? ORDER BY added_ms, id',
  insertCertificate: 'INSERT INTO certificate VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  deleteCertificate: 'DELETE FROM certificate WHERE account = ? AND id = ?',
  certificateOwner: 'SELECT account FROM certificate WHERE identity = ?',

  tokens: 'SELECT * FROM token WHERE account = ? ORDER BY created_ms, id',
  countTokens: 'SELECT count(*) AS n FROM token WHERE account = ?',
  token: 'SELECT * FROM token WHERE id = ?',
  insertToken:
    'INSERT INTO token (id, account, name, role, secret, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
  useToken: 'UPDATE token SET last_used_ms = ?, last_used_from = ? WHERE id = ?',
  deleteToken: 'DELETE FROM token WHERE account = ? AND id = ?',

  passkeys: 'SELECT * FROM passkey WHERE account = ? ORDER BY created_ms, id',
  passkey: 'SELECT * FROM passkey WHERE id = ?',
  insertPasskey:
    'INSERT INTO passkey (id, account, name, public_key, counter, transports, synced, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  usePasskey: 'UPDATE passkey SET counter = ?, synced = ?, last_used_ms = ? WHERE id = ?',
  renamePasskey: 'UPDATE passkey SET name = ? WHERE account = ? AND id = ?',
  deletePasskey: 'DELETE FROM passkey WHERE account = ? AND id = ?',

  session: 'SELECT * FROM session WHERE secret = ?',
  insertSession:
    'INSERT INTO session (secret, id, account, how, address, created_ms, seen_ms, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  touchSession: 'UPDATE session SET seen_ms = ? WHERE secret = ?',
  endSession: 'DELETE FROM session WHERE secret = ?',
  endSessions: 'DELETE FROM session WHERE account = ? AND id <> ?',
  endSessionsBy: 'DELETE FROM session WHERE account = ? AND how = ? AND id <> ?',
  endOldSessions: 'DELETE FROM session WHERE seen_ms < ? OR created_ms < ?',
  sessionsOf: 'SELECT id FROM session WHERE account = ? ORDER BY created_ms',

  insertAudit: 'INSERT INTO audit (at_ms, actor, how, address, action, target, facts) VALUES (?, ?, ?, ?, ?, ?, ?)',
  insertOutcome: 'INSERT INTO audit_outcome VALUES (?, ?, ?, ?)',
  audit: `SELECT a.*, o.at_ms AS ended_ms, o.outcome, o.detail FROM audit AS a LEFT JOIN audit_outcome AS o ON o.id = a.id
    WHERE a.id < ?1 AND (?2 IS NULL OR a.actor = ?2) AND (?3 IS NULL OR a.action = ?3) ORDER BY a.id DESC LIMIT ?4`,
} as const;

export type StatementName = keyof typeof SQL;
