/**
 * Text as it goes over the wire: a dot at the start of a line is doubled, and a dot on a line of its own ends it
 * (RFC 5321 §4.5.2). Works on whole chunks; a chunk without such a dot passes through untouched.
 * A dot after a bare LF is doubled too, so that no host with lax line ends sees an end of data inside the text.
 * Pure: state in memory only.
 */
const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
const DOT_BYTES = Buffer.of(DOT);
const LF_DOT = Buffer.from('\n.');

/** One message, chunk by chunk; a new one for each message. */
export class DotStuffer {
  #previous = LF;
  #beforePrevious = CR;

  stuff(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk;
    const parts: Buffer[] = [];
    let from = 0;
    if (this.#previous === LF && chunk[0] === DOT) parts.push(DOT_BYTES);
    for (let at = chunk.indexOf(LF_DOT); at >= 0; at = chunk.indexOf(LF_DOT, at + 2)) {
      parts.push(chunk.subarray(from, at + 2), DOT_BYTES);
      from = at + 2;
    }
    this.#beforePrevious = (chunk.length > 1 ? chunk[chunk.length - 2] : this.#previous) ?? 0;
    this.#previous = chunk[chunk.length - 1] ?? 0;
    if (parts.length === 0) return chunk;
    parts.push(chunk.subarray(from));
    return Buffer.concat(parts);
  }

  /** What ends the text: a line end too where the text has none. */
  end(): Buffer {
    return Buffer.from(this.#previous === LF && this.#beforePrevious === CR ? '.\r\n' : '\r\n.\r\n');
  }
}
