/**
 * One side of an SMTP connection as the walk sees it: read a line, read message octets, answer. Replies are gathered
 * and leave in one write when the walk waits for more input, so that a pipelined group is answered at once (RFC 2920 §3.2).
 * Input that arrives while the walk is busy stays bounded: the socket is paused. Dead lines are kept by `WireClock`,
 * one sweep for all connections of a thread instead of a timer each.
 * Effects: a socket (TCP or TLS).
 */
import type { Socket } from 'node:net';
import { type Reply, renderReply } from '../core/reply.ts';
import { LineReader } from './line-reader.ts';

const PAUSE_ABOVE_BYTES = 128 * 1024;
const MAX_UNREAD_REPLY_BYTES = 256 * 1024;

export type LineRead =
  | { readonly kind: 'line'; readonly bytes: Buffer }
  | { readonly kind: 'fault'; readonly fault: 'too-long' | 'bare-lf' | 'bare-cr' | 'nul' }
  | WireEnd;
export type OctetsRead = { readonly kind: 'octets'; readonly bytes: Buffer } | WireEnd;
/** timeout: the dead line passed; stopped: the gateway is shutting down; closed: the peer went away. */
export type WireEnd = { readonly kind: 'timeout' } | { readonly kind: 'stopped' } | { readonly kind: 'closed' };

const TIMEOUT: WireEnd = { kind: 'timeout' };
const STOPPED: WireEnd = { kind: 'stopped' };
const CLOSED: WireEnd = { kind: 'closed' };

/** The dead lines of all wires of a thread. `now` is monotonic milliseconds. */
export class WireClock {
  readonly #wires = new Set<Wire>();
  readonly #timer: NodeJS.Timeout;

