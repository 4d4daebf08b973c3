/**
 * Alerts on the control thread: what was raised is held against the subscriptions and the duplicates, becomes a message
 * per recipient, is tried a bounded number of times, and stands in the list of the last alerts. Everything is bounded:
 * alerts an hour, messages that wait, attempts at a time, the list. AsyncOS: alertconfig, displayalerts.
 * Effects: timers, the log; how a message is sent is handed in.
 */
import type { AlertsConfig } from '../config/schema.ts';
import type { Alert, AlertMail, AlertSent, RaisedAlert } from '../core/alert.ts';
import { HOUR_MS } from '../core/duration.ts';
import type { Clock } from '../core/ports.ts';
import { within } from '../core/time-limit.io.ts';
import type { MailLog } from '../log/mail-event.ts';
import { createMetrics, type MetricsSnapshot } from '../log/metrics.ts';
import type { AlertDelivery, AlertListing, AlertRecord } from './alert-listing.ts';
import { renderAlert, subjectOf } from './alert-message.ts';
import { waitAfter } from './alert-retry.ts';
import { AlertSuppression, type PassedAlert } from './alert-suppression.ts';
import { subscribersOf } from './subscriptions.ts';

const MAX_LISTED = 100;
const MAX_AN_HOUR = 100;
const MAX_WAITING = 200;
const MAX_AT_ONCE = 4;
/** What an earlier process could not send is no news after this. */
const MAX_WAIT_MS = 6 * HOUR_MS;
const MAX_TIMER_MS = HOUR_MS;

export type AlertSettings = { readonly alerts: AlertsConfig; readonly hostname: string };

export type AlertDeskOptions = {
  readonly clock: Clock;
  readonly log: MailLog;
  readonly version: string;
  /** Hexadecimal digits, others each time. */
  readonly unique: () => string;
  /** One attempt; never rejects. */
  readonly send: (mail: AlertMail) => Promise<AlertSent>;
  /** The list says something else than before. */
  readonly onChange: () => void;
};

type Errand = {
  readonly alert: Alert;
  readonly mail: AlertMail;
  readonly delivery: AlertDelivery;
  timer?: NodeJS.Timeout;
};

