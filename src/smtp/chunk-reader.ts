/**
 * The octets of BDAT chunks to the octets of the message: no dots, no end mark, the same rules as after DATA otherwise.
 * A message whose last line has no CRLF gets one, for a next hop that is spoken to with DATA knows no other. RFC 3030 §2.
 * Pure.
 */
import { type MessageFault, type MessageLimits, MessageOctets } from './message-octets.ts';

export class ChunkReader {
  readonly #octets: MessageOctets;

  constructor(limits: MessageLimits) {
    this.#octets = new MessageOctets(limits);
  }

  get fault(): MessageFault | undefined {
    return this.#octets.fault;
  }
  get bytes(): number {
    return this.#octets.bytes;
  }
  take(): Buffer[] {
    return this.#octets.take();
  }

  push(octets: Buffer): void {
    this.#octets.add(octets);
  }

  /** After the last octet of the last chunk. */
  end(): void {
    this.#octets.end();
  }
}
