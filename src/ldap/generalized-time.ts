/**
 * Time as directories write it: GeneralizedTime (RFC 4517 §3.3.13), seconds since 1970, and the 100 ns intervals since
 * 1601 that Active Directory keeps. Pure.
 */
import { DAY_MS } from '../core/duration.ts';
const FILETIME_EPOCH_MS = 11_644_473_600_000n;

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

/** `20261122013000Z`. */
export function generalizedTime(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  const { year, month, day } = dateOfDays(days);
  const second = Math.floor((ms - days * DAY_MS) / 1000);
  const clock = `${pad(Math.floor(second / 3600))}${pad(Math.floor(second / 60) % 60)}${pad(second % 60)}`;
  return `${pad(year, 4)}${pad(month)}${pad(day)}${clock}Z`;
}

/** `20261122013000.0Z`: Active Directory writes a fraction, and Samba misreads a time without one. */
export const activeDirectoryTime = (ms: number): string => generalizedTime(ms).replace('Z', '.0Z');

/** Seconds since 1970, rounded down: `{t:unix}`. */
export const unixTime = (ms: number): string => String(Math.floor(ms / 1000));

/** Units of 100 ns since 1601, as Active Directory keeps times: `{t:filetime}`. */
export const fileTime = (ms: number): string => String((BigInt(Math.floor(ms)) + FILETIME_EPOCH_MS) * 10_000n);

/** Year, month, day of a day number since 1970 (proleptic Gregorian calendar, years counted from March). */
function dateOfDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
}

function daysOfDate(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

// RFC 4517 §3.3.13: minutes and seconds may be missing, a fraction belongs to the last unit given, a zone is needed.
const TIME = /^(\d{4})(\d{2})(\d{2})(\d{2})(?:(\d{2})(\d{2})?)?(?:[.,](\d{1,9}))?(?:Z|([+-])(\d{2})(\d{2})?)$/;

/** Milliseconds since 1970, or undefined where the text is no GeneralizedTime. */
export function parseGeneralizedTime(text: string): number | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60) return undefined;
  const days = daysOfDate(year, month, day);
  if (dateOfDays(days).day !== day) return undefined;
  const unitMs = match[5] === undefined ? 3_600_000 : match[6] === undefined ? 60_000 : 1000;
  const fraction = match[7] === undefined ? 0 : Number(`0.${match[7]}`) * unitMs;
  const zone = (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0)) * 60_000 * (match[8] === '-' ? -1 : 1);
  return days * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + fraction - zone;
}
