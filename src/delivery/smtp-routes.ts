/**
 * SMTP Routes (`smtproutes`): where mail for a domain goes. The exact domain is looked up first, then the longest
 * `.partial` (which excludes the domain itself), then ALL; without an entry the domain's own MX records decide.
 * A host `name` is looked up as MX and then as address (RFC 5321 §5.1); `name:port` and addresses are that host and no
 * other: an MX record speaks of port 25 only. When all hosts of a route are down the mail waits, it never falls back to MX.
 * Deviates: hosts are tried in the order written, where AsyncOS takes those without `/pri=` in turn, because a list has
 * an order and a spare host could not be said otherwise; a name with several addresses shares the load.
 * Pure.
 */
import { domainToASCII } from 'node:url';
import type { Config } from '../config/schema.ts';
import { type Fault, fault } from '../core/fault.ts';
import { isIp } from '../core/network.ts';
import { addressOfLiteral, hostName } from './host-name.ts';

export const SMTP_PORT = 25;

export type RouteHost =
  | { readonly kind: 'address'; readonly address: string; readonly port: number }
  /** `mx`: ask for MX records of the name before its addresses. */
  | { readonly kind: 'name'; readonly name: string; readonly port: number; readonly mx: boolean };

export type RouteTarget =
  | { readonly kind: 'hosts'; readonly hosts: readonly RouteHost[] }
  | { readonly kind: 'usedns' }
  | { readonly kind: 'discard' };

/** Where one recipient's domain goes. `key` names the next hop: equal keys share connections and their limits. */
export type Route =
  | { readonly kind: 'hosts'; readonly key: string; readonly rule: string; readonly hosts: readonly RouteHost[] }
  | { readonly kind: 'mx'; readonly key: string; readonly rule: string; readonly domain: string }
  | { readonly kind: 'discard'; readonly rule: string }
  | { readonly kind: 'impossible'; readonly rule: string; readonly status: string; readonly why: string };

type Entry = { readonly rule: string; readonly target: RouteTarget };
export type RouteTable = {
  readonly exact: ReadonlyMap<string, Entry>;
  /** Keys without their leading dot. */
  readonly partial: ReadonlyMap<string, Entry>;
  readonly all: Entry | undefined;
};

/** A domain as it is compared: A-labels, lower case, no final dot (RFC 5891 §4.4); undefined for what no DNS name can be. */
export function comparableDomain(domain: string): string | undefined {
  const ascii = isAscii(domain) ? domain : domainToASCII(domain);
  return hostName(ascii);
}

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII is meant
  return /^[\u0000-\u007f]*$/.test(text);
}

/** The part after the last `@`; '' for an address without one. */
export const domainOf = (address: string): string =>
  address.includes('@') ? address.slice(address.lastIndexOf('@') + 1) : '';

/** A configuration that `faultsOfRoutes` found good; entries it would have refused are left out. */
export function compileRoutes(routes: Config['smtpRoutes']): RouteTable {
  const exact = new Map<string, Entry>();
  const partial = new Map<string, Entry>();
  let all: Entry | undefined;
  for (const [key, hosts] of Object.entries(routes)) {
    const place = parseKey(key);
    const target = parseTarget(hosts);
    if (place === undefined || typeof target === 'string') continue;
    const entry = { rule: `smtpRoutes.${key}`, target };
    if (place.kind === 'all') all = entry;
    else (place.kind === 'exact' ? exact : partial).set(place.domain, entry);
  }
  return { exact, partial, all };
}

/** The row that names the recipient's domain, else its longest `.partial`, else ALL; without one, MX. */
export function routeOf(table: RouteTable, address: string): Route {
  const written = domainOf(address);
  const literal = addressOfLiteral(written);
  const domain = literal === undefined ? comparableDomain(written) : `[${literal}]`;
  const entry = domain === undefined ? table.all : matchEntry(table, domain);
  const rule = entry?.rule ?? 'no SMTP route';
  const target = entry?.target ?? { kind: 'usedns' };
  if (target.kind === 'discard') return { kind: 'discard', rule };
  if (target.kind === 'hosts') return { kind: 'hosts', key: rule, rule, hosts: target.hosts };
  if (domain === undefined) return { kind: 'impossible', rule, status: '5.1.2', why: 'the domain is not a DNS name' };
  if (literal === undefined) return { kind: 'mx', key: domain, rule, domain };
  return { kind: 'hosts', key: domain, rule, hosts: [{ kind: 'address', address: literal, port: SMTP_PORT }] };
}

