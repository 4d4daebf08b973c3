/**
 * Lock-out after failed logins, per account name and per address: after so many failures in a row further attempts are
 * refused for a while, unseen. A name that does not exist is locked as one that does, so that a lock tells nothing. An
 * IPv6 address counts as its /64. Passkeys, tokens and the control socket are not locked out by passwords
 * that others guess: a lock concerns an account's password, or its passkeys, alone.
 * AsyncOS: userconfig, User Account Lock. Pure: time is handed in; state in memory, bounded.
 */
import { blockAround, formatIp, parseIp } from '../core/network.ts';

export type ThrottleSettings = { readonly maxFailures: number; readonly lockMs: number };

type Entry = { attempts: number; lastMs: number; lockedUntilMs: number; told: boolean };

/** `first`: nobody has been told of this lock yet; later refusals are not worth a record each. */
export type Attempt =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly untilMs: number; readonly first: boolean };

const MAX_ENTRIES = 20_000;
const IPV6_BITS = 64;
/** Many people may share an address. */
const ADDRESS_FACTOR = 4;

export class LoginThrottle {
  readonly #entries = new Map<string, Entry>();

  /** Counts the attempt as failed before its result is known, so that many at a time are not free. */
  attempt(keys: readonly string[], nowMs: number, { maxFailures, lockMs }: ThrottleSettings): Attempt {
    const locks = keys.flatMap((key) => this.#lock(key, nowMs) ?? []);
    if (locks.length > 0) {
      const first = locks.some(({ told }) => !told);
      for (const lock of locks) lock.told = true;
      return { allowed: false, untilMs: Math.max(...locks.map(({ lockedUntilMs }) => lockedUntilMs)), first };
    }
    for (const key of keys) {
      const known = this.#entries.get(key);
      const fresh = known === undefined || nowMs - known.lastMs > lockMs;
      const entry: Entry = fresh ? { attempts: 0, lastMs: nowMs, lockedUntilMs: 0, told: false } : known;
      entry.attempts++;
      entry.lastMs = nowMs;
      entry.told = false;
      const limit = isAddress(key) ? maxFailures * ADDRESS_FACTOR : maxFailures;
      if (entry.attempts >= limit) entry.lockedUntilMs = nowMs + lockMs;
      this.#remember(key, entry);
    }
    return { allowed: true };
  }

  /**
   * The login was good. An account's failures are forgotten; to an address only this attempt is given back, or somebody
   * with an account of his own could guess the passwords of others without end.
   */
  succeeded(keys: readonly string[]): void {
    for (const key of keys) {
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      entry.attempts--;
      entry.lockedUntilMs = 0;
      if (!isAddress(key) || entry.attempts <= 0) this.#entries.delete(key);
    }
  }

  /** An administrator unlocks the account. True where something was locked. */
  forget(keys: readonly string[], nowMs: number): boolean {
    const locked = keys.filter((key) => this.#lock(key, nowMs) !== undefined);
    for (const key of keys) this.#entries.delete(key);
    return locked.length > 0;
  }

  lockedUntilMs(key: string, nowMs: number): number | undefined {
    return this.#lock(key, nowMs)?.lockedUntilMs;
  }

  #lock(key: string, nowMs: number): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.lockedUntilMs > nowMs ? entry : undefined;
  }

  /** The one that has failed longest ago goes first; an attacker with many names forgets his own. */
  #remember(key: string, entry: Entry): void {
    this.#entries.delete(key);
    if (this.#entries.size >= MAX_ENTRIES) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(key, entry);
  }
}

const isAddress = (key: string): boolean => key.startsWith('address ');

/** Certificates are counted apart: passwords that somebody guesses behind the same address lock nobody's card out. */
export const certificateKey = (address: string): string => `${addressKey(address)} certificate`;
export const accountKey = (name: string): string => `account ${name}`;
export const passkeyKey = (name: string): string => `passkeys ${name}`;

export function addressKey(address: string): string {
  const ip = parseIp(address);
  if (ip === undefined || ip.version === 4) return `address ${address}`;
  const block = blockAround(ip, IPV6_BITS);
  return `address ${block === undefined ? address : formatIp({ version: 6, value: block.low })}`;
}
