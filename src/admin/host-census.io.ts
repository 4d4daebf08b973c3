/**
 * Recipients in the queue by host, for `tophosts` and `hoststatus`. Counting walks the whole queue in pages, so it is done
 * once for all who ask at the same time, and an answer is kept the longer the longer it took.
 * Effects: reads the queue.
 */
import type { Clock } from '../core/ports.ts';
import type { HostRecipients } from '../queue/queue-protocol.ts';

/** A count of a short queue costs nothing worth keeping. */
const CHEAP_MS = 50;
/** Counting may take a twentieth of the store's time at most. */
const KEPT_FACTOR = 20;

export type Census = {
  readonly countedMs: number;
  /** Most recipients first. */
  readonly hosts: readonly HostRecipients[];
  readonly byHost: ReadonlyMap<string, HostRecipients>;
};

export class HostCensus {
  readonly #queue: { hosts(): Promise<readonly HostRecipients[]> };
  readonly #clock: Clock;
  #running: Promise<Census> | undefined;
  #kept: { readonly census: Census; readonly untilMs: number } | undefined;

  constructor(queue: { hosts(): Promise<readonly HostRecipients[]> }, clock: Clock) {
    this.#queue = queue;
    this.#clock = clock;
  }

  take(): Promise<Census> {
    if (this.#kept !== undefined && this.#clock.now() < this.#kept.untilMs) return Promise.resolve(this.#kept.census);
    this.#running ??= this.#count().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The queue was changed by who may ask next. */
  forget(): void {
    this.#kept = undefined;
  }

  async #count(): Promise<Census> {
    const beganMs = this.#clock.now();
    const hosts = await this.#queue.hosts();
    const countedMs = this.#clock.now();
    const census = { countedMs, hosts, byHost: new Map(hosts.map((each) => [each.host, each])) };
    const tookMs = countedMs - beganMs;
    this.#kept = tookMs < CHEAP_MS ? undefined : { census, untilMs: countedMs + KEPT_FACTOR * tookMs };
    return census;
  }
}
