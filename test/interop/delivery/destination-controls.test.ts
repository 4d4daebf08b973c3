/** Destination Controls on the wire: each TLS setting, what a failure of it costs, and limits counted at the other end. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { selfSigned } from '../../support/certificate-authority.ts';
import { temporaryFolder } from '../../support/gateway.ts';
import { MemoryQueue } from '../../support/memory-queue.ts';
import { type Sink, type SinkOptions, startSink } from '../../support/sink.ts';
import { configOf, newMessage, type Rig, startRig } from './delivery-rig.ts';

const credentials = selfSigned(temporaryFolder(), 'sink', {
  subject: '/CN=mx.example.test',
});
const SLOW = { initialWait: '1h', maxWait: '1h' };
const SECRET = { text: 'Subject: secret\r\n\r\nsecret\r\n' };

async function sinkFor(t: TestContext, options: SinkOptions = {}): Promise<Sink> {
  const sink = await startSink(options);
  t.after(() => sink.stop());
  return sink;
}

const routeTo = (...sinks: readonly Sink[]) => ({ ALL: sinks.map(({ port }) => `127.0.0.1:${port}`) });
const required = { domains: { 'secure.test': { tls: 'required' } } };
const settled = (rig: Rig, count: number) => rig.queue.until(() => rig.queue.settled.length === count);

/** Nothing of a message was said in the clear, whatever else was. */
function assertNothingLeaked(sink: Sink): void {
  for (const { clear } of sink.sessions) assert.doesNotMatch(clear, /MAIL FROM|RCPT TO|DATA|secret/i);
}

test('off: STARTTLS is never said, even where it is offered', async (t) => {
  const sink = await sinkFor(t, { tls: credentials });
  const rig = startRig(t, {
    routes: routeTo(sink),
    destinationControls: { default: { tls: 'off' }, domains: { 'tls.test': { tls: 'preferred' } } },
  });
  await rig.send({ to: ['a@plain.test'] });
  await rig.send({ to: ['b@tls.test'] });
  const messages = await sink.waitFor(2);
  const tlsOf = (address: string) =>
    messages.find(({ recipients }) => recipients[0]?.address === address)?.tls?.protocol;
  assert.equal(tlsOf('a@plain.test'), undefined);
  assert.equal(tlsOf('b@tls.test'), 'TLSv1.3');
  assert.deepEqual(
    sink.sessions.map(({ commands }) => String(commands.includes('STARTTLS'))).sort(),
    ['false', 'true'],
    'a destination with TLS does not ride on the connection of one without',
  );
});

test('preferred: a host without STARTTLS gets mail in the clear; an error after the 220 does not', async (t) => {
  const plain = await sinkFor(t);
  const broken = await sinkFor(t, { tlsGarbage: '500 what is this\r\n' });
  const rig = startRig(t, {
    routes: { 'plain.test': routeTo(plain).ALL, ALL: routeTo(broken).ALL },
    destinationControls: { default: { tls: 'preferred' } },
    profile: SLOW,
  });
  await rig.send({ to: ['a@plain.test'] });
  await plain.waitFor(1);
  await rig.send({ to: ['b@broken.test'], ...SECRET });
  await settled(rig, 2);
  assert.equal(rig.events('delayed')[0]?.status, '4.7.5');
  assertNothingLeaked(broken);
});

test('required: a host that offers TLS gets the mail inside it', async (t) => {
  const sink = await sinkFor(t, { tls: credentials });
  const rig = startRig(t, { routes: routeTo(sink), destinationControls: required });
  await rig.send({ to: ['a@secure.test'], ...SECRET });
  const [message] = await sink.waitFor(1);
  assert.equal(message?.tls?.protocol, 'TLSv1.3');
  assertNothingLeaked(sink);
  assert.equal(rig.events('dcid-tls-required').length, 0);
});

const failures: Readonly<Record<string, readonly [options: SinkOptions, status: string, why: RegExp]>> = {
  'does not offer STARTTLS': [{}, '4.7.4', /^TLS is required: STARTTLS is not offered$/],
  'knows no EHLO': [
    { script: (verb) => (verb === 'EHLO' ? '502 5.5.1 no' : undefined) },
    '4.7.4',
    /^TLS is required: STARTTLS is not offered$/,
  ],
  'refuses STARTTLS for now': [
    { tls: credentials, script: (verb) => (verb === 'STARTTLS' ? '454 4.7.0 not now' : undefined) },
    '4.7.4',
    /^TLS is required: STARTTLS refused: 454 4\.7\.0 not now$/,
  ],
  'refuses STARTTLS for good': [
    { tls: credentials, script: (verb) => (verb === 'STARTTLS' ? '502 5.5.1 no' : undefined) },
    '4.7.4',
    /^TLS is required: STARTTLS refused: 502 5\.5\.1 no$/,
  ],
  'fails in the handshake': [{ tlsGarbage: '500 what is this\r\n' }, '4.7.5', /^TLS handshake failed: /],
  'hangs up after the 220': [
    { tls: credentials, script: (verb) => (verb === 'STARTTLS' ? { drop: true, after: '220 go' } : undefined) },
    '4.7.5',
    /^TLS handshake failed: /,
  ],
};

