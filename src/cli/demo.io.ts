/**
 * `npm run demo`: four people send a mail through the quickstart's gateway, and what came back is printed: alice with
 * her card, bob with his password, alice with a password, frank with the revoked card. Exit code 0 when the four ended
 * as they should. Effects: SMTP sessions to 127.0.0.1, reads the Maildir.
 */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import tls from 'node:tls';
import type { Write } from './arguments.ts';
import type { Ports } from './quickstart-files.ts';

type Scene = {
  readonly title: string;
  readonly user: string;
  readonly card: boolean;
  readonly password: boolean;
  readonly arrives: boolean;
};

const SCENES: readonly Scene[] = [
  { title: 'alice sends with her card', user: 'alice', card: true, password: false, arrives: true },
  { title: 'bob has no card and sends with his password', user: 'bob', card: false, password: true, arrives: true },
  { title: 'alice tries a password instead of her card', user: 'alice', card: false, password: true, arrives: false },
  { title: 'frank sends with a card that is revoked', user: 'frank', card: true, password: false, arrives: false },
];
const ARRIVAL_MS = 10_000;

export async function playDemo(dir: string, ports: Ports, write: Write): Promise<number> {
  let code = 0;
  for (const scene of SCENES) {
    write(`\n== ${scene.title}\n`);
    const subject = `${scene.title} (${process.pid}-${Date.now()})`;
    const accepted = await play(dir, ports, { ...scene, subject, write });
    const file = accepted ? await arrival(path.join(dir, 'mail', 'new'), subject) : undefined;
    if (accepted) write(file === undefined ? '   the mail did not arrive\n' : `   arrived: ${file}\n`);
    if ((file !== undefined) !== scene.arrives) code = 1;
  }
  write(code === 0 ? '\nAll four ended as they should.\n' : '\nNot as it should be: see above.\n');
  return code;
}

/** True when the message was queued. Prints the dialogue; passwords are masked. */
async function play(dir: string, ports: Ports, scene: Scene & { subject: string; write: Write }): Promise<boolean> {
  const { user, write } = scene;
  const pki = path.join(dir, 'pki');
  const card = scene.card
    ? {
        cert: fs.readFileSync(path.join(pki, 'people', `${user}.pem`)),
        key: fs.readFileSync(path.join(pki, 'people', `${user}.key`)),
      }
    : {};
  const plain = new Dialogue(net.connect(ports.submission, '127.0.0.1'), write);
  await plain.hear();
  await plain.say('EHLO quickstart.example.test');
  await plain.say('STARTTLS');
  const secured = tls.connect({
    socket: plain.socket,
    host: 'localhost',
    ca: fs.readFileSync(path.join(pki, 'ca.pem')),
    ...card,
  });
  const talk = new Dialogue(secured, write);
  try {
    await talk.say('EHLO quickstart.example.test');
    if (scene.password)
      await talk.say(
        `AUTH PLAIN ${Buffer.from(`\0${user}\0${user}-secret`).toString('base64')}`,
        'AUTH PLAIN ********',
      );
    if ((await talk.say(`MAIL FROM:<${user}@example.test>`)) >= 400) return false;
    if ((await talk.say('RCPT TO:<someone@example.org>')) >= 400) return false;
    await talk.say('DATA');
    const lines = [
      `From: <${user}@example.test>`,
      'To: <someone@example.org>',
      `Subject: ${scene.subject}`,
      '',
      'Played by npm run demo.',
      '.',
    ];
    return (await talk.say(lines.join('\r\n'), '(the message)')) < 300;
  } finally {
    await talk.say('QUIT');
    secured.destroy();
  }
}

class Dialogue {
  readonly socket: net.Socket;
  readonly #write: Write;
  #text = '';
  #wake: () => void = () => undefined;
  #ended = false;

  constructor(socket: net.Socket, write: Write) {
    this.socket = socket;
    this.#write = write;
    socket.on('data', (bytes: Buffer) => {
      this.#text += bytes.toString('latin1');
      this.#wake();
    });
    for (const event of ['close', 'error']) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  /** Says a line and returns the code of the answer, 421 when the connection has gone. */
  say(line: string, shown = line): Promise<number> {
    this.#write(`   C: ${shown}\n`);
    this.socket.write(`${line}\r\n`);
    return this.hear();
  }

  async hear(): Promise<number> {
    for (;;) {
      const match = /^(?:\d{3}-[^\n]*\r\n)*(\d{3}) [^\n]*\r\n/.exec(this.#text);
      if (match !== null) {
        this.#text = this.#text.slice(match[0].length);
        for (const line of match[0].trimEnd().split('\r\n')) this.#write(`   S: ${line}\n`);
        return Number(match[1]);
      }
      if (this.#ended) return 421;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

async function arrival(folder: string, subject: string): Promise<string | undefined> {
  for (const endMs = Date.now() + ARRIVAL_MS; Date.now() < endMs; ) {
    for (const name of fs.readdirSync(folder)) {
      const file = path.join(folder, name);
      if (fs.readFileSync(file, 'utf8').includes(`Subject: ${subject}`)) return file;
    }
    await wait(50);
  }
  return undefined;
}
