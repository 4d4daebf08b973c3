/**
 * Which way a recipient's mail takes: the SMTP route of its address, under the destination's row of destination controls.
 * Recipients that are due become jobs: one transaction for one message to one next hop with up to 100 recipients
 * (RFC 5321 §4.5.3.1.8), and recipients that need no connection: discarded, or without any way.
 * Pure.
 */
import type { DueRecipient } from '../core/ports.ts';
import type { Config } from '../config/schema.ts';
import { compileControls, controlFor, type DestinationControl } from './destination-control-table.ts';
import { compileRoutes, domainOf, type Route, routeOf } from './smtp-routes.ts';

const MAX_RECIPIENTS_PER_TRANSACTION = 100;

/** A way over connections. Equal keys share connections and what destination controls count. */
export type HopRoute = Extract<Route, { kind: 'hosts' | 'mx' }> & {
  readonly control: DestinationControl;
  /** Of the recipient; of any, where the control does not count by domain. */
  readonly domain: string;
};
export type Way = HopRoute | Exclude<Route, { kind: 'hosts' | 'mx' }>;

/** For every address, by the configuration. Throws where its routes cannot be used. */
export function compileWays(config: Config): (address: string) => Way {
  const routes = compileRoutes(config.smtpRoutes);
  const controls = compileControls(config);
  return (address) => {
    const domain = domainOf(address);
    return controlledWay(routeOf(routes, address), controlFor(controls, domain), domain);
  };
}

/** A session in the clear must never get a job that asks for more: what differs in TLS shares nothing. */
export function controlledWay(route: Route, control: DestinationControl, domain: string): Way {
  if (route.kind !== 'hosts' && route.kind !== 'mx') return route;
  const own = control.byDomain && route.kind === 'hosts' ? ` ${domain.toLowerCase()}` : '';
  const tls = control.tls === 'preferred' ? '' : ` tls=${control.tls}`;
  const key = `${route.key}${own}${tls}`;
  return route.kind === 'mx' ? { ...route, key, control } : { ...route, key, control, domain: domain.toLowerCase() };
}

export type Job = {
  readonly route: HopRoute;
  readonly rows: readonly DueRecipient[];
  readonly claimedMs: number;
  /** Sessions that ended under this job, since it was claimed. */
  readonly tries: number;
};

export type Grouped = {
  readonly jobs: readonly Job[];
  readonly discarded: readonly { readonly rows: readonly DueRecipient[]; readonly rule: string }[];
  readonly impossible: readonly {
    readonly rows: readonly DueRecipient[];
    readonly status: string;
    readonly why: string;
  }[];
};

/** Keeps the order in which recipients became due. */
export function groupDue(rows: readonly DueRecipient[], wayOf: (address: string) => Way, nowMs: number): Grouped {
  const groups = new Map<string, { route: Way; rows: DueRecipient[] }>();
  for (const row of rows) {
    const route = wayOf(row.recipient.address);
    const key = `${row.mid} ${route.kind} ${'key' in route ? route.key : route.rule}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { route, rows: [row] });
    else group.rows.push(row);
  }
  const jobs: Job[] = [];
  const discarded: Grouped['discarded'][number][] = [];
  const impossible: Grouped['impossible'][number][] = [];
  for (const { route, rows: all } of groups.values()) {
    if (route.kind === 'discard') discarded.push({ rows: all, rule: route.rule });
    else if (route.kind === 'impossible') impossible.push({ rows: all, status: route.status, why: route.why });
    else
      for (let from = 0; from < all.length; from += MAX_RECIPIENTS_PER_TRANSACTION)
        jobs.push({ route, rows: all.slice(from, from + MAX_RECIPIENTS_PER_TRANSACTION), claimedMs: nowMs, tries: 0 });
  }
  return { jobs, discarded, impossible };
}
