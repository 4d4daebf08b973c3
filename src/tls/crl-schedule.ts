/**
 * When a source is fetched next: `every`, `daily`, `cron` (local time, as an administrator reads a clock) or `manual`;
 * and when a failed fetch is tried again. AsyncOS: the download schedule of a CRL source. Pure: the time is handed in.
 */
import { nextCronMs } from '../config/cron.ts';
import type { Schedule } from '../config/schema.ts';
import { durationText } from '../core/duration.ts';
import type { CrlDates } from './crl-age.ts';

const FIRST_RETRY_MS = 30_000;
const LONGEST_RETRY_MS = 15 * 60_000;

/** undefined = never by itself; also for a cron expression that never comes true. */
export function nextRunMs(schedule: Schedule, afterMs: number): number | undefined {
  if (schedule === 'manual') return undefined;
  if ('every' in schedule) return afterMs + schedule.every;
  if ('cron' in schedule) return nextCronMs(schedule.cron, afterMs);
  const [hour, minute] = schedule.daily.split(':').map(Number);
  return nextCronMs(`${minute} ${hour} * * *`, afterMs);
}

/** After `failures` attempts in a row without a list; never later than the schedule says. */
export function nextAttemptMs(schedule: Schedule, attemptMs: number, failures: number): number | undefined {
  const regular = nextRunMs(schedule, attemptMs);
  if (failures === 0 || regular === undefined) return regular;
  return Math.min(regular, attemptMs + Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10), LONGEST_RETRY_MS));
}

/** Lists are renewed in the last tenth of their life, at most ten minutes before its end. */
const RENEWED_PART = 0.1;
const LONGEST_RENEWAL_MS = 10 * 60_000;

/** When the first of these lists comes near its end after the last attempt; undefined where none does. */
export function renewalMs(lists: readonly CrlDates[], attemptMs: number): number | undefined {
  const times = lists.flatMap(({ thisUpdateMs, nextUpdateMs }) => {
    if (nextUpdateMs === undefined) return [];
    const early = nextUpdateMs - Math.min((nextUpdateMs - thisUpdateMs) * RENEWED_PART, LONGEST_RENEWAL_MS);
    // Once before the end, and once at it.
    const next = [early, nextUpdateMs].find((timeMs) => timeMs >= attemptMs + FIRST_RETRY_MS);
    return next === undefined ? [] : [next];
  });
  return times.length === 0 ? undefined : Math.min(...times);
}

/** As the configuration writes it. */
export function scheduleWords(schedule: Schedule): string {
  if (schedule === 'manual') return 'manual';
  if ('every' in schedule) return `every ${durationText(schedule.every)}`;
  return 'daily' in schedule ? `daily ${schedule.daily}` : `cron ${schedule.cron}`;
}
