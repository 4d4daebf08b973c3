/**
 * One CRL source: primary and secondary URL, the lists it holds, its copy on disk, its schedule. One fetch at a time.
 * The secondary is asked when the primary cannot be reached or gives anything that is not good or has expired.
 * Effects: network, files and timers through its parts.
 */
import type { CrlSourceConfig } from '../config/schema.ts';
import type { AllowedHosts } from '../core/allowed-hosts.ts';
import { whyOf } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { MailLog } from '../log/mail-event.ts';
import { ageOf } from './crl-age.ts';
import { CrlDisk } from './crl-disk.io.ts';
import { fetchCrl } from './crl-fetch.io.ts';
import { redactedUrl } from './http-fetch.io.ts';
import { type ForeignMerge, type Held, keyOf, type Merge, merge, mergeForeign } from './crl-holding.ts';
import type { ForeignCrl, LoadedBundle } from './crl-issuer.ts';
import { type CrlParser, releaseDownload } from './crl-parse.io.ts';
import type { SourceProgress } from './crl-listing.ts';
import type { PointRequest, PointState } from './crl-points.ts';
import { nextAttemptMs, renewalMs } from './crl-schedule.ts';
import type { CrlList, SourcedForeignCrl } from './revocation.ts';

export type SourceParts = {
  readonly name: string;
  readonly settings: CrlSourceConfig;
  readonly folder: string;
  readonly baseDir: string;
  readonly parser: CrlParser;
  readonly clock: Clock;
  readonly log: MailLog;
  /** Called after the lists have changed. */
  readonly onChange: () => void;
  /** Makes it a distribution point of certificates: foreign addresses, and lists of whoever has issued them. */
  readonly point?: PointParts;
};

export type PointParts = {
  readonly request: PointRequest;
  readonly allowHosts: AllowedHosts;
  /** Waits until it is this point's turn to download. */
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Called when an attempt has changed the state. */
  readonly onState: () => void;
};

/** Longest wait that a timer can hold; longer ones are made of several. */
const MAX_TIMER_MS = 2_000_000_000;
/** A fetch that took longer than the interval does not make the next one start at once. */
const MIN_PAUSE_MS = 1000;

