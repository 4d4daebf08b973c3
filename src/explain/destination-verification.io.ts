/**
 * `tlsverify` of a destination: the hosts that mail for it would go to, by its SMTP route or its MX records or as named,
 * each verified as delivery would meet it, and what delivery makes of the result. AsyncOS: tlsverify.
 * Effects: DNS, connections.
 */
import tls from 'node:tls';
import type { Config, Revision } from '../config/schema.ts';
import { isIp } from '../core/network.ts';
import { type Answer, no, yes } from '../core/verdict.ts';
import { compileControls, controlFor, type TlsSetting } from '../delivery/destination-control-table.ts';
import { createDns } from '../delivery/dns.io.ts';
import { comparableDomain, hostName } from '../core/host-name.ts';
import { resolveHop } from '../delivery/next-hop.io.ts';
import { compileRoutes, type Route, routeOf, SMTP_PORT } from '../delivery/smtp-routes.ts';
import { type HostVerification, verifyHost } from '../delivery/tls-verification.io.ts';

export type DestinationQuestion = {
  /** Verified against; also an address's domain. */
  readonly domain: string;
  /** Instead of the route or MX records of the domain. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** A name under `certificateAuthorities`, instead of the public ones. */
  readonly ca?: string | undefined;
};

export type DestinationVerification = {
  readonly revision: number;
  readonly domain: string;
  /** Where the hosts come from: a route of the configuration, MX records, the question. */
  readonly route: { readonly rule: string; readonly says: string };
  readonly trust: string;
  readonly hosts: readonly HostVerification[];
  /** More hosts that were not connected to. */
  readonly moreHosts: number;
  readonly verified: boolean;
  /** What delivery does with it. */
  readonly policy: { readonly rule: string; readonly tls: TlsSetting; readonly says: string };
};

/** So many hosts as one attempt of delivery tries. */
const MAX_HOSTS = 5;
const MAX_WAIT_MS = 30_000;

/** `no`: the question does not fit. */
export async function verifyDestination(
  revision: Revision,
  question: DestinationQuestion,
): Promise<Answer<DestinationVerification>> {
  const { config, material } = revision;
  const domain = comparableDomain(question.domain);
  if (domain === undefined) return no(`${question.domain} is no domain`);
  const trusted = question.ca === undefined ? undefined : material.authorities[question.ca];
  if (question.ca !== undefined && trusted === undefined)
    return no(`there are no certificateAuthorities ${question.ca}`);
  const route =
    question.host === undefined ? routeOf(compileRoutes(config.smtpRoutes), `x@${domain}`) : named(question);
  if (route === undefined) return no(`${question.host} is no host`);
  const about = {
    revision: revision.number,
    domain,
    trust: question.ca === undefined ? 'public authorities' : `certificateAuthorities.${question.ca}`,
  };
  if (route.kind === 'discard' || route.kind === 'impossible') {
    const says = route.kind === 'discard' ? 'mail is discarded' : route.why;
    return yes({ ...about, route: { rule: route.rule, says }, ...NOWHERE, policy: policyOf(config, domain, []) });
  }
  const dns = createDns({ servers: config.system.dnsServers });
  const plan = await resolveHop(route, { hostname: config.hostname }, { dns, random: Math.random });
  const by = route.kind === 'mx' ? `the MX records of ${route.domain}` : 'the hosts of the route';
  if (plan.kind !== 'addresses')
    return yes({
      ...about,
      route: { rule: route.rule, says: `${by}: ${plan.why}` },
      ...NOWHERE,
      policy: policyOf(config, domain, []),
    });
  const { minVersion, maxVersion, ciphers } = config.ssl;
  const context = tls.createSecureContext({
    minVersion,
    maxVersion,
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(trusted === undefined ? {} : { ca: trusted }),
  });
  const { connectTimeout, commandTimeout } = config.delivery;
  const options = {
    domain,
    helo: config.hostname,
    context,
    connectTimeoutMs: Math.min(connectTimeout, MAX_WAIT_MS),
    commandTimeoutMs: Math.min(commandTimeout, MAX_WAIT_MS),
  };
  const addresses = plan.addresses.slice(0, MAX_HOSTS);
  const hosts = await Promise.all(addresses.map((address) => verifyHost(address, options)));
  const places = plan.addresses.map(({ host, address, port }) => `${host} (${address} port ${port})`).join(', ');
  return yes({
    ...about,
    route: { rule: route.rule, says: `${by}: ${places}` },
    hosts,
    moreHosts: plan.addresses.length - hosts.length,
    verified: hosts.every(({ outcome }) => outcome === 'verified'),
    policy: policyOf(config, domain, hosts),
  });
}

const NOWHERE = { hosts: [], moreHosts: 0, verified: false } as const;

function named({ host = '', port = SMTP_PORT }: DestinationQuestion): Exclude<Route, { kind: 'mx' }> | undefined {
  const written = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(host) ?? [];
  const name = isIp(host) ? host : (written[1] ?? written[2] ?? '');
  const own = isIp(host) || written[3] === undefined ? port : Number(written[3]);
  const by = { kind: 'hosts', key: '--host', rule: '--host' } as const;
  if (own < 1 || own > 65_535) return undefined;
  if (isIp(name)) return { ...by, hosts: [{ kind: 'address', address: name, port: own }] };
  const asName = hostName(name);
  return asName === undefined ? undefined : { ...by, hosts: [{ kind: 'name', name: asName, port: own, mx: false }] };
}

/** What the destination's row makes of each outcome: see `delivery/smtp-client.io.ts`. */
const MAKES: Readonly<Record<TlsSetting, Readonly<Record<HostVerification['outcome'], string>>>> = {
  off: {
    verified: 'STARTTLS is not asked for: mail is sent in the clear',
    unverified: 'STARTTLS is not asked for: mail is sent in the clear',
    clear: 'mail is sent in the clear',
    failed: 'STARTTLS is not asked for: mail waits only where the connection fails',
  },
  preferred: {
    verified: 'mail is sent over TLS, and would be if the certificate were not good',
    unverified: 'mail is sent over TLS, although the certificate is not good',
    clear: 'mail is sent in the clear where STARTTLS is not offered or refused',
    failed: 'mail waits and is tried again where the connection or the handshake fails',
  },
  required: {
    verified: 'mail is sent over TLS, and would be if the certificate were not good',
    unverified: 'mail is sent over TLS, although the certificate is not good',
    clear: 'nothing is sent without TLS: mail waits and is tried again',
    failed: 'mail waits and is tried again where the connection or the handshake fails',
  },
};

function policyOf(
  config: Config,
  domain: string,
  hosts: readonly HostVerification[],
): DestinationVerification['policy'] {
  const { rule, tls: setting } = controlFor(compileControls(config), domain);
  const says = [...new Set(hosts.map(({ outcome }) => MAKES[setting][outcome]))];
  return { rule: `${rule}.tls`, tls: setting, says: says.join('; ') || 'there is no host to connect to' };
}
