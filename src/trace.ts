/**
 * `trace` with its effects: a door of the asked revision is built as a receive thread builds it, the client's certificate
 * and login are judged by the same code and the real directory, and nothing is sent or kept.
 * AsyncOS: System Administration > Trace. Effects: directories, OCSP responders, DNS where the client's name is asked for.
 */
import { compileRevision } from './compiled-revision.ts';
import type { Revision } from './config/schema.ts';
import type { Clock } from './core/ports.ts';
import { compileRoutes, routeOf } from './delivery/smtp-routes.ts';
import { CertificateCheck } from './identity/identify.io.ts';
import { PASSWORD_TAKEN_AS_RIGHT, type Stage as LdapStage } from './ldap/query.ts';
import type { MailLog } from './log/mail-event.ts';
import type { CrlSeeker } from './pipeline/crl-seeker.io.ts';
import { type Door, Doors } from './pipeline/doors.io.ts';
import { type SessionTrace, type TracedClient, traceSession } from './pipeline/session-trace.ts';
import { CertificateDesk } from './tls/certificate-desk.io.ts';

export type TraceInput = Omit<TracedClient, 'login'> & {
  readonly listener: string;
  /** DER: the client's certificate, then what it sends along. */
  readonly certificates: readonly Uint8Array[];
  /** Without a password the user's is taken as right. */
  readonly login: { readonly user: string; readonly password: string | undefined } | undefined;
};

export type TraceReport = SessionTrace & {
  readonly revision: number;
  /** Every stage of every directory query, in order. */
  readonly ldap: readonly LdapStage[];
  /** Where mail for each recipient goes, by its SMTP route. */
  readonly routes: readonly { readonly recipient: string; readonly rule: string; readonly to: string }[];
};

export type TraceParts = { readonly crls: CrlSeeker; readonly clock: Clock; readonly log: MailLog };

/** Undefined: the revision has no such listener. */
export async function trace(
  revision: Revision,
  input: TraceInput,
  parts: TraceParts,
): Promise<TraceReport | undefined> {
  const ldap: LdapStage[] = [];
  const authorities = (): readonly string[] => Object.values(revision.material.authorities);
  const desk = new CertificateDesk({ clock: parts.clock, log: parts.log, authorities });
  const doors = new Doors(compileRevision(revision, new Map()), {
    clock: parts.clock,
    log: parts.log,
    receiveThreads: 1,
    crls: parts.crls,
    staples: () => ({}),
    desk,
    ldapTrace: (stage) => ldap.push(stage),
  });
  try {
    const door = [...doors.byAddress.values()].find(({ name }) => name === input.listener);
    if (door === undefined) return undefined;
    const { login, ...client } = input;
    const traced = await traceSession(door, { ...client, login: login?.user }, portsOf(door, input));
    return { ...traced, revision: revision.number, ldap, routes: routesOf(revision, input.recipients) };
  } finally {
    doors.retire();
    desk.stop();
  }
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
