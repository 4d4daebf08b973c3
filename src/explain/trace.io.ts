/**
 * `trace` with its effects: a door of the asked revision is built as a receive thread builds it, the client's certificate
 * and login are judged by the same code and the real directory, and nothing is sent or kept.
 * AsyncOS: System Administration > Trace. Effects: directories, OCSP responders, DNS where the client's name is asked for.
 */
import type { Config, Revision } from '../config/schema.ts';
import { normaliseIp } from '../core/network.ts';
import type { Dns } from '../core/ports.ts';
import { yes } from '../core/verdict.ts';
import { createDns } from '../delivery/dns.io.ts';
import { compileRoutes, routeOf } from '../delivery/smtp-routes.ts';
import { CertificateCheck } from '../identity/identify.io.ts';
import { PASSWORD_TAKEN_AS_RIGHT, type ShownStage, shownStage } from '../ldap/query.ts';
import { type Door, Doors } from '../pipeline/doors.io.ts';
import { type SessionTrace, type TracedClient, traceSession } from '../pipeline/session-trace.ts';
import { needsHostname } from '../policy/host-access-table.ts';
import { senderFacts } from '../policy/sender-facts.io.ts';
import { compileOffline, offlineDesk, offlineDoorParts, type OfflineParts } from './offline-doors.io.ts';

export type TraceInput = Omit<TracedClient, 'login'> & {
  readonly listener: string;
  /** DER: the client's certificate, then what it sends along. */
  readonly certificates: readonly Uint8Array[];
  /** Without a password the user's is taken as right. */
  readonly login: { readonly user: string; readonly password: string | undefined } | undefined;
};

/** What somebody asks; what is left out is taken from the configuration. */
export type TraceQuestion = {
  /** May be left out where there is only one. */
  readonly listener?: string | undefined;
  readonly fromIp: string;
  /** Taken as confirmed; left out it is looked up where a session would look it up. */
  readonly hostname?: string | undefined;
  /** Left out: with a certificate, and where TLS comes first. */
  readonly tls?: boolean | undefined;
  readonly certificates: readonly Uint8Array[];
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly message?: Buffer | undefined;
};

/** A string: what is wrong with the question. */
export function traceInput({ listeners }: Config, question: TraceQuestion): TraceInput | string {
  const { fromIp, certificates, user, password, sender, recipients, message } = question;
  const remoteAddress = normaliseIp(fromIp);
  if (remoteAddress === undefined) return `${fromIp} is no IPv4 or IPv6 address`;
  const names = Object.keys(listeners);
  const listener = question.listener ?? (names.length === 1 ? names[0] : undefined);
  if (listener === undefined) return `name a listener (--listener): ${names.join(', ')}`;
  const found = Object.hasOwn(listeners, listener) ? listeners[listener] : undefined;
  if (found === undefined) return `there is no listener ${listener}: ${names.join(', ')}`;
  return {
    listener,
    remoteAddress,
    hostname: question.hostname?.toLowerCase(),
    tls: question.tls === true || certificates.length > 0 || found.tlsMode === 'implicit',
    certificates,
    login: user === undefined ? undefined : { user, password },
    sender,
    recipients,
    message,
  };
}

export type TraceReport = SessionTrace & {
  readonly revision: number;
  /** The verified name of the client: as given, or as DNS says where an entry of the table asks for names. */
  readonly hostname?: string;
  /** Where DNS was asked and gave no verified name. */
  readonly noHostname?: string;
  /** Every stage of every directory query, in order. */
  readonly ldap: readonly ShownStage[];
  /** Where mail for each recipient goes, by its SMTP route. */
  readonly routes: readonly { readonly recipient: string; readonly rule: string; readonly to: string }[];
};

export type TraceParts = OfflineParts & {
  /** For the client's name; undefined: the DNS of the revision. */
  readonly dns?: Dns;
};

/** Undefined: the revision has no such listener. */
export async function trace(
  revision: Revision,
  input: TraceInput,
  parts: TraceParts,
): Promise<TraceReport | undefined> {
  const ldap: ShownStage[] = [];
  const { desk, stop } = offlineDesk(revision, parts);
  const doorParts = offlineDoorParts({ ...parts, desk }, (stage) => ldap.push(shownStage(stage)));
  const doors = new Doors(compileOffline(revision), doorParts);
  try {
    const door = [...doors.byAddress.values()].find(({ name }) => name === input.listener);
    if (door === undefined) return undefined;
    const { login, ...client } = input;
    const named = await nameOf(input, door, parts.dns ?? createDns({ servers: revision.config.system.dnsServers }));
    const hostname = named?.answer === 'yes' ? named.value : undefined;
    const traced = await traceSession(door, { ...client, hostname, login: login?.user }, portsOf(door, input));
    return {
      ...traced,
      revision: revision.number,
      ...(hostname === undefined ? {} : { hostname }),
      ...(named === undefined || named.answer === 'yes' ? {} : { noHostname: named.why }),
      ldap,
      routes: routesOf(revision, input.recipients),
    };
  } finally {
    doors.retire();
    stop();
  }
}

/** As a session learns it: only where an entry of the table before the one that matches is a name. */
async function nameOf({ hostname, remoteAddress }: TraceInput, door: Door, dns: Dns) {
  if (hostname !== undefined) return yes(hostname);
  return needsHostname(door.hat, remoteAddress) ? await senderFacts(remoteAddress, { dns }) : undefined;
}

function portsOf(door: Door, { certificates, login }: TraceInput) {
  const [leaf, ...presented] = certificates;
  return {
    standing: async (askOwner: boolean) => {
      const profiles = door.profile?.certificate;
      if (leaf === undefined || profiles === undefined) return { kind: 'none' } as const;
      return await new CertificateCheck(leaf, () => presented, profiles).standing(askOwner);
    },
    login: async (user: string) => {
      const password = login === undefined ? '' : (login.password ?? PASSWORD_TAKEN_AS_RIGHT);
      const asked = door.profile?.password?.ask(user, password);
      return (await asked) ?? ({ kind: 'unavailable', why: 'the profile cannot check a password' } as const);
    },
  };
}

function routesOf({ config }: Revision, recipients: readonly string[]): TraceReport['routes'] {
  const table = compileRoutes(config.smtpRoutes);
  return recipients.map((recipient) => {
    const route = routeOf(table, recipient);
    switch (route.kind) {
      case 'hosts':
        return { recipient, rule: route.rule, to: route.hosts.map(hostWords).join(', ') };
      case 'mx':
        return { recipient, rule: route.rule, to: `the MX hosts of ${route.domain}` };
      case 'discard':
        return { recipient, rule: route.rule, to: 'discarded' };
      case 'impossible':
        return { recipient, rule: route.rule, to: `nowhere: ${route.status} ${route.why}` };
    }
  });
}

type Host = Extract<ReturnType<typeof routeOf>, { kind: 'hosts' }>['hosts'][number];

const hostWords = (host: Host): string => `${host.kind === 'address' ? host.address : host.name} port ${host.port}`;
