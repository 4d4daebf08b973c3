/**
 * Passwords of administrators as argon2id hashes in the PHC string form (RFC 9106). Two are computed at a time, because
 * each needs 19 MiB: more logins wait, and beyond a bound are told to come back. A password of nobody is compared with a
 * hash of nothing, so that the time tells no names.
 * Effects: randomness, the thread pool.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { GatewayError } from '../core/errors.ts';

/** OWASP's second choice of equal strength: 19 MiB, two passes. */
const COST: Cost = { memory: 19_456, passes: 2, parallelism: 1 };
const SALT_BYTES = 16;
const TAG_BYTES = 32;
const MAX_COST: Cost = { memory: 1_048_576, passes: 16, parallelism: 16 };
const AT_A_TIME = 2;
const MAX_WAITING = 16;

type Cost = { readonly memory: number; readonly passes: number; readonly parallelism: number };
type Parsed = Cost & { readonly salt: Buffer; readonly tag: Buffer };

const derive = promisify(argon2);

export type PasswordCheck = {
  readonly ok: boolean /** Hashed with another cost than today's. */;
  readonly old: boolean;
};

export class PasswordHashes {
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #ofNobody: Promise<string> | undefined;

  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    return render({ ...COST, salt, tag: await this.#compute(password, { ...COST, salt }, TAG_BYTES) });
  }

  /** `stored` undefined: nobody has this name, or the account has no password. Never ok then, and as slow. */
  async check(password: string, stored: string | undefined): Promise<PasswordCheck> {
    const parsed = parse(stored ?? (await this.#hashOfNobody()));
    if (parsed === undefined) throw new GatewayError('storage', 'a stored password hash cannot be read');
    const tag = await this.#compute(password, parsed, parsed.tag.length);
    const same = timingSafeEqual(tag, parsed.tag);
    const old =
      parsed.memory !== COST.memory || parsed.passes !== COST.passes || parsed.parallelism !== COST.parallelism;
    return { ok: same && stored !== undefined, old };
  }

  #hashOfNobody(): Promise<string> {
    this.#ofNobody ??= this.hash(randomBytes(32).toString('hex'));
    return this.#ofNobody;
  }

  async #compute(password: string, cost: Cost & { salt: Buffer }, tagLength: number): Promise<Buffer> {
    await this.#enter();
    try {
      const { memory, passes, parallelism, salt } = cost;
      // RFC 8265 §4.2 (OpaqueString): composed characters, whatever keyboard typed them.
      const message = Buffer.from(password.normalize('NFC'), 'utf8');
      return await derive('argon2id', { message, nonce: salt, memory, passes, parallelism, tagLength });
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running >= AT_A_TIME) {
      if (this.#waiting.length >= MAX_WAITING) throw new GatewayError('closed', 'too many logins at a time');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
  }
}

const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

const render = ({ memory, passes, parallelism, salt, tag }: Parsed): string =>
  `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(tag)}`;

const FORM = /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

function parse(text: string): Parsed | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [memory, passes, parallelism] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (memory > MAX_COST.memory || passes > MAX_COST.passes || parallelism > MAX_COST.parallelism) return undefined;
  const [salt, tag] = [Buffer.from(match[4] ?? '', 'base64'), Buffer.from(match[5] ?? '', 'base64')];
  return { memory, passes, parallelism, salt, tag };
}
