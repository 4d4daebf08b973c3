/**
 * Cuts the octets of an LDAP connection into messages before anything looks inside: one piece of memory for a message,
 * however many pieces it came in, and no message longer than allowed. RFC 4511 §4.1.1, §5.1 (BER, definite lengths).
 * Pure.
 */
export class FramingError extends Error {}

const SEQUENCE = 0x30;
const MAX_LENGTH_OCTETS = 4;

export class MessageFramer {
  readonly #maxBytes: number;
  /** The start of a message whose length is not known yet. */
  #head: Buffer = Buffer.alloc(0);
  #message: Buffer | undefined;
  #filled = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The messages that are whole with this chunk. Throws FramingError only. */
  push(chunk: Buffer): Buffer[] {
    const whole: Buffer[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#message === undefined) {
        if (this.#head.length > 0) rest = Buffer.concat([this.#head, rest]);
        this.#head = Buffer.alloc(0);
        const length = lengthOf(rest);
        if (length === undefined) {
          this.#head = Buffer.from(rest);
          break;
        }
        if (length > this.#maxBytes) throw new FramingError('an answer is too long');
        if (rest.length >= length) {
          whole.push(rest.subarray(0, length));
          rest = rest.subarray(length);
          continue;
        }
        this.#message = Buffer.allocUnsafeSlow(length);
        this.#filled = 0;
      }
      const taken = rest.copy(this.#message, this.#filled);
      this.#filled += taken;
      rest = rest.subarray(taken);
      if (this.#filled === this.#message.length) {
        whole.push(this.#message);
        this.#message = undefined;
      }
    }
    return whole;
  }
}

/** Of the whole message, its head included; undefined until that can be told. */
function lengthOf(bytes: Buffer): number | undefined {
  if (bytes[0] !== SEQUENCE) throw new FramingError('malformed answer');
  const first = bytes[1];
  if (first === undefined) return undefined;
  if (first < 0x80) return 2 + first;
  const octets = first & 0x7f;
  if (octets === 0 || octets > MAX_LENGTH_OCTETS) throw new FramingError('malformed answer');
  return bytes.length < 2 + octets ? undefined : 2 + octets + bytes.readUIntBE(2, octets);
}
