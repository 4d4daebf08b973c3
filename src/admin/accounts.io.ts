/**
 * Accounts of administrators and what they prove themselves with: password, client certificates, passkeys, tokens.
 * Every change is on disk when a call returns. At least one administrator that is enabled always stays.
 * AsyncOS: userconfig. Effects: the accounts' database, randomness.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../core/ports.ts';
import { type AccountsDatabase, number, optionalNumber, type Row, text } from './accounts-database.io.ts';
import type { Role } from './roles.ts';

export type Account = {
  readonly name: string;
  readonly fullName: string;
  readonly role: Role;
  readonly enabled: boolean;
  readonly hasPassword: boolean;
  readonly passwordMs?: number;
  readonly createdMs: number;
  readonly createdBy: string;
  readonly lastLoginMs?: number;
  /** Grows with every change: its entity tag. */
  readonly version: number;
};

export type AccountCertificate = {
  readonly id: string;
  readonly subject: string;
  readonly issuer: string;
  readonly addedMs: number;
};

export type Token = {
  readonly id: string;
  readonly account: string;
  readonly name: string;
  readonly role: Role;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly lastUsedMs?: number;
  readonly lastUsedFrom?: string;
};

export type Passkey = {
  readonly id: string;
  readonly account: string;
  readonly name: string;
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly counter: number;
  readonly transports: readonly string[];
  /** Kept by a provider on several devices. */
  readonly synced: boolean;
  readonly createdMs: number;
  readonly lastUsedMs?: number;
};

export type Changed = 'changed' | 'not-found' | 'stale' | 'last-administrator';

/** So many of a kind may one account have. */
export const MAX_CREDENTIALS = 50;
/** A last use is written when the one before is older: a token may come with every request. */
const USE_GRAIN_MS = 60_000;
const TOKEN_PREFIX = 'sallyport';

export class Accounts {
  readonly #db: AccountsDatabase;
  readonly #clock: Clock;

  constructor(db: AccountsDatabase, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  list(): Account[] {
    return this.#db.all('accounts').map(accountOf);
  }

  find(name: string): Account | undefined {
    const row = this.#db.get('account', name);
    return row === undefined ? undefined : accountOf(row);
  }

  /** The hash to check a password against; undefined: none, or no such account. */
  passwordHash(name: string): string | undefined {
    const stored = this.#db.get('account', name)?.['password'];
    return typeof stored === 'string' ? stored : undefined;
  }

  /** False where the name is taken. */
  create(account: {
    readonly name: string;
    readonly fullName: string;
    readonly role: Role;
    readonly passwordHash: string | undefined;
    readonly createdBy: string;
  }): boolean {
    const { name, fullName, role, passwordHash, createdBy } = account;
    const nowMs = this.#clock.now();
    const passwordMs = passwordHash === undefined ? null : nowMs;
    return (
      this.#db.run('insertAccount', name, fullName, role, passwordHash ?? null, passwordMs, nowMs, createdBy) === 1
    );
  }

  /** Sessions of an account that is disabled or gets another role end. */
  change(
    name: string,
    change: {
      readonly fullName?: string | undefined;
      readonly role?: Role | undefined;
      readonly enabled?: boolean | undefined;
    },
    version?: number,
  ): Changed {
    return this.#db.transaction(() => {
      const account = this.find(name);
      if (account === undefined) return 'not-found';
      const { fullName = account.fullName, role = account.role, enabled = account.enabled } = change;
      if ((role !== 'administrator' || !enabled) && this.#isLastAdministrator(account)) return 'last-administrator';
      const done = this.#db.run('changeAccount', fullName, role, enabled ? 1 : 0, name, version ?? account.version);
      if (done === 0) return 'stale';
      if (!enabled || role !== account.role) this.#db.run('endSessions', name, '');
      return 'changed';
    });
  }

