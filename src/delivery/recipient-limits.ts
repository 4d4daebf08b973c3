/**
 * Recipients per period (AsyncOS Destination Controls, Recipients): how many more may be tried now, and when the others
 * may. A period begins with its first recipient. The number of destinations that are counted is bounded.
 * Pure: time is handed in.
 */
import { MINUTE_MS } from '../core/duration.ts';
import type { RecipientLimit } from './destination-control-table.ts';

type Period = { readonly endMs: number; count: number };

const MAX_DESTINATIONS = 10_000;

export class RecipientLimits {
  readonly #periods = new Map<string, Period>();

  /** How many of `wanted` may be tried now; the others from `untilMs` on. */
  take(
    key: string,
    { recipients, minutes }: RecipientLimit,
    wanted: number,
    nowMs: number,
  ): { readonly granted: number; readonly untilMs: number } {
    const known = this.#periods.get(key);
    // A clock that was set back must not make a period longer.
    const goesOn = known !== undefined && nowMs < known.endMs && known.endMs - nowMs <= minutes * MINUTE_MS;
    const period = goesOn ? known : this.#begin(key, nowMs + minutes * MINUTE_MS, nowMs);
    const granted = Math.max(0, Math.min(wanted, recipients - period.count));
    period.count += granted;
    return { granted, untilMs: period.endMs };
  }

  /** Every period begins anew (`delivernow`). */
  reset(): void {
    this.#periods.clear();
  }

  #begin(key: string, endMs: number, nowMs: number): Period {
    if (this.#periods.size >= MAX_DESTINATIONS)
      for (const [other, period] of this.#periods) if (period.endMs <= nowMs) this.#periods.delete(other);
    const [oldest] = this.#periods.keys();
    if (this.#periods.size >= MAX_DESTINATIONS && oldest !== undefined) this.#periods.delete(oldest);
    const period = { endMs, count: 0 };
    this.#periods.delete(key);
    this.#periods.set(key, period);
    return period;
  }
}
