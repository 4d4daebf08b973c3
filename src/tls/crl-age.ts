/**
 * How near a revocation list is to its nextUpdate, so that an administrator hears of it before everybody is locked out.
 * Pure.
 */
import { DAY_MS } from '../core/duration.ts';
export type CrlAge = 'fresh' | 'expiring' | 'expired';

/** Where the source does not say, alerted is in the last tenth of the list's life, at most a day before its end. */
const ALERT_PART = 0.1;
const LONGEST_ALERT_MS = DAY_MS;

export type CrlDates = { readonly thisUpdateMs: number; readonly nextUpdateMs?: number };
/** Of a source: `alertBefore` as it is configured. */
export type AlertRule = { readonly alertBefore?: number | undefined };

/** A list without nextUpdate counts as expired. */
export function ageOf(dates: CrlDates, rule: AlertRule, nowMs: number): CrlAge {
  const { nextUpdateMs } = dates;
  if (nextUpdateMs === undefined || nowMs > nextUpdateMs) return 'expired';
  return nowMs >= alertStartMs(dates, rule, nextUpdateMs) ? 'expiring' : 'fresh';
}

/** When `ageOf` changes next; undefined once the list has expired. */
export function nextAgeMs(dates: CrlDates, rule: AlertRule, nowMs: number): number | undefined {
  const { nextUpdateMs } = dates;
  if (nextUpdateMs === undefined || nowMs > nextUpdateMs) return undefined;
  const startMs = alertStartMs(dates, rule, nextUpdateMs);
  return nowMs < startMs ? startMs : nextUpdateMs + 1;
}

const alertStartMs = ({ thisUpdateMs }: CrlDates, { alertBefore }: AlertRule, nextUpdateMs: number): number =>
  nextUpdateMs - (alertBefore ?? Math.min((nextUpdateMs - thisUpdateMs) * ALERT_PART, LONGEST_ALERT_MS));
