/**
 * The name of a connecting host, by "double DNS": the name that its address points to counts only if one of the
 * addresses of that name is this one again. A name that is not verified is not used at all, neither by the host access
 * table nor in a Received field. AsyncOS: reverse DNS verification, DNS PTR time-out. RFC 1035 §3.5, RFC 5321 §7.9.
 * Effects: DNS through its port; one timer per look-up.
 */
import { normaliseIp } from '../core/network.ts';
import type { Dns } from '../core/ports.ts';
import { within } from '../core/time-limit.io.ts';
import { type Answer, no, unknown, yes } from '../core/verdict.ts';

/** AsyncOS waits 20 s; a client that waits for its greeting is better served by an address alone. */
const HOSTNAME_TIMEOUT_MS = 10_000;
/** An attacker owns the reverse zone of its addresses: it may name many hosts, we ask for few. */
const MAX_NAMES = 4;
const MAX_ADDRESSES = 64;
const HOSTNAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

export type HostnameLookup = { readonly dns: Dns; readonly timeoutMs?: number };

/** `no`: there is no name, or none that the address confirms; `unknown`: DNS did not answer. Never rejects. `ip` is normalised. */
export async function senderFacts(
  ip: string,
  { dns, timeoutMs = HOSTNAME_TIMEOUT_MS }: HostnameLookup,
): Promise<Answer<string>> {
  const asked = lookUp(ip, dns).catch((error: unknown) => unknown(String(error)));
  return within(timeoutMs, asked, () => unknown('DNS did not answer in time'));
}

async function lookUp(ip: string, dns: Dns): Promise<Answer<string>> {
  const names = await dns.reverse(ip);
  if (names.answer !== 'yes') return names;
  const usable = names.value.map((name) => name.toLowerCase().replace(/\.$/, '')).filter((name) => HOSTNAME.test(name));
  const answers = await Promise.all(usable.slice(0, MAX_NAMES).map((name) => confirm(name, ip, dns)));
  const confirmed = answers.find(({ answer }) => answer === 'yes');
  const unanswered = answers.find(({ answer }) => answer === 'unknown');
  return confirmed ?? unanswered ?? no('no name of this address leads back to it');
}

async function confirm(name: string, ip: string, dns: Dns): Promise<Answer<string>> {
  const addresses = await dns.addresses(name);
  if (addresses.answer !== 'yes') return addresses;
  const back = addresses.value.slice(0, MAX_ADDRESSES).some((address) => normaliseIp(address) === ip);
  return back ? yes(name) : no(`${name} has other addresses`);
}
