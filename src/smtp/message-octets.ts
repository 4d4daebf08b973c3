/**
 * What is true of a message's octets whichever way they come, after DATA or in BDAT chunks: no NUL, CR and LF only as
 * CRLF, no more octets than allowed. One place, so that one door is not laxer than the other. The first fault stays;
 * from then on nothing is gathered. Regions are searched natively, never octet by octet.
 * AsyncOS "Clean messages of bare CR and LF". RFC 5321 §2.3.8, §4.5.2, RFC 1870 §3. Pure.
 */
export type MessageFault = 'bare' | 'too-big' | 'nul' | 'line-too-long';

export type MessageLimits = {
  /** Largest message in octets, CRLFs included (RFC 1870 §3). */
  readonly maxBytes: number;
  /** `clean`: a bare CR or LF becomes CRLF. */
  readonly bareLineEnds: 'reject' | 'clean';
  readonly maxLineBytes?: number;
};

/**
 * Deviates: RFC 5321 §4.5.3.1.6 allows a line 1000 octets, but messages with longer ones exist and are relayed by all;
 * nothing here depends on the length, so that only the absurd is refused.
 */
const MAX_MESSAGE_LINE_BYTES = 1024 * 1024;

const CR = 13;
const LF = 10;
const CR_ALONE = Buffer.from('\r');
const CRLF = Buffer.from('\r\n');
const BARE = /\r(?!\n)|(?<!\r)\n/;
const EVERY_BARE = /\r(?!\n)|(?<!\r)\n/g;

export class MessageOctets {
  readonly #maxBytes: number;
  readonly #maxLineBytes: number;
  readonly #clean: boolean;
  #slices: Buffer[] = [];
  #bytes = 0;
  #lineBytes = 0;
  /** A CR at the end of what has come waits for its LF. */
  #heldCr = false;
  #fault: MessageFault | undefined;

  constructor({ maxBytes, bareLineEnds, maxLineBytes = MAX_MESSAGE_LINE_BYTES }: MessageLimits) {
    this.#maxBytes = maxBytes;
    this.#maxLineBytes = maxLineBytes;
    this.#clean = bareLineEnds === 'clean';
  }

  get fault(): MessageFault | undefined {
    return this.#fault;
  }
  /** Octets of the message so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What was gathered since the last call, in order. The slices may share memory with what was added. */
  take(): Buffer[] {
    const slices = this.#slices;
    this.#slices = [];
    return slices;
  }

  add(octets: Buffer): void {
    if (octets.length === 0 || this.#fault !== undefined) return;
    const all = this.#heldCr ? Buffer.concat([CR_ALONE, octets]) : octets;
    this.#heldCr = all[all.length - 1] === CR;
    this.#judge(this.#heldCr ? all.subarray(0, all.length - 1) : all);
  }

  /** After the last octet: a CR that waited has no LF, and a last line without its end gets one. */
  end(): void {
    const bare = this.#heldCr;
    this.#heldCr = false;
    if (bare) this.#judge(CR_ALONE);
    if (this.#fault === undefined && this.#lineBytes > 0) this.#gather(CRLF);
  }

  #judge(octets: Buffer): void {
    if (octets.includes(0)) return this.#fail('nul');
    const text = octets.toString('latin1');
    if (!BARE.test(text)) return this.#gather(octets);
    return this.#clean ? this.#gather(Buffer.from(text.replace(EVERY_BARE, '\r\n'), 'latin1')) : this.#fail('bare');
  }

  #gather(octets: Buffer): void {
    if (octets.length === 0) return;
    this.#bytes += octets.length;
    if (this.#bytes > this.#maxBytes) this.#fail('too-big');
    else if (!this.#linesFit(octets)) this.#fail('line-too-long');
    else this.#slices.push(octets);
  }

  /** A line in the middle can be too long only in a piece that is longer than a line may be. */
  #linesFit(octets: Buffer): boolean {
    const long = octets.length > this.#maxLineBytes;
    let start = 0;
    for (let lf = octets.indexOf(LF); lf >= 0; lf = long ? octets.indexOf(LF, start) : -1) {
      if (this.#lineBytes + lf + 1 - start > this.#maxLineBytes) return false;
      this.#lineBytes = 0;
      start = lf + 1;
    }
    if (start > 0) start = octets.lastIndexOf(LF) + 1;
    this.#lineBytes += octets.length - start;
    return this.#lineBytes <= this.#maxLineBytes;
  }

  #fail(fault: MessageFault): void {
    this.#fault = fault;
    this.#slices = [];
  }
}
