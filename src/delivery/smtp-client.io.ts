/**
 * One outbound SMTP session: greeting, EHLO, STARTTLS as the destination's row says, any number of transactions, QUIT
 * (RFC 5321 §3, §4.2, §4.5.3.2; PIPELINING RFC 2920; STARTTLS RFC 3207).
 * TLS is as AsyncOS has it. Off: STARTTLS is never said. Preferred: what fails before the 220 to STARTTLS leaves the
 * session in the clear; after the 220 no clear text is ever sent on it. Required: without TLS nothing but QUIT is said.
 * The certificate is not asked to be good, but the log says whether it is.
 * What happened comes back per recipient, for `outcome.ts` to judge.
 * Effects: through `PeerChannel`; reads the message.
 */
import type { SecureContext, TLSSocket } from 'node:tls';
import { whyOf } from '../core/errors.ts';
import { printable } from '../core/reply.ts';
import { type BodySource, has8bit } from './body-source.io.ts';
import type { TlsSetting } from './destination-control-table.ts';
import { DotStuffer } from './dot-stuffer.ts';
import {
  decideUnable,
  type Extensions,
  isSafeAddress,
  mailCommand,
  NO_EXTENSIONS,
  type OutboundMessage,
  parseExtensions,
  rcptCommand,
} from './extensions.ts';
import type { Happening, Stage } from './outcome.ts';
import type { ChannelFailure, ChannelReply, PeerChannel } from './peer-channel.io.ts';
import { type PeerReply, textOfReply } from './reply-reader.ts';

export type SessionLimits = {
  readonly connectTimeout: number;
  readonly commandTimeout: number;
  readonly dataTimeout: number;
};

export type SessionOptions = {
  /** Our name in EHLO. */
  readonly helo: string;
  /** Name or address that the certificate is compared with. */
  readonly host: string;
  readonly context: SecureContext;
  readonly tls: TlsSetting;
  readonly limits: SessionLimits;
};

export type TlsResult =
  | {
      readonly ok: true;
      readonly protocol: string;
      readonly cipher: string;
      readonly peer: string;
      readonly verified: boolean;
    }
  | { readonly ok: false; readonly why: string };

type Read = ChannelReply | ChannelFailure;
/** A session, or why there is none; `tls` says what became of STARTTLS either way. */
export type Begun = { readonly tls: TlsResult | undefined } & (
  | { readonly session: SmtpSession }
  | { readonly happening: Happening }
);

const QUIT_TIMEOUT_MS = 5_000;
/** Everything up to MAIL, however slowly the host answers. */
const BEGIN_LIMIT_MS = 5 * 60_000;
/** One transaction, so that a lease never ends under it. */
const TRANSACTION_LIMIT_MS = 30 * 60_000;

const isPositive = (reply: PeerReply): boolean => reply.code >= 200 && reply.code < 300;
const isGood = (read: Read): boolean => read.kind === 'reply' && isPositive(read.reply);
const at = (stage: Stage, read: Read): Happening => ({ ...read, stage });

/** From the connection to a session that is ready for MAIL. */
export async function beginSession(channel: PeerChannel, options: SessionOptions): Promise<Begun> {
  channel.limit(BEGIN_LIMIT_MS);
  const { limits } = options;
  const greeting = await channel.readReply(limits.connectTimeout);
  if (greeting.kind === 'failure' || greeting.reply.code !== 220) return refuse(channel, at('greeting', greeting));
  let hello = await sayHello(channel, options);
  if ('happening' in hello) return refuse(channel, hello.happening);
  let tls: TlsResult | undefined;
  if (options.tls === 'required' && !hello.extensions.startTls)
    return refuse(channel, withoutTls('STARTTLS is not offered'));
  if (options.tls !== 'off' && hello.extensions.startTls) {
    const started = await startTls(channel, options);
    if ('happening' in started) return refuse(channel, started.happening, started.tls);
    tls = started.tls;
    if (!tls.ok && options.tls === 'required') return refuse(channel, withoutTls(tls.why), tls);
    if (tls.ok) hello = await sayHello(channel, options); // RFC 3207 §4.2: EHLO again, what was offered before is void
    if ('happening' in hello) return refuse(channel, hello.happening, tls);
  }
  return { session: new SmtpSession(channel, hello.extensions, limits), tls };
}

const withoutTls = (why: string): Happening => ({ kind: 'failure', stage: 'starttls', failure: 'no-tls', why });

function refuse(channel: PeerChannel, happening: Happening, tls?: TlsResult): Begun {
  if (happening.kind === 'reply' || (happening.kind === 'failure' && happening.failure === 'no-tls'))
    void quit(channel);
  else channel.destroy({ kind: 'failure', failure: 'closed', why: 'session refused' });
  return { happening, tls };
}

type Hello = { readonly extensions: Extensions } | { readonly happening: Happening };