  constructor(sweepMs = 250) {
    this.#timer = setInterval(() => this.#sweep(), sweepMs);
    this.#timer.unref();
  }
  get now(): number {
    return performance.now();
  }
  add(wire: Wire): void {
    this.#wires.add(wire);
  }
  delete(wire: Wire): void {
    this.#wires.delete(wire);
  }
  /** Ends every read that waits for the next transaction now, and every later one. */
  stopIdle(): void {
    for (const wire of this.#wires) wire.stopWhenIdle();
  }
  /** Ends every read now, whatever it waits for, and every later one. */
  stopAll(): void {
    for (const wire of this.#wires) wire.stop();
  }
  close(): void {
    clearInterval(this.#timer);
  }
  #sweep(): void {
    const now = this.now;
    for (const wire of this.#wires) wire.expire(now);
  }
}

export class Wire {
  #socket: Socket;
  readonly #clock: WireClock;
  #lines = new LineReader();
  #output = '';
  #waiting: ((end: WireEnd | undefined) => void) | undefined;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #paused = false;
  #closed = false;
  /** The peer has finished sending; it may still read (a client that pipes its commands in). */
  #ended = false;
  #stopping = false;
  readonly #onData = (chunk: Buffer): void => this.#arrived(chunk);
  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake(undefined);
  };
  readonly #onClose = (): void => this.#gone();

  constructor(socket: Socket, clock: WireClock) {
    this.#socket = socket;
    this.#clock = clock;
    clock.add(this);
    this.#attach(socket);
  }

  get socket(): Socket {
    return this.#socket;
  }
  get closed(): boolean {
    return this.#closed;
  }
  /** Octets that the peer has sent and nobody has read: must be 0 before STARTTLS is answered (RFC 3207 §4.2). */
  get unread(): number {
    return this.#lines.buffered;
  }

  /** The next line, at most until `timeoutMs` from now. `idle`: a graceful stop ends the wait. */
  async readLine(maxBytes: number, timeoutMs: number, idle: boolean): Promise<LineRead> {
    this.#lines.maxBytes = maxBytes;
    const deadlineMs = this.#clock.now + timeoutMs; // for the whole line: a peer that drips octets gains no time
    for (;;) {
      const line = this.#lines.next();
      if (line !== undefined) return line;
      const end = await this.#more(deadlineMs, idle);
      if (end !== undefined) return end;
    }
  }

  /** Whatever octets have arrived, for DATA and BDAT. */
  async readOctets(timeoutMs: number): Promise<OctetsRead> {
    const deadlineMs = this.#clock.now + timeoutMs;
    for (;;) {
      const bytes = this.#lines.takeRest();
      if (bytes.length > 0) return { kind: 'octets', bytes };
      const end = await this.#more(deadlineMs, false);
      if (end !== undefined) return end;
    }
  }

  /** Gives back octets that `readOctets` delivered and that belong to what follows. */
  unreadOctets(bytes: Buffer): void {
    if (bytes.length === 0) return;
    const later = this.#lines.takeRest();
    this.#lines.push(bytes);
    if (later.length > 0) this.#lines.push(later);
  }

  reply(reply: Reply): void {
    this.#output += renderReply(reply);
  }

  flush(): void {
    if (this.#output === '') return;
    const text = this.#output;
    this.#output = '';
    if (!this.#closed && this.#socket.writable) this.#socket.write(text);
  }

  /**
   * Hands the plain socket over for a TLS handshake. What the peer has sent already is the beginning of it, on an
   * implicit-TLS address while its name is looked up; behind STARTTLS there is nothing (`unread`).
   */
  detach(): Socket {
    this.flush();
    this.#socket.pause();
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    const early = this.#lines.takeRest();
    if (early.length > 0 && !this.#socket.readableEnded) this.#socket.unshift(early);
    return this.#socket;
  }

  /** Goes on over the TLS socket that took over the plain one. */
  upgrade(secured: Socket): void {
    this.#socket.off('close', this.#onClose);
    this.#socket = secured;
    this.#lines = new LineReader();
    this.#paused = false;
    this.#attach(secured);
  }

  /** Sends what is pending, then closes; the peer gets two seconds to read the last reply. */
  end(): void {
    if (this.#closed) return;
    this.flush();
    this.#socket.end();
    // Unread input would turn the close into a reset that destroys the last reply in flight.
    this.#socket.off('data', this.#onData);
    this.#socket.resume();
    this.#deadlineMs = this.#clock.now + 2000;
    this.#waiting = (end) => {
      if (end !== undefined) this.destroy();
    };
  }

  destroy(): void {
    this.#socket.destroy();
    this.#gone();
  }

  /** Connection refused at TCP level: the peer sees a reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
    this.#gone();
  }

  expire(now: number): void {
    if (now < this.#deadlineMs) return;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    this.#wake(TIMEOUT);
  }

  stopWhenIdle(): void {
    this.#stopping = true;
    if (this.#idle) this.#wake(STOPPED);
  }
  #idle = false;

  stop(): void {
    this.#stopped = true;
    this.#wake(STOPPED);
  }
  #stopped = false;

  async #more(deadlineMs: number, idle: boolean): Promise<WireEnd | undefined> {
    this.flush();
    if (this.#closed || this.#ended) return CLOSED;
    if (this.#stopped || (idle && this.#stopping)) return STOPPED;
    if (this.#socket.writableLength > MAX_UNREAD_REPLY_BYTES) {
      this.destroy(); // it sends commands and never reads the answers
      return CLOSED;
    }
    if (this.#paused) {
      this.#paused = false;
      this.#socket.resume();
    }
    this.#deadlineMs = deadlineMs;
    this.#idle = idle;
    const end = await new Promise<WireEnd | undefined>((resolve) => {
      this.#waiting = resolve;
    });
    this.#idle = false;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    return end;
  }

  #attach(socket: Socket): void {
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    // A reset by the peer is an ordinary end; 'close' follows.
    socket.on('error', () => undefined);
    if (socket.destroyed) this.#gone();
  }

  #arrived(chunk: Buffer): void {
    this.#lines.push(chunk);
    if (this.#lines.buffered > PAUSE_ABOVE_BYTES && this.#waiting === undefined) {
      this.#paused = true;
      this.#socket.pause();
    }
    this.#wake(undefined);
  }

  #wake(end: WireEnd | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(end);
  }

  #gone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#clock.delete(this);
    this.#wake(CLOSED);
  }
}
