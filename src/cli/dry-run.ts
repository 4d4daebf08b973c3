/** What `sallyport dryrun` and `sallyport unused` print. Pure. */
import { counted, grouped, lastDays } from '../core/counted.ts';
import { DAY_MS } from '../core/duration.ts';
import { printable } from '../core/reply.ts';
import { isoTime } from '../core/time-text.ts';
import { type ChangedClient, type DryRun, type Judged, VERDICT } from '../explain/dry-run-report.ts';
import { isUnused, type RuleReport } from '../explain/rule-reports.ts';
import { onOneLine } from './trace.ts';

const MAX_LINES = 50;

/** Whom a configuration would treat otherwise: from a file, or from the gateway, which tells only so many of them. */
export function renderDryRun({ notLookedAt, summary, changed }: DryRun): string {
  const more = notLookedAt === 0 ? '' : `(${counted(notLookedAt, 'client')} seen longer ago not looked at)\n`;
  const text = summary.map(({ outcome, count: all, says }) => {
    if (outcome === undefined) return `${says}.\n`;
    const shown = changed.filter(({ after }) => after.outcome === outcome).slice(0, MAX_LINES);
    const rest = all > shown.length ? `  and ${grouped(all - shown.length)} more (--json shows more)\n` : '';
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
  const last = isoTime(client.lastMs);
  return `  ${printable(who)}, ${counted(client.sessions, 'session')}, last ${last}\n    now ${words(before)}\n    then ${words(after)}\n`;
}

function words({ outcome, because }: Judged): string {
  if (because === undefined) return VERDICT[outcome];
  const { says, rule, reply } = because;
  // A reply that says it all is not said twice.
  const said = reply === undefined || reply.lines.join(' ') === says ? '' : `, ${onOneLine(reply)}`;
  return `${VERDICT[outcome]}: ${printable(says)}${said} (${printable(rule)})`;
}

/** `days` undefined: all rules, used or not. */
export function renderRules({ rules, nowMs, countedFromMs }: RuleReport, days: number | undefined): string {
  const from = isoTime(countedFromMs);
  const short = days !== undefined && nowMs - countedFromMs < days * DAY_MS;
  const note = short
    ? `Hits are counted only since ${from}: what is needed once a quarter may not have been seen.\n`
    : '';
  const shown = days === undefined ? rules : rules.filter((rule) => isUnused(rule, days, nowMs));
  if (shown.length === 0) return days === undefined ? '' : `Every rule was used in ${lastDays(days)}.\n${note}`;
  const lines = shown.map(({ rule, hits, lastMs }) =>
    lastMs === undefined
      ? `  ${printable(rule)}: never`
      : `  ${printable(rule)}: last ${isoTime(lastMs)}, ${counted(hits, 'hit')} in all`,
  );
  const head = days === undefined ? `Hits since ${from}` : `Not used in ${lastDays(days)}`;
  return `${head}:\n${lines.join('\n')}\n${note}`;
}
