/**
 * Reads a next hop's replies: octets in, complete replies out (RFC 5321 §4.2, multi-line replies §4.2.1). The peer is
 * hostile until proven otherwise: line length, number of lines and unread octets are bounded, and what is no reply is a fault.
 * Pure: state in memory only.
 */
/** RFC 5321 §4.5.3.1.5 says 512; real hosts write longer ones. */
const MAX_LINE_BYTES = 4096;
const MAX_LINES = 128;
const MAX_BUFFERED_BYTES = 128 * 1024;
/** What is kept of a reply for logs and bounces; capability lists need all their lines. */
const MAX_TEXT_CHARACTERS = 1000;

export type PeerReply = {
  readonly code: number;
  /** Texts without the code, one per line. */
  readonly lines: readonly string[];
};

export type ReplyRead =
  | { readonly kind: 'reply'; readonly reply: PeerReply }
  | { readonly kind: 'fault'; readonly why: string };

const LINE = /^([2-5]\d\d)(?:([ -])(.*))?$/;

export class ReplyReader {
  #buffer: Buffer = Buffer.alloc(0);
  #lines: string[] = [];
  #code = 0;
  #fault: string | undefined;

  /** Octets that belong to no complete reply that was taken: must be 0 after the 220 to STARTTLS (RFC 3207 §4.2). */
  get unread(): number {
    return this.#buffer.length + this.#lines.length;
  }

  push(chunk: Uint8Array): void {
    if (this.#fault !== undefined) return;
    this.#buffer = this.#buffer.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#buffer, chunk]);
    if (this.#buffer.length > MAX_BUFFERED_BYTES) this.#fail('the host sends more than was asked for');
  }

  /** The next complete reply; undefined = more octets are needed. After a fault nothing else comes. */
  next(): ReplyRead | undefined {
    for (;;) {
      if (this.#fault !== undefined) return { kind: 'fault', why: this.#fault };
      const end = this.#buffer.indexOf(0x0a);
      if (end < 0 && this.#buffer.length <= MAX_LINE_BYTES) return undefined;
      if (end < 0 || end > MAX_LINE_BYTES) {
        this.#fail('a reply line is too long');
        continue;
      }
      const line = this.#buffer.toString('utf8', 0, this.#buffer[end - 1] === 0x0d ? end - 1 : end);
      this.#buffer = this.#buffer.subarray(end + 1);
      const reply = this.#take(line);
      if (reply !== undefined) return { kind: 'reply', reply };
    }
  }

  #take(line: string): PeerReply | undefined {
    const match = LINE.exec(line);
    const code = Number(match?.[1]);
    if (match === null) this.#fail('the host did not answer with an SMTP reply');
    else if (this.#lines.length > 0 && code !== this.#code) this.#fail('the lines of a reply have different codes');
    else if (this.#lines.length >= MAX_LINES) this.#fail('a reply has too many lines');
    else {
      this.#code = code;
      this.#lines.push((match[3] ?? '').slice(0, MAX_TEXT_CHARACTERS));
      if (match[2] !== '-') {
        const reply = { code, lines: this.#lines };
        this.#lines = [];
        return reply;
      }
    }
    return undefined;
  }

  #fail(why: string): void {
    this.#fault = why;
    this.#buffer = Buffer.alloc(0);
    this.#lines = [];
  }
}

/** `550 5.1.1 no such user`, all lines joined, as logs and bounces show it; not yet made printable. */
export function textOfReply(reply: PeerReply): string {
  return `${reply.code} ${reply.lines.join(' ').slice(0, MAX_TEXT_CHARACTERS)}`.trim();
}

/** RFC 2034 §4: the status that the reply itself carries, where its class fits the code. */
export function statusOfReply(reply: PeerReply): string | undefined {
  const match = /^([245])\.(\d{1,3})\.(\d{1,3})(?:\s|$)/.exec(reply.lines[0] ?? '');
  return match?.[1] === String(Math.trunc(reply.code / 100)) ? `${match[1]}.${match[2]}.${match[3]}` : undefined;
}
