/** Delivery from queue to next hop, against hosts that behave as the tests tell them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unknown, yes } from '../../../src/core/verdict.ts';
import { freePort } from '../../support/free-port.ts';
import { MemoryQueue } from '../../support/memory-queue.ts';
import { type SinkOptions, startSink } from '../../support/sink.ts';
import { configOf, newMessage, type Rig, startRig } from './delivery-rig.ts';

type Context = Parameters<typeof startRig>[0];

async function sinkFor(t: Context, options: SinkOptions = {}) {
  const sink = await startSink(options);
  t.after(() => sink.stop());
  return sink;
}

const outcomes = (rig: Rig): string[] => rig.queue.settled.map((settlement) => settlement.outcome);

test('a message goes to the host of its SMTP route with its envelope and its text as it was', async (t) => {
  const sink = await sinkFor(t);
  const rig = startRig(t, { routes: { ALL: [`127.0.0.1:${sink.port}`] } });
  const text = 'Subject: dots\r\n\r\n.\r\n..two\r\n.end\r\nlast';
  await rig.send({ to: ['a@example.com', 'b@example.net'], text });
  const [message] = await sink.waitFor(1);
  assert.equal(message?.sender, 'sender@example.org');
  assert.deepEqual(
    message?.recipients.map(({ address }) => address),
    ['a@example.com', 'b@example.net'],
  );
  assert.equal(message?.text, `${text}\r\n`);
  await rig.queue.until(() => rig.queue.settled.length === 2);
  assert.deepEqual(outcomes(rig), ['delivered', 'delivered']);
  assert.equal((await rig.queue.summary()).messages, 0);
  assert.deepEqual(rig.events('delivered')[0]?.rids, [0, 1]);
  assert.equal(sink.sessions.length, 1);
});

test('recipients of one destination share a transaction, those of another have their own', async (t) => {
  const [one, two] = [await sinkFor(t), await sinkFor(t)];
  const rig = startRig(t, {
    routes: { 'one.test': [`127.0.0.1:${one.port}`], '.two.test': [`127.0.0.1:${two.port}`] },
  });
  await rig.send({ to: ['a@one.test', 'b@sub.two.test', 'c@one.test'] });
  await rig.queue.until(() => rig.queue.settled.length === 3);
  assert.deepEqual(
    one.messages.map(({ recipients }) => recipients.length),
    [2],
  );
  assert.deepEqual(
    two.messages.map(({ recipients }) => recipients.length),
    [1],
  );
});

for (const pipelining of [true, false])
  test(`each recipient has its own fate ${pipelining ? 'with' : 'without'} PIPELINING`, async (t) => {
    const sink = await sinkFor(t, {
      extensions: pipelining ? ['PIPELINING'] : [],
      script: (verb, line) =>
        verb !== 'RCPT'
          ? undefined
          : line.includes('bad@')
            ? '550 5.1.1 no such user'
            : line.includes('busy@')
              ? '450 4.2.1 later'
              : undefined,
    });
    const rig = startRig(t, {
      routes: { ALL: [`127.0.0.1:${sink.port}`], 'example.org': ['/dev/null'] },
      profile: { initialWait: '1h', maxWait: '1h' },
    });
    await rig.send({ to: ['good@x.test', 'bad@x.test', 'busy@x.test'] });
    await rig.queue.until(() => rig.queue.settled.length >= 3);
    assert.deepEqual(outcomes(rig).slice(0, 3), ['delivered', 'bounced', 'retry']);
    assert.equal(sink.messages[0]?.recipients.length, 1);
    assert.equal(rig.events('bounced')[0]?.status, '5.1.1');
    assert.equal(rig.events('delayed')[0]?.status, '4.2.1');
    assert.equal(rig.queue.bounces.length, 1);
    assert.equal(rig.queue.bounces[0]?.envelope.sender, '');
    assert.equal(rig.queue.bounces[0]?.envelope.recipients[0]?.address, 'sender@example.org');
  });

test('a soft bounce is tried again and then delivered', async (t) => {
  let asked = 0;
  const sink = await sinkFor(t, {
    script: (verb) => (verb === 'RCPT' && asked++ === 0 ? '451 4.7.1 greylisted' : undefined),
  });
  const rig = startRig(t, { routes: { ALL: [`127.0.0.1:${sink.port}`] } });
  await rig.send({ to: ['a@x.test'] });
  await sink.waitFor(1);
  await rig.queue.until(() => rig.queue.settled.length === 2);
  assert.deepEqual(outcomes(rig), ['retry', 'delivered']);
});

test('retries that are used up bounce with the last reply', async (t) => {
  const sink = await sinkFor(t, { script: (verb) => (verb === 'RCPT' ? '450 4.2.1 mailbox busy' : undefined) });
  const rig = startRig(t, {
    routes: { 'x.test': [`127.0.0.1:${sink.port}`], ALL: ['/dev/null'] },
    profile: { maxRetries: 2 },
  });
  await rig.send({ to: ['a@x.test'] });
  await rig.queue.until(() => outcomes(rig).includes('bounced'));
  assert.deepEqual(outcomes(rig).slice(0, 3), ['retry', 'retry', 'bounced']);
  const [bounce] = rig.queue.bounces;
  assert.ok(bounce?.body.kind === 'inline');
  const text = Buffer.from(bounce.body.bytes).toString();
  assert.match(text, /Status: 5\.4\.7\r\n/);
  assert.match(text, /Diagnostic-Code: smtp; 450 4\.2\.1 mailbox busy\r\n/);
});

test('mail to /dev/null is accepted and discarded', async (t) => {
  const rig = startRig(t, { routes: { 'x.test': ['/dev/null'] } });
  await rig.send({ to: ['a@x.test'] });
  await rig.queue.until(() => rig.queue.settled.length === 1);
  assert.deepEqual(outcomes(rig), ['dropped']);
  assert.equal(rig.events('discarded')[0]?.route, 'smtpRoutes.x.test');
});

test('a host that is down or turns us away is followed by the next one in the order of the route', async (t) => {
  const dead = await freePort();
  const full = await sinkFor(t, { script: (verb) => (verb === 'CONNECT' ? '421 4.3.2 full' : undefined) });
  const grumpy = await sinkFor(t, { script: (verb) => (verb === 'CONNECT' ? '554 5.3.2 no mail here' : undefined) });
  const sink = await sinkFor(t);
  const hosts = [dead, full.port, grumpy.port, sink.port].map((port) => `127.0.0.1:${port}`);
  const rig = startRig(t, { routes: { ALL: hosts } });
  await rig.send({ to: ['a@x.test'] });
  await sink.waitFor(1);
  await rig.queue.until(() => rig.queue.settled.length === 1);
  assert.deepEqual(outcomes(rig), ['delivered']);
  assert.equal(rig.events('dcid-failed').length, 3);
  assert.equal(full.sessions.length, 1);
});

test('a connection lost in the middle of the envelope goes on with the next host', async (t) => {
  const shaky = await sinkFor(t, { extensions: [], script: (verb) => (verb === 'RCPT' ? { drop: true } : undefined) });
  const sink = await sinkFor(t);
  const rig = startRig(t, { routes: { ALL: [`127.0.0.1:${shaky.port}`, `127.0.0.1:${sink.port}`] } });
  await rig.send({ to: ['a@x.test'] });
  await sink.waitFor(1);
  await rig.queue.until(() => rig.queue.settled.length === 1);
  assert.deepEqual(outcomes(rig), ['delivered']);
});

test('when every host of a route is down the mail waits and no MX record is asked for', async (t) => {
  const asked: string[] = [];
  const dead = await freePort();
  const rig = startRig(t, {
    routes: { ALL: [`127.0.0.1:${dead}`] },
    profile: { initialWait: '1h', maxWait: '1h' },
    dns: {
      mx: async (domain) => {
        asked.push(domain);
        return unknown('test');
      },
    },
  });
  await rig.send({ to: ['a@x.test'] });
  await rig.queue.until(() => rig.queue.settled.length === 1);
  assert.deepEqual(outcomes(rig), ['retry']);
  assert.equal(rig.events('delayed')[0]?.status, '4.4.1');
  assert.deepEqual(asked, []);
});

test('a thousand messages for a dead host cost one connection attempt', async (t) => {
  const queue = new MemoryQueue();
  for (let i = 0; i < 1000; i++) await queue.accept(newMessage({ to: ['a@x.test'] }));
  const dead = await freePort();
  const rig = startRig(t, {
    queue,
    routes: { ALL: [`127.0.0.1:${dead}`] },
    profile: { initialWait: '1h', maxWait: '1h' },
  });
  await queue.until(() => queue.settled.length === 1000);
  assert.ok(rig.events('dcid-failed').length <= 2, `${rig.events('dcid-failed').length} attempts`);
  assert.equal(queue.leased, 0);
});

test('a domain with a null MX bounces with 5.1.10', async (t) => {
  const rig = startRig(t, {
    dns: { mx: async () => yes([{ exchange: '', preference: 0 }]) },
    routes: { 'example.org': ['/dev/null'] },
  });
  await rig.send({ to: ['a@x.test'] });
  await rig.queue.until(() => rig.queue.settled.length >= 1);
  assert.equal(rig.events('bounced')[0]?.status, '5.1.10');
});

test('DNS that gives no answer is not taken for a no', async (t) => {
  const rig = startRig(t, {
    dns: { mx: async () => unknown('time-out') },
    profile: { initialWait: '1h', maxWait: '1h' },
  });
  await rig.send({ to: ['a@x.test'] });
  await rig.queue.until(() => rig.queue.settled.length === 1);
  assert.equal(rig.events('delayed')[0]?.status, '4.4.3');
});

test('a route by name with a port is that host and no other', async (t) => {
  const sink = await sinkFor(t);
  const rig = startRig(t, {
    routes: { ALL: [`relay.example.test:${sink.port}`] },
    dns: {
      addresses: async () => yes(['127.0.0.1']),
      mx: async () => yes([{ exchange: 'other.example.test', preference: 1 }]),
    },
  });
  await rig.send({ to: ['a@x.test'] });
  await sink.waitFor(1);
  assert.equal(rig.events('dcid-open')[0]?.host, 'relay.example.test');
});

test('many messages share connections, and each connection ends after its limit', async (t) => {
  const queue = new MemoryQueue();
  for (let i = 0; i < 12; i++) await queue.accept(newMessage({ to: [`r${i}@x.test`] }));
  const sink = await sinkFor(t);
  startRig(t, {
    queue,
    routes: { ALL: [`127.0.0.1:${sink.port}`] },
    delivery: { maxConnectionsPerHost: 1, maxMessagesPerConnection: 5 },
  });
  await sink.waitFor(12);
  await queue.until(() => queue.settled.length === 12);
  assert.deepEqual(
    sink.sessions.map((session) => session.commands.filter((line) => line.startsWith('MAIL')).length),
    [5, 5, 2],
  );
});

test('an idle connection that the host has closed costs the next message nothing', async (t) => {
  let first = true;
  const sink = await sinkFor(t, {
    script: (verb, _line, session) => {
      if (verb !== 'MAIL' || session.id > 0 || !session.commands.includes('DATA') || !first) return undefined;
      first = false;
      return { drop: true, after: '421 4.4.2 idle too long' };
    },
  });
  const rig = startRig(t, {
    routes: { ALL: [`127.0.0.1:${sink.port}`] },
    profile: { initialWait: '1h', maxWait: '1h' },
  });
  await rig.send({ to: ['a@x.test'] });
  await sink.waitFor(1);
  await rig.send({ to: ['b@x.test'] });
  await sink.waitFor(2);
  await rig.queue.until(() => rig.queue.settled.length === 2);
  assert.deepEqual(outcomes(rig), ['delivered', 'delivered']);
});

test('a host that wants no second connection still gets all mail over the first', async (t) => {
  let open = 0;
  const sink = await sinkFor(t, {
    script: (verb) => (verb === 'CONNECT' && open++ > 0 ? '421 4.7.0 one connection only' : undefined),
  });
  const queue = new MemoryQueue();
  for (let i = 0; i < 30; i++) await queue.accept(newMessage({ to: [`r${i}@x.test`] }));
  startRig(t, { queue, routes: { ALL: [`127.0.0.1:${sink.port}`] }, profile: { initialWait: '1h', maxWait: '1h' } });
  await sink.waitFor(30);
  await queue.until(() => queue.settled.length === 30);
  assert.ok(queue.settled.every(({ outcome }) => outcome === 'delivered'));
});

test('a reply that is lost after the final dot leads to a retry, not to a bounce or another host', async (t) => {
  let lost = false;
  const script: SinkOptions['script'] = (verb) => {
    if (verb !== 'END' || lost) return undefined;
    lost = true;
    return { drop: true };
  };
  const [sink, other] = [await sinkFor(t, { script }), await sinkFor(t)];
  const rig = startRig(t, { routes: { ALL: [`127.0.0.1:${sink.port}`, `127.0.0.1:${other.port}`] } });
  await rig.send({ to: ['a@x.test'] });
  await rig.queue.until(() => rig.queue.settled.length === 2);
  assert.deepEqual(outcomes(rig), ['retry', 'delivered']);
  assert.match(rig.events('delayed')[0]?.why ?? '', /may have the message/);
  assert.equal(other.sessions.length, 0);
});

test('a bounce that bounces is logged and ends there', async (t) => {
  const sink = await sinkFor(t, { script: (verb) => (verb === 'RCPT' ? '550 5.1.1 nobody' : undefined) });
  const rig = startRig(t, { routes: { ALL: [`127.0.0.1:${sink.port}`] } });
  const mid = await rig.send({ to: ['a@x.test'] });
  await rig.queue.until(() => rig.queue.settled.length === 2);
  assert.deepEqual(outcomes(rig), ['bounced', 'bounced']);
  assert.equal(rig.events('bounce-generated')[0]?.of, mid);
  assert.equal(rig.events('double-bounce').length, 1);
  assert.equal(rig.queue.bounces.length, 1);
  assert.equal((await rig.queue.summary()).messages, 0);
});

test('an outcome that cannot be recorded is recorded later, without a second delivery', async (t) => {
  const sink = await sinkFor(t);
  const rig = startRig(t, { routes: { ALL: [`127.0.0.1:${sink.port}`] } });
  rig.queue.failSettles = 1;
  await rig.send({ to: ['a@x.test'] });
  await rig.queue.until(() => rig.queue.settled.length === 1);
  assert.equal(sink.messages.length, 1);
  assert.ok(rig.events('system').some(({ level, text }) => level === 'critical' && text.includes('disk full')));
});

test('a graceful stop lets a transaction finish and gives the rest back', async (t) => {
  let release = (): void => undefined;
  const reached = new Promise<void>((resolve) => {
    release = resolve;
  });
  const sink = await sinkFor(t, {
    script: (verb) => {
      if (verb !== 'END') return undefined;
      release();
      return { delayMs: 200, reply: '250 2.0.0 ok' };
    },
  });
  const queue = new MemoryQueue();
  for (let i = 0; i < 3; i++) await queue.accept(newMessage({ to: [`r${i}@x.test`] }));
  const rig = startRig(t, {
    queue,
    routes: { ALL: [`127.0.0.1:${sink.port}`] },
    delivery: { maxConnectionsPerHost: 1 },
  });
  await reached;
  await rig.delivery.stop(60_000);
  assert.deepEqual(outcomes(rig), ['delivered']);
  assert.equal((await queue.summary()).activeRecipients, 2);
  assert.equal(queue.leased, 0);
});

test('a stop does not wait longer than its dead line, and what is uncertain goes back untouched', async (t) => {
  let release = (): void => undefined;
  const reached = new Promise<void>((resolve) => {
    release = resolve;
  });
  const sink = await sinkFor(t, {
    script: (verb) => {
      if (verb !== 'END') return undefined;
      release();
      return { delayMs: 60_000, reply: '250 2.0.0 ok' };
    },
  });
  const rig = startRig(t, { routes: { ALL: [`127.0.0.1:${sink.port}`] } });
  await rig.send({ to: ['a@x.test'] });
  await reached;
  const startMs = performance.now();
  await rig.delivery.stop(300);
  assert.ok(performance.now() - startMs < 5_000, `${performance.now() - startMs} ms`);
  assert.deepEqual(outcomes(rig), []);
  assert.equal(rig.queue.leased, 0);
});

test('a new configuration sends waiting mail to its new routes', async (t) => {
  const dead = await freePort();
  const sink = await sinkFor(t);
  const rig = startRig(t, { routes: { ALL: [`127.0.0.1:${dead}`] } });
  await rig.send({ to: ['a@x.test'] });
  await rig.queue.until(() => rig.queue.settled.length >= 1);
  rig.delivery.reconfigure(configOf({ routes: { ALL: [`127.0.0.1:${sink.port}`] } }));
  await sink.waitFor(1);
});
