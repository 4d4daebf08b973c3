/**
 * SMTP Routes (`smtproutes`): where mail for a domain goes. The exact domain is looked up first, then the longest
 * `.partial` (which excludes the domain itself), then ALL; without an entry the domain's own MX records decide.
 * A host `name` is looked up as MX and then as address (RFC 5321 §5.1); `name:port` and addresses are that host and no
 * other: an MX record speaks of port 25 only. When all hosts of a route are down the mail waits, it never falls back to MX.
 * Deviates: hosts are tried in the order written, where AsyncOS takes those without `/pri=` in turn, because a list has
 * an order and a spare host could not be said otherwise; a name with several addresses shares the load.
 * Pure.
 */
import type { Config } from '../config/schema.ts';
import { isIp } from '../core/network.ts';
import { addressOfLiteral, comparableDomain, hostName } from '../core/host-name.ts';

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

/** The part after the last `@`; '' for an address without one. */
export const domainOf = (address: string): string =>
  address.includes('@') ? address.slice(address.lastIndexOf('@') + 1) : '';

/** A configuration that `config/semantics-delivery.ts` found good; entries that it would have refused are left out. */
export function compileRoutes(routes: Config['smtpRoutes']): RouteTable {
  const exact = new Map<string, Entry>();
  const partial = new Map<string, Entry>();
  let all: Entry | undefined;
  for (const [key, hosts] of Object.entries(routes)) {
    const place = parseKey(key);
    const target = parseTarget(hosts);
    if (place === undefined || target === undefined) continue;
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
  const domain = comparableDomain(key.startsWith('.') ? key.slice(1) : key);
  return domain === undefined ? undefined : { kind: key.startsWith('.') ? 'partial' : 'exact', domain };
}

function parseTarget(hosts: readonly string[]): RouteTarget | undefined {
  const [only] = hosts;
  if (hosts.length === 1 && only === 'USEDNS') return { kind: 'usedns' };
  if (hosts.length === 1 && only === '/dev/null') return { kind: 'discard' };
  const parsed: RouteHost[] = [];
  for (const text of hosts) {
    const host = parseHost(text);
    if (host === undefined) return undefined;
    parsed.push(host);
  }
  return { kind: 'hosts', hosts: parsed };
}

function parseHost(text: string): RouteHost | undefined {
  const [all, bracketed, plain = '', written] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (all === undefined) return undefined;
  const port = written === undefined ? SMTP_PORT : Number(written);
  const address = bracketed ?? plain;
  if (isIp(address)) return { kind: 'address', address, port };
  const name = bracketed === undefined ? hostName(plain) : undefined;
  return name === undefined ? undefined : { kind: 'name', name, port, mx: written === undefined };
}
