/**
 * How the rules of a configuration are used: hits and last hit of each sender group entry, mail flow policy, profile,
 * SMTP route and exemption; exemptions by their end; who is only monitored. Pure: hits and the time are handed in.
 */
import type { Config } from '../config/schema.ts';
import { DAY_MS } from '../core/duration.ts';
import { type KeptHits, RULE, type RuleHits } from '../log/client-history.ts';

const MONITORED = /^monitored ([^:]+): (.*)$/s;

export type Usage = { readonly rule: string; readonly hits: number; readonly lastMs?: number };
/** `countedFromMs`: since when hits are counted. */
export type RuleReport = {
  readonly nowMs: number;
  readonly countedFromMs: number;
  readonly rules: readonly Usage[];
};

/** Everything in the configuration whose hits are counted. */
function countedRules(config: Config): string[] {
  const entries = Object.entries(config.listeners).flatMap(([listener, { hat }]) =>
    hat.flatMap(({ senderGroup, senders }) =>
      (senders ?? ['ALL']).map((entry) => RULE.entry(listener, senderGroup, entry)),
    ),
  );
  return [
    ...entries,
    ...Object.keys(config.mailFlowPolicies)
      .filter((name) => name !== 'default')
      .map(RULE.policy),
    ...Object.keys(config.smtpAuthProfiles).map(RULE.profile),
    ...Object.keys(config.smtpRoutes).map(RULE.route),
    ...Object.keys(config.destinationControls.domains).map(RULE.destination),
    ...Object.keys(config.exemptions).map(RULE.exemption),
  ];
}

/** Every rule of the configuration, those never hit first, then those hit longest ago. */
export function ruleUsage(config: Config, hits: readonly RuleHits[]): Usage[] {
  const known = new Map(hits.map((each) => [each.rule, each]));
  return countedRules(config)
    .map((rule): Usage => {
      const hit = known.get(rule);
      return { rule, hits: hit?.hits ?? 0, ...(hit === undefined ? {} : { lastMs: hit.lastMs }) };
    })
    .toSorted((a, b) => (a.lastMs ?? 0) - (b.lastMs ?? 0));
}

/** Without a hit in these days. */
export const isUnused = ({ lastMs }: Usage, days: number, nowMs: number): boolean =>
  lastMs === undefined || lastMs < nowMs - days * DAY_MS;

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

export type MonitoredReport = {
  readonly profile: string;
  readonly user: string;
  readonly times: number;
  readonly sinceMs: number;
  readonly lastMs: number;
};

/** Who still sends without a card where `checkAllowed` only monitors; the most frequent first. */
export const monitoredReport = (hits: readonly KeptHits[]): MonitoredReport[] =>
  hits
    .flatMap(({ rule, hits: times, firstMs: sinceMs, lastMs }) => {
      const [, profile, user] = MONITORED.exec(rule) ?? [];
      return profile === undefined || user === undefined ? [] : [{ profile, user, times, sinceMs, lastMs }];
    })
    .toSorted((a, b) => b.times - a.times);
