/**
 * How near a revocation list is to its nextUpdate, so that an administrator hears of it before everybody is locked out.
 * Pure.
 */
export type CrlAge = 'fresh' | 'expiring' | 'expired';

/** Warned is in the last tenth of the list's life, at most a day before its end. */
const WARNED_PART = 0.1;
const LONGEST_WARNING_MS = 86_400_000;

export type CrlDates = { readonly thisUpdateMs: number; readonly nextUpdateMs?: number };

export function ageOf(dates: CrlDates, nowMs: number): CrlAge {
  const { nextUpdateMs } = dates;
  if (nextUpdateMs === undefined || nowMs > nextUpdateMs) return 'expired';
  return nowMs >= warningStartMs(dates, nextUpdateMs) ? 'expiring' : 'fresh';
}

/** When `ageOf` changes next; undefined once the list has expired. */
export function nextAgeMs(dates: CrlDates, nowMs: number): number | undefined {
  const { nextUpdateMs } = dates;
  if (nextUpdateMs === undefined || nowMs > nextUpdateMs) return undefined;
  const warnedMs = warningStartMs(dates, nextUpdateMs);
  return nowMs < warnedMs ? warnedMs : nextUpdateMs + 1;
}

const warningStartMs = ({ thisUpdateMs }: CrlDates, nextUpdateMs: number): number =>
  nextUpdateMs - Math.min((nextUpdateMs - thisUpdateMs) * WARNED_PART, LONGEST_WARNING_MS);
