/**
 * What would change: recent clients are replayed against the running and against a candidate configuration, and those
 * whose verdict differs are told. Certificates are judged anew under both; what the directory said of them then counts
 * again unless the candidate changes directories or profiles, in which case the directory is asked.
 * Effects: the history file, directories.
 */
import { setImmediate as othersFirst } from 'node:timers/promises';
import type { Revision } from '../config/schema.ts';
import { DAY_MS } from '../core/duration.ts';
import type { Clock } from '../core/ports.ts';
import { unknown } from '../core/verdict.ts';
import { CertificateCheck } from '../identity/identify.io.ts';
import type { CertificateStanding } from '../identity/identity-verdict.ts';
import type { AuthAnswer } from '../identity/smtp-auth-verdict.ts';
import { PASSWORD_TAKEN_AS_RIGHT } from '../ldap/query.ts';
import type { ClientHistory } from '../log/client-history.io.ts';
import type { ClientFacts } from '../log/client-history.ts';
import type { MailLog } from '../log/mail-event.ts';
import type { CrlSeeker } from '../pipeline/crl-seeker.io.ts';
import { type Door, Doors } from '../pipeline/doors.io.ts';
import { type TracePorts, traceSession } from '../pipeline/session-trace.ts';
import type { AskDesk } from '../tls/desk.ts';
import { type ChangedClient, type DryRun, headlines, type Judged } from './dry-run-report.ts';
import { compileOffline, offlineDesk, offlineDoorParts } from './offline-doors.io.ts';

export type JudgedRevision = { readonly revision: Revision; readonly crls: CrlSeeker };

export type DryRunInput = {
  readonly running: JudgedRevision;
  readonly candidate: JudgedRevision;
  readonly history: Pick<ClientHistory, 'clients' | 'countClients' | 'chainOf'>;
  readonly days: number;
  /** Whom to ask about certificates; undefined: a desk of its own. */
  readonly desk?: AskDesk | undefined;
  readonly clock: Clock;
  readonly log: MailLog;
};

/** The latest; a replay of more would keep the administrator waiting. */
const MAX_CLIENTS = 20_000;
const AT_ONCE = 8;

/** Takes at most the latest 20,000 clients, eight at a time. Rejects where the history cannot be read. */
export async function dryRun(input: DryRunInput): Promise<DryRun> {
  const sinceMs = input.clock.now() - input.days * DAY_MS;
  const all = input.history.countClients(sinceMs);
  const clients = input.history.clients(sinceMs, MAX_CLIENTS);
  const recorded = directoryText(input.running.revision) === directoryText(input.candidate.revision);
  // Responders are asked once for both.
  const { desk, stop } = offlineDesk(input.candidate.revision, input);
  const running = new Judge(input.running, { ...input, desk, recorded: true });
  const candidate = new Judge(input.candidate, { ...input, desk, recorded });
  const changed: ChangedClient[] = [];
  try {
    const queue = clients[Symbol.iterator]();
    const work = async (): Promise<void> => {
      for (const client of queue) {
        // What needs no network would never give way to those who wait for the same thread.
        await othersFirst();
        const [before, after] = [await running.judge(client.facts), await candidate.judge(client.facts)];
        if (before.outcome !== after.outcome) changed.push({ client, before, after });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    running.close();
    candidate.close();
    stop();
  }
  const inOrder = changed.toSorted((a, b) => b.client.lastMs - a.client.lastMs);
  const seen = { days: input.days, clients: clients.length };
  return { ...seen, notLookedAt: all - clients.length, summary: headlines(seen, inOrder), changed: inOrder };
}

/** Everything that the directory's answers depend on. */
const directoryText = ({ config, material }: Revision): string =>
  JSON.stringify([config.ldap, config.smtpAuthProfiles, material.ldif]);

type JudgeParts = DryRunInput & { readonly desk: AskDesk; readonly recorded: boolean };

class Judge {
  readonly #doors: Doors;
  readonly #byName: ReadonlyMap<string, Door>;
  readonly #history: DryRunInput['history'];
  readonly #recorded: boolean;

  constructor({ revision, crls }: JudgedRevision, { history, clock, log, desk, recorded }: JudgeParts) {
    const parts = offlineDoorParts({ clock, log, crls, desk }, () => undefined);
    this.#doors = new Doors(compileOffline(revision), parts);
    this.#byName = new Map([...this.#doors.byAddress.values()].map((door) => [door.name, door]));
    this.#history = history;
    this.#recorded = recorded;
  }

  async judge(facts: ClientFacts): Promise<Judged> {
    const door = this.#byName.get(facts.listener);
    if (door === undefined) {
      const because = {
        stage: 'connection',
        rule: 'listeners',
        says: `there is no listener ${facts.listener}`,
      } as const;
      return { outcome: 'refused', because };
    }
    const { login, ...client } = facts;
    const asked = { ...client, hostname: facts.hostname, login: login?.user, message: undefined };
    const { outcome, decisive } = await traceSession(door, asked, this.#ports(door, facts));
    if (decisive === undefined) return { outcome };
    const { outcome: _, ...because } = decisive;
    return { outcome, because };
  }

  close(): void {
    this.#doors.retire();
  }

  #ports(door: Door, { certificate, owner, login }: ClientFacts): TracePorts {
    return {
      standing: async (askOwner): Promise<CertificateStanding> => {
        const [leaf, ...presented] = certificate === undefined ? [] : this.#history.chainOf(certificate);
        const stages = door.profile?.certificate;
        if (leaf === undefined || stages === undefined) return { kind: 'none' };
        const check = new CertificateCheck(leaf, () => presented, stages);
        if (!askOwner || !this.#recorded || owner === undefined) return await check.standing(askOwner);
        const standing = await check.standing(false);
        return standing.kind === 'valid' ? { ...standing, owner } : standing;
      },
      login: async (user): Promise<AuthAnswer> => {
        const answer = login ?? unknown('no login was seen');
        const password = door.profile?.password;
        if (!('kind' in answer)) return { kind: 'unavailable', why: answer.answer };
        if (this.#recorded || answer.kind !== 'accepted' || password === undefined) return answer;
        // The password was right when it was last seen; whether its owner may use one is asked anew.
        return await password.ask(user, PASSWORD_TAKEN_AS_RIGHT);
      },
    };
  }
}
