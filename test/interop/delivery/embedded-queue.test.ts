/** The delivery walk on the real queue: what is delivered leaves it, what bounces comes back as mail, on disk. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { Dcid, Mid } from '../../../src/core/ids.ts';
import { no } from '../../../src/core/verdict.ts';
import type { MailEvent } from '../../../src/log/mail-event.ts';
import { startDelivery } from '../../../src/pipeline/delivery.io.ts';
import { openQueueStore } from '../../../src/queue/open-store.io.ts';
import { connectQueue } from '../../../src/queue/queue-client.io.ts';
import { startSink } from '../../support/sink.ts';
import { configOf, newMessage } from './delivery-rig.ts';

test('messages of the embedded queue are delivered, retried and bounced, and the queue is empty afterwards', async (t) => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'sallyport-delivery-'));
  const log: MailEvent[] = [];
  const mailLog = { emit: (event: MailEvent) => void log.push(event) };
  const store = await openQueueStore({ dataDir, log: mailLog, minFreeBytes: 0 });
  const queue = connectQueue(store.connect());
  let busy = 3;
  const sink = await startSink({
    script: (verb, line) => {
      if (verb !== 'RCPT') return undefined;
      if (line.includes('bad@')) return '550 5.1.1 no such user';
      return line.includes('busy@') && busy-- > 0 ? '450 4.2.1 later' : undefined;
    },
  });
  let mid = 10_000;
  let dcid = 0;
  const delivery = startDelivery({
    queue,
    config: configOf({ routes: { ALL: [`127.0.0.1:${sink.port}`] } }),
    spoolDir: path.join(dataDir, 'spool'),
    dns: { reverse: async () => no(''), addresses: async () => no(''), mx: async () => no('') },
    clock: { now: () => Date.now() },
    random: () => 0.5,
    log: mailLog,
    nextDcid: () => ++dcid as Dcid,
    nextMid: () => ++mid as Mid,
  });
  t.after(async () => {
    await delivery.stop(2_000);
    queue.close();
    await store.close();
    await sink.stop();
    rmSync(dataDir, { recursive: true });
  });
  await queue.accept(
    newMessage({ to: ['good@x.test', 'bad@x.test', 'busy@x.test'], text: 'Subject: three\r\n\r\nx\r\n' }),
  );
  // The mail for good@, the bounce to the sender, and the mail for busy@ once it is not busy any more.
  const messages = await sink.waitFor(3);
  assert.deepEqual(messages.map(({ sender }) => sender).toSorted(), ['', 'sender@example.org', 'sender@example.org']);
  const bounce = messages.find(({ sender }) => sender === '');
  assert.equal(bounce?.recipients[0]?.address, 'sender@example.org');
  assert.match(bounce?.text ?? '', /Final-Recipient: rfc822; bad@x\.test/);
  await delivery.stop(60_000);
  assert.deepEqual(await queue.summary(), { messages: 0, activeRecipients: 0 });
  assert.equal(log.filter(({ event }) => event === 'delayed').length, 3);
});
