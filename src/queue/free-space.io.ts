/**
 * Whether the data folder has room for new mail. Below the limit new mail gets 452 4.3.1, while what is queued can
 * still be delivered: that needs a little space too, and frees more.
 * Effects: statfs, at most once a second.
 */
import fs from 'node:fs';
import { GatewayError } from '../core/errors.ts';

const ASK_EVERY_MS = 1000;

export class FreeSpace {
  readonly #folder: string;
  minFreeBytes: number;
  #askedMs = Number.NEGATIVE_INFINITY;
  #freeBytes = 0;

  constructor(folder: string, minFreeBytes: number) {
    this.#folder = folder;
    this.minFreeBytes = minFreeBytes;
  }

  /** Throws GatewayError `storage-full`. */
  check(): void {
    const nowMs = performance.now();
    if (nowMs - this.#askedMs >= ASK_EVERY_MS) {
      const { bavail, bsize } = fs.statfsSync(this.#folder);
      this.#freeBytes = bavail * bsize;
      this.#askedMs = nowMs;
    }
    if (this.#freeBytes >= this.minFreeBytes) return;
    const text = `${this.#freeBytes} bytes are free in ${this.#folder}, less than the ${this.minFreeBytes} of system.minFreeSpace`;
    throw new GatewayError('storage-full', text);
  }
}
