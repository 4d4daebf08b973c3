/**
 * The revocation lists that certificates name themselves, as far as the profiles allow their hosts: fetched when a
 * session first needs one, kept on disk like those of a source, fetched again like them. Bounded in
 * number (who was not used for longest goes first), in downloads at a time, and by the profiles in size and time.
 * RFC 5280 §4.2.1.13, §8. Effects: network, files and timers through its sources.
 */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { CrlSourceConfig } from '../config/schema.ts';
import { CrlDisk } from './crl-disk.io.ts';
import { allowedRequests, type PointProfile, type PointRequest, type PointState, pointKey } from './crl-points.ts';
import { CrlSource, type SourceParts } from './crl-source.io.ts';
import { Turns } from '../core/turns.ts';

export type PointsParts = Pick<SourceParts, 'parser' | 'clock' | 'log' | 'onChange'> & {
  readonly folder: string;
  readonly profiles: readonly PointProfile[];
};

export const MAX_POINTS = 512;
const MAX_DOWNLOADS = 4;
/** Of one message from a thread. */
const MAX_WANTED = 64;

export class CrlPoints {
  readonly #parts: PointsParts;
  /** In the order of their last use. */
  readonly #sources = new Map<string, CrlSource>();
  readonly #turns = new Turns({ atOnce: MAX_DOWNLOADS });
  #stopped = false;

  constructor(parts: PointsParts) {
    this.#parts = parts;
  }

  get sources(): readonly CrlSource[] {
    return [...this.#sources.values()];
  }
  get states(): ReadonlyMap<string, PointState> {
    return new Map([...this.#sources].map(([key, source]) => [key, source.state]));
  }

  /** The copies of earlier runs, verified again; those that no profile allows any more are removed. */
  async loadFromDisk(): Promise<void> {
    const folders = await readdir(this.#parts.folder).catch(() => [] as string[]);
    for (const name of folders.slice(0, MAX_POINTS)) {
      const disk = new CrlDisk(path.join(this.#parts.folder, name));
      const { request } = (await disk.loadMeta()) ?? {};
      const source = request === undefined ? undefined : this.#open(request);
      if (source === undefined || folderOf(request ?? []) !== name) await disk.removeAll();
      else {
        await source.loadFromDisk();
        this.#sources.set(pointKey(request ?? []), source);
      }
    }
  }

  /** Each is fetched again. */
  update(): Promise<unknown> {
    return Promise.all(this.sources.map((source) => source.update()));
  }

  /** Fetches what is not here yet, and remembers that the rest is in use. True if there was anything new. */
  want(requests: readonly PointRequest[]): boolean {
    let added = false;
    for (const request of this.#stopped ? [] : requests.slice(0, MAX_WANTED)) {
      const key = pointKey(request);
      const source = this.#sources.get(key) ?? this.#open(request);
      if (source === undefined) continue;
      const isNew = !this.#sources.delete(key);
      this.#sources.set(key, source);
      if (isNew) void source.update();
      added ||= isNew;
    }
    if (added) this.#dropExcess();
    return added;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.sources.map((source) => source.stop()));
  }

  #dropExcess(): void {
    for (const [key, source] of this.#sources) {
      if (this.#sources.size <= MAX_POINTS) return;
      this.#sources.delete(key);
      void source.stop().then(() => source.removeFromDisk());
    }
  }

  /** Undefined where no profile allows all of its addresses: the threads are not the only ones that look. */
  #open(request: PointRequest): CrlSource | undefined {
    const profiles = this.#parts.profiles.filter(
      ({ allowHosts }) => pointKey(allowedRequests([request], allowHosts)[0] ?? []) === pointKey(request),
    );
    const [primaryUrl, secondaryUrl] = request;
    if (primaryUrl === undefined || profiles.length === 0) return undefined;
    const { folder, parser, clock, log, onChange } = this.#parts;
    return new CrlSource({
      name: primaryUrl,
      settings: settingsOf(primaryUrl, secondaryUrl, profiles),
      folder: path.join(folder, folderOf(request)),
      baseDir: folder,
      parser,
      clock,
      log,
      onChange,
      point: {
        request,
        allowHosts: profiles.flatMap(({ allowHosts }) => allowHosts),
        turn: (work) => this.#turns.take(work),
        onState: onChange,
      },
    });
  }
}

const folderOf = (request: PointRequest): string =>
  createHash('sha256').update(pointKey(request)).digest('hex').slice(0, 32);

/** Where several profiles allow an address: the shortest interval, the widest limits. */
function settingsOf(
  primaryUrl: string,
  secondaryUrl: string | undefined,
  profiles: readonly PointProfile[],
): CrlSourceConfig {
  return {
    type: 'asn1',
    primaryUrl,
    ...(secondaryUrl === undefined ? {} : { secondaryUrl }),
    schedule: { every: Math.min(...profiles.map(({ refresh }) => refresh)) },
    enabled: true,
    maxSize: Math.max(...profiles.map(({ maxSize }) => maxSize)),
    timeout: Math.max(...profiles.map(({ timeout }) => timeout)),
    // Decided per profile (`revocation.ts`), not here.
    whenUnavailable: 'refuse',
    whenExpired: 'refuse',
    grace: 0,
  };
}
