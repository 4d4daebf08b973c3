/**
 * How often something happened lately, as AsyncOS shows it in `status detail`: events per hour, from the last minute, 5 and
 * 15 minutes. A hundred messages in one minute are 6,000 an hour in the first column, 1,200 in the second, 400 in the third.
 * Counters are looked at now and then; one that begins anew counts from zero. Pure: time is handed in.
 */
import { HOUR_MS } from '../core/duration.ts';
export type Counts = Readonly<Record<string, number>>;
export type Rates = Readonly<
  Record<string, { readonly minute: number; readonly fiveMinutes: number; readonly fifteenMinutes: number }>
>;

export const LOOK_EVERY_MS = 15_000;
const WINDOWS = { minute: 60_000, fiveMinutes: 300_000, fifteenMinutes: 900_000 } as const;

type Look = { readonly atMs: number; readonly counts: Counts };

export class EventRates {
  readonly #names: readonly string[];
  /** Oldest first; the first one is at least as old as the longest window. */
  #looks: Look[] = [];

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  look(counts: Counts, atMs: number): void {
    const before = this.#looks.at(-1);
    // A clock that was set back would turn rates upside down.
    if (before !== undefined && before.atMs >= atMs) this.#looks = [];
    this.#looks.push({ atMs, counts: this.#pick(counts) });
    const second = this.#looks[1];
    if (second !== undefined && atMs - second.atMs >= WINDOWS.fifteenMinutes) this.#looks.shift();
  }

  /** `counts` are those of now. */
  rates(counts: Counts, nowMs: number): Rates {
    const perHour = (name: string, windowMs: number): number => {
      const from = this.#looks.findLast(({ atMs }) => nowMs - atMs >= windowMs) ?? this.#looks[0];
      const happened = Math.max(0, (counts[name] ?? 0) - (from?.counts[name] ?? 0));
      // Looks are not made to the moment: what happened is spread over the time it happened in.
      return Math.round((happened / Math.max(windowMs, nowMs - (from?.atMs ?? nowMs))) * HOUR_MS);
    };
    return Object.fromEntries(
      this.#names.map((name) => [
        name,
        {
          minute: perHour(name, WINDOWS.minute),
          fiveMinutes: perHour(name, WINDOWS.fiveMinutes),
          fifteenMinutes: perHour(name, WINDOWS.fifteenMinutes),
        },
      ]),
    );
  }

  #pick(counts: Counts): Counts {
    return Object.fromEntries(this.#names.map((name) => [name, counts[name] ?? 0]));
  }
}
