/**
 * From a route to a session: look up the hosts, leave out those that were down a moment ago, connect to the others in
 * order until one is ready for MAIL (RFC 5321 §5.1). Every connection has a DCID and its log lines.
 * Effects: DNS, connections, the log.
 */
import tls, { type SecureContext } from 'node:tls';
import type { Config } from '../config/schema.ts';
import { type Dcid, NO_DCID } from '../core/ids.ts';
import type { Clock, Dns } from '../core/ports.ts';
import type { MailLog } from '../log/mail-event.ts';
import type { HopRoute } from './destination.ts';
import type { TlsSetting } from './destination-control-table.ts';
import type { AskedAddress, HostMemory } from './host-memory.ts';
import { type AddressPlan, type HopAddress, type HostAnswer, planAddresses, planMx } from './mx.ts';
import { decideOutcome, mergeHosts, type Outcome } from './outcome.ts';
import { type OpenChannels, PeerChannel } from './peer-channel.io.ts';
import { beginSession, type SmtpSession } from './smtp-client.io.ts';
import { type Route, type RouteHost, SMTP_PORT } from './smtp-routes.ts';

/** RFC 5321 §5.1 asks for at least two; more would keep one message busy for hours. */
const MAX_HOSTS_PER_ATTEMPT = 5;

export type HopPorts = {
  readonly dns: Dns;
  readonly log: MailLog;
  readonly clock: Clock;
  readonly random: () => number;
  readonly nextDcid: () => Dcid;
  readonly hosts: HostMemory;
  readonly channels: OpenChannels;
};
/** What a configuration gives to outbound sessions, built once per configuration. */
export type HopSettings = {
  readonly hostname: string;
  readonly context: SecureContext;
  readonly limits: Config['delivery'];
  readonly profile: Config['bounceProfiles']['default'];
};

/** Throws where the `ssl` section cannot be used. */
export function hopSettings(config: Config): HopSettings {
  const { minVersion, maxVersion, ciphers } = config.ssl;
  return {
    hostname: config.hostname,
    context: tls.createSecureContext({ minVersion, maxVersion, ...(ciphers === undefined ? {} : { ciphers }) }),
    limits: config.delivery,
    profile: config.bounceProfiles.default,
  };
}

export type OpenHop = { readonly session: SmtpSession; readonly dcid: Dcid; readonly address: AskedAddress };
export type NoHop = {
  readonly outcome: Outcome;
  readonly dcid: Dcid;
  readonly host?: string;
  /** Why TLS, which the destination requires, could not be negotiated with one of the hosts. */
  readonly withoutTls?: string;
};

/**
 * `busy`: this next hop has other connections, which work; a host that wants no more of them is not down.
 */
export async function openHop(
  route: HopRoute,
  busy: boolean,
  settings: HopSettings,
  ports: HopPorts,
): Promise<OpenHop | NoHop> {
  const plan = await resolveHop(route, settings, ports);
  if (plan.kind !== 'addresses') return { dcid: NO_DCID, outcome: { ...plan, elsewhere: false } };
  const addresses = plan.addresses.map((address) => ({ ...address, tls: route.control.tls }));
  const { try: usable, down } = ports.hosts.usable(addresses, ports.clock.now());
  const outcomes: Outcome[] = [...down];
  let last: Omit<NoHop, 'outcome'> = { dcid: NO_DCID };
  for (const address of usable.slice(0, MAX_HOSTS_PER_ATTEMPT)) {
    const dcid = ports.nextDcid();
    const opened = await openAddress(address, dcid, { ...settings, tls: route.control.tls }, ports);
    if ('session' in opened) {
      ports.hosts.worked(address);
      return { session: opened.session, dcid, address };
    }
    if (!busy) hostFailed(address, opened.outcome, settings, ports);
    outcomes.push(opened.outcome);
    last = { ...last, dcid, host: address.host };
    if (opened.withoutTls !== undefined) last = { ...last, withoutTls: opened.withoutTls };
    if (opened.stopped) break;
  }
  return { ...last, outcome: mergeHosts(outcomes) };
}

/** Leaves the host alone for a while; the bounce profile says how long at most. */
export function hostFailed(address: AskedAddress, outcome: Outcome, settings: HopSettings, ports: HopPorts): void {
  const { initialWait: initialWaitMs, maxWait: maxWaitMs } = settings.profile;
  ports.hosts.failed(address, { outcome, nowMs: ports.clock.now(), initialWaitMs, maxWaitMs });
}

type OpenedAddress =
  | { readonly session: SmtpSession }
  | { readonly outcome: Outcome; readonly stopped: boolean; readonly withoutTls?: string };

