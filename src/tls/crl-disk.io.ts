/**
 * The last good copies of one source on disk: a file per list and a small file about the source. Every file is written
 * beside its place, flushed and renamed, so that a crash leaves the old copy or the new one and never half of one.
 * Effects: files in one folder.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { whyOf } from '../core/errors.ts';

export type SourceMeta = {
  readonly lastSuccessMs: number;
  readonly url: string;
  /** Of a distribution point: its addresses. */
  readonly request?: readonly string[];
};

const META = 'source.json';
const MAX_FILES = 1000;
const MAX_META_BYTES = 64 * 1024;

export class CrlDisk {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What cannot be read is reported in `faults` and left out; the caller verifies the rest again. */
  async load(maxBytes: number): Promise<{ lists: Uint8Array[]; meta: SourceMeta | undefined; faults: string[] }> {
    const faults: string[] = [];
    const lists: Uint8Array[] = [];
    const names = await readdir(this.#folder).catch(() => [] as string[]);
    for (const name of names.filter((each) => each.endsWith('.crl')).slice(0, MAX_FILES)) {
      const file = path.join(this.#folder, name);
      try {
        const { size } = await stat(file);
        if (size > maxBytes) throw new Error('longer than maxSize');
        lists.push(ownMemory(await readFile(file)));
      } catch (error) {
        faults.push(`the copy ${file} cannot be read: ${whyOf(error)}`);
      }
    }
    return { lists, meta: names.includes(META) ? await this.loadMeta() : undefined, faults };
  }

  async loadMeta(): Promise<SourceMeta | undefined> {
    try {
      const bytes = await readFile(path.join(this.#folder, META));
      const meta: unknown = JSON.parse(bytes.subarray(0, MAX_META_BYTES).toString('utf8'));
      const { lastSuccessMs, url, request } = meta as Partial<SourceMeta>;
      if (typeof lastSuccessMs !== 'number' || typeof url !== 'string') return undefined;
      const isRequest = Array.isArray(request) && request.every((each) => typeof each === 'string');
      return { lastSuccessMs, url, ...(isRequest ? { request } : {}) };
    } catch {
      return undefined;
    }
  }

  /** `key` tells lists apart that stand side by side. Rejects where the disk refuses. */
  save(key: string, der: Uint8Array): Promise<void> {
    return this.#write(fileOf(key), der);
  }

  saveMeta(meta: SourceMeta): Promise<void> {
    return this.#write(META, Buffer.from(JSON.stringify(meta)));
  }

  async remove(key: string): Promise<void> {
    await rm(path.join(this.#folder, fileOf(key)), { force: true });
  }

  async removeAll(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #write(name: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o750 });
    const temporary = path.join(this.#folder, `.${name}.new`);
    const file = await open(temporary, 'w', 0o640);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path.join(this.#folder, name));
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

/** Small buffers are pieces of a pool. */
const ownMemory = (bytes: Buffer): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);

const fileOf = (key: string): string => `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.crl`;
