/** What `sallyport dryrun` and `sallyport unused` print. Pure. */
import type { Config } from '../config/schema.ts';
import { printable } from '../core/reply.ts';
import { type ChangedClient, countWords as count, type DryRun, type Judged, VERDICT } from '../dry-run.ts';
import { RULE, type RuleHits } from '../log/client-history.ts';

const MAX_LINES = 50;

/** Whom a configuration would treat otherwise: from a file, or from the gateway, which tells only so many of them. */
export function renderDryRun({ notLookedAt, summary, changed }: DryRun): string {
  const more = notLookedAt === 0 ? '' : `(${count(notLookedAt)} that were seen longer ago were not looked at)\n`;
  const text = summary.map(({ outcome, count: all, says }) => {
    if (outcome === undefined) return `${says}.\n`;
    const shown = changed.filter(({ after }) => after.outcome === outcome).slice(0, MAX_LINES);
    const rest = all > shown.length ? `  and ${count(all - shown.length)} more (--json shows more)\n` : '';
    return `${says}:\n${shown.map(renderChange).join('')}${rest}`;
  });
  return `${text.join('')}${more}`;
}

function renderChange({ client, before, after }: ChangedClient): string {
  const { listener, remoteAddress, hostname, certificate, owner, login, sender } = client.facts;
  const user = login?.user ?? (owner?.answer === 'yes' ? owner.value.user : undefined);
  const who = [
    user === undefined ? `<${sender}>` : user,
    `from ${hostname === undefined ? remoteAddress : `${hostname} (${remoteAddress})`}`,
    `at ${listener}`,
    ...(certificate === undefined ? [] : [`certificate ${certificate.slice(0, 16)}…`]),
  ].join(' ');
  const last = new Date(client.lastMs).toISOString();
  return `  ${printable(who)}, ${count(client.sessions)} sessions, last ${last}\n    now ${words(before)}\n    then ${words(after)}\n`;
}

const words = ({ outcome, because }: Judged): string =>
  because === undefined
    ? VERDICT[outcome]
    : `${VERDICT[outcome]}: ${printable(because.says)} (${printable(because.rule)})`;

export type Usage = { readonly rule: string; readonly hits: number; readonly lastMs: number | undefined };

/** Everything in the configuration whose hits are counted. */
export function countedRules(config: Config): string[] {
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
    ...Object.keys(config.exemptions).map(RULE.exemption),
  ];
}

/** Rules of the configuration without a hit since `sinceMs`, those never hit first. */
export function unusedRules(config: Config, hits: readonly RuleHits[], sinceMs: number): Usage[] {
  const known = new Map(hits.map((each) => [each.rule, each]));
  return countedRules(config)
    .map((rule) => ({ rule, hits: known.get(rule)?.hits ?? 0, lastMs: known.get(rule)?.lastMs }))
    .filter(({ lastMs }) => lastMs === undefined || lastMs < sinceMs)
    .toSorted((a, b) => (a.lastMs ?? 0) - (b.lastMs ?? 0));
}

export function renderUnused(unused: readonly Usage[], days: number, countedFromMs: number, nowMs: number): string {
  const from = new Date(countedFromMs).toISOString();
  const short = nowMs - countedFromMs < days * 86_400_000;
  const note = short
    ? `Hits are counted only since ${from}: what is needed once a quarter may not have been seen.\n`
    : '';
  if (unused.length === 0) return `Every rule was used in the last ${days} days.\n${note}`;
  const lines = unused.map(({ rule, hits, lastMs }) =>
    lastMs === undefined
      ? `  ${printable(rule)}: never`
      : `  ${printable(rule)}: last ${new Date(lastMs).toISOString()}, ${count(hits)} hits in all`,
  );
  return `Not used in the last ${days} days:\n${lines.join('\n')}\n${note}`;
}
