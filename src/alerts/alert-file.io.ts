/**
 * The last alerts in the data folder, so that they outlive a restart: `displayalerts` goes on showing them, and what
 * waited for its mail server is sent by the next process. Written at most once a second, and whole or not at all.
 * Effects: a file, a timer.
 */
import fs from 'node:fs';
import path from 'node:path';
import { ALERT_CLASSES, ALERT_SEVERITIES } from '../core/alert.ts';
import { whyOf } from '../core/errors.ts';
import type { AlertDelivery, AlertRecord } from './alert-listing.ts';

const FILE = 'alerts.json';
const WRITE_AFTER_MS = 1000;

export class AlertFile {
  readonly #file: string;
  readonly #records: () => readonly AlertRecord[];
  readonly #onFailure: (why: string) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(dataDir: string, records: () => readonly AlertRecord[], onFailure: (why: string) => void) {
    this.#file = path.join(dataDir, FILE);
    this.#records = records;
    this.#onFailure = onFailure;
  }

  /** Empty where there is none, or another program wrote it. */
  read(): AlertRecord[] {
    try {
      const kept: unknown = JSON.parse(fs.readFileSync(this.#file, 'utf8'));
      const alerts = mappingOf(kept)?.['alerts'];
      return Array.isArray(alerts) ? alerts.flatMap((each: unknown) => recordOf(each) ?? []) : [];
    } catch {
      return [];
    }
  }

  changed(): void {
    this.#timer ??= setTimeout(() => this.write(), WRITE_AFTER_MS).unref();
  }

  write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      fs.writeFileSync(`${this.#file}.new`, JSON.stringify({ version: 1, alerts: this.#records() }), { mode: 0o640 });
      fs.renameSync(`${this.#file}.new`, this.#file);
    } catch (error) {
      this.#onFailure(`cannot keep ${FILE}: ${whyOf(error)}`);
    }
  }
}

const mappingOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;

function recordOf(value: unknown): AlertRecord | undefined {
  const { atMs, class: name, severity, text, raised, recipients, notSent } = mappingOf(value) ?? {};
  const of = ALERT_CLASSES.find((each) => each === name);
  const graded = ALERT_SEVERITIES.find((each) => each === severity);
  const known = of !== undefined && graded !== undefined && typeof text === 'string' && Array.isArray(recipients);
  if (!known || typeof atMs !== 'number' || typeof raised !== 'number') return undefined;
  return {
    atMs,
    class: of,
    severity: graded,
    text,
    raised,
    recipients: recipients.flatMap((each: unknown) => deliveryOf(each) ?? []),
    ...(notSent === 'no-recipient' || notSent === 'too-many' ? { notSent } : {}),
  };
}

function deliveryOf(value: unknown): AlertDelivery | undefined {
  const { address, state, attempts, why } = mappingOf(value) ?? {};
  if (typeof address !== 'string' || typeof attempts !== 'number') return undefined;
  if (state !== 'waiting' && state !== 'sent' && state !== 'failed') return undefined;
  return { address, state, attempts, ...(typeof why === 'string' ? { why } : {}) };
}
