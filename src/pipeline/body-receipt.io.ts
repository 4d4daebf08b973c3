/**
 * Where the octets of a message go while it arrives: into memory up to 64 KiB, from there into a spool file, so that a
 * message of any size passes in bounded memory. The head stays at hand for the checks on header fields.
 * Effects: the spool folder.
 */
import type { Mid } from '../core/ids.ts';
import type { Body } from '../core/ports.ts';
import { openSpoolWriter, type SpoolWriter } from '../queue/spool.io.ts';

const INLINE_BYTES = 64 * 1024;

export class BodyReceipt {
  readonly #spoolDir: string;
  readonly #mid: Mid;
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;
  #spool: SpoolWriter | undefined;
  #head: Buffer | undefined;

  /** `top`: the field that the gateway puts above everything. */
  constructor(spoolDir: string, mid: Mid, top: Uint8Array | undefined) {
    this.#spoolDir = spoolDir;
    this.#mid = mid;
    if (top === undefined) return;
    this.#parts.push(top);
    this.#bytes = top.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Rejects with GatewayError `storage-full` or `storage`. */
  async write(slices: readonly Uint8Array[]): Promise<void> {
    for (const slice of slices) this.#bytes += slice.length;
    if (this.#spool !== undefined) return this.#spool.write(slices);
    this.#parts.push(...slices);
    if (this.#bytes <= INLINE_BYTES) return;
    this.#head = Buffer.concat(this.#parts).subarray(0, INLINE_BYTES);
    this.#spool = await openSpoolWriter(this.#spoolDir, this.#mid);
    await this.#spool.write(this.#parts);
    this.#parts.length = 0;
  }

  /** The first 64 KiB of the message: the whole header of any reasonable one. */
  head(): Buffer {
    this.#head ??= Buffer.concat(this.#parts);
    return this.#head;
  }

  /** The body, on stable storage already where it is a spool file. */
  async finish(): Promise<Body> {
    if (this.#spool !== undefined) return { kind: 'spooled', ...(await this.#spool.commit()) };
    // A copy of its own: the queue takes the memory over.
    return { kind: 'inline', bytes: new Uint8Array(this.head()) };
  }

  /** Forgets everything; a spool file is removed. */
  async abort(): Promise<void> {
    await this.#spool?.abort();
  }
}
