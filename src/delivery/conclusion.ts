/**
 * What the outcomes of one job mean for queue, log and sender: settlements, mail events, and which recipients a delivery
 * status notification is due for, by NOTIFY (RFC 3461 §4.1, §5.2) and the bounce profile. All recipients of a job belong
 * to one message.
 * Pure: time and the retry rule are handed in.
 */
import type { BounceProfileConfig } from '../config/schema.ts';
import type { Dcid } from '../core/ids.ts';
import type { DueRecipient, Settlement } from '../core/ports.ts';
import type { MailEvent } from '../log/mail-event.ts';
import type { ReportAction, ReportRecipient } from './bounce.ts';
import type { Outcome } from './outcome.ts';

/** When a delay is worth telling a sender who asked for it (NOTIFY=DELAY); told once. */
const DELAY_NOTICE_AFTER_MS = 4 * 3_600_000;

export type Ended = { readonly row: DueRecipient; readonly outcome: Outcome };

/** What the bounce profile says after a soft bounce. */
export type RetryDecision =
  | { readonly action: 'retry'; readonly nextAttemptMs: number }
  | { readonly action: 'give-up' };

export type ConclusionFacts = {
  readonly ended: readonly Ended[];
  readonly dcid: Dcid;
  readonly nowMs: number;
  readonly profile: BounceProfileConfig;
  /** `attempts` includes the one that just failed. */
  readonly retry: (attempts: number) => RetryDecision;
  /** The host that answered. */
  readonly remoteHost?: string | undefined;
  /** The next hop took NOTIFY over and answers for it (RFC 3461 §5.2.1). */
  readonly dsnPassedOn: boolean;
};

export type Conclusion = {
  readonly finals: readonly Final[];
  readonly settlements: readonly Settlement[];
  readonly events: readonly MailEvent[];
  /** One notification each. */
  readonly reports: readonly { readonly action: ReportAction; readonly recipients: readonly ReportRecipient[] }[];
};

export type Final =
  | { readonly row: DueRecipient; readonly kind: 'delivered'; readonly response: string }
  | {
      readonly row: DueRecipient;
      readonly kind: 'retry';
      readonly status: string;
      readonly why: string;
      readonly nextAttemptMs: number;
      readonly diagnostic?: string;
    }
  | {
      readonly row: DueRecipient;
      readonly kind: 'bounce';
      readonly status: string;
      readonly why: string;
      readonly diagnostic?: string;
      readonly by?: string;
    };

/** Everything that follows from one job's outcomes; the caller writes it down in one step. */
export function concludeJob(facts: ConclusionFacts): Conclusion {
  const finals = facts.ended.map((ended) => finalOf(ended, facts));
  return {
    finals,
    settlements: finals.map((final) => settlementOf(final, facts.nowMs)),
    events: eventsOf(finals, facts.dcid),
    reports: reportsOf(finals, facts),
  };
}

/** The bounce of a recipient whose time is over before another attempt. */
export function expired(row: DueRecipient): Ended {
  return { row, outcome: { kind: 'bounce', elsewhere: false, ...timeOver(row.lastError) } };
}

/** AsyncOS says "5.x.0 - Message bounced by administrator"; RFC 3463 wants a number, and X.0.0 is "other". */
export const bouncedByAdministrator = (row: DueRecipient, by: string, reason: string | undefined): Ended => ({
  row,
  outcome: {
    kind: 'bounce',
    status: '5.0.0',
    why: `message bounced by administrator${reason === undefined ? '' : `: ${reason}`}`,
    elsewhere: false,
    by,
  },
});

/** RFC 3463 X.4.7, permanent because nobody tries again. */
const timeOver = (lastError: string | undefined): { status: string; why: string } => ({
  status: '5.4.7',
  why: `the message could not be delivered in time${lastError === undefined ? '' : `; the last attempt: ${lastError}`}`,
});

