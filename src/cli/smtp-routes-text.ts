/**
 * SMTP routes as text, in AsyncOS's format: `example.com: host, [192.0.2.1]:26`, one domain a line, `#` begins a remark.
 * Pure.
 */
import { isList, type Json, type Mapping } from '../config/document.ts';
import { faultAt } from '../config/schema-place.ts';
import { routeKeyFault } from '../config/semantics-delivery.ts';
import { shown } from './form.ts';

export type Routes = Readonly<Record<string, readonly string[]>>;
export type ParsedRoutes =
  | { readonly ok: true; readonly routes: Routes }
  | { readonly ok: false; readonly why: string };

export const hostsOf = (text: string): string[] =>
  text
    .split(',')
    .map((host) => host.trim())
    .filter((host) => host !== '');

export const routeLine = (domain: string, hosts: Json): string =>
  `${domain}: ${isList(hosts) ? hosts.map(shown).join(', ') : shown(hosts)}`;

export const routesText = (routes: Mapping): string =>
  [
    '# SMTP routes, written by sallyport smtproutes',
    ...Object.entries(routes).map(([domain, hosts]) => routeLine(domain, hosts)),
    '',
  ].join('\n');

/** Why these hosts will not do, in the words of the schema. */
export function hostsFault(domain: string, hosts: readonly string[]): string | undefined {
  if (hosts.length === 0) return 'a route needs a destination host';
  return faultAt({}, ['smtpRoutes', domain], hosts);
}

export function parseRoutes(text: string): ParsedRoutes {
  const routes: Record<string, readonly string[]> = {};
  for (const [i, row] of text.split('\n').entries()) {
    const line = row.replace(/#.*/, '').trim();
    if (line === '') continue;
    const refuse = (why: string): ParsedRoutes => ({ ok: false, why: `line ${i + 1}: ${why}` });
    const [, domain = '', rest = ''] = /^([^:\s]+)\s*:\s*(.*)$/.exec(line) ?? [];
    if (domain === '') return refuse('a route is written DOMAIN: HOST, HOST');
    const hosts = hostsOf(rest);
    const why = routeKeyFault(domain) ?? hostsFault(domain, hosts);
    if (why !== undefined) return refuse(why);
    if (Object.hasOwn(routes, domain)) return refuse(`${domain} is there already`);
    routes[domain] = hosts;
  }
  return Object.keys(routes).length === 0 ? { ok: false, why: 'there is no route' } : { ok: true, routes };
}
