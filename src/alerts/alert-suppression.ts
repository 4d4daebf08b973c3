/**
 * Duplicate suppression, as AsyncOS has it: the first alert of a kind is sent at once; then like ones are held back for
 * the initial wait, and what was held back is sent as one message, and so on with ever longer waits: the next wait is
 * the initial wait and twice the last one (5 s: 5, 15, 35, 75, 155, …), at most `maxWaitMs`. A wait without a duplicate
 * ends the series. An initial wait of 0 sends every one. The number of kinds is bounded.
 * Pure: the time is handed in.
 */
import type { Alert, RaisedAlert } from '../core/alert.ts';

export type SuppressionSettings = { readonly initialWaitMs: number; readonly maxWaitMs: number };

/** An alert to send; `raised` times since the last message of its kind, at `sinceMs`. */
export type PassedAlert = { readonly alert: Alert; readonly raised: number; readonly sinceMs?: number };

type Series = { waitMs: number; sentMs: number; held: number; latest: Alert };

const MAX_SERIES = 1000;

export class AlertSuppression {
  #settings: SuppressionSettings;
  readonly #series = new Map<string, Series>();

  constructor(settings: SuppressionSettings) {
    this.#settings = settings;
  }

  set settings(settings: SuppressionSettings) {
    this.#settings = settings;
    for (const series of this.#series.values()) series.waitMs = Math.min(series.waitMs, settings.maxWaitMs);
  }

  /** The alert, if it is to be sent now. */
  raise({ count, ...alert }: RaisedAlert, nowMs: number): PassedAlert | undefined {
    const series = this.#series.get(alert.key);
    if (series !== undefined && nowMs < series.sentMs + series.waitMs && this.#settings.initialWaitMs > 0) {
      series.held += count;
      series.latest = alert;
      return undefined;
    }
    if (series !== undefined && series.held > 0) {
      series.held += count;
      series.latest = alert;
      return this.#send(series, nowMs);
    }
    this.#begin(alert, nowMs);
    return { alert, raised: count };
  }

  /** What was held back and is due. */
  due(nowMs: number): PassedAlert[] {
    const passed: PassedAlert[] = [];
    for (const [key, series] of this.#series) {
      if (nowMs < series.sentMs + series.waitMs) continue;
      if (series.held > 0) passed.push(this.#send(series, nowMs));
      else this.#series.delete(key);
    }
    return passed;
  }

  /** When `due` is to be asked again. */
  get nextMs(): number | undefined {
    let next: number | undefined;
    for (const { sentMs, waitMs } of this.#series.values()) next = Math.min(next ?? Infinity, sentMs + waitMs);
    return next;
  }

  #begin(latest: Alert, nowMs: number): void {
    this.#series.delete(latest.key);
    const { initialWaitMs, maxWaitMs } = this.#settings;
    if (initialWaitMs === 0) return;
    const [oldest] = this.#series.keys();
    if (this.#series.size >= MAX_SERIES && oldest !== undefined) this.#series.delete(oldest);
    this.#series.set(latest.key, { waitMs: Math.min(initialWaitMs, maxWaitMs), sentMs: nowMs, held: 0, latest });
  }

  #send(series: Series, nowMs: number): PassedAlert {
    const passed = { alert: series.latest, raised: series.held, sinceMs: series.sentMs };
    const { initialWaitMs, maxWaitMs } = this.#settings;
    series.held = 0;
    series.sentMs = nowMs;
    series.waitMs = Math.min(maxWaitMs, initialWaitMs + 2 * series.waitMs);
    return passed;
  }
}
