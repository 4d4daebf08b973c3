/**
 * Puts alerts together: the desk, and the way of its mail. That is on the delivery thread, which has loaded what it
 * takes; where it does not answer, because it is what the alert is about, the control thread takes the same way itself.
 * Effects: through both.
 */
import { randomBytes } from 'node:crypto';
import { AlertCollector } from '../alerts/alert-collector.io.ts';
import { AlertDesk } from '../alerts/alert-desk.io.ts';
import { AlertFile } from '../alerts/alert-file.io.ts';
import type { AlertListing, AlertRecord } from '../alerts/alert-listing.ts';
import type { Config } from '../config/schema.ts';
import type { AlertMail, AlertSent, RaisedAlert } from '../core/alert.ts';
import { GatewayError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import { within } from '../core/time-limit.io.ts';
import type { MailEvent, MailLog } from '../log/mail-event.ts';
import type { MetricsSnapshot } from '../log/metrics.ts';
import type { AlertPath } from '../pipeline/alert-delivery.io.ts';

/** How long a gateway that cannot go on waits for the alert that says so. */
const LAST_WORDS_MS = 3000;

/** Longer than any attempt that goes on: then the thread hangs. */
const MAX_SEND_MS = 150_000;

export type AlertsOptions = {
  readonly clock: Clock;
  readonly log: MailLog;
  readonly version: string;
  /** One attempt by the delivery thread; rejects where there is none. */
  readonly viaDelivery: (mail: AlertMail) => Promise<AlertSent>;
};

export class Alerts {
  readonly #clock: Clock;
  readonly #desk: AlertDesk;
  /** Alerts of the control thread's own events. */
  readonly #collector: AlertCollector;
  #config: Config;
  #path: Promise<AlertPath> | undefined;
  readonly #log: MailLog;
  readonly #viaDelivery: AlertsOptions['viaDelivery'];
  #file: AlertFile | undefined;
  /** Before the threads are there, nothing is sent. */
  readonly #started = Promise.withResolvers<void>();
  #stopped = false;

  constructor({ clock, log, version, viaDelivery }: AlertsOptions, config: Config) {
    this.#viaDelivery = viaDelivery;
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
    if (this.#desk.list().alerts.length > 0) file.changed();
    this.#started.resolve();
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
    this.#started.resolve();
    this.#collector.flush();
    await this.#desk.finish(LAST_WORDS_MS);
    this.#file?.write();
  }

  stop(): void {
    this.#stopped = true;
    this.#started.resolve();
    this.#collector.flush();
    this.#desk.stop();
    this.#file?.write();
    this.#closePath();
  }

  async #send(mail: AlertMail): Promise<AlertSent> {
    await this.#started.promise;
    try {
      return await within(MAX_SEND_MS, this.#viaDelivery(mail), () => {
        throw new GatewayError('closed', 'the delivery thread does not answer');
      });
    } catch {
      return this.#stopped
        ? { ok: false, why: 'the gateway is stopping', permanent: false }
        : await this.#sendFromHere(mail);
    }
  }

  async #sendFromHere(mail: AlertMail): Promise<AlertSent> {
    const config = this.#config;
    this.#path ??= import('../pipeline/alert-delivery.io.ts').then(
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
