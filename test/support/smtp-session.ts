/**
 * An SMTP client that a test leads by the hand: it sends exactly the bytes it is told, reads replies one by one, starts
 * TLS with or without a client certificate, and remembers the whole talk for the message of a failing assertion.
 * Effects: sockets on loopback.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls';
import { PATIENCE_MS } from './eventually.ts';

export type SmtpReply = {
  readonly code: number;
  /** RFC 3463 status of the last line, '' where there is none. */
  readonly status: string;
  /** Text of each line without code. */
  readonly lines: readonly string[];
  /** `554 5.7.1 client certificate revoked`: the last line as it came. */
  readonly text: string;
};

export type TlsClient = {
  readonly cert?: string;
  readonly key?: string;
  /** PKCS#12 in place of `cert` and `key`. */
  readonly pfx?: Buffer;
  readonly passphrase?: string;
  /** Trust anchor for the gateway's certificate; without it the certificate is not looked at. */
  readonly ca?: string;
  readonly version?: 'TLSv1.2' | 'TLSv1.3';
  /** A session to resume. */
  readonly session?: Buffer;
};

export type Address = { readonly host?: string; readonly port: number; readonly localAddress?: string };

export class SmtpSession {
  #socket: Socket;
  #buffer = '';
  #waiting: (() => void) | undefined;
  #ended = false;
  #error: Error | undefined;
  readonly transcript: string[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  /** Connects in the clear and does not wait for the greeting. */
  static async dial({ host = '127.0.0.1', port, localAddress }: Address): Promise<SmtpSession> {
    const socket = net.connect({ host, port, noDelay: true, ...(localAddress === undefined ? {} : { localAddress }) });
    await once(socket, 'connect');
    return new SmtpSession(socket);
  }

  /** Connects, waits for the greeting and says EHLO. */
  static async open(address: Address): Promise<SmtpSession> {
    const session = await SmtpSession.dial(address);
    await session.reply();
    await session.command('EHLO client.example.test');
    return session;
  }

  /** Connects to an implicit-TLS address. */
  static async dialTls(address: Address, client: TlsClient = {}): Promise<SmtpSession> {
    const session = await SmtpSession.dial(address);
    await session.handshake(client);
    return session;
  }

  #listen(socket: Socket): void {
    const wake = (): void => this.#waiting?.();
    socket.on('data', (chunk: Buffer) => {
      this.#buffer += chunk.toString('latin1');
      wake();
    });
    socket.on('error', (error: Error) => {
      this.#error ??= error;
      this.#ended = true;
      wake();
    });
    socket.on('close', () => {
      if (socket === this.#socket) this.#ended = true;
      wake();
    });
    socket.on('end', () => {
      if (socket === this.#socket) this.#ended = true;
      wake();
    });
  }

  get tls(): TLSSocket {
    assert.ok(this.#socket instanceof tls.TLSSocket, 'the session is not inside TLS');
    return this.#socket;
  }

  /** Sends bytes as they are. */
  write(bytes: string | Buffer): void {
    this.transcript.push(`C: ${JSON.stringify(bytes.toString('latin1').slice(0, 200))}`);
    if (!this.#socket.destroyed) this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes);
  }

  async command(line: string): Promise<SmtpReply> {
    this.write(`${line}\r\n`);
    return await this.reply();
  }

  /** Sends a command and fails unless the reply begins with `expected`: `250`, `554 5.7.1`. */
  async expect(line: string, expected: string): Promise<SmtpReply> {
    const reply = await this.command(line);
    assert.ok(reply.text.startsWith(expected), `after ${line}: expected ${expected}\n${this.talk()}`);
    return reply;
  }

  /** The next reply; an error that shows the talk where the connection ends or nothing comes. */
  async reply(): Promise<SmtpReply> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const reply = this.#takeReply();
      if (reply !== undefined) return reply;
      if (this.#ended)
        throw new Error(`connection ended${this.#error ? ` (${this.#error.message})` : ''}\n${this.talk()}`);
      if (Date.now() >= deadline)
        throw new Error(`no reply in ${PATIENCE_MS} ms; buffer ${JSON.stringify(this.#buffer)}\n${this.talk()}`);
      await this.#change(deadline - Date.now());
    }
  }

  async replies(count: number): Promise<SmtpReply[]> {
    const replies: SmtpReply[] = [];
    while (replies.length < count) replies.push(await this.reply());
    return replies;
  }

  /** STARTTLS and the handshake; the reply to STARTTLS must be 220. */
  async startTls(client: TlsClient = {}): Promise<void> {
    await this.expect('STARTTLS', '220');
    await this.handshake(client);
  }

  async handshake(client: TlsClient = {}): Promise<void> {
    const plain = this.#socket;
    for (const event of ['data', 'end', 'close', 'error']) plain.removeAllListeners(event);
    plain.on('error', () => undefined);
    const options: ConnectionOptions = {
      socket: plain,
      servername: 'gw.example.test',
      rejectUnauthorized: client.ca !== undefined,
      ...(client.ca === undefined ? {} : { ca: client.ca }),
      ...(client.cert === undefined ? {} : { cert: client.cert }),
      ...(client.key === undefined ? {} : { key: client.key }),
      ...(client.pfx === undefined ? {} : { pfx: client.pfx }),
      ...(client.passphrase === undefined ? {} : { passphrase: client.passphrase }),
      ...(client.version === undefined ? {} : { minVersion: client.version, maxVersion: client.version }),
      ...(client.session === undefined ? {} : { session: client.session }),
      // Old and weak client certificates are part of the tests.
      ciphers: 'DEFAULT:@SECLEVEL=0',
    };
    const secure = tls.connect(options);
    this.#socket = secure;
    this.#listen(secure);
    await once(secure, 'secureConnect');
    this.transcript.push(
      `-- ${secure.getProtocol()} ${secure.getCipher().name}${client.cert === undefined ? '' : ' with certificate'}`,
    );
  }

  /** Resolves when the server has closed the connection; what came before may still be read. */
  async closed(): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!this.#ended) {
      if (Date.now() >= deadline) throw new Error(`still open after ${PATIENCE_MS} ms\n${this.talk()}`);
      await this.#change(deadline - Date.now());
    }
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  /** What came and was not read as a reply yet. */
  get unread(): string {
    return this.#buffer;
  }

  /** QUIT, and everything is over; never fails. */
  async quit(): Promise<void> {
    if (!this.#ended) await this.command('QUIT').catch(() => undefined);
    this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  talk(): string {
    return this.transcript.join('\n');
  }

  /** The EHLO keywords with their parameters: `AUTH` → `PLAIN LOGIN`. */
  async ehlo(): Promise<Map<string, string>> {
    const reply = await this.expect('EHLO client.example.test', '250');
    return new Map(
      reply.lines.slice(1).map((line) => {
        const [keyword = '', ...rest] = line.split(' ');
        return [keyword.toUpperCase(), rest.join(' ')];
      }),
    );
  }

  authPlain(user: string, password: string, authorization = ''): Promise<SmtpReply> {
    return this.command(`AUTH PLAIN ${Buffer.from(`${authorization}\0${user}\0${password}`).toString('base64')}`);
  }

  /** MAIL, RCPT, DATA and the text; the reply to the final dot, or the first reply that is no success. */
  async send({
    from = 'alice@example.test',
    to = 'someone@elsewhere.example',
    text = 'Subject: test\r\n\r\nhello\r\n',
  } = {}): Promise<SmtpReply> {
    for (const line of [`MAIL FROM:<${from}>`, `RCPT TO:<${to}>`, 'DATA']) {
      const reply = await this.command(line);
      if (reply.code >= 400) return reply;
    }
    return await this.command(`${text}.`);
  }

  #takeReply(): SmtpReply | undefined {
    const match = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\n/.exec(this.#buffer);
    if (match === null) return undefined;
    this.#buffer = this.#buffer.slice(match[0].length);
    const raw = match[0].split('\n').slice(0, -1);
    for (const line of raw) {
      this.transcript.push(`S: ${line.replace(/\r$/, '')}`);
      assert.ok(line.endsWith('\r'), `a reply line does not end with CRLF: ${JSON.stringify(line)}`);
      assert.ok(line.length <= 511, `RFC 5321 §4.5.3.1.5: a reply line is longer than 512 octets`);
    }
    const last = raw.at(-1)?.trimEnd() ?? '';
    return {
      code: Number(last.slice(0, 3)),
      status: /^\d{3} (\d\.\d{1,3}\.\d{1,3})\b/.exec(last)?.[1] ?? '',
      lines: raw.map((line) => line.slice(4).trimEnd()),
      text: last,
    };
  }

  #change(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, limitMs));
      this.#waiting = () => {
        clearTimeout(timer);
        this.#waiting = undefined;
        resolve();
      };
    });
  }
}

/** Sends one message in a session of its own; the MID that its 250 names. */
export async function submit(
  port: number,
  message: { readonly from?: string; readonly to?: string; readonly text?: string } = {},
): Promise<number> {
  const session = await SmtpSession.open({ port });
  const reply = await session.send({ text: 'Subject: hello\r\n\r\nhello\r\n', ...message });
  await session.quit();
  const mid = /queued as MID (\d+)/.exec(reply.text)?.[1];
  assert.ok(reply.code === 250 && mid !== undefined, reply.text);
  return Number(mid);
}
