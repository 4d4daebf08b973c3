/**
 * Keeps what the threads report of clients and rule hits, and forgets it in time. It must never be in the way: a disk that
 * cannot take it is said once, and mail goes on. Effects: the history file.
 */
import { whyOf } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { HistoryBatch } from '../log/client-history.ts';
import { ClientHistory } from '../log/client-history.io.ts';
import type { MailLog } from '../log/mail-event.ts';

const FORGET_EVERY_MS = 3_600_000;

export type HistoryKeeperOptions = { readonly dataDir: string; readonly clock: Clock; readonly log: MailLog };

export class HistoryKeeper {
  readonly #options: HistoryKeeperOptions;
  /** Counting began with the gateway, not with the first thing to count. */
  readonly #startedMs: number;
  #history: ClientHistory | undefined;
  #forgotMs = 0;
  #failing = false;
  /** How long a client is remembered after its last session; 0 remembers none. */
  keepMs = 0;

  constructor(options: HistoryKeeperOptions) {
    this.#options = options;
    this.#startedMs = options.clock.now();
  }

  keep(batch: HistoryBatch): void {
    const nowMs = this.#options.clock.now();
    this.#try(() => {
      const history = this.#open();
      history.add(this.keepMs > 0 ? batch : { ...batch, clients: [], certificates: [] });
      if (nowMs - this.#forgotMs < FORGET_EVERY_MS) return;
      this.#forgotMs = nowMs;
      history.forget(nowMs - this.keepMs);
    });
  }

  /** Hits of rules are counted anew from now on. Throws where the file cannot be written. */
  forgetHits(): void {
    this.#open().forgetHits(this.#options.clock.now());
  }

  #open(): ClientHistory {
    this.#history ??= ClientHistory.open(this.#options.dataDir, this.#startedMs);
    return this.#history;
  }

  close(): void {
    this.#try(() => this.#history?.close());
    this.#history = undefined;
  }

  #try(work: () => void): void {
    try {
      work();
      this.#failing = false;
    } catch (error) {
      if (this.#failing) return;
      this.#failing = true;
      const why = whyOf(error);
      this.#options.log.emit({ event: 'system', level: 'warning', text: `client history is not kept: ${why}` });
    }
  }
}
