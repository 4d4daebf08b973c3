/**
 * The next hop: a small SMTP server that keeps what it is given, and can be told to refuse, to put off, or not to be
 * there. It is deliberately naive, so that it sees exactly what the gateway sends.
 * Effects: listens on loopback.
 */
import assert from 'node:assert/strict';
import net, { type AddressInfo, type Socket } from 'node:net';
import { PATIENCE_MS } from './eventually.ts';
import { freePort } from './free-port.ts';

export type Delivered = { readonly from: string; readonly to: readonly string[]; readonly text: string };

export class NextHop {
  readonly messages: Delivered[] = [];
  readonly port: number;
  /** What EHLO offers. */
  keywords: readonly string[] = ['8BITMIME', 'SMTPUTF8', 'PIPELINING', 'ENHANCEDSTATUSCODES'];
  /** The reply to the end of DATA. */
  dataReply = '250 2.0.0 kept';
  /** Refuses every recipient for whom it gives a reply. */
  refuse: (recipient: string) => string | undefined = () => undefined;
  /** While set, the end of DATA is not answered before `letGo`; called when a message has arrived. */
  hold: (() => void) | undefined;
  readonly #held: (() => void)[] = [];
  #server: net.Server;
  readonly #sockets = new Set<Socket>();
  readonly #watchers = new Set<() => void>();

  private constructor(server: net.Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.#serve();
  }

  static async start(): Promise<NextHop> {
    return new NextHop(await listen(await freePort()));
  }

  /** Connections are refused from now on. */
  async down(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async up(): Promise<void> {
    this.#server = await listen(this.port);
    this.#serve();
  }

  letGo(): void {
    this.hold = undefined;
    for (const answer of this.#held.splice(0)) answer();
  }

  stop(): Promise<void> {
    return this.#server.listening ? this.down() : Promise.resolve();
  }

  /** The first message for which `matches` holds, now or later. */
  async message(matches: (message: Delivered) => boolean): Promise<Delivered> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = this.messages.find(matches);
      if (found !== undefined) return found;
      assert.ok(
        Date.now() < deadline,
        `the next hop did not get the message in ${PATIENCE_MS} ms; it has ${this.messages.length}`,
      );
      await this.next(deadline - Date.now());
    }
  }

  /** Resolves with the next message, or when the time is over. */
  next(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, limitMs);
      this.#watchers.add(done);
    });
  }

  messageWith(text: string): Promise<Delivered> {
    return this.message((message) => message.text.includes(text));
  }

  #serve(): void {
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
      this.#converse(socket);
    });
  }

  #converse(socket: Socket): void {
    let buffer = '';
    let from = '';
    let to: string[] = [];
    let inData = false;
    const say = (line: string): boolean => socket.write(`${line}\r\n`);
    const keep = (text: string): void => {
      inData = false;
      if (this.hold !== undefined) {
        this.#held.push(() => keep(text));
        this.hold();
        return;
      }
      if (this.dataReply.startsWith('2')) this.messages.push({ from, to, text });
      say(this.dataReply);
      for (const watcher of [...this.#watchers]) watcher();
    };
    const obey = (line: string): void => {
      const address = /<([^>]*)>/.exec(line)?.[1] ?? '';
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === 'EHLO')
        say(['250-next.example.test', ...this.keywords.map((each) => `250-${each}`), '250 HELP'].join('\r\n'));
      else if (verb === 'MAIL') {
        from = address;
        to = [];
        say('250 2.1.0 ok');
      } else if (verb === 'RCPT') {
        const refusal = this.refuse(address);
        if (refusal === undefined) to.push(address);
        say(refusal ?? '250 2.1.5 ok');
      } else if (verb === 'DATA') {
        inData = true;
        say('354 go ahead');
      } else if (verb === 'QUIT') {
        say('221 2.0.0 bye');
        socket.end();
      } else say('250 2.0.0 ok');
    };
    say('220 next.example.test ESMTP');
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      buffer += chunk;
      for (;;) {
        const end = inData ? (buffer.startsWith('.\r\n') ? 0 : buffer.indexOf('\r\n.\r\n')) : buffer.indexOf('\r\n');
        if (end < 0) return;
        const part = buffer.slice(0, end);
        buffer = buffer.slice(end + (inData && end > 0 ? 5 : inData ? 3 : 2));
        if (inData) keep(`${part}\r\n`.replace(/(^|\r\n)\./g, '$1'));
        else obey(part);
      }
    });
  }
}

function listen(port: number): Promise<net.Server> {
  const server = net.createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
