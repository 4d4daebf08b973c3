/**
 * The quickstart's next hop: a small SMTP receiver on loopback that keeps every message in a Maildir (tmp, fsync, new),
 * so that a newcomer sees where the mail went. It is no part of a gateway in service.
 * Effects: a listening port on 127.0.0.1, files.
 */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { R, type Reply } from '../core/reply.ts';
import { parseCommand } from '../smtp/command.ts';
import { DotReader } from '../smtp/dot-reader.ts';
import { Wire, WireClock } from '../smtp/wire.io.ts';

const WAIT_MS = 300_000;
const MAX_LINE = 4096;
const MAX_MESSAGE_BYTES = 200 * 1024 * 1024;
const UNAVAILABLE: Reply = { code: 451, status: '4.3.0', lines: ['cannot keep the message, try again later'] };

export async function openMaildirNextHop(maildir: string, port: number): Promise<{ close(): void }> {
  for (const folder of ['tmp', 'new', 'cur'])
    fs.mkdirSync(path.join(maildir, folder), { recursive: true, mode: 0o700 });
  const clock = new WireClock();
  const server = net.createServer({ noDelay: true }, (socket) => {
    const wire = new Wire(socket, clock);
    receive(wire, maildir).catch(() => wire.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
  server.unref();
  return {
    close: () => {
      server.close();
      clock.close();
    },
  };
}

async function receive(wire: Wire, maildir: string): Promise<void> {
  wire.reply(R.banner(220, 'quickstart next hop ESMTP'));
  let trace: string[] = [];
  for (;;) {
    const read = await wire.readLine(MAX_LINE, WAIT_MS, true);
    if (read.kind !== 'line') break;
    const command = parseCommand(read.bytes);
    if (command.verb === 'QUIT') {
      wire.reply(R.bye('quickstart next hop'));
      break;
    }
    if (command.verb === 'MAIL') trace = [`Return-Path: ${read.bytes.toString('utf8', 10).split(' ')[0]}`];
    else if (command.verb === 'RCPT') trace.push(`X-Envelope-To: ${read.bytes.toString('utf8', 8).split(' ')[0]}`);
    if (command.verb === 'DATA') {
      wire.reply(R.startData);
      wire.reply(await receiveData(wire, maildir, trace));
    } else if (command.verb === 'EHLO')
      wire.reply(R.ehlo('localhost', ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'SIZE', 'ENHANCEDSTATUSCODES']));
    else wire.reply(command.verb === 'invalid' ? command.reply : R.ok);
  }
  wire.end();
}

async function receiveData(wire: Wire, maildir: string, trace: readonly string[]): Promise<Reply> {
  const reader = new DotReader({ maxBytes: MAX_MESSAGE_BYTES, bareLineEnds: 'clean' });
  const parts: Buffer[] = [Buffer.from(trace.map((line) => `${line}\r\n`).join(''))];
  while (!reader.done) {
    const read = await wire.readOctets(WAIT_MS);
    if (read.kind !== 'octets') throw new Error('connection lost');
    wire.unreadOctets(read.bytes.subarray(reader.push(read.bytes)));
    parts.push(...reader.take());
  }
  if (reader.fault !== undefined) return UNAVAILABLE;
  const name = `${Date.now()}.${process.pid}_${process.hrtime.bigint()}.localhost`;
  try {
    fs.writeFileSync(path.join(maildir, 'tmp', name), Buffer.concat(parts), { mode: 0o600, flush: true });
    fs.renameSync(path.join(maildir, 'tmp', name), path.join(maildir, 'new', name));
  } catch {
    return UNAVAILABLE;
  }
  return { code: 250, status: '2.0.0', lines: [`kept as new/${name}`] };
}
