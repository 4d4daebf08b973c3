/**
 * Counters since an administrator reset them. The counters themselves only grow, for whoever collects the metrics; what
 * they stood at is taken off. AsyncOS: resetcounters, the column Reset of status. Pure.
 */
import { isCounter } from './metrics.ts';

export type Counters = Readonly<Record<string, number>>;

export class CounterReset {
  #base: Counters = {};
  /** When they were reset; undefined: not since the start. */
  atMs: number | undefined;

  reset(counters: Counters, nowMs: number): void {
    this.#base = counters;
    this.atMs = nowMs;
  }

  /** A thread that died and was replaced counts from zero again: never below zero. */
  since(counters: Counters): Record<string, number> {
    return Object.fromEntries(
      Object.entries(counters)
        .filter(([name]) => isCounter(name))
        .map(([name, value]) => [name, Math.max(0, value - (this.#base[name] ?? 0))]),
    );
  }
}
