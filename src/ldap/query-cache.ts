/**
 * Answers that are kept for a while: hits for `ttlMs`, misses for at most a minute, never `unknown`. AsyncOS: Cache TTL,
 * Maximum Retained Cache Entries. A hit counts until its time is over even while the directory is down. The least
 * recently used entry goes first. Pure; time is handed in.
 */
import type { Answer } from '../core/verdict.ts';

const MAX_MISS_MS = 60_000;

export type CacheSettings = { readonly ttlMs: number; readonly maxEntries: number };

export class QueryCache<T> {
  readonly #ttlMs: number;
  readonly #maxEntries: number;
  /** In order of use, least recent first. */
  readonly #kept = new Map<string, { readonly answer: Answer<T>; readonly fromMs: number; readonly untilMs: number }>();

  constructor({ ttlMs, maxEntries }: CacheSettings) {
    this.#ttlMs = ttlMs;
    this.#maxEntries = ttlMs > 0 ? maxEntries : 0;
  }

  get size(): number {
    return this.#kept.size;
  }

  get(key: string, nowMs: number): Answer<T> | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#kept.delete(key);
    // A clock that was set back must not keep an answer longer.
    if (nowMs >= kept.untilMs || nowMs < kept.fromMs) return undefined;
    this.#kept.set(key, kept);
    return kept.answer;
  }

  put(key: string, answer: Answer<T>, nowMs: number): void {
    if (this.#maxEntries === 0 || answer.answer === 'unknown') return;
    const ms = answer.answer === 'yes' ? this.#ttlMs : Math.min(this.#ttlMs, MAX_MISS_MS);
    this.#kept.delete(key);
    this.#kept.set(key, { answer, fromMs: nowMs, untilMs: nowMs + ms });
    if (this.#kept.size <= this.#maxEntries) return;
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      break;
    }
  }
}
