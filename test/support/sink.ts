/**
 * An SMTP host for tests: takes mail on a free port of loopback, keeps what it got, and misbehaves as told: scripts of
 * replies, a connection dropped at a point, STARTTLS that fails or is tampered with, slow answers.
 * Effects: listens on loopback.
 */
import { createHash } from 'node:crypto';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { setTimeout as wait } from 'node:timers/promises';
import { PATIENCE_MS } from './eventually.ts';

/** What the sink does instead of its ordinary reply. Lines are sent as they are, CRLF is added. */
export type Reaction =
  | string
  | readonly string[]
  | { readonly drop: true; readonly after?: string }
  | { readonly delayMs: number; readonly reply: string };

/** `verb` is CONNECT, EHLO, HELO, STARTTLS, MAIL, RCPT, DATA, END (after the final dot), RSET, NOOP or QUIT. */
export type Script = (verb: string, line: string, session: SinkSession) => Reaction | undefined;

export type SinkOptions = {
  readonly script?: Script;
  /** EHLO keywords; STARTTLS is added where `tls` is given. */
  readonly extensions?: readonly string[];
  readonly tls?: { readonly cert: string; readonly key: string };
  /** After its 220 the sink sends these octets instead of a handshake, and hangs up. */
  readonly tlsGarbage?: string;
  /** Port to listen on; 0 = any. */
  readonly port?: number;
  readonly address?: string;
  /** Texts of messages are counted and hashed, not kept. */
  readonly discard?: boolean;
};

export type SinkRecipient = { readonly address: string; readonly parameters: string };
export type SinkMessage = {
  readonly session: SinkSession;
  readonly sender: string;
  readonly mailParameters: string;
  readonly recipients: readonly SinkRecipient[];
  /** Text with CRLF, dots removed; '' with `discard`. */
  readonly text: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly tls: { readonly protocol: string; readonly servername: string | false } | undefined;
};
export type SinkSession = {
  readonly id: number;
  /** Everything the client sent in the clear, in order. */
  clear: string;
  /** Command lines, clear and encrypted. */
  readonly commands: string[];
  secured: boolean;
};

export type Sink = {
  readonly port: number;
  readonly address: string;
  readonly messages: readonly SinkMessage[];
  readonly sessions: readonly SinkSession[];
  waitFor(count: number): Promise<readonly SinkMessage[]>;
  stop(): Promise<void>;
};

const EXTENSIONS = ['PIPELINING', 'SIZE 104857600', '8BITMIME', 'SMTPUTF8', 'DSN', 'ENHANCEDSTATUSCODES'];