function finalOf({ row, outcome }: Ended, { retry }: ConclusionFacts): Final {
  if (outcome.kind === 'delivered') return { row, kind: 'delivered', response: outcome.response };
  const { kind, status, why, by } = outcome;
  const diagnostic = outcome.diagnostic === undefined ? {} : { diagnostic: outcome.diagnostic };
  if (kind === 'bounce') return { row, kind, status, why, ...diagnostic, ...(by === undefined ? {} : { by }) };
  const next = retry(row.attempts + 1);
  if (next.action === 'retry') return { row, kind, status, why, nextAttemptMs: next.nextAttemptMs, ...diagnostic };
  return { row, kind: 'bounce', ...timeOver(why), ...diagnostic };
}

function settlementOf(final: Final, nowMs: number): Settlement {
  const { mid, recipient } = final.row;
  const row = { mid, rid: recipient.rid };
  if (final.kind === 'delivered') return { ...row, outcome: 'delivered', response: final.response };
  if (final.kind === 'bounce') return { ...row, outcome: 'bounced', response: `${final.status} ${final.why}` };
  return { ...row, outcome: 'retry', nextAttemptMs: final.nextAttemptMs, error: `${final.status} ${final.why}`, nowMs };
}

/** Recipients with the same fate share a log line. */
function eventsOf(finals: readonly Final[], dcid: Dcid): MailEvent[] {
  const groups = Map.groupBy(finals, (final) =>
    final.kind === 'delivered' ? final.response : `${final.kind} ${final.status} ${final.why}`,
  );
  return [...groups.values()].flatMap((group): MailEvent[] => {
    const [first] = group;
    if (first === undefined) return [];
    const about = { dcid, mid: first.row.mid, rids: group.map(({ row }) => row.recipient.rid) };
    if (first.kind === 'delivered') return [{ event: 'delivered', ...about, response: first.response }];
    const { status, why } = first;
    if (first.kind === 'retry')
      return [{ event: 'delayed', ...about, status, why, nextAttemptMs: first.nextAttemptMs }];
    const by = first.by === undefined ? {} : { by: first.by };
    const bounced: MailEvent = { event: 'bounced', ...about, status, why, ...by };
    // A bounce that bounces ends here: RFC 5321 §6.1 forbids another one.
    return first.row.sender === '' ? [bounced, { event: 'double-bounce', mid: first.row.mid, why }] : [bounced];
  });
}

function reportsOf(finals: readonly Final[], facts: ConclusionFacts): Conclusion['reports'] {
  const wanted = finals.flatMap((final) => {
    const action = final.row.sender === '' ? undefined : reportAction(final, facts);
    return action === undefined ? [] : [{ action, recipient: reportRecipient(final, action, facts) }];
  });
  return [...Map.groupBy(wanted, ({ action }) => action)].map(([action, group]) => ({
    action,
    recipients: group.map(({ recipient }) => recipient),
  }));
}

function reportAction(final: Final, { nowMs, profile, dsnPassedOn }: ConclusionFacts): ReportAction | undefined {
  const notify = final.row.recipient.notify?.toUpperCase().split(',');
  if (final.kind === 'bounce')
    return profile.sendBounces && (notify === undefined || notify.includes('FAILURE')) ? 'failed' : undefined;
  if (notify === undefined || notify.includes('NEVER')) return undefined;
  // RFC 3461 §5.2.2: a next hop that does not know NOTIFY will not answer for it, so we do.
  if (final.kind === 'delivered') return notify.includes('SUCCESS') && !dsnPassedOn ? 'relayed' : undefined;
  const noticeMs = final.row.receivedMs + DELAY_NOTICE_AFTER_MS;
  return notify.includes('DELAY') && nowMs < noticeMs && final.nextAttemptMs >= noticeMs ? 'delayed' : undefined;
}

function reportRecipient(final: Final, action: ReportAction, facts: ConclusionFacts): ReportRecipient {
  const { recipient, receivedMs } = final.row;
  const remoteHost = facts.remoteHost === undefined ? {} : { remoteHost: facts.remoteHost };
  if (final.kind === 'delivered')
    return { recipient, status: '2.0.0', why: 'relayed to a host that sends no confirmations', ...remoteHost };
  const diagnostic = final.diagnostic !== undefined ? { diagnostic: final.diagnostic } : {};
  const until = action === 'delayed' ? { willRetryUntilMs: receivedMs + facts.profile.maxTimeInQueue } : {};
  return { recipient, status: final.status, why: final.why, ...remoteHost, ...diagnostic, ...until };
}
