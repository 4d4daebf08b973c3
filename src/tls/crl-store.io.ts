/**
 * All CRL sources of the gateway: loads the last good copies, fetches by schedule, publishes an immutable snapshot
 * after every change and alerts before a list runs out. Runs on the control thread; sessions only ever see snapshots.
 * AsyncOS: Network > CRL Sources. Effects: network, files and timers through its sources.
 */
import path from 'node:path';
import type { CrlConfig } from '../config/schema.ts';
import { collectSoon } from '../core/collect.io.ts';
import { GatewayError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import { within } from '../core/time-limit.io.ts';
import type { MailLog } from '../log/mail-event.ts';
import { type AlertRule, type CrlAge, ageOf, nextAgeMs } from './crl-age.ts';
import { keyOf } from './crl-holding.ts';
import { CrlParser } from './crl-parse.io.ts';
import { scheduleWords } from './crl-schedule.ts';
import { CrlSource } from './crl-source.io.ts';
import type { CrlListing, ListedCrl, ListedSource } from './crl-listing.ts';
import { CrlPoints } from './crl-points.io.ts';
import { allowedRequests, type PointProfile, type PointRequest } from './crl-points.ts';
import { type CrlList, type CrlSet, EMPTY_CRL_SET } from './revocation.ts';
import { givesUpMemory, takesMemory } from './crl-memory.ts';

export type { CrlListing } from './crl-listing.ts';

export type CrlStoreSettings = {
  readonly settings: CrlConfig;
  /** PEM of every `certificateAuthorities` file. */
  readonly authorities: readonly string[];
  /** Where relative file: URLs start: the folder of the configuration file. */
  readonly baseDir: string;
  /** What the profiles say about the lists that certificates name themselves. */
  readonly points: readonly PointProfile[];
};

export type CrlStoreOptions = CrlStoreSettings & {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: MailLog;
  readonly publish: (set: CrlSet) => void;
};

export type CrlStore = {
  /** Resolves when each source had its first attempt: the copy on disk, else the download, at most 10 s. */
  start(): Promise<void>;
  /** SIGHUP: the new sources, each fetched again; resolves like `start`, with the downloads. */
  reconfigure(next: CrlStoreSettings): Promise<void>;
  /** Fetches one source or all. Rejects with GatewayError `config` where there is no such source. */
  updateNow(name?: string): Promise<CrlListing>;
  list(): CrlListing;
  /** Distribution points that a session needs, or uses. */
  want(requests: readonly PointRequest[]): void;
  stop(): void;
  /** After `stop`: resolves when the lists that count are on disk. */
  settled(): Promise<void>;
};

const FIRST_ATTEMPT_MS = 10_000;
/** Ages are looked at again after this time at the latest: wall clocks jump. */
const MAX_AGE_CHECK_MS = 3_600_000;
const MIN_AGE_CHECK_MS = 100;

/** Fetches nothing before `start`. */
export const openCrlStore = (options: CrlStoreOptions): CrlStore => new Store(options);

class Store implements CrlStore {
  readonly #options: CrlStoreOptions;
  #settings: CrlStoreSettings;
  #sources: CrlSource[] = [];
  #points: CrlPoints;
  #published: CrlSet = EMPTY_CRL_SET;
  #ages = new Map<string, CrlAge>();
  #ageTimer: NodeJS.Timeout | undefined;
  #changing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: CrlStoreOptions) {
    this.#options = options;
    this.#settings = options;
    this.#points = this.#buildPoints();
  }

  start(): Promise<void> {
    return this.#change(async () => {
      this.#sources = this.#build();
      await this.#points.loadFromDisk();
      void this.#points.update();
      const first = this.#sources.map(async (source) => {
        const copy = await source.loadFromDisk();
        if (copy) this.#changed();
        if (this.#stopped) return;
        if (!copy) await source.update();
        else if (source.settings.schedule === 'manual') source.wait();
        else void source.update();
      });
      await within(FIRST_ATTEMPT_MS, Promise.all(first));
      // Threads must know which sources have had a copy even where no list was loaded.
      this.#changed();
    });
  }

  reconfigure(next: CrlStoreSettings): Promise<void> {
    return this.#change(async () => {
      await Promise.all([...this.#sources.map((source) => source.stop()), this.#points.stop()]);
      this.#settings = next;
      const sources = this.#build();
      const points = this.#buildPoints();
      // From disk, and verified again: the authorities may be others now.
      await Promise.all([...sources.map((source) => source.loadFromDisk()), points.loadFromDisk()]);
      this.#sources = sources;
      this.#points = points;
      this.#changed();
      if (this.#stopped) return;
      void points.update();
      await within(FIRST_ATTEMPT_MS, Promise.all(sources.map((source) => source.update())));
    });
  }

  async updateNow(name?: string): Promise<CrlListing> {
    const wanted = this.#all.filter((source) => name === undefined || source.name === name);
    if (name !== undefined && wanted.length === 0)
      throw new GatewayError('config', `there is no enabled CRL source ${name}`);
    await Promise.all(wanted.map((source) => source.update()));
    return this.list();
  }

  list(): CrlListing {
    const nowMs = this.#options.clock.now();
    const running = new Map(this.#sources.map((source) => [source.name, source]));
    const sources = Object.entries(this.#settings.settings.sources).map(
      ([name, { enabled, schedule }]): ListedSource => {
        const source = running.get(name);
        if (source !== undefined) return listedSource(source, nowMs);
        return { name, enabled, schedule: scheduleWords(schedule), everGood: false, lists: [] };
      },
    );
    const points = this.#points.sources.map((source) => listedSource(source, nowMs));
    return { nowMs, sources: [...sources, ...points] };
  }

  want(requests: readonly PointRequest[]): void {
    if (this.#points.want(requests)) this.#changed();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#ageTimer);
    void this.#points.stop();
    for (const source of this.#sources) void source.stop();
  }

  async settled(): Promise<void> {
    await Promise.all(this.#all.map((source) => source.settled()));
  }

  /** Start and reloads one after the other. */
  #change(work: () => Promise<void>): Promise<void> {
    this.#changing = this.#changing.then(work, work);
    return this.#changing;
  }

  #build(): CrlSource[] {
    const { dataDir, clock, log } = this.#options;
    const { settings, authorities, baseDir } = this.#settings;
    const parser = new CrlParser(authorities);
    const onChange = (): void => this.#changed();
    return Object.entries(settings.sources)
      .filter(([, { enabled }]) => enabled)
      .map(
        ([name, source]) =>
          new CrlSource({
            name,
            settings: source,
            folder: path.join(dataDir, 'crl', name),
            baseDir,
            parser,
            clock,
            log,
            onChange,
          }),
      );
  }

  get #all(): CrlSource[] {
    return [...this.#sources, ...this.#points.sources];
  }

  #buildPoints(): CrlPoints {
    const { dataDir, clock, log } = this.#options;
    const { authorities, points } = this.#settings;
    const folder = path.join(dataDir, 'crl-points');
    const parser = new CrlParser(authorities);
    return new CrlPoints({ folder, profiles: points, parser, clock, log, onChange: () => this.#changed() });
  }

  #changed(): void {
    if (this.#stopped) return;
    this.#wantDeltas();
    const all = this.#all;
    const set: CrlSet = {
      generation: this.#published.generation + 1,
      lists: all.flatMap((source) => source.lists),
      foreign: all.flatMap((source) => source.foreign),
      sources: this.#sources.map(({ name, everGood }) => ({ name, everGood })),
      points: this.#points.states,
    };
    if (givesUpMemory(this.#published, set) || takesMemory(this.#published, set)) collectSoon();
    this.#published = set;
    this.#options.publish(set);
    this.#checkAges();
  }

  /** RFC 5280 §5.2.6: a complete list says where its deltas are. */
  #wantDeltas(): void {
    for (const { allowHosts } of this.#settings.points) {
      for (const { freshest } of this.#all.flatMap((source) => source.lists))
        if (freshest !== undefined) this.#points.want(allowedRequests(freshest, allowHosts));
    }
  }

  /** Alerts once each time a list comes near its nextUpdate, and once when it has passed. */
  #checkAges(): void {
    clearTimeout(this.#ageTimer);
    const nowMs = this.#options.clock.now();
    const ages = new Map<string, CrlAge>();
    let nextMs = nowMs + MAX_AGE_CHECK_MS;
    for (const { settings, lists } of this.#all) {
      for (const list of lists) {
        const key = `${list.source}|${keyOf(list)}`;
        const age = ageOf(list, settings, nowMs);
        ages.set(key, age);
        if (age !== 'fresh' && this.#ages.get(key) !== age) this.#alert(list, age);
        nextMs = Math.min(nextMs, nextAgeMs(list, settings, nowMs) ?? nextMs);
      }
    }
    this.#ages = ages;
    this.#ageTimer = setTimeout(() => this.#checkAges(), Math.max(MIN_AGE_CHECK_MS, nextMs - nowMs));
    this.#ageTimer.unref();
  }

  #alert({ source, issuer, nextUpdateMs }: CrlList, age: 'expiring' | 'expired'): void {
    const end = nextUpdateMs === undefined ? {} : { nextUpdateMs };
    this.#options.log.emit({ event: 'crl-alert', source, issuer, age, ...end });
  }
}

const listedSource = ({ name, settings, everGood, progress, lists }: CrlSource, nowMs: number): ListedSource => ({
  name,
  enabled: settings.enabled,
  schedule: scheduleWords(settings.schedule),
  everGood,
  ...progress,
  lists: lists.map((list) => listed(list, settings, nowMs)),
});

function listed(list: CrlList, rule: AlertRule, nowMs: number): ListedCrl {
  const { issuer, table, thisUpdateMs, nextUpdateMs, crlNumber, baseCrlNumber, scopeId, bytes } = list;
  return {
    issuer,
    entries: table.count,
    bytes,
    thisUpdateMs,
    ...(nextUpdateMs === undefined ? {} : { nextUpdateMs }),
    ...(crlNumber === undefined ? {} : { crlNumber: String(crlNumber) }),
    delta: baseCrlNumber !== undefined,
    partial: scopeId !== '',
    age: ageOf(list, rule, nowMs),
  };
}
