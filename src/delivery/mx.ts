/**
 * Which hosts take mail for a domain, and in which order: MX records by preference, hosts of equal preference in random
 * order (RFC 5321 §5.1), the domain itself where there are none, nobody where the domain says so (null MX, RFC 7505).
 * Our own name among the records ends the list there: what is not better than we are would lead back to us.
 * Pure: randomness is handed in.
 */
import type { Answer } from '../core/verdict.ts';
import { hostName } from '../core/host-name.ts';

/** More hosts than anyone has; a hostile zone may list hundreds. */
const MAX_HOSTS = 16;
const MAX_ADDRESSES = 16;

export type MxRecord = { readonly exchange: string; readonly preference: number };

export type MxPlan =
  /** `implicit`: no MX record, the name's own addresses count. */
  | { readonly kind: 'hosts'; readonly hosts: readonly string[]; readonly implicit: boolean }
  | { readonly kind: 'bounce' | 'retry'; readonly status: string; readonly why: string };

export type MxFacts = {
  readonly domain: string;
  readonly answer: Answer<readonly MxRecord[]>;
  /** The gateway's host name. */
  readonly self: string;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
};

/** Hosts in the order to try them, or why there is none: `bounce` for good, `retry` where DNS did not answer. */
export function planMx({ domain, answer, self, random }: MxFacts): MxPlan {
  if (answer.answer === 'unknown')
    return { kind: 'retry', status: '4.4.3', why: `MX of ${domain} cannot be looked up: ${answer.why}` };
  if (answer.answer === 'no') return { kind: 'hosts', hosts: [domain], implicit: true };
  // RFC 7505 §3: a single record whose exchange is the root.
  if (answer.value.length === 1 && isRoot(answer.value[0]?.exchange ?? ''))
    return { kind: 'bounce', status: '5.1.10', why: `${domain} does not accept mail (null MX)` };
  const named = answer.value.flatMap(({ exchange, preference }) => {
    const name = hostName(exchange);
    // A foreign zone that says `localhost` means us.
    return name === undefined || name === 'localhost' ? [] : [{ name, preference, tie: random() }];
  });
  if (named.length === 0) return { kind: 'bounce', status: '5.4.4', why: `the MX records of ${domain} name no host` };
  const own = self.toLowerCase();
  // RFC 5321 §5.1: drop ourselves and everything that is not preferred to us.
  const limit = Math.min(...named.filter((host) => host.name === own).map((host) => host.preference));
  const usable = named.filter((host) => host.preference < limit);
  if (usable.length === 0)
    return { kind: 'bounce', status: '5.4.6', why: `mail for ${domain} loops back to this gateway` };
  usable.sort((a, b) => a.preference - b.preference || a.tie - b.tie);
  return { kind: 'hosts', hosts: [...new Set(usable.map((host) => host.name))].slice(0, MAX_HOSTS), implicit: false };
}

const isRoot = (exchange: string): boolean => exchange === '' || exchange === '.';

/** One place to connect to. `host` is the name that its certificate should have. */
export type HopAddress = { readonly host: string; readonly address: string; readonly port: number };

export type AddressPlan =
  | { readonly kind: 'addresses'; readonly addresses: readonly HopAddress[] }
  | { readonly kind: 'bounce' | 'retry'; readonly status: string; readonly why: string };

export type HostAnswer = { readonly host: string; readonly port: number; readonly answer: Answer<readonly string[]> };

/**
 * Hosts with their addresses become the list to try. Nobody has an address: permanent only where every answer is a
 * sure no, for a name of the administrator's (`route`) never, since it would bounce all mail while a zone is repaired.
 */
export function planAddresses(
  domain: string,
  answers: readonly HostAnswer[],
  kind: 'mx' | 'implicit' | 'route',
): AddressPlan {
  const addresses = answers.flatMap(({ host, port, answer }) =>
    answer.answer === 'yes' ? answer.value.filter(isReachable).map((address) => ({ host, address, port })) : [],
  );
  if (addresses.length > 0) return { kind: 'addresses', addresses: addresses.slice(0, MAX_ADDRESSES) };
  const doubt = answers.find(({ answer }) => answer.answer === 'unknown');
  if (doubt?.answer.answer === 'unknown')
    return { kind: 'retry', status: '4.4.3', why: `address of ${doubt.host} cannot be looked up: ${doubt.answer.why}` };
  if (kind === 'route')
    return { kind: 'retry', status: '4.4.4', why: `the SMTP route of ${domain} has no host with an address` };
  // RFC 5321 §5.1: records that lead nowhere are an error, not a reason to try the domain itself.
  if (kind === 'mx') return { kind: 'bounce', status: '5.4.4', why: `no mail host of ${domain} has an address` };
  return { kind: 'bounce', status: '5.1.2', why: `${domain} does not exist, or takes no mail` };
}

/** "This host" and multicast are no place to send mail to, and would connect to ourselves. */
const isReachable = (address: string): boolean =>
  !(
    address.startsWith('0.') ||
    address === '::' ||
    /^(22[4-9]|23\d|24\d|25[0-5])\./.test(address) ||
    /^ff/i.test(address)
  );
