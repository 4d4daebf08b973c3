/** Whoever reads the log of a gateway may be slow, or gone: mail goes on, and the gateway stops when it is told to. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import { atEnd } from '../support/at-end.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { PROGRAM, writeConfig } from '../support/gateway.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

const site = await Site.open();

/** A gateway that is ready, and its log, which nobody reads any more. */
async function start(): Promise<{ child: ChildProcess; log: Readable; port: number }> {
  const port = await freePort();
  const folder = site.copy();
  const file = writeConfig(
    join(folder, 'sallyport.yaml'),
    withListener(site.base(), 'submission', { policy: {}, port }),
  );
  const child = spawn(PROGRAM, ['run', '--config', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  atEnd(() => child.kill('SIGKILL'));
  const log = child.stdout as Readable;
  let text = '';
  const collect = (chunk: Buffer): void => {
    text += chunk.toString();
  };
  log.on('data', collect);
  await eventually(() => assert.match(text, /\bready\b/));
  log.off('data', collect);
  log.pause();
  return { child, log, port };
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  const from = Date.now();
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
  assert.ok(Date.now() - from < 10_000, `stopped after ${Date.now() - from} ms`);
}

/** Each leaves a page of log. */
async function talk(port: number, sessions: number): Promise<void> {
  for (let i = 0; i < sessions; i++) {
    const session = await SmtpSession.dial({ port });
    session.write(`EHLO a\r\n${'MAIL FROM:<a@example.test>\r\nRSET\r\n'.repeat(20)}QUIT\r\n`);
    for (const reply of await session.replies(43)) assert.ok(reply.code < 300, reply.text);
  }
}

test('a log that nobody reads holds up neither mail nor SIGTERM', async () => {
  const { child, port } = await start();
  await talk(port, 200);
  const session = await SmtpSession.open({ port });
  assert.equal((await session.send({ text: 'Subject: nobody reads\r\n\r\n' })).code, 250);
  await session.quit();
  await site.nextHop.messageWith('Subject: nobody reads');
  await stop(child);
});

test('a reader of the log that goes away does not take the gateway along', async () => {
  const { child, log, port } = await start();
  log.destroy();
  await talk(port, 3);
  const session = await SmtpSession.open({ port });
  assert.equal((await session.send({ text: 'Subject: the reader is gone\r\n\r\n' })).code, 250);
  await session.quit();
  await site.nextHop.messageWith('Subject: the reader is gone');
  await stop(child);
});