async function openAddress(
  address: HopAddress,
  dcid: Dcid,
  settings: HopSettings & { readonly tls: TlsSetting },
  ports: HopPorts,
): Promise<OpenedAddress> {
  const { log } = ports;
  const { host, address: remoteAddress, port } = address;
  const channel = await PeerChannel.connect(address, settings.limits.connectTimeout, ports.channels);
  if (!(channel instanceof PeerChannel)) {
    log.emit({ event: 'dcid-failed', dcid, remoteAddress, host, why: channel.why });
    return { outcome: decideOutcome({ ...channel, stage: 'connect' }), stopped: channel.failure === 'stopped' };
  }
  log.emit({ event: 'dcid-open', dcid, localAddress: channel.localAddress, remoteAddress, port, host });
  const begun = await beginSession(channel, {
    helo: settings.hostname,
    host,
    context: settings.context,
    tls: settings.tls,
    limits: settings.limits,
  });
  if (begun.tls?.ok === true) {
    const { protocol, cipher, peer, verified } = begun.tls;
    log.emit({ event: 'dcid-tls', dcid, protocol, cipher, peer, verified });
  } else if (begun.tls !== undefined) log.emit({ event: 'dcid-tls-failed', dcid, why: begun.tls.why });
  if ('session' in begun) return { session: begun.session };
  const { happening } = begun;
  const outcome = decideOutcome(happening);
  const why = outcome.kind === 'delivered' ? '' : outcome.why;
  const stopped = happening.kind === 'failure' && happening.failure === 'stopped';
  const atTls = happening.kind !== 'unable' && (happening.stage === 'starttls' || happening.stage === 'tls');
  const withoutTls = settings.tls === 'required' && atTls && !stopped ? why : undefined;
  if (withoutTls !== undefined) log.emit({ event: 'dcid-tls-required', dcid, remoteAddress, why });
  log.emit({ event: 'dcid-failed', dcid, remoteAddress, host, why });
  log.emit({ event: 'dcid-close', dcid });
  return { outcome, stopped, ...(withoutTls === undefined ? {} : { withoutTls }) };
}

/** What looking up a next hop needs. */
export type HopLookup = Pick<HopPorts, 'dns' | 'random'>;
export type Connected = Extract<Route, { kind: 'hosts' | 'mx' }>;
type OwnName = Pick<HopSettings, 'hostname'>;

/** The addresses that mail for a next hop would go to now. */
export async function resolveHop(route: Connected, settings: OwnName, ports: HopLookup): Promise<AddressPlan> {
  if (route.kind === 'mx') return resolveMx(route.domain, settings, ports);
  const plans = await Promise.all(route.hosts.map((host) => resolveHost(host, settings, ports)));
  const addresses = plans.flatMap((plan) => (plan.kind === 'addresses' ? plan.addresses : []));
  if (addresses.length > 0) return { kind: 'addresses', addresses };
  return (
    plans.find((plan) => plan.kind === 'retry') ??
    plans[0] ?? { kind: 'retry', status: '4.4.4', why: 'the SMTP route has no host' }
  );
}

async function resolveHost(host: RouteHost, settings: OwnName, ports: HopLookup): Promise<AddressPlan> {
  if (host.kind === 'address')
    return { kind: 'addresses', addresses: [{ host: host.address, address: host.address, port: host.port }] };
  const mx = host.mx ? await mxPlan(host.name, settings, ports) : undefined;
  // The administrator named this host: its own addresses count where its MX records lead nowhere.
  const hosts = mx?.kind === 'hosts' ? mx.hosts : [host.name];
  if (mx?.kind === 'retry') return mx;
  return planAddresses(host.name, await addressesOf(hosts, host.port, ports), 'route');
}

async function resolveMx(domain: string, settings: OwnName, ports: HopLookup): Promise<AddressPlan> {
  const plan = await mxPlan(domain, settings, ports);
  if (plan.kind !== 'hosts') return plan;
  return planAddresses(domain, await addressesOf(plan.hosts, SMTP_PORT, ports), plan.implicit ? 'implicit' : 'mx');
}

async function mxPlan(domain: string, settings: OwnName, ports: HopLookup): Promise<ReturnType<typeof planMx>> {
  return planMx({ domain, answer: await ports.dns.mx(domain), self: settings.hostname, random: ports.random });
}

function addressesOf(hosts: readonly string[], port: number, { dns }: HopLookup): Promise<HostAnswer[]> {
  return Promise.all(hosts.map(async (host) => ({ host, port, answer: await dns.addresses(host) })));
}
