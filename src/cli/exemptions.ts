/** What `sallyport exemptions` and `sallyport monitored` print. Pure. */
import { counted, inDays } from '../core/counted.ts';
import { DAY_MS } from '../core/duration.ts';
import { printable } from '../core/reply.ts';
import { isoTime } from '../core/time-text.ts';
import type { ExemptionReport, MonitoredReport } from '../explain/rule-reports.ts';

export function renderExemptions(exemptions: readonly ExemptionReport[], nowMs: number): string {
  if (exemptions.length === 0) return 'There are no exemptions.\n';
  return exemptions
    .map(({ name, user, untilMs, state, reason, grantedBy, uses, lastUseMs }) => {
      const days = Math.ceil((untilMs - nowMs) / DAY_MS);
      const when = state === 'ended' ? `ENDED ${isoTime(untilMs)}` : `until ${isoTime(untilMs)} (${inDays(days)})`;
      const used = lastUseMs === undefined ? 'never used' : `used ${counted(uses, 'time')}, last ${isoTime(lastUseMs)}`;
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
        `${printable(user)} (profile ${profile}): ${counted(times, 'time')}, since ${isoTime(sinceMs)}, last ${isoTime(lastMs)}\n`,
    )
    .join('');
}
