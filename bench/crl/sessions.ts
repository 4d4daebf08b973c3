/**
 * Clients of the gateway while a list is being replaced, in a process of their own: `node sessions.ts PORT CERT KEY noop 20`
 * keeps 20 sessions with mutual TLS open that say NOOP, `… new 1` opens one session after the other with a full handshake.
 * Prints `open` once it is going; `begin` on standard input forgets what was measured until then; when the input ends it
 * prints one line of JSON. Effects: sockets on loopback, standard input and output.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import tls from 'node:tls';
import { waitsOf } from './waits.ts';

const PAUSE_MS = 20;
const [port = '', certFile = '', keyFile = '', what = '', count = ''] = process.argv.slice(2);
const identity = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
const samplesMs: number[] = [];
const ownPauses = monitorEventLoopDelay({ resolution: 1 });
let stopping = false;
let going = 0;

class Session {
  readonly #socket: tls.TLSSocket;
  #text = '';
  #answered = (): void => undefined;

  constructor() {
    const socket = net.connect(Number(port), '127.0.0.1').setNoDelay(true);
    // No session is kept: each handshake is a full one.
    this.#socket = tls.connect({ socket, rejectUnauthorized: false, ...identity });
    this.#socket.setEncoding('latin1').on('data', (chunk: string) => {
      this.#text += chunk;
      if (!/^\d{3} .*\r\n$/m.test(this.#text)) return;
      if (!this.#text.startsWith('2')) throw new Error(this.#text);
      this.#text = '';
      this.#answered();
    });
  }

  /** Up to the reply to EHLO, which knows who the certificate belongs to. */
  async enter(): Promise<this> {
    const greeting = this.#reply();
    await once(this.#socket, 'secureConnect');
    await greeting;
    await this.say('EHLO client.example.test');
    return this;
  }

  async say(line: string): Promise<void> {
    const reply = this.#reply();
    this.#socket.write(`${line}\r\n`);
    await reply;
  }

  close(): void {
    this.#socket.destroy();
  }

  #reply(): Promise<void> {
    return new Promise((resolve) => {
      this.#answered = resolve;
    });
  }
}

async function measured<T>(work: () => Promise<T>): Promise<T> {
  const from = performance.now();
  const value = await work();
  samplesMs.push(performance.now() - from);
  return value;
}

function isGoing(): void {
  going += 1;
  if (going === Number(count)) console.log('open');
}

async function noop(): Promise<void> {
  const session = await new Session().enter();
  isGoing();
  while (!stopping) {
    await measured(() => session.say('NOOP'));
    await wait(PAUSE_MS);
  }
  session.close();
}

async function sessions(): Promise<void> {
  (await new Session().enter()).close();
  isGoing();
  while (!stopping) {
    const session = await measured(() => new Session().enter());
    await session.say('QUIT');
    session.close();
    await wait(PAUSE_MS);
  }
}

process.stdin.on('data', () => {
  samplesMs.splice(0);
  ownPauses.enable();
  ownPauses.reset();
});
process.stdin.on('end', () => {
  stopping = true;
});
await Promise.all(Array.from({ length: Number(count) }, what === 'noop' ? noop : sessions));
console.log(JSON.stringify(waitsOf(samplesMs, ownPauses.max / 1e6)));
