/**
 * Looks at the counters of all threads now and then, so that `status detail` can say what happened in the last minutes.
 * AsyncOS: rates in `status`. Effects: a timer; asks the threads.
 */
import type { Clock } from '../core/ports.ts';
import { EventRates, LOOK_EVERY_MS, type Rates } from '../log/event-rates.ts';
import { type MetricsSnapshot, sumSeries } from '../log/metrics.ts';

const WATCHED = [
  'sallyport_messages_received_total',
  'sallyport_recipients_accepted_total',
  'sallyport_recipients_delayed_total',
  'sallyport_recipients_bounced_total',
  'sallyport_recipients_delivered_total',
  'sallyport_recipients_deleted_total',
];

export class RateWatch {
  readonly #rates = new EventRates(WATCHED);
  readonly #clock: Clock;
  readonly #collect: () => Promise<MetricsSnapshot>;
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, collect: () => Promise<MetricsSnapshot>) {
    this.#clock = clock;
    this.#collect = collect;
  }

  start(): void {
    // A thread that is being replaced cannot be asked: the next look sees more.
    const look = (): void => void this.#look().catch(() => undefined);
    look();
    this.#timer = setInterval(look, LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async rates(): Promise<Rates> {
    return this.#rates.rates(sumSeries(await this.#collect()), this.#clock.now());
  }

  async #look(): Promise<void> {
    this.#rates.look(sumSeries(await this.#collect()), this.#clock.now());
  }
}
