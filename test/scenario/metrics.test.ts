/** What Prometheus sees on the loopback port: counters of all threads, and how much is in the queue. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { Site } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

test('metrics count what receive threads and delivery did, and say what waits in the queue', async () => {
  const site = await Site.open();
  const metricsPort = await freePort();
  const { gateway, port } = await site.startOne({ policy: {} }, (config) => ({
    ...config,
    system: { receiveThreads: 2, metrics: `127.0.0.1:${metricsPort}` },
  }));
  await site.nextHop.down();
  for (let i = 0; i < 3; i++) {
    const session = await SmtpSession.open({ port });
    assert.equal((await session.send({ text: 'Subject: counted\r\n\r\nx\r\n' })).code, 250);
    await session.quit();
  }
  const value = async (name: string): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
  };
  assert.equal(await value('sallyport_messages_received_total'), 3);
  assert.equal(await value('sallyport_queue_messages'), 3);
  assert.equal(await value('sallyport_queue_active_recipients'), 3);
  assert.equal((await fetch(`http://127.0.0.1:${metricsPort}/`)).status, 404);
  await gateway.stop();
});
