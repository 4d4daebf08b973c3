/**
 * What is decided about passkeys apart from their cryptography: the relying party that the configuration makes the
 * gateway, the handle under which an authenticator keeps an account, and what a sign counter tells.
 * WebAuthn Level 3 §4 (RP ID), §6.1.1 (signature counter), §14.6.1 (no names in user handles). Pure.
 */
import { createHash } from 'node:crypto';
import { parseIp } from '../core/network.ts';
import type { Account } from './accounts.io.ts';

/** `id`: the RP ID. Passkeys work from `origins` only. */
export type RelyingParty = { readonly id: string; readonly origins: readonly string[] };

/** The host of the first origin, and the origins under it; undefined where that is an address or there is none. */
export function relyingPartyOf(origins: readonly string[]): RelyingParty | undefined {
  const host = hostOf(origins[0] ?? '');
  // A passkey belongs to a domain name: browsers take no address (§5.1.2).
  if (host === undefined || host.startsWith('[') || parseIp(host) !== undefined) return undefined;
  const under = origins.filter((origin) => {
    const each = hostOf(origin);
    return each === host || each?.endsWith(`.${host}`) === true;
  });
  return { id: host, origins: under };
}

const hostOf = (origin: string): string | undefined => URL.parse(origin)?.hostname;

/** The same for every passkey of an account, another for an account that is made again under the same name. */
export const userHandleOf = ({ name, createdMs }: Account): Buffer =>
  createHash('sha256').update(`sallyport account ${createdMs} ${name}`).digest();

/**
 * A counter that does not grow: the passkey was copied, or its authenticator is broken. Authenticators without a
 * counter, among them all that synchronise their passkeys, always say 0.
 */
export const counterWentBack = (stored: number, given: number): boolean => (stored > 0 || given > 0) && given <= stored;