for (const [what, [options, status, why]] of Object.entries(failures))
  test(`required: a host that ${what} gets nothing of the message; it waits`, async (t) => {
    const sink = await sinkFor(t, options);
    const rig = startRig(t, { routes: routeTo(sink), destinationControls: required, profile: SLOW });
    await rig.send({ to: ['a@secure.test'], ...SECRET });
    await settled(rig, 1);
    assert.equal(rig.queue.settled[0]?.outcome, 'retry');
    assert.equal(rig.events('delayed')[0]?.status, status);
    assert.match(rig.events('delayed')[0]?.why ?? '', why);
    assertNothingLeaked(sink);
    const [line] = rig.events('dcid-tls-required');
    assert.equal(line?.remoteAddress, '127.0.0.1');
    assert.equal(rig.events('destination-without-tls')[0]?.domain, 'secure.test');
    assert.equal(rig.events('destination-without-tls')[0]?.alert, false);
    assert.equal(rig.events('route-down').length, 0, 'the route is not down: it does not do for this destination');
  });

test('required: the next host is tried where the first gives no TLS', async (t) => {
  const [plain, good] = [await sinkFor(t), await sinkFor(t, { tls: credentials })];
  const rig = startRig(t, { routes: routeTo(plain, good), destinationControls: required });
  await rig.send({ to: ['a@secure.test'], ...SECRET });
  const [message] = await good.waitFor(1);
  assert.ok(message?.tls);
  assertNothingLeaked(plain);
  assert.equal(plain.messages.length, 0);
  assert.equal(rig.events('destination-without-tls').length, 0, 'the mail has left: nobody needs to look');
});

test('required: retries that are used up bounce, and the bounce says why', async (t) => {
  const sink = await sinkFor(t);
  const rig = startRig(t, { routes: routeTo(sink), destinationControls: required, profile: { maxRetries: 2 } });
  await rig.send({ to: ['a@secure.test'], ...SECRET });
  await rig.queue.until(() => rig.queue.bounces.length === 1);
  const [bounced] = rig.events('bounced');
  assert.match(bounced?.why ?? '', /TLS is required: STARTTLS is not offered/);
  const [bounce] = rig.queue.bounces;
  const text = bounce?.body.kind === 'inline' ? Buffer.from(bounce.body.bytes).toString() : '';
  assert.match(text, /TLS is required: STARTTLS is not offered/);
  assertNothingLeaked({ ...sink, sessions: sink.sessions.slice(0, 3) });
});

test('required: a host that is no good for one destination goes on taking the mail of others', async (t) => {
  const sink = await sinkFor(t);
  const rig = startRig(t, { routes: routeTo(sink), destinationControls: required, profile: SLOW });
  await rig.send({ to: ['a@secure.test', 'b@other.test'], ...SECRET });
  const [message] = await sink.waitFor(1);
  assert.deepEqual(
    message?.recipients.map(({ address }) => address),
    ['b@other.test'],
  );
  await settled(rig, 2);
  assert.deepEqual(rig.queue.settled.map(({ outcome }) => outcome).sort(), ['delivered', 'retry']);
});

test('a new configuration that requires TLS holds for mail that waits already', async (t) => {
  const sink = await sinkFor(t, { script: (verb) => (verb === 'CONNECT' ? '421 4.3.2 not now' : undefined) });
  const open = await sinkFor(t);
  const queue = new MemoryQueue();
  const options = { queue, routes: { ALL: [`127.0.0.1:${sink.port}`] } };
  for (let i = 0; i < 5; i++) await queue.accept(newMessage({ to: [`r${i}@secure.test`], ...SECRET }));
  const rig = startRig(t, options);
  await queue.until(() => queue.settled.length >= 5);
  rig.delivery.reconfigure(configOf({ ...options, routes: routeTo(open), destinationControls: required }));
  const before = queue.settled.length;
  await queue.until(() => queue.settled.length >= before + 5);
  assertNothingLeaked(open);
  assert.equal(open.messages.length, 0);
});

