/**
 * Bodies that are too large for the database, as files of the spool folder. A body is written while it arrives, under
 * a temporary name; `commit` flushes the file, gives it its name and flushes the folder, so that the queue may refer to
 * it. Files without a message are removed when the store opens.
 * Effects: the spool folder.
 */
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { GatewayError } from '../core/errors.ts';
import type { Mid } from '../core/ids.ts';
import { storageFailure } from './store-failure.ts';

/** Writers that one thread may have open: more than a listener's sessions, less than the limit on open files. */
const MAX_OPEN_WRITERS = 4096;
const SPOOL_NAME = /^\d{1,16}\.eml$/;
const TEMPORARY_NAME = /^\d{1,16}\.eml\.tmp$/;

export type SpoolWriter = {
  /**
   * Appends; resolves when the system has the bytes, so awaiting it is the back-pressure. The slices must stay as
   * they are until then. Rejects with GatewayError `storage-full` or `storage`; the file is gone then.
   */
  write(slices: readonly Uint8Array[]): Promise<void>;
  /** Resolves when file and name are on stable storage. Rejects like `write`. */
  commit(): Promise<{ readonly file: string; readonly size: number }>;
  /** Removes what was written. Never rejects; does nothing after `commit`, from where on the file is the queue's. */
  abort(): Promise<void>;
};

let openWriters = 0;

/** Rejects with GatewayError `storage-full` or `storage`. */
export async function openSpoolWriter(dir: string, mid: Mid): Promise<SpoolWriter> {
  if (openWriters >= MAX_OPEN_WRITERS)
    throw new GatewayError('storage', 'too many large messages are arriving at once');
  openWriters++;
  const temporary = path.join(dir, `${spoolName(mid)}.tmp`);
  try {
    return new FileWriter(await open(temporary, 'wx', 0o600), temporary);
  } catch (error) {
    openWriters--;
    throw storageFailure(error, `cannot spool MID ${mid}`);
  }
}

class FileWriter implements SpoolWriter {
  readonly #handle: FileHandle;
  readonly #temporary: string;
  #size = 0;
  #ended = false;

  constructor(handle: FileHandle, temporary: string) {
    this.#handle = handle;
    this.#temporary = temporary;
  }

  async write(slices: readonly Uint8Array[]): Promise<void> {
    this.#mustBeOpen();
    let rest = slices.filter((slice) => slice.byteLength > 0);
    let position = this.#size;
    for (const slice of rest) this.#size += slice.byteLength;
    try {
      while (rest.length > 0) {
        const { bytesWritten } = await this.#handle.writev(rest, position);
        position += bytesWritten;
        rest = dropBytes(rest, bytesWritten);
      }
    } catch (error) {
      await this.abort();
      throw storageFailure(error, 'cannot write to the spool folder');
    }
  }

  async commit(): Promise<{ file: string; size: number }> {
    this.#mustBeOpen();
    const final = this.#temporary.slice(0, -'.tmp'.length);
    try {
      await this.#handle.sync();
      await rename(this.#temporary, final);
      await syncFolder(path.dirname(final));
    } catch (error) {
      await this.abort();
      // The name may have changed already.
      await unlink(final).catch(ignoreMissing);
      throw storageFailure(error, 'cannot flush the spool folder');
    }
    await this.#end();
    return { file: path.basename(final), size: this.#size };
  }

  async abort(): Promise<void> {
    if (this.#ended) return;
    await this.#end();
    await unlink(this.#temporary).catch(ignoreMissing);
  }

  async #end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    openWriters--;
    await this.#handle.close().catch(ignoreMissing);
  }

  #mustBeOpen(): void {
    if (this.#ended) throw new GatewayError('closed', 'the spool file is closed');
  }
}

/** Where a spool file is. A name that is not one of ours could lead out of the folder, and throws. */
export function spoolPath(dir: string, file: string): string {
  if (!isSpoolName(file)) throw new GatewayError('storage', 'not the name of a spool file');
  return path.join(dir, file);
}

const spoolName = (mid: number): string => `${mid}.eml`;
export const isSpoolName = (file: string): boolean => SPOOL_NAME.test(file);
export const isTemporarySpoolName = (file: string): boolean => TEMPORARY_NAME.test(file);

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function dropBytes(slices: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  let first = 0;
  while (first < slices.length && left >= (slices[first]?.byteLength ?? 0)) left -= slices[first++]?.byteLength ?? 0;
  const rest = slices.slice(first);
  if (rest[0] !== undefined && left > 0) rest[0] = rest[0].subarray(left);
  return rest;
}

/** Cleaning up after a failure is best effort: what stays behind is removed when the store opens again. */
const ignoreMissing = (): void => {};
