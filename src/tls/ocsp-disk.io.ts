/**
 * OCSP answers and staples in the data folder, so that a restart while responders are down locks nobody out: a file for
 * each, named by what it belongs to and by when its time is over. Bounded in number. A file is written beside its place
 * and renamed; it is not flushed, for what a power failure costs is asked for again. Reading is as needed, so that a
 * start does not wait for ten thousand signatures.
 * Effects: files in one folder, log.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { whyOf } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { MailLog } from '../log/mail-event.ts';
import { decodeKept, encodeKept, type KeptAnswer, MAX_KEPT_BYTES } from './ocsp-kept.ts';

const MAX_ANSWERS = 10_000;
/** Room is made for some at a time. */
const DROPPED_PART = 0.05;
const NAME = /^([0-9a-f]{32})\.(\d{1,15})\.ocsp$/;

export type OcspDiskOptions = {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: MailLog;
  readonly maxAnswers?: number;
};

export class OcspDisk {
  readonly #options: OcspDiskOptions;
  readonly #max: number;
  /** What the folder holds: id to the end of its time. Read at the first use. */
  #ends: Promise<Map<string, number>> | undefined;
  /** One change after the other. */
  #changing: Promise<void> = Promise.resolve();
  #isBroken = false;

  constructor(options: OcspDiskOptions) {
    this.#options = options;
    this.#max = options.maxAnswers ?? MAX_ANSWERS;
  }

  /** Undefined where there is none whose time is not over. Never rejects; the caller verifies it. */
  async read(key: string): Promise<KeptAnswer | undefined> {
    const id = idOf(key);
    const endMs = (await this.#known()).get(id);
    if (endMs === undefined || endMs <= this.#options.clock.now()) return undefined;
    const bytes = await readBounded(this.#fileOf(id, endMs));
    return bytes && decodeKept(bytes);
  }

  /** In place of what was kept for `key`. Resolves when it is there, or cannot be. */
  save(key: string, endMs: number, kept: KeptAnswer): Promise<void> {
    return this.#change(async (ends) => {
      const id = idOf(key);
      const before = ends.get(id);
      const file = this.#fileOf(id, endMs);
      await mkdir(this.#options.folder, { recursive: true, mode: 0o750 });
      await writeFile(`${file}.new`, encodeKept(kept), { mode: 0o640 });
      await rename(`${file}.new`, file);
      ends.set(id, endMs);
      if (before !== undefined && before !== endMs) await this.#delete(id, before);
      if (ends.size > this.#max) await this.#makeRoom(ends);
    });
  }

  /** What was kept is not true any more. */
  remove(key: string): Promise<void> {
    return this.#change(async (ends) => {
      const id = idOf(key);
      const endMs = ends.get(id);
      ends.delete(id);
      if (endMs !== undefined) await this.#delete(id, endMs);
    });
  }

  /** Resolves when what was to be written is. */
  settled(): Promise<void> {
    return this.#changing;
  }

  #change(work: (ends: Map<string, number>) => Promise<void>): Promise<void> {
    this.#changing = this.#changing.then(async () => {
      try {
        await work(await this.#known());
        this.#isBroken = false;
      } catch (error) {
        if (!this.#isBroken) this.#warn(error);
        this.#isBroken = true;
      }
    });
    return this.#changing;
  }

  #known(): Promise<Map<string, number>> {
    this.#ends ??= this.#readFolder();
    return this.#ends;
  }

  /** Ends of files that are there; those whose time is over, or that were never finished, are removed. */
  async #readFolder(): Promise<Map<string, number>> {
    const { folder, clock } = this.#options;
    const ends = new Map<string, number>();
    const useless: string[] = [];
    for (const name of await readdir(folder).catch(() => [] as string[])) {
      const [, id, end] = NAME.exec(name) ?? [];
      if (id === undefined) {
        if (name.endsWith('.ocsp.new')) useless.push(name);
        continue;
      }
      const endMs = Number(end);
      const other = ends.get(id);
      if (endMs <= clock.now() || (other !== undefined && other >= endMs)) useless.push(name);
      else {
        if (other !== undefined) useless.push(path.basename(this.#fileOf(id, other)));
        ends.set(id, endMs);
      }
    }
    for (const name of useless) await rm(path.join(folder, name), { force: true }).catch(() => undefined);
    if (ends.size > this.#max) await this.#makeRoom(ends);
    return ends;
  }

  /** What ends soonest goes. */
  async #makeRoom(ends: Map<string, number>): Promise<void> {
    const count = ends.size - Math.floor(this.#max * (1 - DROPPED_PART));
    const soonest = [...ends].toSorted(([, a], [, b]) => a - b).slice(0, count);
    for (const [id, endMs] of soonest) {
      ends.delete(id);
      await this.#delete(id, endMs);
    }
  }

  #delete(id: string, endMs: number): Promise<void> {
    return rm(this.#fileOf(id, endMs), { force: true }).catch(() => undefined);
  }

  #fileOf(id: string, endMs: number): string {
    return path.join(this.#options.folder, `${id}.${endMs}.ocsp`);
  }

  #warn(error: unknown): void {
    const why = whyOf(error);
    this.#options.log.emit({ event: 'system', level: 'warning', text: `OCSP answers cannot be kept on disk: ${why}` });
  }
}

const idOf = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 32);

async function readBounded(file: string): Promise<Uint8Array | undefined> {
  try {
    await using handle = await open(file, 'r');
    const { size } = await handle.stat();
    return size > MAX_KEPT_BYTES ? undefined : await handle.readFile();
  } catch {
    return undefined;
  }
}
