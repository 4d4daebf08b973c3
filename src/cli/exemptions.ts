/** What `sallyport exemptions` and `sallyport monitored` print. Pure. */
import { counted } from '../core/counted.ts';
import { printable } from '../core/reply.ts';
import type { ExemptionReport, MonitoredReport } from '../explain/rule-reports.ts';

const DAY_MS = 86_400_000;
const time = (ms: number): string => new Date(ms).toISOString();

export function renderExemptions(exemptions: readonly ExemptionReport[], nowMs: number): string {
  if (exemptions.length === 0) return 'There are no exemptions.\n';
  return exemptions
    .map(({ name, user, untilMs, state, reason, grantedBy, uses, lastUseMs }) => {
      const days = Math.ceil((untilMs - nowMs) / DAY_MS);
      const when = state === 'ended' ? `ENDED ${time(untilMs)}` : `until ${time(untilMs)} (${counted(days, 'day')})`;
      const used = lastUseMs === undefined ? 'never used' : `used ${counted(uses, 'time')}, last ${time(lastUseMs)}`;
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
        `${printable(user)} (profile ${profile}): ${counted(times, 'time')}, since ${time(sinceMs)}, last ${time(lastMs)}\n`,
    )
    .join('');
}
