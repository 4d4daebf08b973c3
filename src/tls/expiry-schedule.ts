/**
 * When a certificate or list that runs out is worth a notice: 90, 60, 30, 15, 5, 4, 3, 2 and 1 days before, and each day
 * after. Each step is told once; what was told is handed in, so that it can survive a restart.
 * Pure: the time is handed in.
 */
import { DAY_MS } from '../core/duration.ts';
export const DAYS_BEFORE: readonly number[] = [90, 60, 30, 15, 5, 4, 3, 2, 1];

/** Days before, or 0, -1, -2, … for the first, second, third day after. It only ever falls. */
export type ExpiryStep = number;

export type Expiring = {
  /** Tells one thing from all others, and a renewed one from what it replaces. */
  readonly key: string;
  readonly endMs: number;
  /** Of `DAYS_BEFORE`, those that count for it. */
  readonly daysBefore: readonly number[];
  /** The first day after the end that counts. */
  readonly firstDayAfter: number;
};

/** The step that a thing has reached; undefined while there is time enough. */
export function stepAt({ endMs, daysBefore, firstDayAfter }: Expiring, nowMs: number): ExpiryStep | undefined {
  if (nowMs > endMs) {
    const daysAfter = Math.floor((nowMs - endMs) / DAY_MS);
    return daysAfter < firstDayAfter ? undefined : 0 - daysAfter;
  }
  const reached = daysBefore.filter((days) => endMs - nowMs <= days * DAY_MS);
  return reached.length === 0 ? undefined : Math.min(...reached);
}

/** When the next step is reached. */
export function nextStepMs({ endMs, daysBefore, firstDayAfter }: Expiring, nowMs: number): number {
  const before = daysBefore.map((days) => endMs - days * DAY_MS).filter((ms) => ms > nowMs);
  const daysAfter = nowMs > endMs ? Math.floor((nowMs - endMs) / DAY_MS) + 1 : 0;
  // A thing counts to the end of its last millisecond.
  return Math.min(...before, endMs + Math.max(daysAfter, firstDayAfter) * DAY_MS + 1);
}

export type Told = ReadonlyMap<string, ExpiryStep>;

/** What is due now, soonest end first, and what has been told then. Things that are gone are forgotten. */
export function dueNotices<T extends Expiring>(
  things: readonly T[],
  told: Told,
  nowMs: number,
): { readonly due: readonly T[]; readonly told: Told } {
  const due: T[] = [];
  const after = new Map<string, ExpiryStep>();
  for (const thing of things) {
    const [step, former] = [stepAt(thing, nowMs), told.get(thing.key)];
    // A clock that was set back tells nothing twice.
    const isDue = step !== undefined && !after.has(thing.key) && (former === undefined || step < former);
    if (isDue) due.push(thing);
    const latest = isDue ? step : former;
    if (latest !== undefined) after.set(thing.key, latest);
  }
  return { due: due.toSorted((a, b) => a.endMs - b.endMs), told: after };
}