export class CrlSource {
  readonly name: string;
  readonly settings: CrlSourceConfig;
  readonly #parts: SourceParts;
  readonly #disk: CrlDisk;
  readonly #stop = new AbortController();
  #held: Held = new Map();
  #foreign: readonly ForeignCrl[] = [];
  #everGood = false;
  #failures = 0;
  #progress: SourceProgress = {};
  #running: Promise<void> | undefined;
  #saving: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: SourceParts) {
    this.name = parts.name;
    this.settings = parts.settings;
    this.#parts = parts;
    this.#disk = new CrlDisk(parts.folder);
  }

  get lists(): CrlList[] {
    return [...this.#held.values()].map((crl) => ({ ...crl, source: this.name }));
  }
  get foreign(): SourcedForeignCrl[] {
    return this.#foreign.map((crl) => ({ ...crl, source: this.name }));
  }
  get everGood(): boolean {
    return this.#everGood;
  }
  get progress(): SourceProgress {
    return this.#progress;
  }
  /** Of a distribution point: `ready` as long as it has something to go by. */
  get state(): PointState {
    if (this.#held.size > 0 || this.#foreign.length > 0) return 'ready';
    return this.#failures > 0 ? 'failed' : 'fetching';
  }

  /** True if the disk holds a copy that is still good. Each list is verified again. */
  async loadFromDisk(): Promise<boolean> {
    const { clock, parser } = this.#parts;
    const { lists, meta, faults } = await this.#disk.load(this.settings.maxSize);
    for (const why of faults) this.#warn(why);
    if (meta !== undefined) this.#progress = { ...this.#progress, url: meta.url, lastSuccessMs: meta.lastSuccessMs };
    for (const der of lists) {
      const bundle = await parser.parse({ bytes: der, type: 'asn1', nowMs: clock.now(), strangers: true });
      for (const why of bundle.faults) this.#warn(`the copy on disk is not used: ${why}`);
      this.#held = merge(this.#held, bundle.lists).held;
      this.#foreign = mergeForeign(this.#foreign, bundle.foreign).held;
      releaseDownload(bundle);
    }
    this.#everGood = this.#held.size > 0 || meta !== undefined;
    return this.#held.size > 0;
  }

  /** Fetches now; a fetch that is under way is joined. Never rejects. */
  update(): Promise<void> {
    const before = this.state;
    this.#running ??= this.#update().finally(() => {
      this.#running = undefined;
      this.#schedule();
      if (this.state !== before) this.#parts.point?.onState();
    });
    return this.#running;
  }

  /** Without a first fetch: waits for the schedule. */
  wait(): void {
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Resolves when what was taken is on disk. */
  settled(): Promise<void> {
    return this.#saving;
  }

  /** For a point that is given up; after `stop`. */
  async removeFromDisk(): Promise<void> {
    await this.#disk.removeAll().catch(() => undefined);
  }

  async #update(): Promise<void> {
    const { primaryUrl, secondaryUrl } = this.settings;
    const { point } = this.#parts;
    this.#progress = { ...this.#progress, lastAttemptMs: this.#parts.clock.now() };
    let succeeded = false;
    let error: string | undefined;
    for (const url of secondaryUrl === undefined ? [primaryUrl] : [primaryUrl, secondaryUrl]) {
      const result = await (point === undefined ? this.#attempt(url) : point.turn(() => this.#attempt(url)));
      if (this.#stop.signal.aborted) return;
      succeeded ||= result.lists > 0 && (point === undefined || !result.expired);
      if (result.why !== undefined) this.#fail(url, result.why);
      error = result.why === undefined ? undefined : (error ?? `${redactedUrl(url)}: ${result.why}`);
      if (result.why === undefined && !result.expired) break;
    }
    this.#failures = succeeded ? 0 : this.#failures + 1;
    const { lastError: _, ...rest } = this.#progress;
    this.#progress = error === undefined ? rest : { ...rest, lastError: error };
  }

  /** `lists`: how many good lists the URL gave; `why`: what was not good about it. */
  async #attempt(url: string): Promise<{ lists: number; why: string | undefined; expired: boolean }> {
    const { baseDir, parser, clock, point } = this.#parts;
    const { maxSize, timeout, type } = this.settings;
    const { signal } = this.#stop;
    const fetched = await fetchCrl({
      url,
      baseDir,
      maxBytes: maxSize,
      timeoutMs: timeout,
      authorities: parser.authorities,
      signal,
      ...(point === undefined ? {} : { allowHosts: point.allowHosts }),
    });
    if (!fetched.ok) return { lists: 0, why: fetched.why, expired: false };
    const strangers = point !== undefined;
    const bundle = await parser.parse({ bytes: fetched.bytes, type, nowMs: clock.now(), strangers });
    if (signal.aborted) return { lists: 0, why: 'stopped', expired: false };
    const taken = await this.#take(bundle, url);
    releaseDownload(bundle);
    return taken;
  }

  async #take(
    bundle: LoadedBundle,
    url: string,
  ): Promise<{ lists: number; why: string | undefined; expired: boolean }> {
    const { clock, log } = this.#parts;
    const merged = merge(this.#held, bundle.lists);
    const foreign = mergeForeign(this.#foreign, bundle.foreign);
    const faults = [...bundle.faults, ...merged.faults];
    const strangers = this.#parts.point === undefined ? 0 : bundle.foreign.length;
    const lists = merged.taken.length + merged.unchanged + strangers;
    this.#held = merged.held;
    this.#foreign = foreign.held;
    if (lists > 0) {
      this.#everGood = true;
      this.#progress = { ...this.#progress, url: redactedUrl(url), lastSuccessMs: clock.now() };
    }
    if (merged.taken.length + merged.dropped.length + foreign.taken.length > 0) this.#parts.onChange();
    for (const { crl } of merged.taken) {
      const { issuer, table, nextUpdateMs } = crl;
      log.emit({
        event: 'crl-updated',
        source: this.name,
        issuer,
        entries: table.count,
        ...(nextUpdateMs === undefined ? {} : { nextUpdateMs }),
      });
    }
    this.#saving = this.#save(merged, foreign, lists > 0 ? url : undefined);
    await this.#saving;
    const expired = [...bundle.lists].some(
      ({ crl }) => ageOf(this.#held.get(keyOf(crl)) ?? crl, this.settings, clock.now()) === 'expired',
    );
    return { lists, why: faults.length === 0 ? undefined : summary(faults), expired };
  }

  /** `url`: what has succeeded. A disk that refuses costs the copy, not the lists in memory. */
  async #save(merged: Merge, foreign: ForeignMerge, url: string | undefined): Promise<void> {
    try {
      for (const { key, der } of merged.taken) await this.#disk.save(key, der);
      for (const { crl, der } of foreign.taken) await this.#disk.save(foreignKey(crl), der);
      for (const key of [...merged.dropped, ...foreign.dropped.map(foreignKey)]) await this.#disk.remove(key);
      if (url === undefined) return;
      const { lastSuccessMs = 0 } = this.#progress;
      const request = this.#parts.point === undefined ? {} : { request: this.#parts.point.request };
      await this.#disk.saveMeta({ url: redactedUrl(url), lastSuccessMs, ...request });
    } catch (error) {
      this.#warn(`the copy on disk cannot be written: ${whyOf(error)}`);
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#stop.signal.aborted) return;
    const nowMs = this.#parts.clock.now();
    const lastMs = this.#progress.lastAttemptMs ?? nowMs;
    const regular = nextAttemptMs(this.settings.schedule, lastMs, this.#failures);
    const renewal = this.#parts.point === undefined ? undefined : renewalMs([...this.#held.values()], lastMs);
    const next = regular === undefined || renewal === undefined ? regular : Math.min(regular, renewal);
    const { nextRunMs: _, ...rest } = this.#progress;
    this.#progress = next === undefined ? rest : { ...rest, nextRunMs: next };
    if (next !== undefined) this.#sleepUntil(Math.max(next, nowMs + MIN_PAUSE_MS));
  }

  #sleepUntil(timeMs: number): void {
    const waitMs = Math.max(0, timeMs - this.#parts.clock.now());
    this.#timer = setTimeout(
      () => (waitMs > MAX_TIMER_MS ? this.#sleepUntil(timeMs) : void this.update()),
      Math.min(waitMs, MAX_TIMER_MS),
    ).unref();
  }

  #fail(url: string, why: string): void {
    this.#parts.log.emit({ event: 'crl-failed', source: this.name, url: redactedUrl(url), why });
  }

  #warn(text: string): void {
    this.#parts.log.emit({ event: 'system', level: 'warning', text: `CRL source ${this.name}: ${text}` });
  }
}

/** The name of its file; one of several that say they are the same list. */
const foreignKey = ({ sha256 }: ForeignCrl): string => `foreign ${sha256}`;

const MAX_WORDS = 5;

/** A bundle of a thousand bad lists is told in a few words. */
function summary(faults: readonly string[]): string {
  const more = faults.length > MAX_WORDS ? [`and ${faults.length - MAX_WORDS} more`] : [];
  return [...faults.slice(0, MAX_WORDS), ...more].join('; ');
}
