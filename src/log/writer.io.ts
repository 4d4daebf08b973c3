/**
 * The mail log of one thread: counts each event, formats it at once, and hands whole lines on in batches, because a
 * write per line would cost more than the line.
 * Effects: a timer; the clock and the output are handed in.
 */
import type { Clock } from '../core/ports.ts';
import type { MailEvent, MailLog } from './mail-event.ts';
import { renderJson, renderMessage } from './mail-log.ts';
import { countEvent, type Metrics } from './metrics.ts';
import { mailLogTime } from './timestamp.ts';

const BATCH_MS = 50;
const BATCH_CHARS = 64 * 1024;

export type MailLogOptions = {
  readonly format: 'text' | 'json';
  /** Called with whole lines, never with an empty text. */
  readonly write: (text: string) => void;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Sees every event, too. */
  readonly onEvent?: (event: MailEvent) => void;
};

/** `flush` writes what is pending now; before the end of a thread or process it must be called. */
export function openMailLog(options: MailLogOptions): MailLog & { flush(): void } {
  return new BatchedMailLog(options);
}

class BatchedMailLog {
  readonly #options: MailLogOptions;
  #pending = '';
  #timer: NodeJS.Timeout | undefined;
  /** The time of text lines changes once a second. */
  #second = Number.NaN;
  #secondText = '';

  constructor(options: MailLogOptions) {
    this.#options = options;
  }

  emit(event: MailEvent): void {
    const { clock, metrics, onEvent } = this.#options;
    countEvent(metrics, event);
    onEvent?.(event);
    this.#pending += `${this.#line(event, clock.now())}\n`;
    if (this.#pending.length >= BATCH_CHARS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), BATCH_MS).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending === '') return;
    const text = this.#pending;
    this.#pending = '';
    this.#options.write(text);
  }

  #line(event: MailEvent, atMs: number): string {
    if (this.#options.format === 'json') return renderJson(event, atMs);
    const second = Math.floor(atMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText = mailLogTime(atMs, -new Date(atMs).getTimezoneOffset());
    }
    return `${this.#secondText} ${renderMessage(event)}`;
  }
}