  delete(name: string, version?: number): Changed {
    return this.#db.transaction(() => {
      const account = this.find(name);
      if (account === undefined) return 'not-found';
      if (this.#isLastAdministrator(account)) return 'last-administrator';
      return this.#db.run('deleteAccount', name, version ?? account.version) === 0 ? 'stale' : 'changed';
    });
  }

  /** Ends every session of the account but `keepSession`. */
  setPassword(name: string, hash: string, keepSession = ''): boolean {
    return this.#db.transaction(() => {
      const done = this.#db.run('setPassword', hash, this.#clock.now(), name) === 1;
      this.#db.run('endSessions', name, keepSession);
      return done;
    });
  }

  /** The same password under today's cost; nothing where it was changed meanwhile. */
  rehash(name: string, before: string, after: string): void {
    this.#db.run('rehash', after, name, before);
  }

  loggedIn(name: string): void {
    this.#db.run('touchAccount', this.#clock.now(), name);
  }

  certificates(name: string): AccountCertificate[] {
    return this.#db.all('certificates', name).map((row) => ({
      id: text(row['id']),
      subject: text(row['subject']),
      issuer: text(row['issuer']),
      addedMs: number(row['added_ms']),
    }));
  }

  /** `identity`: issuer and subject as names are compared. Undefined where an account has it already. */
  addCertificate(
    account: string,
    { identity, subject, issuer }: { readonly identity: string; readonly subject: string; readonly issuer: string },
  ): AccountCertificate | undefined {
    const added = { id: randomId(), subject, issuer, addedMs: this.#clock.now() };
    const done = this.#db.run(
      'insertCertificate',
      added.id,
      account,
      identityHash(identity),
      subject,
      issuer,
      added.addedMs,
    );
    return done === 1 ? added : undefined;
  }

  removeCertificate(account: string, id: string): boolean {
    return this.#db.run('deleteCertificate', account, id) === 1;
  }

  certificateOwner(identity: string): string | undefined {
    const row = this.#db.get('certificateOwner', identityHash(identity));
    return row === undefined ? undefined : text(row['account']);
  }

  tokens(account: string): Token[] {
    return this.#db.all('tokens', account).map(tokenOf);
  }

  /** `secret` is shown once and kept nowhere. */
  createToken(token: {
    readonly account: string;
    readonly name: string;
    readonly role: Role;
    readonly expiresMs: number;
  }): { readonly token: Token; readonly secret: string } {
    const id = randomId();
    const secret = randomBytes(32).toString('base64url');
    const createdMs = this.#clock.now();
    const { account, name, role, expiresMs } = token;
    this.#db.run('insertToken', id, account, name, role, sha256(secret), createdMs, expiresMs);
    return { token: { id, ...token, createdMs }, secret: `${TOKEN_PREFIX}_${id}_${secret}` };
  }

  /** The token that this text is, if it is one and has not expired. */
  useToken(secret: string, address: string): Token | undefined {
    const [prefix, id = '', ...rest] = secret.split('_');
    if (prefix !== TOKEN_PREFIX) return undefined;
    const row = this.#db.get('token', id);
    const stored = row?.['secret'];
    if (row === undefined || !(stored instanceof Uint8Array)) return undefined;
    if (!timingSafeEqual(sha256(rest.join('_')), stored)) return undefined;
    const token = tokenOf(row);
    const nowMs = this.#clock.now();
    if (token.expiresMs <= nowMs) return undefined;
    if (token.lastUsedFrom !== address || nowMs - (token.lastUsedMs ?? 0) >= USE_GRAIN_MS)
      this.#db.note('useToken', nowMs, address, id);
    return token;
  }

  deleteToken(account: string, id: string): boolean {
    return this.#db.run('deleteToken', account, id) === 1;
  }

  passkeys(account: string): Passkey[] {
    return this.#db.all('passkeys', account).map(passkeyOf);
  }

  passkey(id: string): Passkey | undefined {
    const row = this.#db.get('passkey', id);
    return row === undefined ? undefined : passkeyOf(row);
  }

  /** False where the passkey is registered already. */
  addPasskey(key: Omit<Passkey, 'createdMs' | 'lastUsedMs'>): boolean {
    const { id, account, name, publicKey, counter, transports, synced } = key;
    const values = [id, account, name, publicKey, counter, transports.join(' '), synced ? 1 : 0] as const;
    return this.#db.run('insertPasskey', ...values, this.#clock.now()) === 1;
  }

  usedPasskey(id: string, counter: number, synced: boolean): void {
    this.#db.run('usePasskey', counter, synced ? 1 : 0, this.#clock.now(), id);
  }

  renamePasskey(account: string, id: string, name: string): boolean {
    return this.#db.run('renamePasskey', name, account, id) === 1;
  }

  /** Who has the passkey may have a session too: every one that began with a passkey ends, but `keepSession`. */
  removePasskey(account: string, id: string, keepSession = ''): boolean {
    return this.#db.transaction(() => {
      const done = this.#db.run('deletePasskey', account, id) === 1;
      if (done) this.#db.run('endSessionsBy', account, 'passkey', keepSession);
      return done;
    });
  }

  #isLastAdministrator({ name, role, enabled }: Account): boolean {
    return role === 'administrator' && enabled && number(this.#db.get('otherAdministrators', name)?.['n']) === 0;
  }
}

/** 96 random bits in letters and digits, to name a thing in a path. */
export const randomId = (): string => randomBytes(12).toString('hex');
const sha256 = (value: string): Buffer => createHash('sha256').update(value).digest();
const identityHash = (identity: string): Buffer => sha256(identity);

function accountOf(row: Row): Account {
  const passwordMs = optionalNumber(row['password_ms']);
  const lastLoginMs = optionalNumber(row['last_login_ms']);
  return {
    name: text(row['name']),
    fullName: text(row['full_name']),
    role: text(row['role']) as Role,
    enabled: row['enabled'] === 1,
    hasPassword: row['password'] !== null,
    ...(passwordMs === undefined ? {} : { passwordMs }),
    createdMs: number(row['created_ms']),
    createdBy: text(row['created_by']),
    ...(lastLoginMs === undefined ? {} : { lastLoginMs }),
    version: number(row['version']),
  };
}

function tokenOf(row: Row): Token {
  const lastUsedMs = optionalNumber(row['last_used_ms']);
  return {
    id: text(row['id']),
    account: text(row['account']),
    name: text(row['name']),
    role: text(row['role']) as Role,
    createdMs: number(row['created_ms']),
    expiresMs: number(row['expires_ms']),
    ...(lastUsedMs === undefined ? {} : { lastUsedMs, lastUsedFrom: text(row['last_used_from']) }),
  };
}

function passkeyOf(row: Row): Passkey {
  const lastUsedMs = optionalNumber(row['last_used_ms']);
  const key = row['public_key'];
  return {
    id: text(row['id']),
    account: text(row['account']),
    name: text(row['name']),
    publicKey: key instanceof Uint8Array ? new Uint8Array(key) : new Uint8Array(),
    counter: number(row['counter']),
    transports: text(row['transports'])
      .split(' ')
      .filter((word) => word !== ''),
    synced: row['synced'] === 1,
    createdMs: number(row['created_ms']),
    ...(lastUsedMs === undefined ? {} : { lastUsedMs }),
  };
}
