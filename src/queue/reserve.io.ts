/**
 * Room that is kept back in the data folder, so that on a full disk it can still be written down what became of mail: an
 * outcome that cannot be recorded keeps its message, and after a restart the message would be delivered once more. Given
 * up when that is needed; new mail waits (452) until it is there again.
 * Effects: one file of zeros, at most one attempt a second to make it.
 */
import fs from 'node:fs';

const RESERVE_BYTES = 1024 * 1024;
const TRY_EVERY_MS = 1000;

export class Reserve {
  readonly #file: string;
  #there: boolean;
  #triedMs = Number.NEGATIVE_INFINITY;

  constructor(file: string) {
    this.#file = file;
    this.#there = fs.statSync(file, { throwIfNoEntry: false })?.size === RESERVE_BYTES;
  }

  /** Whether the room is there, or could be had now. */
  ensure(): boolean {
    const nowMs = performance.now();
    if (this.#there || nowMs - this.#triedMs < TRY_EVERY_MS) return this.#there;
    this.#triedMs = nowMs;
    try {
      fs.writeFileSync(this.#file, Buffer.alloc(RESERVE_BYTES), { mode: 0o600 });
      this.#there = true;
    } catch {
      fs.rmSync(this.#file, { force: true });
    }
    return this.#there;
  }

  /** Gives the room to whoever needs it; false where there was none. */
  spend(): boolean {
    if (!this.#there) return false;
    this.#there = false;
    fs.rmSync(this.#file, { force: true });
    return true;
  }
}
