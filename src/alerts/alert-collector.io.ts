/**
 * A thread's part in alerts: sees every event of its log, and hands the alerts they raise to the control thread, those
 * of one moment together and like ones as one. However many events come, what is handed on is bounded.
 * Effects: a timer; the way to the control thread is handed in.
 */
import type { RaisedAlert } from '../core/alert.ts';
import type { MailEvent } from '../log/mail-event.ts';
import { alertOf } from './alert-table.ts';

const BATCH_MS = 200;
/** Kinds in one batch; more are forgotten: the log has them. */
const MAX_KINDS = 50;

export class AlertCollector {
  readonly #send: (alerts: readonly RaisedAlert[]) => void;
  #raised = new Map<string, RaisedAlert>();
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (alerts: readonly RaisedAlert[]) => void) {
    this.#send = send;
  }

  /** For `onEvent` of the thread's log. */
  readonly see = (event: MailEvent): void => {
    const alert = alertOf(event);
    if (alert === undefined) return;
    const count = (this.#raised.get(alert.key)?.count ?? 0) + 1;
    if (count === 1 && this.#raised.size >= MAX_KINDS) return;
    this.#raised.set(alert.key, { ...alert, count });
    this.#timer ??= setTimeout(() => this.flush(), BATCH_MS).unref();
  };

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#raised.size === 0) return;
    const raised = [...this.#raised.values()];
    this.#raised = new Map();
    this.#send(raised);
  }
}
