/**
 * How many hosts a message has passed, by its Received fields (RFC 5321 §6.3), counted while it arrives: the header is
 * looked at to its end however long it is, because signatures and seals (DKIM, ARC) of a loop grow with every round and
 * would push the fields that tell of it out of any window. Pure.
 */

/** RFC 5321 §6.3 asks for at least 100. Our own Received field counts as one. */
export const MAX_HOPS = 100;

const RECEIVED = /^received[ \t]*:/i;
/** Of a line no more is kept than what says that it begins the field. */
const KEPT_CHARACTERS = 64;
const EMPTY_LINE = '\r';

export class HopCounter {
  #hops = 0;
  /** The line that has begun, without its LF. */
  #line = '';
  #over = false;

  /** Of the header as far as it has come. */
  get hops(): number {
    return this.#hops;
  }

  /** The next octets of the message, whose lines end with CRLF. */
  push(octets: Uint8Array): void {
    if (this.#over) return;
    // Latin 1: one character is one octet, and no exotic separator counts as a line end.
    const text = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('latin1');
    for (let at = 0; !this.#over; ) {
      const end = text.indexOf('\n', at);
      const room = KEPT_CHARACTERS - this.#line.length;
      this.#line += text.slice(at, Math.min(end < 0 ? text.length : end, at + room));
      if (end < 0) return;
      if (RECEIVED.test(this.#line)) this.#hops += 1;
      this.#over = this.#line === EMPTY_LINE;
      this.#line = '';
      at = end + 1;
    }
  }
}

export function hopsOf(message: Uint8Array): number {
  const counter = new HopCounter();
  counter.push(message);
  return counter.hops;
}
