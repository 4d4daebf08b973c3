/**
 * Sessions of browsers: a cookie with 256 random bits, of which the database keeps the hash, so that sessions survive a
 * restart and a copy of the database opens none. A session ends when nobody used it for a while, at its age, by sign-out,
 * and with its account. One that began with a client certificate keeps that chain: it is judged again with every request.
 * Effects: the accounts' database, randomness.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../core/ports.ts';
import { randomId } from './accounts.io.ts';
import { type AccountsDatabase, number, text } from './accounts-database.io.ts';

export type LoginMethod = 'password' | 'passkey' | 'certificate';

/** DER of a client certificate and what came with it. */
export type CertificateChain = { readonly leaf: Uint8Array; readonly presented: readonly Uint8Array[] };

export type Session = {
  readonly id: string;
  readonly account: string;
  readonly how: LoginMethod;
  readonly address: string;
  readonly createdMs: number;
  readonly chain: CertificateChain | undefined;
};

export type SessionTimes = { readonly sessionIdle: number; readonly sessionLifetime: number };

const SEEN_GRAIN_MS = 30_000;
const MAX_PER_ACCOUNT = 50;
const MAX_COOKIE_CHARS = 100;

export class Sessions {
  readonly #db: AccountsDatabase;
  readonly #clock: Clock;

  constructor(db: AccountsDatabase, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  /** The secret is the cookie's value. */
  begin(
    account: string,
    how: LoginMethod,
    from: { readonly address: string; readonly chain: CertificateChain | undefined },
  ): { readonly session: Session; readonly secret: string } {
    const secret = randomBytes(32).toString('base64url');
    const nowMs = this.#clock.now();
    const { address, chain } = from;
    const session = { id: randomId(), account, how, address, createdMs: nowMs, chain };
    const stored = chain === undefined ? null : renderChain(chain);
    this.#db.transaction(() => {
      if (this.#db.all('sessionsOf', account).length >= MAX_PER_ACCOUNT) this.#db.run('endSessions', account, '');
      this.#db.run('insertSession', hashOf(secret), session.id, account, how, address, nowMs, nowMs, stored);
      this.#db.run('touchAccount', nowMs, account);
    });
    return { session, secret };
  }

  /** The session of a cookie, if it is still one. */
  find(secret: string, { sessionIdle, sessionLifetime }: SessionTimes): Session | undefined {
    if (secret.length > MAX_COOKIE_CHARS) return undefined;
    const hash = hashOf(secret);
    const row = this.#db.get('session', hash);
    if (row === undefined) return undefined;
    const nowMs = this.#clock.now();
    const [createdMs, seenMs] = [number(row['created_ms']), number(row['seen_ms'])];
    if (nowMs - seenMs > sessionIdle || nowMs - createdMs > sessionLifetime) {
      this.#db.note('endSession', hash);
      return undefined;
    }
    if (nowMs - seenMs > SEEN_GRAIN_MS) this.#db.note('touchSession', nowMs, hash);
    const chain = row['chain'];
    return {
      id: text(row['id']),
      account: text(row['account']),
      how: text(row['how']) as LoginMethod,
      address: text(row['address']),
      createdMs,
      chain: typeof chain === 'string' ? parseChain(chain) : undefined,
    };
  }

  end(secret: string): void {
    this.#db.run('endSession', hashOf(secret));
  }

  /** Ends every session of an account. */
  endAll(account: string): void {
    this.#db.run('endSessions', account, '');
  }

  /** Forgets what nobody can use any more. */
  sweep({ sessionIdle, sessionLifetime }: SessionTimes): void {
    const nowMs = this.#clock.now();
    this.#db.note('endOldSessions', nowMs - sessionIdle, nowMs - sessionLifetime);
  }
}

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

const renderChain = ({ leaf, presented }: CertificateChain): string =>
  JSON.stringify([leaf, ...presented].map((der) => Buffer.from(der).toString('base64')));

function parseChain(stored: string): CertificateChain | undefined {
  const [leaf, ...presented] = (JSON.parse(stored) as string[]).map(
    (der) => new Uint8Array(Buffer.from(der, 'base64')),
  );
  return leaf === undefined ? undefined : { leaf, presented };
}
