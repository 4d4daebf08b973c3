/**
 * Time as directories write it: GeneralizedTime (RFC 4517 §3.3.13), seconds since 1970, and the 100 ns intervals since
 * 1601 that Active Directory keeps. Pure.
 */
import { HOUR_MS, MINUTE_MS } from '../core/duration.ts';
import { isoDay, isoSeconds } from '../core/time-text.ts';

const FILETIME_EPOCH_MS = 11_644_473_600_000n;

/** `20261122013000Z`. */
export const generalizedTime = (ms: number): string => isoSeconds(ms).replace(/[-:T]/g, '');

/** `20261122013000.0Z`: Active Directory writes a fraction, and Samba misreads a time without one. */
export const activeDirectoryTime = (ms: number): string => generalizedTime(ms).replace('Z', '.0Z');

/** Seconds since 1970, rounded down: `{t:unix}`. */
export const unixTime = (ms: number): string => String(Math.floor(ms / 1000));

/** Units of 100 ns since 1601, as Active Directory keeps times: `{t:filetime}`. */
export const fileTime = (ms: number): string => String((BigInt(Math.floor(ms)) + FILETIME_EPOCH_MS) * 10_000n);

// RFC 4517 §3.3.13: minutes and seconds may be missing, a fraction belongs to the last unit given, a zone is needed.
const TIME = /^(\d{4})(\d{2})(\d{2})(\d{2})(?:(\d{2})(\d{2})?)?(?:[.,](\d{1,9}))?(?:Z|([+-])(\d{2})(\d{2})?)$/;

/** Milliseconds since 1970, or undefined where the text is no GeneralizedTime. */
export function parseGeneralizedTime(text: string): number | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const day = match.slice(1, 4).join('-');
  const dayMs = Date.parse(`${day}T00:00:00Z`);
  // The 31st of a shorter month would be a day of the next one.
  if (Number.isNaN(dayMs) || isoDay(dayMs) !== day) return undefined;
  const [hour = 0, minute = 0, second = 0] = match.slice(4, 7).map((part) => Number(part ?? 0));
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const unitMs = match[5] === undefined ? HOUR_MS : match[6] === undefined ? MINUTE_MS : 1000;
  const fraction = match[7] === undefined ? 0 : Number(`0.${match[7]}`) * unitMs;
  const zone = (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0)) * MINUTE_MS * (match[8] === '-' ? -1 : 1);
  return dayMs + ((hour * 60 + minute) * 60 + second) * 1000 + fraction - zone;
}