function matchEntry(table: RouteTable, domain: string): Entry | undefined {
  const exact = table.exact.get(domain);
  if (exact !== undefined) return exact;
  for (let dot = domain.indexOf('.'); dot >= 0 && table.partial.size > 0; dot = domain.indexOf('.', dot + 1)) {
    const entry = table.partial.get(domain.slice(dot + 1));
    if (entry !== undefined) return entry;
  }
  return table.all;
}

type Place = { readonly kind: 'all' } | { readonly kind: 'exact' | 'partial'; readonly domain: string };

function parseKey(key: string): Place | undefined {
  if (key === 'ALL') return { kind: 'all' };
  const literal = addressOfLiteral(key);
  if (literal !== undefined) return { kind: 'exact', domain: `[${literal}]` };
  const domain = comparableDomain(key.startsWith('.') ? key.slice(1) : key);
  return domain === undefined ? undefined : { kind: key.startsWith('.') ? 'partial' : 'exact', domain };
}

/** The hosts of an entry, or what is wrong with the first bad one. */
function parseTarget(hosts: readonly string[]): RouteTarget | string {
  const [only] = hosts;
  if (hosts.length === 1 && only === 'USEDNS') return { kind: 'usedns' };
  if (hosts.length === 1 && only === '/dev/null') return { kind: 'discard' };
  const parsed: RouteHost[] = [];
  for (const text of hosts) {
    const host = parseHost(text);
    if (typeof host === 'string') return host;
    parsed.push(host);
  }
  return { kind: 'hosts', hosts: parsed };
}

function parseHost(text: string): RouteHost | string {
  if (text === 'USEDNS' || text === '/dev/null') return `${text} stands alone, without other hosts`;
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(text);
  const port = match?.[3] === undefined ? SMTP_PORT : Number(match[3]);
  if (match === null || port < 1 || port > 65_535) return 'a port is a number from 1 to 65535';
  const bracketed = match[1];
  const plain = match[2] ?? '';
  if (bracketed !== undefined) {
    if (!isIp(bracketed)) return 'between brackets stands an IPv4 or IPv6 address';
    return { kind: 'address', address: bracketed, port };
  }
  if (isIp(plain)) return { kind: 'address', address: plain, port };
  const name = hostName(plain);
  if (name === undefined) return 'a route host is name, name:port, [address]:port, USEDNS or /dev/null';
  return { kind: 'name', name, port, mx: match[3] === undefined };
}

/** For `check`. */
export function faultsOfRoutes(config: Pick<Config, 'smtpRoutes'>): Fault[] {
  const faults: Fault[] = [];
  const seen = new Map<string, string>();
  for (const [key, hosts] of Object.entries(config.smtpRoutes)) {
    const place = parseKey(key);
    if (place === undefined)
      faults.push(fault(['smtpRoutes', key], 'a key is ALL, example.com, .example.com or [192.0.2.1]'));
    else {
      const same = place.kind === 'all' ? 'ALL' : `${place.kind} ${place.domain}`;
      const earlier = seen.get(same);
      if (earlier !== undefined) faults.push(fault(['smtpRoutes', key], `is the same domain as "${earlier}"`));
      seen.set(same, key);
    }
    hosts.forEach((host, index) => {
      const target = parseTarget(hosts.length === 1 ? hosts : [host]);
      const alone = hosts.length > 1 && typeof target !== 'string' && target.kind !== 'hosts';
      const wrong =
        typeof target === 'string' ? target : alone ? `${host} stands alone, without other hosts` : undefined;
      if (wrong !== undefined) faults.push(fault(['smtpRoutes', key, index], wrong));
    });
  }
  return faults;
}