export async function startSink(options: SinkOptions = {}): Promise<Sink> {
  const messages: SinkMessage[] = [];
  const sessions: SinkSession[] = [];
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  const deliver = (message: SinkMessage): void => {
    messages.push(message);
    for (const wake of waiting) wake();
  };
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    const session: SinkSession = { id: sessions.length, clear: '', commands: [], secured: false };
    sessions.push(session);
    new Conversation(socket, session, options, deliver).begin();
  });
  const address = options.address ?? '127.0.0.1';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, address, resolve);
  });
  const { port } = server.address() as net.AddressInfo;
  return {
    port,
    address,
    messages,
    sessions,
    async waitFor(count) {
      const deadline = performance.now() + PATIENCE_MS;
      while (messages.length < count) {
        const left = deadline - performance.now();
        if (left <= 0) throw new Error(`${messages.length} of ${count} messages after ${PATIENCE_MS} ms`);
        await new Promise<void>((resolve) => {
          const done = (): void => {
            clearTimeout(timer);
            waiting.delete(done);
            resolve();
          };
          const timer = setTimeout(done, left);
          waiting.add(done);
        });
      }
      return messages;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

class Conversation {
  #socket: Socket;
  readonly #session: SinkSession;
  readonly #options: SinkOptions;
  readonly #deliver: (message: SinkMessage) => void;
  #input: Buffer = Buffer.alloc(0);
  #inData = false;
  #busy = false;
  #sender = '';
  #mailParameters = '';
  #recipients: SinkRecipient[] = [];
  #chunks: Buffer[] = [];
  #bytes = 0;
  #hash = createHash('sha256');
  #tls: SinkMessage['tls'];

  constructor(socket: Socket, session: SinkSession, options: SinkOptions, deliver: (message: SinkMessage) => void) {
    this.#socket = socket;
    this.#session = session;
    this.#options = options;
    this.#deliver = deliver;
  }

  begin(): void {
    this.#listen(this.#socket);
    void this.#react('CONNECT', '', '220 sink.example.test ESMTP');
  }

  #listen(socket: Socket): void {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      if (!this.#session.secured) this.#session.clear += chunk.toString('latin1');
      this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk]);
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (;;) {
        if (this.#inData) {
          if (!(await this.#takeText())) return;
          continue;
        }
        const end = this.#input.indexOf('\r\n');
        if (end < 0) return;
        const line = this.#input.toString('utf8', 0, end);
        this.#input = this.#input.subarray(end + 2);
        this.#session.commands.push(line);
        await this.#command(line);
      }
    } finally {
      this.#busy = false;
    }
  }

  async #command(line: string): Promise<void> {
    const verb = (line.split(/[ :]/)[0] ?? '').toUpperCase();
    const path = /<(.*?)>\s*(.*)$/.exec(line);
    switch (verb) {
      case 'EHLO': {
        const offered = [...(this.#options.extensions ?? EXTENSIONS)];
        if ((this.#options.tls ?? this.#options.tlsGarbage) !== undefined && !this.#session.secured)
          offered.push('STARTTLS');
        const all = ['sink.example.test', ...offered];
        await this.#react(
          verb,
          line,
          all.map((text, i) => `250${i === all.length - 1 ? ' ' : '-'}${text}`).join('\r\n'),
        );
        return;
      }
      case 'STARTTLS':
        if ((await this.#react(verb, line, '220 2.0.0 go ahead')) === 220) await this.#startTls();
        return;
      case 'MAIL':
        this.#reset();
        this.#sender = path?.[1] ?? '';
        this.#mailParameters = path?.[2] ?? '';
        await this.#react(verb, line, '250 2.1.0 ok');
        return;
      case 'RCPT':
        if ((await this.#react(verb, line, '250 2.1.5 ok')) === 250)
          this.#recipients.push({ address: path?.[1] ?? '', parameters: path?.[2] ?? '' });
        return;
      case 'DATA':
        this.#inData =
          (await this.#react(verb, line, this.#recipients.length > 0 ? '354 go' : '503 5.5.1 no recipients')) === 354;
        return;
      case 'RSET':
        this.#reset();
        await this.#react(verb, line, '250 2.0.0 ok');
        return;
      case 'QUIT':
        await this.#react(verb, line, '221 2.0.0 bye');
        this.#socket.end();
        return;
      default:
        await this.#react(verb, line, '250 2.0.0 ok');
    }
  }

  /** False when more octets are needed. */
  async #takeText(): Promise<boolean> {
    const whole = this.#bytes === 0 && this.#input.subarray(0, 3).toString() === '.\r\n';
    const end = whole ? -2 : this.#input.indexOf('\r\n.\r\n');
    if (end === -1) {
      const keep = 4;
      if (this.#input.length > keep) this.#keep(this.#input.subarray(0, -keep));
      this.#input = this.#input.subarray(Math.max(0, this.#input.length - keep));
      return false;
    }
    this.#keep(this.#input.subarray(0, end + 2));
    this.#input = this.#input.subarray(whole ? 3 : end + 5);
    this.#inData = false;
    const message = this.#message();
    if (
      (await this.#react('END', '.', `250 2.0.0 ok queued as ${message.sha256.slice(0, 8)}`)) === 250 &&
      message.recipients.length > 0
    )
      this.#deliver(message);
    return true;
  }

  #keep(chunk: Buffer): void {
    if (this.#options.discard !== true) this.#chunks.push(Buffer.from(chunk));
    this.#bytes += chunk.length;
    this.#hash.update(chunk);
  }

  #message(): SinkMessage {
    const text = Buffer.concat(this.#chunks)
      .toString('utf8')
      .replace(/(^|\r\n)\.\./g, '$1.');
    return {
      session: this.#session,
      sender: this.#sender,
      mailParameters: this.#mailParameters,
      recipients: this.#recipients,
      text,
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
      tls: this.#tls,
    };
  }

  #reset(): void {
    this.#recipients = [];
    this.#chunks = [];
    this.#bytes = 0;
    this.#hash = createHash('sha256');
  }

  /** The script's reaction or the ordinary reply; answers the code that was sent, 0 for a dropped connection. */
  async #react(verb: string, line: string, ordinary: string): Promise<number> {
    const reaction = this.#options.script?.(verb, line, this.#session) ?? ordinary;
    if (typeof reaction === 'object' && 'drop' in reaction) {
      if (reaction.after !== undefined) this.#socket.write(`${reaction.after}\r\n`);
      this.#socket.destroySoon();
      return 0;
    }
    if (typeof reaction === 'object' && 'delayMs' in reaction) {
      // A reply that nobody waits for any more keeps no process alive.
      await wait(reaction.delayMs, undefined, { ref: false });
      return this.#say(reaction.reply);
    }
    return this.#say(typeof reaction === 'string' ? reaction : reaction.join('\r\n'));
  }

  #say(text: string): number {
    this.#socket.write(`${text}\r\n`);
    return Number(text.slice(0, 3));
  }

  async #startTls(): Promise<void> {
    const { tlsGarbage, tls: credentials } = this.#options;
    const plain = this.#socket;
    if (tlsGarbage !== undefined) {
      // Not before the client's first octets of the handshake: what comes with the 220 would be an injection.
      plain.removeAllListeners('data');
      plain.once('data', (chunk: Buffer) => {
        this.#session.clear += chunk.toString('latin1');
        plain.end(tlsGarbage);
      });
      return;
    }
    if (credentials === undefined) return;
    plain.removeAllListeners('data');
    this.#input = Buffer.alloc(0);
    const secured = new tls.TLSSocket(plain, { isServer: true, ...credentials });
    secured.on('error', () => plain.destroy());
    await new Promise((resolve) => secured.once('secure', resolve));
    this.#session.secured = true;
    this.#tls = {
      protocol: secured.getProtocol() ?? '',
      servername: (secured as { servername?: string | false }).servername ?? false,
    };
    this.#socket = secured;
    this.#listen(secured);
  }
}
