/**
 * Where the octets of a message go while it arrives: into memory up to 64 KiB, from there into a spool file, so that a
 * message of any size passes in bounded memory. The head stays at hand for the log, and the hops are counted.
 * Effects: the spool folder.
 */
import { HopCounter } from '../content/hops.ts';
import type { Mid } from '../core/ids.ts';
import type { Body } from '../core/ports.ts';
import { openSpoolWriter, type SpoolWriter } from '../queue/spool.io.ts';

const INLINE_BYTES = 64 * 1024;
/** A spool file grows by pieces of this size, because each write is a trip through the thread pool. */
const PIECE_BYTES = 256 * 1024;

export class BodyReceipt {
  readonly #spoolDir: string;
  readonly #mid: Mid;
  /** Octets that are not in the spool file, and how many. */
  #parts: Uint8Array[] = [];
  #unwritten = 0;
  #bytes = 0;
  #spool: SpoolWriter | undefined;
  #head: Buffer | undefined;
  readonly #hops = new HopCounter();

  /** `top`: the field that the gateway puts above everything. */
  constructor(spoolDir: string, mid: Mid, top: Uint8Array | undefined) {
    this.#spoolDir = spoolDir;
    this.#mid = mid;
    if (top === undefined) return;
    this.#hops.push(top);
    this.#parts.push(top);
    this.#bytes = top.length;
    this.#unwritten = top.length;
  }

  get bytes(): number {
    return this.#bytes;
  }
  get hops(): number {
    return this.#hops.hops;
  }

  /** Rejects with GatewayError `storage-full` or `storage`. */
  async write(slices: readonly Uint8Array[]): Promise<void> {
    this.#parts.push(...slices);
    for (const slice of slices) {
      this.#hops.push(slice);
      this.#bytes += slice.length;
      this.#unwritten += slice.length;
    }
    if (this.#spool === undefined && this.#bytes > INLINE_BYTES) {
      this.#head = Buffer.concat(this.#parts).subarray(0, INLINE_BYTES);
      this.#spool = await openSpoolWriter(this.#spoolDir, this.#mid);
    }
    if (this.#spool !== undefined && this.#unwritten >= PIECE_BYTES) await this.#writeTo(this.#spool);
  }

  #writeTo(spool: SpoolWriter): Promise<void> {
    const parts = this.#parts;
    this.#parts = [];
    this.#unwritten = 0;
    return spool.write(parts);
  }

  /** The first 64 KiB of the message: the whole header of any reasonable one. */
  head(): Buffer {
    this.#head ??= Buffer.concat(this.#parts);
    return this.#head;
  }

  /** The body, on stable storage already where it is a spool file. */
  async finish(): Promise<Body> {
    if (this.#spool !== undefined) {
      await this.#writeTo(this.#spool);
      return { kind: 'spooled', ...(await this.#spool.commit()) };
    }
    // A copy of its own: the queue takes the memory over.
    return { kind: 'inline', bytes: new Uint8Array(this.head()) };
  }

  /** Forgets everything; a spool file is removed. */
  async abort(): Promise<void> {
    await this.#spool?.abort();
  }
}
