/**
 * The clockwork under the delivery walk: one round of looking for due recipients at a time, again when something
 * arrives or when the next one becomes due; everything that runs meanwhile, so that a stop can wait for it; and the
 * patience with a queue that cannot be written just now.
 * Effects: timers, the log.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { GatewayError, whyOf } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import { within } from '../core/time-limit.io.ts';
import type { MailLog } from '../log/mail-event.ts';

const SHORTEST_SLEEP_MS = 10;
/** Rest after a round: what arrives meanwhile is fetched together. The first arrival after a quiet time waits for nothing. */
const REST_MS = 10;
const LONGEST_SLEEP_MS = 60_000;
const AFTER_FAILURE_MS = 5_000;
const FIRST_PATIENCE_MS = 1_000;
/** A disk that was full for a moment must not hold up delivery for long after it. */
const LONGEST_PATIENCE_MS = 5_000;

export type ErrandsOptions = {
  /** One round; answers when the next one is due at the latest. */
  readonly round: () => Promise<number | undefined>;
  readonly clock: Clock;
  readonly log: MailLog;
};

export class Errands {
  readonly #options: ErrandsOptions;
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #timerMs = Number.POSITIVE_INFINITY;
  #inRound = false;
  #again = false;
  #stopping = false;

  constructor(options: ErrandsOptions) {
    this.#options = options;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** A round now, or right after the one that is under way. */
  wake(): void {
    if (this.#stopping) return;
    if (this.#inRound) this.#again = true;
    else this.run(this.#rounds());
  }

  /** A round at this time at the latest. */
  wakeAt(atMs: number): void {
    if (this.#stopping || atMs >= this.#timerMs) return;
    clearTimeout(this.#timer);
    this.#timerMs = atMs;
    const waitMs = Math.min(Math.max(atMs - this.#options.clock.now(), SHORTEST_SLEEP_MS), LONGEST_SLEEP_MS);
    this.#timer = setTimeout(() => {
      this.#timerMs = Number.POSITIVE_INFINITY;
      this.wake();
    }, waitMs);
  }

  /** Something that a stop waits for. What it throws is a bug or a broken disk: logged, and the leases end by themselves. */
  run(errand: Promise<void>): void {
    const tracked: Promise<void> = errand
      .catch((error: unknown) => this.#complain('critical', 'delivery', error))
      .finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  /** Does it until it succeeds: what a next hop has answered must not be forgotten because the disk is full. */
  async insist<T>(change: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await change();
      } catch (error) {
        if (this.#stopping || !(error instanceof GatewayError) || error.code === 'closed') throw error;
        // Told of each time that it has taken twice as many tries.
        if ((tries & (tries - 1)) === 0)
          this.#complain('critical', 'the outcome of a delivery cannot be recorded yet', error);
        const waitMs = Math.min(FIRST_PATIENCE_MS * 2 ** Math.min(tries - 1, 10), LONGEST_PATIENCE_MS);
        await wait(waitMs);
      }
    }
  }

  stopRounds(): void {
    this.#stopping = true;
    clearTimeout(this.#timer);
  }

  /** Until everything that runs is done, for at most this long. */
  async finished(withinMs: number): Promise<void> {
    const done = async (): Promise<void> => {
      while (this.#running.size > 0) await Promise.all(this.#running);
    };
    await within(withinMs, done());
  }

  async #rounds(): Promise<void> {
    this.#inRound = true;
    do {
      this.#again = false;
      try {
        const nextMs = await this.#options.round();
        if (nextMs !== undefined) this.wakeAt(nextMs);
      } catch (error) {
        if (!this.#stopping) this.#complain('critical', 'the queue cannot be read', error);
        this.wakeAt(this.#options.clock.now() + AFTER_FAILURE_MS);
      }
      await wait(REST_MS);
    } while (this.#again && !this.#stopping);
    this.#inRound = false;
  }

  #complain(level: 'warning' | 'critical', what: string, error: unknown): void {
    const why = whyOf(error);
    this.#options.log.emit({ event: 'system', level, topic: what, text: `${what}: ${why}` });
  }
}
