/**
 * Puts alerts together: the desk, and the way of its mail, which is loaded with the first alert that has a recipient
 * and built anew for each configuration. Effects: through both.
 */
import { randomBytes } from 'node:crypto';
import { AlertCollector } from './alerts/alert-collector.io.ts';
import { AlertDesk, type AlertMail, type AlertSent } from './alerts/alert-desk.io.ts';
import { AlertFile } from './alerts/alert-file.io.ts';
import type { AlertListing, AlertRecord } from './alerts/alert-listing.ts';
import type { Config } from './config/schema.ts';
import type { RaisedAlert } from './core/alert.ts';
import type { Clock } from './core/ports.ts';
import type { MailEvent, MailLog } from './log/mail-event.ts';
import type { MetricsSnapshot } from './log/metrics.ts';
import type { AlertPath } from './pipeline/alert-delivery.io.ts';

/** How long a gateway that cannot go on waits for the alert that says so. */
const LAST_WORDS_MS = 3000;

export type AlertsOptions = { readonly clock: Clock; readonly log: MailLog; readonly version: string };

export class Alerts {
  readonly #clock: Clock;
  readonly #desk: AlertDesk;
  /** Alerts of the control thread's own events. */
  readonly #collector: AlertCollector;
  #config: Config;
  #path: Promise<AlertPath> | undefined;
  readonly #log: MailLog;
  #file: AlertFile | undefined;

  constructor({ clock, log, version }: AlertsOptions, config: Config) {
    this.#clock = clock;
    this.#config = config;
    const unique = (): string => randomBytes(12).toString('hex');
    const send = (mail: AlertMail): Promise<AlertSent> => this.#send(mail);
    const onChange = (): void => this.#file?.changed();
    this.#log = log;
    this.#desk = new AlertDesk({ clock, log, version, unique, send, onChange }, config);
    this.#collector = new AlertCollector((raised) => this.#desk.raise(raised));
  }

  readonly see = (event: MailEvent): void => this.#collector.see(event);
  readonly raise = (raised: readonly RaisedAlert[]): void => this.#desk.raise(raised);

  /** After privileges are dropped: the file is written by who will write it later. */
  start(dataDir: string): void {
    const complain = (text: string): void => this.#log.emit({ event: 'system', level: 'warning', topic: '', text });
    const file = new AlertFile(dataDir, () => this.#desk.list().alerts, complain);
    this.#desk.resume(file.read());
    this.#file = file;
    file.changed();
  }

  configure(config: Config): void {
    this.#config = config;
    this.#desk.configure(config);
    this.#closePath();
  }

  list(): AlertListing {
    return this.#desk.list();
  }
  test(recipient: string | undefined): Promise<AlertRecord | undefined> {
    return this.#desk.test(recipient);
  }
  metrics(): MetricsSnapshot {
    return this.#desk.metrics();
  }

  /** The gateway cannot go on: what was raised gets a moment to leave. */
  async lastWords(): Promise<void> {
    this.#collector.flush();
    await this.#desk.finish(LAST_WORDS_MS);
    this.#file?.write();
  }

  stop(): void {
    this.#collector.flush();
    this.#desk.stop();
    this.#file?.write();
    this.#closePath();
  }

  async #send(mail: AlertMail): Promise<AlertSent> {
    const config = this.#config;
    this.#path ??= import('./pipeline/alert-delivery.io.ts').then(
      ({ AlertPath }) => new AlertPath(config, this.#clock),
    );
    return (await this.#path).send(mail);
  }

  /** Attempts under way fail, and are tried again on the new one. */
  #closePath(): void {
    this.#path?.then(
      (path) => path.stop(),
      () => undefined,
    );
    this.#path = undefined;
  }
}
