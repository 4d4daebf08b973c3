/**
 * The octets after DATA to the octets of the message: finds the end and takes the dots of transparency away. Only
 * CRLF.CRLF ends a message, and a faulty one is read to that very end: to stop earlier would let the rest be taken for
 * commands (SMTP smuggling). Whatever the chunks, the message is the same. RFC 5321 §4.1.1.4, §4.5.2.
 *
 * Between two chunks the reader stands in one of five places: at the start of a line; within a line; after a CR; after a
 * dot that opened a line (held back); after such a dot and a CR (both held back). Pure.
 */
import { type MessageFault, type MessageLimits, MessageOctets } from './message-octets.ts';

const CR = 13;
const LF = 10;
const DOT = 46;
const CR_ALONE = Buffer.from('\r');
const LF_ALONE = Buffer.from('\n');
const END = '\r\n.\r\n';
const STUFFED = '\r\n.';

type Place = 'line-start' | 'in-line' | 'after-cr' | 'dot' | 'dot-cr';

export class DotReader {
  readonly #octets: MessageOctets;
  #place: Place = 'line-start';
  #done = false;

  constructor(limits: MessageLimits) {
    this.#octets = new MessageOctets(limits);
  }

  /** The end has been read. */
  get done(): boolean {
    return this.#done;
  }
  /** The first thing that was wrong. Reading goes on; nothing is gathered any more. */
  get fault(): MessageFault | undefined {
    return this.#octets.fault;
  }
  get bytes(): number {
    return this.#octets.bytes;
  }
  take(): Buffer[] {
    return this.#octets.take();
  }

  /** Octets of the chunk that belong to the message or its end; fewer than all only when `done`. */
  push(chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length && !this.#done) {
      at = this.#place === 'in-line' ? this.#region(chunk, at) : this.#step(chunk[at] ?? 0, at);
    }
    return at;
  }

  /** The octet after a border. Where it changes only the place, it is looked at again there. */
  #step(octet: number, at: number): number {
    switch (this.#place) {
      case 'line-start':
        return octet === DOT ? this.#go('dot', at + 1) : this.#go('in-line', at);
      case 'after-cr':
        if (octet !== LF) return this.#go('in-line', at);
        this.#octets.add(LF_ALONE);
        return this.#go('line-start', at + 1);
      case 'dot':
        return octet === CR ? this.#go('dot-cr', at + 1) : this.#go('in-line', at);
      case 'dot-cr':
        if (octet !== LF) {
          this.#octets.add(CR_ALONE);
          return this.#go('after-cr', at);
        }
        this.#done = true;
        return at + 1;
      case 'in-line':
        return at;
    }
  }

  #go(place: Place, at: number): number {
    this.#place = place;
    return at;
  }

  /** From within a line to the end of the message or of the chunk. */
  #region(chunk: Buffer, at: number): number {
    // The end is a dot at the start of a line too: where there is none, one search has told all.
    const dot = chunk.indexOf(STUFFED, at, 'latin1');
    const end = dot < 0 ? -1 : chunk.indexOf(END, dot, 'latin1');
    if (end >= 0) {
      this.#content(chunk.subarray(at, end + 2), dot < end);
      this.#done = true;
      return end + END.length;
    }
    const { place, held } = placeAtEnd(chunk, at);
    this.#content(chunk.subarray(at, chunk.length - held), dot >= 0);
    return this.#go(place, chunk.length);
  }

  #content(octets: Buffer, stuffed: boolean): void {
    if (this.#octets.fault !== undefined) return;
    this.#octets.add(stuffed ? Buffer.from(octets.toString('latin1').replaceAll(STUFFED, '\r\n'), 'latin1') : octets);
  }
}

/** Where a region that runs to the end of the chunk leaves off, and how many octets it holds back. */
function placeAtEnd(chunk: Buffer, at: number): { place: Place; held: number } {
  const tail = chunk.toString('latin1', Math.max(at, chunk.length - 4));
  if (tail.endsWith('\r\n.\r')) return { place: 'dot-cr', held: 2 };
  if (tail.endsWith('\r\n.')) return { place: 'dot', held: 1 };
  if (tail.endsWith('\r\n')) return { place: 'line-start', held: 0 };
  return { place: tail.endsWith('\r') ? 'after-cr' : 'in-line', held: 0 };
}