test('sendTlsRequiredAlert marks the event that names the domain', async (t) => {
  const sink = await sinkFor(t);
  const destinationControls = { sendTlsRequiredAlert: true, default: { tls: 'required' } };
  const rig = startRig(t, { routes: routeTo(sink), destinationControls, profile: SLOW });
  await rig.send({ to: ['a@one.test', 'b@TWO.test'] });
  await settled(rig, 2);
  assert.deepEqual(
    rig
      .events('destination-without-tls')
      .map(({ domain, alert, rule }) => `${domain} ${alert} ${rule}`)
      .sort(),
    ['one.test true destinationControls.default', 'two.test true destinationControls.default'],
  );
});

test('connections of a destination stay within its limit, those of others within theirs', async (t) => {
  let open = 0;
  const most = new Map<string, number>();
  const queue = new MemoryQueue();
  for (let i = 0; i < 24; i++) await queue.accept(newMessage({ to: [`r@${i % 2 === 0 ? 'narrow' : 'wide'}.test`] }));
  const count = (name: string) =>
    sinkFor(t, {
      script: (verb) => {
        if (verb === 'CONNECT') open = (counts.get(name) ?? 0) + 1;
        if (verb === 'CONNECT') counts.set(name, open);
        most.set(name, Math.max(most.get(name) ?? 0, counts.get(name) ?? 0));
        if (verb === 'QUIT') counts.set(name, (counts.get(name) ?? 0) - 1);
        return verb === 'END' ? { delayMs: 30, reply: '250 2.0.0 ok' } : undefined;
      },
    });
  const counts = new Map<string, number>();
  const [narrow, wide] = [await count('narrow'), await count('wide')];
  startRig(t, {
    queue,
    routes: { 'narrow.test': routeTo(narrow).ALL, 'wide.test': routeTo(wide).ALL },
    destinationControls: { default: { maxConnections: 4 }, domains: { 'narrow.test': { maxConnections: 1 } } },
  });
  await queue.until(() => queue.settled.length === 24);
  assert.equal(most.get('narrow'), 1);
  assert.ok((most.get('wide') ?? 0) > 1 && (most.get('wide') ?? 0) <= 4, `${most.get('wide')} connections`);
});

test('a destination has its own number of messages in a connection', async (t) => {
  const sink = await sinkFor(t);
  const queue = new MemoryQueue();
  for (let i = 0; i < 7; i++) await queue.accept(newMessage({ to: [`r${i}@few.test`] }));
  startRig(t, {
    queue,
    routes: routeTo(sink),
    destinationControls: { domains: { 'few.test': { maxConnections: 1, maxMessagesPerConnection: 3 } } },
  });
  await queue.until(() => queue.settled.length === 7);
  assert.deepEqual(
    sink.sessions.map(({ commands }) => commands.filter((line) => line.startsWith('MAIL')).length),
    [3, 3, 1],
  );
});

test('recipients above the limit of a period wait for the next one, and waiting is no attempt', async (t) => {
  const sink = await sinkFor(t);
  const rig = startRig(t, {
    routes: routeTo(sink),
    destinationControls: { domains: { '.limited.test': { recipientLimit: { recipients: 3, minutes: 1 } } } },
  });
  const from = Date.now();
  await rig.send({ to: ['a@x.limited.test', 'b@x.limited.test'] });
  await rig.send({ to: ['c@x.limited.test', 'd@x.limited.test', 'e@x.limited.test', 'f@y.limited.test'] });
  await settled(rig, 6);
  const later = rig.queue.settled.filter(({ outcome }) => outcome === 'later');
  assert.equal(later.length, 2);
  for (const row of later) assert.ok(row.outcome === 'later' && row.nextAttemptMs >= from + 60_000);
  const got = (await sink.waitFor(3)).flatMap(({ recipients }) => recipients.map(({ address }) => address));
  assert.deepEqual(got.sort(), ['a@x.limited.test', 'b@x.limited.test', 'c@x.limited.test', 'f@y.limited.test']);
  const [pending] = rig.events('pending');
  assert.deepEqual([pending?.domain, pending?.rids.length], ['x.limited.test', 2]);
  const [row] = await rig.queue.claim('test', from + 120_000, 1000, 1);
  assert.equal(row?.attempts, 0);
});

test('each use of a row is told, so that rows without one can be found', async (t) => {
  const sink = await sinkFor(t);
  const rules: string[] = [];
  const rig = startRig(t, {
    routes: routeTo(sink),
    destinationControls: { domains: { '.used.test': { maxConnections: 2 }, 'idle.test': {} } },
    noteRoute: (rule) => rules.push(rule),
  });
  await rig.send({ to: ['a@x.used.test'] });
  await settled(rig, 1);
  assert.deepEqual(rules, ['smtpRoutes.ALL', 'destinationControls.domains..used.test']);
});
