/**
 * SMTP routes: keys, hosts, what must not be mixed; bounce waits. What passes here `delivery/smtp-routes.ts` can compile.
 * AsyncOS: smtproutes, bounceconfig. Pure.
 */
import { type Fault, fault, warning } from '../core/fault.ts';
import { comparableDomain, hostName } from '../core/host-name.ts';
import { isIp, isIpv4 } from '../core/network.ts';
import { parsePort } from './addresses.ts';
import type { Config } from './schema.ts';

const ALONE = ['USEDNS', '/dev/null'];
const KEY = 'a key is ALL, example.com or .example.com';

export function routeFaults(config: Config): Fault[] {
  const found = keyFaults(config.smtpRoutes, ['smtpRoutes'], routeKeyFault);
  for (const [key, hosts] of Object.entries(config.smtpRoutes)) {
    const path = ['smtpRoutes', key];
    found.push(...hosts.flatMap((host, i) => routeHostFaults(host, [...path, i])));
    const alone = hosts.find((host) => ALONE.includes(host));
    if (alone !== undefined && hosts.length > 1)
      found.push(fault(path, `${alone} stands alone; other hosts are not allowed beside it`));
  }
  const { initialWait, maxWait } = config.bounceProfiles.default;
  if (initialWait > maxWait) {
    found.push(
      warning(['bounceProfiles', 'default', 'initialWait'], 'is longer than maxWait, which bounds every wait'),
    );
  }
  return found;
}

/** Keys that are none, and such as mean the same domain as one before. */
export function keyFaults(
  table: Readonly<Record<string, unknown>>,
  path: readonly string[],
  why: (key: string) => string | undefined,
): Fault[] {
  const seen = new Map<string, string>();
  return Object.keys(table).flatMap((key) => {
    const at = [...path, key];
    const keyFault = why(key);
    if (keyFault !== undefined) return [fault(at, keyFault)];
    const comparable = comparableKey(key) ?? key;
    const twin = seen.get(comparable);
    seen.set(comparable, key);
    return twin === undefined ? [] : [fault(at, `the same domain as ${JSON.stringify(twin)}; domains have no case`)];
  });
}

/** `example.com` or `.example.com` with the domain as it is compared; undefined for what is neither. */
function comparableKey(key: string): string | undefined {
  const dot = key.startsWith('.') ? '.' : '';
  const domain = key.endsWith('.') ? undefined : comparableDomain(key.slice(dot.length));
  return domain === undefined ? undefined : `${dot}${domain}`;
}

/** Why this is no key of a route. */
export function routeKeyFault(key: string): string | undefined {
  if (key === 'ALL') return undefined;
  if (key.toUpperCase() === 'ALL') return `${KEY}; did you mean "ALL"?`;
  return comparableKey(key) === undefined ? KEY : undefined;
}

export function routeHostFaults(host: string, path: readonly (string | number)[]): Fault[] {
  if (ALONE.includes(host)) return [];
  const [, bracketed, name = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(host) ?? [];
  const found: Fault[] = [];
  if (port !== undefined && parsePort(port) === undefined) found.push(fault(path, 'a port is from 1 to 65535'));
  if (bracketed !== undefined && !isIp(bracketed)) {
    found.push(fault(path, 'between "[" and "]" stands an IPv4 or IPv6 address'));
  }
  if (bracketed === undefined && hostName(name) === undefined && !isIpv4(name)) {
    found.push(fault(path, 'not a host name or IPv4 address: labels of letters, digits and "-" with dots between'));
  }
  return found;
}
