/** SMTP routes: keys, hosts, what must not be mixed; bounce waits. AsyncOS: smtproutes, bounceconfig. Pure. */
import { type Fault, fault, warning } from '../core/fault.ts';
import { canonicalIp, parsePort } from './addresses.ts';
import type { Config } from './schema.ts';

const ALONE = ['USEDNS', '/dev/null'];
const KEY = 'a key is ALL, example.com or .example.com';

export function routeFaults(config: Config): Fault[] {
  const seen = new Map<string, string>();
  const found: Fault[] = [];
  for (const [key, hosts] of Object.entries(config.smtpRoutes)) {
    const path = ['smtpRoutes', key];
    const keyFault = routeKeyFault(key);
    if (keyFault !== undefined) found.push(fault(path, keyFault));
    const twin = seen.get(key.toLowerCase());
    if (twin !== undefined) found.push(fault(path, `the same domain as ${JSON.stringify(twin)}; domains have no case`));
    seen.set(key.toLowerCase(), key);
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

/** Why this is no key of a route. */
export function routeKeyFault(key: string): string | undefined {
  if (key === 'ALL') return undefined;
  if (key.toUpperCase() === 'ALL') return `${KEY}; did you mean "ALL"?`;
  const domain = key.startsWith('.') ? key.slice(1) : key;
  // U-labels are accepted as they are: an SMTPUTF8 recipient may carry one (RFC 6531 §3.3).
  const label = /^[\p{L}\p{N}_]([\p{L}\p{M}\p{N}_-]{0,61}[\p{L}\p{M}\p{N}_])?$/u;
  if (domain.length > 255 || !domain.split('.').every((part) => label.test(part))) return KEY;
  return undefined;
}

export function routeHostFaults(host: string, path: readonly (string | number)[]): Fault[] {
  if (ALONE.includes(host)) return [];
  const [, bracketed, name = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(host) ?? [];
  const found: Fault[] = [];
  if (port !== undefined && parsePort(port) === undefined) found.push(fault(path, 'a port is from 1 to 65535'));
  if (bracketed !== undefined && canonicalIp(bracketed) === undefined) {
    found.push(fault(path, 'between "[" and "]" stands an IPv4 or IPv6 address'));
  }
  if (bracketed === undefined && !hostNameIsGood(name)) {
    found.push(fault(path, 'not a host name or IPv4 address: labels of letters, digits and "-" with dots between'));
  }
  return found;
}

/** A name that ends in a number is an IPv4 address or a slip, never a host (RFC 1123 §2.1). */
const hostNameIsGood = (name: string): boolean =>
  /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/.test(name) &&
  (!/(^|\.)\d+\.?$/.test(name) || canonicalIp(name) === name);
