/**
 * Octets to command lines. Only CRLF ends a line: a bare LF or CR makes the line faulty, never two lines of it
 * (RFC 5321 §2.3.8; what is called SMTP smuggling lives on the difference). A line that is too long is swallowed up to
 * its CRLF in bounded memory and reported once. Whatever the chunks, the lines are the same.
 * RFC 5321 §4.5.3.1.4. Pure.
 */
export type LineFault = 'too-long' | 'bare-lf' | 'bare-cr' | 'nul';
export type ReadLine =
  /** Without its CRLF. */
  { readonly kind: 'line'; readonly bytes: Buffer } | { readonly kind: 'fault'; readonly fault: LineFault };

const CR = 13;
const LF = 10;
const NO_BYTES = Buffer.alloc(0);

export class LineReader {
  /** Longest line in octets, CRLF included. May change between lines. */
  maxBytes: number;
  #buffer: Buffer = NO_BYTES;
  #start = 0;
  #end = 0;
  /** No CRLF begins before this index. */
  #scanned = 0;
  /** The memory is ours to append to; a chunk that came from outside is not. */
  #owned = false;
  /** Inside a line whose beginning was already thrown away. */
  #swallowing = false;

  constructor(maxBytes = 512) {
    this.maxBytes = maxBytes;
  }

  /** Octets that were pushed and not yet read, those of a line that is being swallowed included. */
  get buffered(): number {
    return this.#end - this.#start;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.#start === this.#end) {
      this.#adopt(chunk, false);
      return;
    }
    if (!this.#owned || this.#end + chunk.length > this.#buffer.length) {
      // Lines handed out earlier may still point into the old memory: it is left alone.
      const kept = this.#buffer.subarray(this.#start, this.#end);
      const grown = Buffer.allocUnsafe(Math.max(256, 2 * (kept.length + chunk.length)));
      kept.copy(grown);
      this.#scanned -= this.#start;
      this.#buffer = grown;
      this.#owned = true;
      this.#start = 0;
      this.#end = kept.length;
    }
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
  }

  /** The next whole line or fault; undefined until its CRLF has come. */
  next(): ReadLine | undefined {
    const end = this.#findEnd();
    if (end < 0) {
      this.#shed();
      return undefined;
    }
    const tooLong = this.#swallowing || end + 2 - this.#start > this.maxBytes;
    const bytes = this.#buffer.subarray(this.#start, end);
    this.#start = end + 2;
    this.#scanned = this.#start;
    this.#swallowing = false;
    if (tooLong) return { kind: 'fault', fault: 'too-long' };
    if (bytes.includes(LF)) return { kind: 'fault', fault: 'bare-lf' };
    if (bytes.includes(CR)) return { kind: 'fault', fault: 'bare-cr' };
    if (bytes.includes(0)) return { kind: 'fault', fault: 'nul' };
    return { kind: 'line', bytes };
  }

  /** Everything that is buffered, raw: for a change to DATA or BDAT. */
  takeRest(): Buffer {
    const rest = this.#buffer.subarray(this.#start, this.#end);
    this.discard();
    return rest;
  }

  /** Forgets everything, the state of a half-read line included. */
  discard(): void {
    this.#adopt(NO_BYTES, false);
    this.#swallowing = false;
  }

  #adopt(buffer: Buffer, owned: boolean): void {
    this.#buffer = buffer;
    this.#owned = owned;
    this.#start = 0;
    this.#end = buffer.length;
    this.#scanned = 0;
  }

  /** Index of the CR of the next CRLF, or -1. What was searched is not searched again. */
  #findEnd(): number {
    for (;;) {
      const lf = this.#scanned < this.#end ? this.#buffer.indexOf(LF, this.#scanned) : -1;
      if (lf < 0 || lf >= this.#end) {
        this.#scanned = this.#end;
        return -1;
      }
      this.#scanned = lf + 1;
      if (lf > this.#start && this.#buffer[lf - 1] === CR) return lf - 1;
    }
  }

  /** Keeps of an endless line only what may be the first half of its CRLF. */
  #shed(): void {
    if (!this.#swallowing && this.buffered <= this.maxBytes) return;
    this.#swallowing = true;
    const keepCr = this.#end > this.#start && this.#buffer[this.#end - 1] === CR;
    this.#start = keepCr ? this.#end - 1 : this.#end;
  }
}
