/** What `sallyport dryrun` and `sallyport unused` print. Pure. */
import { printable } from '../core/reply.ts';
import { type ChangedClient, countWords as count, type DryRun, type Judged, VERDICT } from '../dry-run.ts';
import { isUnused, type RuleReport } from '../rule-reports.ts';

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

/** `days` undefined: all rules, used or not. */
export function renderRules({ rules, nowMs, countedFromMs }: RuleReport, days: number | undefined): string {
  const from = new Date(countedFromMs).toISOString();
  const short = days !== undefined && nowMs - countedFromMs < days * 86_400_000;
  const note = short
    ? `Hits are counted only since ${from}: what is needed once a quarter may not have been seen.\n`
    : '';
  const shown = days === undefined ? rules : rules.filter((rule) => isUnused(rule, days, nowMs));
  if (shown.length === 0) return days === undefined ? '' : `Every rule was used in the last ${days} days.\n${note}`;
  const lines = shown.map(({ rule, hits, lastMs }) =>
    lastMs === undefined
      ? `  ${printable(rule)}: never`
      : `  ${printable(rule)}: last ${new Date(lastMs).toISOString()}, ${count(hits)} hits in all`,
  );
  const head = days === undefined ? `Hits since ${from}` : `Not used in the last ${days} days`;
  return `${head}:\n${lines.join('\n')}\n${note}`;
}
