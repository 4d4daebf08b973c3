/**
 * The promise of 250: `kill -9` at any moment loses nothing that was acknowledged. Clients send without a pause, the
 * gateway is killed after so many acknowledgements, started again on the same data, and so on; in the end the next hop
 * must have every acknowledged message, whole. Nothing that was never sent, and nothing half, may be there.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import type { Gateway } from '../../support/gateway.ts';
import { Site, withListener } from '../../support/site.ts';
import { SmtpSession } from '../../support/smtp-session.ts';

const CLIENTS = 6;
const END = 'the last line of the message';

/** Acknowledgements before the kill; large bodies go to the spool, small ones into the database. */
const ROUNDS = [1, 5, 17, 40, 3, 60, 24, 2];

type Load = {
  readonly acknowledged: Set<string>;
  readonly sent: Set<string>;
  onAcknowledged?: () => void;
  stop: boolean;
};

const textOf = (id: string, large: boolean): string =>
  `Subject: ${id}\r\n\r\n${'a line of forty octets, CRLF included.\r\n'.repeat(large ? 8000 : 10)}${END}\r\n`;

async function client(port: number, name: string, load: Load): Promise<void> {
  for (let i = 0; !load.stop; i++) {
    const session = await SmtpSession.open({ port }).catch(() => undefined);
    if (session === undefined) return;
    try {
      for (let j = 0; j < 5 && !load.stop; j++) {
        const id = `id-${name}-${i}-${j}-`;
        load.sent.add(id);
        const reply = await session.send({ text: textOf(id, (i + j) % 4 === 0) });
        if (reply.code !== 250) continue;
        load.acknowledged.add(id);
        load.onAcknowledged?.();
      }
    } catch {
      return;
    } finally {
      session.destroy();
    }
  }
}

async function killDuringLoad(
  gateway: Gateway,
  port: number,
  { round, count, all }: { round: number; count: number; all: Load },
): Promise<void> {
  const load: Load = { acknowledged: new Set(), sent: all.sent, stop: false };
  const clients = Array.from({ length: CLIENTS }, (_, index) => client(port, `${round}-${index}`, load));
  await new Promise<void>((resolve) => {
    load.onAcknowledged = () => {
      if (load.acknowledged.size >= count) resolve();
    };
  });
  await gateway.kill();
  load.stop = true;
  await Promise.all(clients);
  for (const id of load.acknowledged) all.acknowledged.add(id);
}

test('kill -9 under load, again and again, loses nothing that was acknowledged', async () => {
  const site = await Site.open();
  const port = await freePort();
  const config = withListener(site.base(), 'submission', { policy: { maxConnectionsPerAddress: 100 }, port });
  const all: Load = { acknowledged: new Set(), sent: new Set(), stop: false };
  for (const [round, count] of ROUNDS.entries()) {
    // Half of the kills hit a gateway that is delivering at the same time, half one whose queue only grows.
    if (round % 2 === 1) await site.nextHop.down();
    await killDuringLoad(await site.start(config), port, { round, count, all });
    if (round % 2 === 1) await site.nextHop.up();
  }
  const last = await site.start(config);
  const missing = (): string[] => {
    const there = new Set(site.nextHop.messages.map(({ text }) => /^Subject: (\S+)/m.exec(text)?.[1]));
    return [...all.acknowledged].filter((id) => !there.has(id));
  };
  await eventually(() => assert.deepEqual(missing(), [], `of ${all.acknowledged.size} acknowledged messages`));
  assert.ok(all.acknowledged.size >= ROUNDS.reduce((sum, count) => sum + count, 0));
  for (const { text } of site.nextHop.messages) {
    const id = /^Subject: (\S+)/m.exec(text)?.[1] ?? '';
    assert.ok(all.sent.has(id), `never sent: ${text.slice(0, 200)}`);
    assert.ok(text.endsWith(`${END}\r\n`), `only a part of ${id} arrived`);
  }
  assert.equal(await last.stop(), 0);
});

test('a start after kill -9 is ready, and the queue is empty once everything is delivered', async () => {
  const site = await Site.open();
  const port = await freePort();
  const config = withListener(site.base(), 'submission', { policy: {}, port });
  const first = await site.start(config);
  await site.nextHop.down();
  const session = await SmtpSession.open({ port });
  assert.equal((await session.send({ text: 'Subject: survives\r\n\r\n' })).code, 250);
  await first.kill();
  await site.nextHop.up();
  const second = await site.start(config);
  await site.nextHop.messageWith('Subject: survives');
  await second.event((event) => event.event === 'message-done');
  assert.equal(await second.stop(), 0);
  const third = await site.start(config);
  assert.equal(await third.stop(), 0);
  assert.equal(site.nextHop.messages.length, 1, 'delivered twice');
});

test('a gateway that is killed in the middle of DATA keeps nothing of that message', async () => {
  const site = await Site.open();
  const port = await freePort();
  const config = withListener(site.base(), 'submission', { policy: {}, port });
  const first = await site.start(config);
  const session = await SmtpSession.open({ port });
  for (const line of ['MAIL FROM:<a@example.test>', 'RCPT TO:<b@example.test>']) await session.expect(line, '250');
  await session.expect('DATA', '354');
  session.write(`Subject: never ended\r\n\r\n${'a line\r\n'.repeat(200_000)}`);
  await first.kill();
  session.destroy();
  const second = await site.start(config);
  const other = await SmtpSession.open({ port });
  assert.equal((await other.send({ text: 'Subject: ended\r\n\r\n' })).code, 250);
  await other.quit();
  await site.nextHop.messageWith('Subject: ended');
  assert.ok(!site.nextHop.messages.some(({ text }) => text.includes('never ended')));
  await second.stop();
});
