/** Opportunistic TLS of delivery, and what a hostile next hop can do with it. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { yes } from '../../../src/core/verdict.ts';
import { selfSigned } from '../../support/certificate-authority.ts';
import { startSink } from '../../support/sink.ts';
import { startRig } from './delivery-rig.ts';

const credentials = selfSigned(mkdtempSync(join(tmpdir(), 'sallyport-tls-')), 'sink', {
  subject: '/CN=mx.example.test',
  extensions: ['subjectAltName=DNS:mx.example.test'],
});
const SLOW = { initialWait: '1h', maxWait: '1h' };

test('STARTTLS is used where it is offered, and EHLO is said again inside', async (t) => {
  const sink = await startSink({ tls: credentials });
  t.after(() => sink.stop());
  const rig = startRig(t, {
    routes: { ALL: [`mx.example.test:${sink.port}`] },
    dns: { addresses: async () => yes(['127.0.0.1']) },
  });
  await rig.send({ to: ['a@x.test'] });
  const [message] = await sink.waitFor(1);
  assert.equal(message?.tls?.protocol, 'TLSv1.3');
  assert.equal(message?.tls?.servername, 'mx.example.test');
  assert.equal(message?.session.clear.split('\r\n').slice(0, 2).join('|'), 'EHLO gw.example.test|STARTTLS');
  assert.deepEqual(message?.session.commands.slice(0, 3), ['EHLO gw.example.test', 'STARTTLS', 'EHLO gw.example.test']);
  await rig.queue.until(() => rig.queue.settled.length === 1);
  const [event] = rig.events('dcid-tls');
  assert.equal(event?.peer, 'mx.example.test');
  assert.equal(event?.verified, false, 'nobody vouches for the certificate, and the log says so');
});

test('an address is never sent as server name', async (t) => {
  const sink = await startSink({ tls: credentials });
  t.after(() => sink.stop());
  const rig = startRig(t, { routes: { ALL: [`127.0.0.1:${sink.port}`] } });
  await rig.send({ to: ['a@x.test'] });
  const [message] = await sink.waitFor(1);
  assert.equal(message?.tls?.servername, false);
});

for (const refusal of ['454 4.7.0 TLS not available', '502 5.5.1 no', '501 5.5.4 no'])
  test(`STARTTLS refused with ${refusal.slice(0, 3)} leaves the session in the clear`, async (t) => {
    const sink = await startSink({ tls: credentials, script: (verb) => (verb === 'STARTTLS' ? refusal : undefined) });
    t.after(() => sink.stop());
    const rig = startRig(t, { routes: { ALL: [`127.0.0.1:${sink.port}`] } });
    await rig.send({ to: ['a@x.test'] });
    const [message] = await sink.waitFor(1);
    assert.equal(message?.tls, undefined);
    assert.match(rig.events('dcid-tls-failed')[0]?.why ?? '', /STARTTLS refused/);
  });

test('a handshake that fails after the 220 never leads to clear text, and the mail is tried later', async (t) => {
  const sink = await startSink({ tlsGarbage: '500 what is this\r\n' });
  t.after(() => sink.stop());
  const rig = startRig(t, { routes: { ALL: [`127.0.0.1:${sink.port}`] }, profile: SLOW });
  await rig.send({ to: ['a@x.test'], text: 'Subject: secret\r\n\r\nsecret\r\n' });
  await rig.queue.until(() => rig.queue.settled.length === 1);
  assert.equal(rig.queue.settled[0]?.outcome, 'retry');
  assert.equal(rig.events('delayed')[0]?.status, '4.7.5');
  for (const session of sink.sessions) {
    assert.doesNotMatch(session.clear, /MAIL FROM|secret|RCPT/i);
    assert.deepEqual(
      session.commands.filter((line) => /^[A-Z]/.test(line)),
      ['EHLO gw.example.test', 'STARTTLS'],
    );
  }
});

test('a host that hangs up after the 220 gets nothing in the clear, now or on the next attempt', async (t) => {
  const sink = await startSink({
    tls: credentials,
    script: (verb) => (verb === 'STARTTLS' ? { drop: true, after: '220 2.0.0 go' } : undefined),
  });
  t.after(() => sink.stop());
  const rig = startRig(t, { routes: { ALL: [`127.0.0.1:${sink.port}`] } });
  await rig.send({ to: ['a@x.test'] });
  await rig.queue.until(() => rig.queue.settled.length === 2);
  for (const session of sink.sessions) assert.doesNotMatch(session.clear, /MAIL/);
  assert.ok(sink.sessions.length >= 2);
});

test('replies injected behind the 220 to STARTTLS end the connection', async (t) => {
  const sink = await startSink({
    tls: credentials,
    script: (verb) => (verb === 'STARTTLS' ? ['220 2.0.0 go', '250-evil.example', '250 DSN'] : undefined),
  });
  t.after(() => sink.stop());
  const rig = startRig(t, { routes: { ALL: [`127.0.0.1:${sink.port}`] }, profile: SLOW });
  await rig.send({ to: ['a@x.test'] });
  await rig.queue.until(() => rig.queue.settled.length === 1);
  assert.equal(rig.events('delayed')[0]?.status, '4.7.0');
  assert.match(rig.events('dcid-tls-failed')[0]?.why ?? '', /after the 220/);
  assert.equal(sink.messages.length, 0);
});

test('a host that keeps sending without being asked is cut off', async (t) => {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    const flood = (): void => {
      while (socket.writable && socket.write('x'.repeat(65_536)));
    };
    socket.on('drain', flood);
    flood();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as net.AddressInfo;
  const rig = startRig(t, { routes: { ALL: [`127.0.0.1:${port}`] }, profile: SLOW });
  await rig.send({ to: ['a@x.test'] });
  await rig.queue.until(() => rig.queue.settled.length === 1);
  assert.equal(rig.events('delayed')[0]?.status, '4.5.0');
});

test('a host that says nothing is given up after the time limit', async (t) => {
  const sink = await startSink({
    script: (verb) => (verb === 'CONNECT' ? { delayMs: 60_000, reply: '220 late' } : undefined),
  });
  t.after(() => sink.stop());
  const rig = startRig(t, {
    routes: { ALL: [`127.0.0.1:${sink.port}`] },
    profile: SLOW,
    delivery: { connectTimeout: '1s' },
  });
  await rig.send({ to: ['a@x.test'] });
  await rig.queue.until(() => rig.queue.settled.length === 1);
  assert.equal(rig.events('delayed')[0]?.status, '4.4.2');
});
