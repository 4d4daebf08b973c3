/** What Prometheus sees on the loopback port: counters of all threads, and how much is in the queue. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { freePort, freePorts } from '../support/free-port.ts';
import { PROGRAM } from '../support/gateway.ts';
import { runProgram } from '../support/program.ts';
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
  await eventually(async () => {
    assert.equal(await value('sallyport_messages_received_total'), 3);
    assert.equal(await value('sallyport_queue_messages'), 3);
    assert.equal(await value('sallyport_queue_active_recipients'), 3);
  });
  assert.equal((await fetch(`http://127.0.0.1:${metricsPort}/`)).status, 404);
  await gateway.stop();
});

test('each revocation list has its entries, its age and the time to its nextUpdate, and says when that has passed', async () => {
  const site = await Site.open();
  const metricsPort = await freePort();
  const now = Date.now();
  const list = (nextUpdateMs: number, number: number): string =>
    site.pki.issuing.crl({ revoked: ['1006', '1003'], number, thisUpdateMs: now - 7_200_000, nextUpdateMs });
  site.crls.answer = { kind: 'list', body: list(now + 3_600_000, 1) };
  const { gateway } = await site.startOne({ policy: {} }, (config) => ({
    ...config,
    system: { receiveThreads: 1, metrics: `127.0.0.1:${metricsPort}` },
  }));
  const gauge = async (name: string): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    const labels = '\\{source="cac",issuer="CN=Test Card Issuing CA,O=Example",kind="complete"\\}';
    return Number(new RegExp(`^sallyport_crl_${name}${labels} (\\S+)$`, 'm').exec(text)?.[1]);
  };
  assert.equal(await gauge('entries'), 2);
  assert.equal(await gauge('expired'), 0);
  const age = await gauge('age_seconds');
  assert.ok(age >= 7200 && age < 7300, `age ${age}`);
  const left = await gauge('next_update_seconds');
  assert.ok(left > 3400 && left <= 3600, `left ${left}`);
  site.crls.answer = { kind: 'list', body: list(now - 3_600_000, 2) };
  assert.equal((await runProgram(PROGRAM, ['crl', 'update', '--data', gateway.data])).code, 0);
  assert.equal(await gauge('expired'), 1);
  const past = await gauge('next_update_seconds');
  assert.ok(past <= -3600 && past > -3800, `past ${past}`);
  await gateway.stop();
});

test('SIGHUP moves the metrics, refuses an address that is taken, and says what counts from the next start on', async () => {
  const site = await Site.open();
  const [first, second, taken] = (await freePorts(3)) as [number, number, number];
  const occupant = createServer().listen(taken, '127.0.0.1');
  await once(occupant, 'listening');
  const { gateway, config } = await site.startOne({ policy: {} }, (base) => ({
    ...base,
    system: { receiveThreads: 1, metrics: `127.0.0.1:${first}` },
  }));
  const answers = async (port: number): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/metrics`).then(
      ({ ok }) => ok,
      () => false,
    );
  const refused = await gateway.reload({ ...config, system: { receiveThreads: 1, metrics: `127.0.0.1:${taken}` } });
  assert.match(String(refused['text']), new RegExp(`not changed.*${taken}`));
  assert.ok(await answers(first));
  await gateway.reload({ ...config, system: { receiveThreads: 2, metrics: `127.0.0.1:${second}` } });
  assert.deepEqual([await answers(first), await answers(second)], [false, true]);
  await gateway.event(({ text }) => text === 'system.receiveThreads counts from the next start on');
  await gateway.reload({ ...config, system: { receiveThreads: 2 } });
  assert.equal(await answers(second), false);
  await gateway.stop();
  occupant.close();
});
