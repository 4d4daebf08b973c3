/**
 * Tells the administrator in time of everything that runs out: an event at each step of `expiry-schedule.ts`, and for
 * metrics the soonest end of each certificate and authority. What was told is kept in the data folder, so that a restart
 * does not tell it again. Runs on the control thread.
 * Effects: a timer, a file in the data folder, the log.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Material } from '../config/schema.ts';
import { DAY_MS } from '../core/duration.ts';
import { whyOf } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { MailLog } from '../log/mail-event.ts';
import { createMetrics, type MetricsSnapshot } from '../log/metrics.ts';
import { type ExpiringThing, expiringCertificates, expiringLists } from './expiring.ts';
import { dueNotices, nextStepMs, type Told } from './expiry-schedule.ts';
import type { CrlList } from './revocation.ts';

const FILE = 'expiry-notices.json';
/** Wall clocks jump: time is looked at again after this at the latest. */
const MAX_WAIT_MS = 3_600_000;
/** A file of old authorities must not fill the log each day. */
const MAX_NOTICES = 50;

export type ExpiryWatchOptions = { readonly dataDir: string; readonly clock: Clock; readonly log: MailLog };

export class ExpiryWatch {
  readonly #options: ExpiryWatchOptions;
  #certificates: readonly ExpiringThing[] = [];
  #lists: readonly ExpiringThing[] = [];
  #told: Told = new Map();
  #timer: NodeJS.Timeout | undefined;
  #started = false;

  constructor(options: ExpiryWatchOptions) {
    this.#options = options;
  }

  /** From here on notices are given. After privileges are dropped: the file is written by who will write it later. */
  start(): void {
    this.#told = readTold(this.#options.dataDir);
    this.#started = true;
    this.#look();
  }

  /** What a revision that comes into force has. */
  setMaterial(material: Material): void {
    this.#certificates = expiringCertificates(material);
    this.#look();
  }

  setLists(lists: readonly CrlList[]): void {
    this.#lists = expiringLists(lists);
    this.#look();
  }

  stop(): void {
    this.#started = false;
    clearTimeout(this.#timer);
  }

  /** Gauges, made when asked for: a name that is gone from the configuration is gone from them. */
  metrics(): MetricsSnapshot {
    const metrics = createMetrics();
    const soonest = new Map<string, ExpiringThing>();
    for (const thing of this.#certificates) {
      const id = `${thing.of} ${thing.name}`;
      if (thing.endMs < (soonest.get(id)?.endMs ?? Number.POSITIVE_INFINITY)) soonest.set(id, thing);
    }
    for (const { of, name, endMs } of soonest.values())
      metrics.set('sallyport_certificate_expiry_timestamp_seconds', Math.floor(endMs / 1000), { of, name });
    return metrics.snapshot();
  }

  #look(): void {
    if (!this.#started) return;
    clearTimeout(this.#timer);
    const nowMs = this.#options.clock.now();
    const things = [...this.#certificates, ...this.#lists];
    const { due, told } = dueNotices(things, this.#told, nowMs);
    for (const thing of due.slice(0, MAX_NOTICES)) this.#tell(thing, nowMs);
    if (due.length > MAX_NOTICES) {
      const text = `${due.length - MAX_NOTICES} more certificates and revocation lists expire later than these or have expired`;
      this.#options.log.emit({ event: 'system', level: 'warning', text });
    }
    if (!sameTold(told, this.#told)) this.#keep(told);
    const next = things.reduce((soonest, thing) => Math.min(soonest, nextStepMs(thing, nowMs)), nowMs + MAX_WAIT_MS);
    this.#timer = setTimeout(() => this.#look(), Math.max(1000, next - nowMs));
    this.#timer.unref();
  }

  #tell({ of, name, subject, endMs }: ExpiringThing, nowMs: number): void {
    const days = Math.floor((endMs - nowMs) / DAY_MS);
    this.#options.log.emit({ event: 'expiry', of, name, subject, endMs, days });
  }

  #keep(told: Told): void {
    this.#told = told;
    const file = path.join(this.#options.dataDir, FILE);
    try {
      fs.writeFileSync(`${file}.new`, JSON.stringify({ version: 1, told: Object.fromEntries(told) }), { mode: 0o640 });
      fs.renameSync(`${file}.new`, file);
    } catch (error) {
      // A disk that is full is told of elsewhere; after a restart the notices come once more.
      const why = whyOf(error);
      this.#options.log.emit({ event: 'system', level: 'warning', text: `cannot keep ${FILE}: ${why}` });
    }
  }
}

/** Empty where there is no such file, or another program wrote it: then everything due is told again. */
function readTold(dataDir: string): Told {
  try {
    const kept: unknown = JSON.parse(fs.readFileSync(path.join(dataDir, FILE), 'utf8'));
    const told: unknown = typeof kept === 'object' && kept !== null && 'told' in kept ? kept.told : undefined;
    if (typeof told !== 'object' || told === null) return new Map();
    return new Map(Object.entries(told).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
  } catch {
    return new Map();
  }
}

const sameTold = (a: Told, b: Told): boolean => a.size === b.size && [...a].every(([key, step]) => b.get(key) === step);