async function sayHello(channel: PeerChannel, { helo, limits }: SessionOptions): Promise<Hello> {
  const ehlo = await ask(channel, `EHLO ${helo}\r\n`, limits.commandTimeout);
  if (ehlo.kind === 'reply' && ehlo.reply.code === 250) return { extensions: parseExtensions(ehlo.reply) };
  if (ehlo.kind === 'failure' || ehlo.reply.code < 500) return { happening: at('ehlo', ehlo) };
  // RFC 5321 §3.2: a host without EHLO gets HELO.
  const plain = await ask(channel, `HELO ${helo}\r\n`, limits.commandTimeout);
  if (plain.kind === 'reply' && plain.reply.code === 250) return { extensions: NO_EXTENSIONS };
  return { happening: at('ehlo', plain) };
}

type StartedTls = { readonly tls: TlsResult } & ({ readonly happening?: never } | { readonly happening: Happening });

async function startTls(channel: PeerChannel, { host, context, limits }: SessionOptions): Promise<StartedTls> {
  const answer = await ask(channel, 'STARTTLS\r\n', limits.commandTimeout);
  if (answer.kind === 'failure') return { tls: { ok: false, why: answer.why }, happening: at('starttls', answer) };
  if (answer.reply.code === 421) return { tls: refusedTls(answer.reply), happening: at('starttls', answer) };
  if (answer.reply.code !== 220) return { tls: refusedTls(answer.reply) };
  if (channel.unread > 0) {
    // RFC 3207 §4.2, CVE-2011-0411: what follows the 220 in the clear was put there by someone in between.
    const why = 'octets after the 220 to STARTTLS, in the clear';
    return { tls: { ok: false, why }, happening: { kind: 'failure', stage: 'starttls', failure: 'attack', why } };
  }
  const secured = await channel.secure(context, host, limits.connectTimeout);
  if ('kind' in secured) return { tls: { ok: false, why: secured.why }, happening: at('tls', secured) };
  return { tls: factsOf(secured) };
}

const refusedTls = (reply: PeerReply): TlsResult => ({
  ok: false,
  why: `STARTTLS refused: ${printable(textOfReply(reply)).slice(0, 200)}`,
});

function factsOf(socket: TLSSocket): TlsResult {
  // Several common names come as an array, whatever the types say.
  const name = [socket.getPeerCertificate().subject?.CN ?? []].flat()[0] ?? '';
  return {
    ok: true,
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher()?.name ?? 'unknown',
    peer: printable(name).slice(0, 128),
    // Informational: opportunistic TLS sends either way.
    verified: socket.authorized,
  };
}

async function ask(channel: PeerChannel, command: string, timeoutMs: number): Promise<Read> {
  const failure = await channel.write(command, timeoutMs);
  return failure ?? channel.readReply(timeoutMs);
}

/** RFC 5321 §4.1.1.10: QUIT, its reply, then the end; a host that does not answer is not waited for. */
async function quit(channel: PeerChannel): Promise<void> {
  if (channel.ended) return channel.destroy({ kind: 'failure', failure: 'closed', why: 'session over' });
  channel.limit(QUIT_TIMEOUT_MS);
  await ask(channel, 'QUIT\r\n', QUIT_TIMEOUT_MS);
  channel.close();
}

/** A session that is ready for MAIL. What goes wrong is told per recipient, not thrown. */
export class SmtpSession {
  readonly extensions: Extensions;
  readonly #channel: PeerChannel;
  readonly #limits: SessionLimits;
  #broken = false;
  #needsReset = false;
  /** Messages for which MAIL was sent. */
  messages = 0;

  constructor(channel: PeerChannel, extensions: Extensions, limits: SessionLimits) {
    this.#channel = channel;
    this.extensions = extensions;
    this.#limits = limits;
  }

  /** Another message may be sent. */
  get usable(): boolean {
    return !this.#broken && !this.#channel.ended;
  }

  /** One transaction. What happened, for each recipient in its order. */
  async send(message: OutboundMessage, body: BodySource): Promise<Happening[]> {
    this.#channel.limit(TRANSACTION_LIMIT_MS);
    const everyone = (happening: Happening): Happening[] => message.recipients.map(() => happening);
    try {
      const { eightBitMime, smtpUtf8 } = this.extensions;
      const unable = decideUnable(message, this.extensions, {
        header: message.smtpUtf8 && !smtpUtf8 && (await has8bit(body, 'header')),
        text: message.body === '8BITMIME' && !eightBitMime && (await has8bit(body, 'text')),
      });
      if (unable !== undefined) return everyone({ kind: 'unable', ...unable });
      if (![message.sender, ...message.recipients.map(({ address }) => address)].every(isSafeAddress))
        return everyone({ kind: 'unable', status: '5.1.3', why: 'an address cannot be written in an SMTP command' });
      this.messages++;
      return await this.#transact(message, body);
    } catch (error) {
      this.abort();
      const why = whyOf(error);
      return everyone({ kind: 'failure', stage: 'body', failure: 'local', why });
    }
  }

