/**
 * The connection to a next hop, below SMTP: connect, write with back-pressure, read replies, go over to TLS. Everything
 * has a time limit, and the whole channel has one per attempt, so that a host that drips octets cannot hold it for ever.
 * Nothing throws: what goes wrong is an answer with a word for `outcome.ts`.
 * Effects: a TCP or TLS socket, timers.
 */
import net, { type Socket } from 'node:net';
import tls, { type SecureContext, type TLSSocket } from 'node:tls';
import { isIp } from '../core/network.ts';
import type { HopAddress } from './mx.ts';
import type { Failure } from './outcome.ts';
import { type PeerReply, ReplyReader } from './reply-reader.ts';

export type ChannelFailure = { readonly kind: 'failure'; readonly failure: Failure; readonly why: string };
export type ChannelReply = { readonly kind: 'reply'; readonly reply: PeerReply };

const failed = (failure: Failure, why: string): ChannelFailure => ({ kind: 'failure', failure, why });

/** All connections, so that a stop can end them at once, and those that would still be opened. */
export class OpenChannels {
  readonly #channels = new Set<PeerChannel>();
  #stopped = false;

  add(channel: PeerChannel): void {
    if (this.#stopped) channel.destroy(failed('stopped', 'the gateway is stopping'));
    else this.#channels.add(channel);
  }
  delete(channel: PeerChannel): void {
    this.#channels.delete(channel);
  }
  stop(): void {
    this.#stopped = true;
    for (const channel of this.#channels) channel.destroy(failed('stopped', 'the gateway is stopping'));
  }
}

export class PeerChannel {
  #socket: Socket;
  #reader = new ReplyReader();
  readonly #open: OpenChannels;
  #end: ChannelFailure | undefined;
  #wake: (() => void) | undefined;
  #drained = true;
  #limitMs = Number.POSITIVE_INFINITY;
  readonly #onData = (chunk: Buffer): void => {
    this.#reader.push(chunk);
    this.#wake?.();
  };

  private constructor(socket: Socket, open: OpenChannels) {
    this.#socket = socket;
    this.#open = open;
    this.#attach(socket);
    open.add(this);
  }

  static async connect(to: HopAddress, timeoutMs: number, open: OpenChannels): Promise<PeerChannel | ChannelFailure> {
    const socket = net.connect({ host: to.address, port: to.port, noDelay: true });
    const channel = new PeerChannel(socket, open);
    const connected = new Promise<true>((resolve) => socket.once('connect', () => resolve(true)));
    const result = await channel.#within(timeoutMs, connected);
    if (result === true) return channel;
    channel.destroy(result);
    return result.failure === 'closed' ? failed('refused', result.why) : result;
  }

  get localAddress(): string {
    return this.#socket.localAddress ?? '';
  }
  /** Octets that came in and that nobody has taken. */
  get unread(): number {
    return this.#reader.unread;
  }
  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** From now on, everything together may take this long. */
  limit(limitMs: number): void {
    this.#limitMs = performance.now() + limitMs;
  }

  /** Resolves at once while the peer keeps up, otherwise when it has caught up; undefined = written. */
  async write(data: string | Uint8Array, timeoutMs: number): Promise<ChannelFailure | undefined> {
    if (this.#end !== undefined) return this.#end;
    this.#drained = this.#socket.write(data);
    if (this.#drained) return undefined;
    return this.#until(timeoutMs, () => (this.#drained ? null : undefined)).then((result) => result ?? undefined);
  }

  async readReply(timeoutMs: number): Promise<ChannelReply | ChannelFailure> {
    const read = await this.#until(timeoutMs, () => this.#reader.next());
    if (read.kind !== 'fault') return read;
    const fault = failed('protocol', read.why);
    this.destroy(fault);
    return fault;
  }

  /** A reply that is already here, without waiting. */
  pendingReply(): PeerReply | undefined {
    const read = this.#reader.next();
    return read?.kind === 'reply' ? read.reply : undefined;
  }

  /** Waits until the peer says something it was not asked for, or is gone; false when the time is over first. */
  async disturbed(timeoutMs: number, wakeWhen: Promise<void>): Promise<boolean> {
    if (this.ended || this.#reader.unread > 0) return true;
    let woken = false;
    void wakeWhen.then(() => {
      woken = true;
      this.#wake?.();
    });
    await this.#until(timeoutMs, () => (woken || this.#reader.unread > 0 ? null : undefined));
    return this.#reader.unread > 0 || this.ended;
  }

  /** TLS over this connection. The certificate is not verified here; the caller looks at the socket. */
  async secure(context: SecureContext, host: string, timeoutMs: number): Promise<TLSSocket | ChannelFailure> {
    const raw = this.#socket;
    raw.off('data', this.#onData);
    this.#reader = new ReplyReader(); // RFC 3207 §4.2: nothing learned in the clear survives
    const secured = tls.connect({
      socket: raw,
      secureContext: context,
      rejectUnauthorized: false,
      host,
      // RFC 6066 §3: an address is no server name.
      ...(isIp(host) ? {} : { servername: host }),
    });
    this.#socket = secured;
    const shaken = new Promise<true>((resolve) => secured.once('secureConnect', () => resolve(true)));
    this.#attach(secured);
    const result = await this.#within(timeoutMs, shaken);
    if (result === true) return secured;
    const failure = result.failure === 'stopped' ? result : failed('tls', `TLS handshake failed: ${result.why}`);
    this.destroy(failure);
    return failure;
  }

  /** Ends the connection in order: what was written still leaves. */
  close(): void {
    this.#finish(failed('closed', 'connection closed'));
    this.#socket.end();
    this.#socket.destroySoon();
  }

  destroy(failure: ChannelFailure): void {
    this.#finish(failure);
    this.#socket.destroy();
  }

  #attach(socket: Socket): void {
    socket.on('data', this.#onData);
    socket.on('drain', () => {
      this.#drained = true;
      this.#wake?.();
    });
    // The plain socket below TLS speaks only through its 'close'; what TLS makes of the rest counts.
    const current = (why: string): void => {
      if (socket === this.#socket) this.#finish(failed('closed', why));
    };
    socket.on('error', (error: NodeJS.ErrnoException) => current(error.code ?? error.message));
    socket.on('end', () => current('connection closed by the host'));
    socket.on('close', () => this.#finish(failed('closed', 'connection closed')));
  }

  #finish(failure: ChannelFailure): void {
    this.#end ??= failure;
    this.#open.delete(this);
    this.#wake?.();
  }

  #within(timeoutMs: number, done: Promise<true>): Promise<true | ChannelFailure> {
    let arrived: true | undefined;
    void done.then(() => {
      arrived = true;
      this.#wake?.();
    });
    return this.#until(timeoutMs, () => arrived);
  }

  /** Asks `ready` again whenever something happens. What has arrived counts before the end of the connection does. */
  async #until<T>(timeoutMs: number, ready: () => T | undefined): Promise<T | ChannelFailure> {
    const startMs = performance.now();
    const deadlineMs = Math.min(startMs + timeoutMs, this.#limitMs);
    for (;;) {
      const result = ready();
      if (result !== undefined) return result;
      if (this.#end !== undefined) return this.#end;
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0)
        return failed('timeout', `no answer within ${Math.round(Math.max(deadlineMs - startMs, 0) / 1000)} s`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(leftMs, 2 ** 31 - 1));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
  }
}
