/**
 * Times as logs write them. Civil dates are computed here instead of asking the platform, so that the zone is handed in
 * and a line depends on nothing else. AsyncOS: the line format of mail_logs. Pure.
 */
import { DAY_MS } from '../core/duration.ts';
const WEEKDAYS = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

type CivilTime = { year: number; month: number; day: number; weekday: number; ms: number };

/** Gregorian date of a time since 1970; years counted from March, so that the leap day is the last of a year. */
function civilTime(atMs: number): CivilTime {
  const days = Math.floor(atMs / DAY_MS);
  const shifted = days + 719_468; // days from 1 March of the year 0
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 2 : fromMarch - 10; // 0 is January
  const day = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const year = yearOfEra + era * 400 + (month < 2 ? 1 : 0);
  return { year, month, day, weekday: ((days % 7) + 7) % 7, ms: atMs - days * DAY_MS };
}

const two = (n: number): string => (n < 10 ? `0${n}` : String(n));
const clockText = (ms: number): string =>
  `${two(Math.floor(ms / 3_600_000))}:${two(Math.floor(ms / 60_000) % 60)}:${two(Math.floor(ms / 1000) % 60)}`;

/** `Tue Nov 24 13:31:00 2026`. The offset is minutes east of UTC. */
export function mailLogTime(atMs: number, zoneOffsetMinutes: number): string {
  const { year, month, day, weekday, ms } = civilTime(Math.floor(atMs) + zoneOffsetMinutes * 60_000);
  return `${WEEKDAYS[weekday]} ${MONTHS[month]} ${two(day)} ${clockText(ms)} ${year}`;
}

/** `2026-11-24T13:31:00.250Z`. ISO 8601, RFC 3339 §5.6. */
export function isoTime(atMs: number): string {
  const { year, month, day, ms } = civilTime(Math.floor(atMs));
  const fraction = String(ms % 1000).padStart(3, '0');
  return `${String(year).padStart(4, '0')}-${two(month + 1)}-${two(day)}T${clockText(ms)}.${fraction}Z`;
}
