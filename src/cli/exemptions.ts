/** What `sallyport exemptions` prints: who may use a password until when, and who is only monitored. Pure. */
import type { Config } from '../config/schema.ts';
import { printable } from '../core/reply.ts';
import { type KeptHits, RULE } from '../log/client-history.ts';

const DAY_MS = 86_400_000;
const MONITORED = /^monitored ([^:]+): (.*)$/s;

export type ExemptionReport = {
  readonly name: string;
  readonly user: string;
  readonly untilMs: number;
  readonly state: 'in force' | 'ends soon' | 'ended';
  readonly reason: string;
  readonly grantedBy: string;
  readonly uses: number;
  readonly lastUseMs?: number;
};
export type MonitoredReport = {
  readonly profile: string;
  readonly user: string;
  readonly times: number;
  readonly sinceMs: number;
  readonly lastMs: number;
};

export type ReportFacts = { readonly hits: readonly KeptHits[]; readonly nowMs: number; readonly soonDays: number };

/** Those that end first come first. */
export function exemptionReport(exemptions: Config['exemptions'], facts: ReportFacts): ExemptionReport[] {
  const { hits, nowMs, soonDays } = facts;
  const uses = new Map(hits.map((each) => [each.rule, each]));
  return Object.entries(exemptions)
    .map(([name, { user, until, reason, grantedBy }]): ExemptionReport => {
      const used = uses.get(RULE.exemption(name));
      const state = nowMs > until ? 'ended' : until - nowMs <= soonDays * DAY_MS ? 'ends soon' : 'in force';
      const last = used === undefined ? {} : { lastUseMs: used.lastMs };
      return { name, user, untilMs: until, state, reason, grantedBy, uses: used?.hits ?? 0, ...last };
    })
    .toSorted((a, b) => a.untilMs - b.untilMs);
}

/** Who still sends without a card where `checkAllowed` only monitors; the most frequent first. */
export const monitoredReport = (hits: readonly KeptHits[]): MonitoredReport[] =>
  hits
    .flatMap(({ rule, hits: times, firstMs: sinceMs, lastMs }) => {
      const [, profile, user] = MONITORED.exec(rule) ?? [];
      return profile === undefined || user === undefined ? [] : [{ profile, user, times, sinceMs, lastMs }];
    })
    .toSorted((a, b) => b.times - a.times);

const time = (ms: number): string => new Date(ms).toISOString();

export function renderExemptions(exemptions: readonly ExemptionReport[], nowMs: number): string {
  if (exemptions.length === 0) return 'There are no exemptions.\n';
  return exemptions
    .map(({ name, user, untilMs, state, reason, grantedBy, uses, lastUseMs }) => {
      const days = Math.ceil((untilMs - nowMs) / DAY_MS);
      const when = state === 'ended' ? `ENDED ${time(untilMs)}` : `until ${time(untilMs)} (${days} days)`;
      const used = lastUseMs === undefined ? 'never used' : `used ${uses} times, last ${time(lastUseMs)}`;
      const mark = state === 'ends soon' ? 'ENDS SOON, ' : '';
      return `${name}: ${printable(user)}, ${mark}${when}, ${used}\n    ${printable(reason)}; granted by ${printable(grantedBy)}\n`;
    })
    .join('');
}

export function renderMonitored(monitored: readonly MonitoredReport[]): string {
  if (monitored.length === 0) return 'Nobody was let in by checkAllowed: monitor.\n';
  return monitored
    .map(
      ({ profile, user, times, sinceMs, lastMs }) =>
        `${printable(user)} (profile ${profile}): ${times} times, since ${time(sinceMs)}, last ${time(lastMs)}\n`,
    )
    .join('');
}