  async #transact(message: OutboundMessage, body: BodySource): Promise<Happening[]> {
    const { replies, data } = await this.#envelope(message);
    const open = replies.flatMap((reply, index) => (reply === undefined ? [index] : []));
    const settle = (happening: Happening): Happening[] => replies.map((reply) => reply ?? happening);
    if (data === undefined) {
      this.#needsReset = true;
      return settle({ kind: 'failure', stage: 'data', failure: 'protocol', why: 'no recipient left' });
    }
    if (data.kind === 'failure' || data.reply.code !== 354) {
      this.#needsReset = true;
      if (data.kind === 'reply' && data.reply.code < 400) this.#broken = true;
      return settle(at('data', data));
    }
    if (open.length === 0) {
      // RFC 2920 §3.1: DATA was accepted although no recipient was: an empty text ends it.
      this.#note(await ask(this.#channel, '.\r\n', this.#limits.commandTimeout));
      return settle(at('data', data));
    }
    return settle(await this.#text(body));
  }

  /** MAIL, RCPT and DATA. A recipient's happening is undefined while it is accepted. */
  async #envelope(message: OutboundMessage): Promise<{ replies: (Happening | undefined)[]; data: Read | undefined }> {
    const { pipelining } = this.extensions;
    const mailLine = mailCommand(message, this.extensions);
    const lines = message.recipients.map((recipient) => rcptCommand(recipient, this.extensions));
    const step = await this.#exchange([mailLine, ...lines, 'DATA']);
    const mail = await step(mailLine);
    const refused = isGood(mail) ? undefined : at('mail', mail);
    const replies: (Happening | undefined)[] = [];
    for (const line of lines) {
      const read = refused !== undefined && !pipelining ? mail : await step(line);
      replies.push(refused ?? (isGood(read) ? undefined : at('rcpt', read)));
    }
    if (!pipelining && replies.every((reply) => reply !== undefined)) return { replies, data: undefined };
    const data = await step('DATA');
    // A host that refused MAIL and still wants text would take it for nobody knows whom.
    if (refused !== undefined && data.kind === 'reply' && data.reply.code === 354) this.abort();
    return { replies: data.kind === 'failure' ? replies.map((reply) => reply ?? at('data', data)) : replies, data };
  }

  /**
   * How one command of a group is done: with PIPELINING all were sent together, and only the reply is read (RFC 2920
   * §3.1: the group ends with DATA). After a lost connection every further step tells of the loss.
   */
  async #exchange(group: readonly string[]): Promise<(line: string) => Promise<Read>> {
    const wait = this.#limits.commandTimeout;
    let lost: ChannelFailure | undefined;
    const keep = (read: Read): Read => {
      this.#note(read);
      if (read.kind === 'failure') lost = read;
      return read;
    };
    if (this.#needsReset) keep(await ask(this.#channel, 'RSET\r\n', wait));
    this.#needsReset = false;
    if (!this.extensions.pipelining) return async (line) => lost ?? keep(await ask(this.#channel, `${line}\r\n`, wait));
    lost ??= await this.#channel.write(group.map((line) => `${line}\r\n`).join(''), wait);
    return async () => lost ?? keep(await this.#channel.readReply(wait));
  }

  async #text(body: BodySource): Promise<Happening> {
    const stuffer = new DotStuffer();
    for await (const chunk of body.chunks()) {
      const failure = await this.#channel.write(stuffer.stuff(chunk), this.#limits.dataTimeout);
      if (failure !== undefined) return this.#interrupted(failure);
    }
    const failure = await this.#channel.write(stuffer.end(), this.#limits.dataTimeout);
    const read = failure ?? (await this.#channel.readReply(this.#limits.dataTimeout));
    this.#note(read);
    if (read.kind === 'reply' && read.reply.code < 400 && !isPositive(read.reply)) this.#broken = true;
    return at('end-of-data', read);
  }

  /** The host hung up in the middle of the text; perhaps it said why before. */
  #interrupted(failure: ChannelFailure): Happening {
    const reply = this.#channel.pendingReply();
    this.abort();
    return reply !== undefined && reply.code >= 400 ? { kind: 'reply', stage: 'body', reply } : at('body', failure);
  }

  #note(read: Read): void {
    if (read.kind === 'failure') this.abort();
    else if (read.reply.code === 421) this.#broken = true;
  }

  /**
   * Keeps the session open for the next message for at most `idleMs`, or until `wake`. False when the host has ended it
   * or said something nobody asked for.
   */
  async idle(idleMs: number, wake: Promise<void>): Promise<boolean> {
    if (!this.usable) return false;
    this.#channel.limit(TRANSACTION_LIMIT_MS);
    return !(await this.#channel.disturbed(idleMs, wake));
  }

  quit(): Promise<void> {
    return quit(this.#channel);
  }

  /** Ends the connection without another octet: what was not finished does not count. */
  abort(): void {
    this.#broken = true;
    this.#channel.destroy({ kind: 'failure', failure: 'closed', why: 'session aborted' });
  }
}