export class AlertDesk {
  readonly #on: AlertDeskOptions;
  #settings: AlertSettings;
  readonly #suppression: AlertSuppression;
  readonly #metrics = createMetrics();
  #listed: AlertRecord[] = [];
  /** Waiting for their time or their turn, and under way. */
  readonly #errands = new Set<Errand>();
  readonly #turn: Errand[] = [];
  readonly #busy = new Set<Promise<void>>();
  #hour = { sinceMs: Number.NEGATIVE_INFINITY, count: 0 };
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: AlertDeskOptions, settings: AlertSettings) {
    this.#on = options;
    this.#settings = settings;
    this.#suppression = new AlertSuppression(waitsOf(settings));
  }

  configure(settings: AlertSettings): void {
    this.#settings = settings;
    this.#suppression.settings = waitsOf(settings);
    this.#sleep();
  }

  raise(raised: readonly RaisedAlert[]): void {
    if (this.#stopped) return;
    for (const alert of raised) {
      this.#metrics.add('sallyport_alerts_raised_total', alert.count, { class: alert.class, severity: alert.severity });
      const passed = this.#suppression.raise(alert, this.#on.clock.now());
      if (passed === undefined) this.#metrics.add('sallyport_alerts_held_back_total', alert.count);
      else this.#publish(passed);
    }
    this.#sleep();
  }

  list(): AlertListing {
    return { nowMs: this.#on.clock.now(), alerts: this.#listed };
  }

  /** Alerts of the process before: listed behind what is there, and what waited is tried now. */
  resume(kept: readonly AlertRecord[]): void {
    this.#listed = [...this.#listed, ...kept].slice(0, MAX_LISTED);
    const oldestMs = this.#on.clock.now() - MAX_WAIT_MS;
    for (const record of kept.slice(0, MAX_LISTED)) {
      for (const delivery of record.recipients) {
        if (delivery.state !== 'waiting') continue;
        const wanted = Object.hasOwn(this.#settings.alerts.recipients, delivery.address);
        if (!wanted || record.atMs < oldestMs || this.#errands.size >= MAX_WAITING) delivery.state = 'failed';
        else this.#send({ alert: { ...named(record), key: '' }, raised: record.raised }, delivery, record.atMs);
      }
    }
  }

  metrics(): MetricsSnapshot {
    return this.#metrics.snapshot();
  }

  /** A message of no consequence to one recipient or all; what the first attempt brought. Undefined: no such recipient. */
  async test(recipient: string | undefined): Promise<AlertRecord | undefined> {
    const known = Object.keys(this.#settings.alerts.recipients);
    const wanted = recipient === undefined ? known : known.filter((address) => address === recipient);
    if (wanted.length === 0 || this.#stopped) return undefined;
    const text = 'this is a test alert: mail from this gateway to its administrators arrives';
    const alert: Alert = { class: 'system', severity: 'information', key: 'test', text };
    const record = this.#post({ alert, raised: 1 }, wanted);
    while (record.recipients.some(({ state, attempts }) => state === 'waiting' && attempts === 0)) {
      if (this.#busy.size === 0) break;
      await Promise.race(this.#busy);
    }
    return record;
  }

  /** Until nothing is under way, for at most this long. */
  async finish(withinMs: number): Promise<void> {
    const done = async (): Promise<void> => {
      while (this.#busy.size > 0) await Promise.race(this.#busy);
    };
    await within(withinMs, done());
  }

  /** Nothing is sent from now on; what waits is for `resume` of the next process. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const { timer } of this.#errands) clearTimeout(timer);
    this.#errands.clear();
  }

  #publish(passed: PassedAlert): void {
    const nowMs = this.#on.clock.now();
    if (nowMs - this.#hour.sinceMs >= HOUR_MS) this.#hour = { sinceMs: nowMs, count: 0 };
    this.#hour.count++;
    const { alert, raised } = passed;
    const addresses = subscribersOf(alert, this.#settings.alerts.recipients);
    const tooMany = this.#hour.count > MAX_AN_HOUR || this.#errands.size + addresses.length > MAX_WAITING;
    if (addresses.length > 0 && !tooMany) {
      this.#post(passed, addresses);
      return;
    }
    const notSent = addresses.length === 0 ? 'no-recipient' : 'too-many';
    if (notSent === 'too-many') this.#metrics.add('sallyport_alerts_held_back_total', raised);
    this.#enter({ atMs: nowMs, ...named(alert), raised, recipients: [], notSent });
    // Once an hour: that alone would fill the log, too.
    if (notSent === 'too-many' && this.#hour.count === MAX_AN_HOUR + 1) {
      const text = `more than ${MAX_AN_HOUR} alerts in an hour: no more are sent before it is over`;
      this.#on.log.emit({ event: 'system', level: 'warning', topic: '', text });
    }
  }

  #post(passed: PassedAlert, addresses: readonly string[]): AlertRecord {
    const { alert, raised } = passed;
    const nowMs = this.#on.clock.now();
    const recipients = addresses.map((address): AlertDelivery => ({ address, state: 'waiting', attempts: 0 }));
    const record: AlertRecord = { atMs: nowMs, ...named(alert), raised, recipients };
    this.#enter(record);
    for (const delivery of recipients) this.#send(passed, delivery, nowMs);
    return record;
  }

  #send(passed: PassedAlert, delivery: AlertDelivery, nowMs: number): void {
    const { version, unique } = this.#on;
    const { alerts, hostname } = this.#settings;
    const from = alerts.from ?? `alert@${hostname}`;
    const to = delivery.address;
    const text = renderAlert({ ...passed, from, to, hostname, version, nowMs, unique: unique() });
    const errand: Errand = { alert: passed.alert, delivery, mail: { from, to, text } };
    this.#errands.add(errand);
    this.#queue(errand);
  }

  #enter(record: AlertRecord): void {
    this.#listed = [record, ...this.#listed.slice(0, MAX_LISTED - 1)];
    this.#on.onChange();
  }

  #queue(errand: Errand): void {
    this.#turn.push(errand);
    this.#run();
  }

  #run(): void {
    while (this.#busy.size < MAX_AT_ONCE) {
      const errand = this.#turn.shift();
      if (errand === undefined) return;
      const busy: Promise<void> = this.#attempt(errand).finally(() => {
        this.#busy.delete(busy);
        this.#run();
      });
      this.#busy.add(busy);
    }
  }

  async #attempt(errand: Errand): Promise<void> {
    if (!this.#errands.has(errand)) return;
    const { delivery, mail, alert } = errand;
    const sent = await this.#on.send(mail);
    if (!this.#errands.has(errand)) return; // stopped meanwhile
    delivery.attempts++;
    this.#on.onChange();
    if (!sent.ok) {
      this.#failed(errand, sent.why, sent.permanent ? undefined : waitAfter(delivery.attempts));
      return;
    }
    this.#errands.delete(errand);
    delivery.state = 'sent';
    delete delivery.nextAttemptMs;
    this.#on.log.emit({ event: 'alert-sent', ...this.#names(alert), recipient: delivery.address });
  }

  #failed(errand: Errand, why: string, waitMs: number | undefined): void {
    const { delivery, alert } = errand;
    const nextAttemptMs = waitMs === undefined ? undefined : this.#on.clock.now() + waitMs;
    delivery.why = why;
    delete delivery.nextAttemptMs;
    if (nextAttemptMs !== undefined) delivery.nextAttemptMs = nextAttemptMs;
    const next = nextAttemptMs === undefined ? {} : { nextAttemptMs };
    this.#on.log.emit({ event: 'alert-failed', ...this.#names(alert), recipient: delivery.address, why, ...next });
    if (waitMs === undefined) {
      delivery.state = 'failed';
      this.#errands.delete(errand);
    } else errand.timer = setTimeout(() => this.#queue(errand), waitMs).unref();
  }

  #names(alert: Alert) {
    return { class: alert.class, severity: alert.severity, subject: subjectOf(alert, this.#settings.hostname) };
  }

  #sleep(): void {
    clearTimeout(this.#timer);
    const { nextMs } = this.#suppression;
    if (nextMs === undefined || this.#stopped) return;
    const waitMs = Math.min(Math.max(nextMs - this.#on.clock.now(), 10), MAX_TIMER_MS);
    this.#timer = setTimeout(() => {
      for (const passed of this.#suppression.due(this.#on.clock.now())) this.#publish(passed);
      this.#sleep();
    }, waitMs).unref();
  }
}

const waitsOf = ({ alerts: { initialWait, maxWait } }: AlertSettings) => ({
  initialWaitMs: initialWait,
  maxWaitMs: maxWait,
});

const named = ({ class: of, severity, text }: Omit<Alert, 'key'>) => ({ class: of, severity, text });
