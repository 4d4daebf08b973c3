/** What a refused session hears, for how long, on STARTTLS and on implicit TLS; and the one record that it leaves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import type { Gateway, LogEvent } from '../support/gateway.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession, type TlsClient } from '../support/smtp-session.ts';

const site = await Site.open();
const ports = {
  starttls: await freePort(),
  implicit: await freePort(),
  either: await freePort(),
  ipv6: await freePort(),
};
const policy = { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' };
let config = withListener(site.base(), 'starttls', { port: ports.starttls, profile: 'cac', policy });
config = withListener(config, 'implicit', { port: ports.implicit, profile: 'cac', policy, implicit: true });
config = withListener(config, 'ipv6', { port: ports.ipv6, host: '::1', profile: 'cac', policy });
config = withListener(config, 'either', {
  port: ports.either,
  profile: 'cac-or-password',
  policy: { tls: 'preferred', smtpAuth: 'required' },
});
const gateway = await site.start(config);

/** The connection that this session is, found by the client's port being the only one open on the listener. */
async function icidOf(running: Gateway, listener: string, from: number): Promise<number> {
  const opened = await running.event(
    (event: LogEvent) => event.event === 'connection' && event['listener'] === listener,
    { from },
  );
  return opened.icid ?? -1;
}

async function refused(client: TlsClient): Promise<{ session: SmtpSession; icid: number }> {
  const from = gateway.events.length;
  const session = await SmtpSession.open({ port: ports.starttls });
  await session.startTls(client);
  return { session, icid: await icidOf(gateway, 'starttls', from) };
}

test('a refused session that says nothing more is closed after 30 seconds', async () => {
  const { session } = await refused(site.pki.card('frank'));
  const from = Date.now();
  await session.expect('EHLO client.example.test', '554 5.7.1');
  await session.closed();
  const seconds = (Date.now() - from) / 1000;
  assert.ok(seconds > 20 && seconds < 38, `closed after ${seconds} s`);
});

test('NOOP is answered in a refused session and does not count', async () => {
  const { session } = await refused(site.pki.card('frank'));
  for (let i = 0; i < 10; i++) await session.expect('NOOP', '250');
  for (const line of ['EHLO a', 'HELO a', 'RSET', 'AUTH PLAIN AGEAYg==']) await session.expect(line, '554 5.7.1');
  await session.closed();
});

test('a pipelined refusal is answered command by command and ends after the fourth', async () => {
  const { session } = await refused(site.pki.card('frank'));
  session.write('EHLO a\r\nMAIL FROM:<frank@example.test>\r\nRCPT TO:<x@example.test>\r\nDATA\r\nNOOP\r\nEHLO b\r\n');
  for (const reply of await session.replies(4)) assert.match(reply.text, /^554 5\.7\.1 .*revoked/);
  await session.closed();
  assert.equal(session.unread, '');
});

test('on implicit TLS the greeting comes first and then the refusal', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const session = await SmtpSession.dialTls(
      { port: ports.implicit },
      { ...site.pki.card('frank'), ca: site.pki.serverCa, version },
    );
    assert.equal((await session.reply()).code, 220);
    const reply = await session.expect('EHLO client.example.test', '554 5.7.1');
    assert.match(reply.text, /client certificate revoked/);
    await session.expect('QUIT', '221');
    await session.closed();
  }
});

test('on implicit TLS alice is in at once, and STARTTLS is not offered', async () => {
  const session = await SmtpSession.dialTls(
    { port: ports.implicit },
    { ...site.pki.card('alice'), ca: site.pki.serverCa },
  );
  assert.equal((await session.reply()).code, 220);
  const keywords = await session.ehlo();
  assert.equal(keywords.has('STARTTLS'), false);
  assert.equal(keywords.get('AUTH'), 'EXTERNAL');
  assert.equal((await session.send({ text: 'Subject: implicit\r\n\r\nhello\r\n' })).code, 250);
  await session.quit();
  await site.nextHop.messageWith('Subject: implicit');
});

test('an IPv6 listener does the same', async () => {
  const session = await SmtpSession.open({ host: '::1', port: ports.ipv6 });
  await session.startTls({ ...site.pki.card('alice'), ca: site.pki.serverCa });
  assert.equal((await session.ehlo()).get('AUTH'), 'EXTERNAL');
  await session.quit();
});

test('a refused session leaves exactly one record: who, which certificate, sender group, policy, rule and why', async () => {
  const { session, icid } = await refused(site.pki.card('frank'));
  await session.expect('EHLO client.example.test', '554');
  await session.expect('HELO client.example.test', '554');
  await session.quit();
  await gateway.closedEvents(icid);
  const records = gateway.refusals(icid);
  assert.equal(records.length, 1, JSON.stringify(records));
  const [record] = records;
  assert.equal(record?.stage, 'certificate');
  assert.equal(record?.listener, 'starttls');
  assert.equal(record?.senderGroup, 'RELAYLIST');
  assert.equal(record?.policy, 'starttls');
  assert.equal(record?.remoteAddress, '127.0.0.1');
  assert.match(record?.reason ?? '', /revoked/);
  assert.match(record?.rule ?? '', /verify on, tls required/);
  assert.match(record?.certificate?.subject ?? '', /CN=FOSTER\.FRANK\.F\.1000000006/);
  assert.match(record?.certificate?.issuer ?? '', /CN=Test Card Issuing CA/);
  assert.equal(record?.certificate?.serial, '1006');
});

const REFUSED_OTHERWISE: readonly (readonly [
  title: string,
  lines: readonly string[],
  stage: string,
  reason: RegExp,
])[] = [
  ['MAIL FROM without an identity leaves one record', ['MAIL FROM:<a@example.test>'], 'mail', /./],
  [
    'a wrong password leaves one record that names the login',
    [`AUTH PLAIN ${Buffer.from('\0bob\0wrong').toString('base64')}`],
    'auth',
    /./,
  ],
  [
    'a password of someone who must use a card leaves one record',
    [`AUTH PLAIN ${Buffer.from('\0alice\0alice-secret').toString('base64')}`],
    'auth',
    /not allowed/,
  ],
];

for (const [title, lines, stage, reason] of REFUSED_OTHERWISE) {
  test(title, async () => {
    const from = gateway.events.length;
    const session = await SmtpSession.open({ port: ports.either });
    const icid = await icidOf(gateway, 'either', from);
    await session.startTls();
    await session.expect('EHLO client.example.test', '250');
    for (const line of lines) assert.ok((await session.command(line)).code >= 500);
    await session.quit();
    await gateway.closedEvents(icid);
    const records = gateway.refusals(icid);
    assert.equal(records.length, 1, JSON.stringify(records));
    assert.equal(records[0]?.stage, stage);
    assert.match(records[0]?.reason ?? '', reason);
    assert.notEqual(records[0]?.rule ?? '', '');
    if (stage === 'auth') assert.match(records[0]?.user ?? '', /^(bob|alice)$/);
    assert.ok(!gateway.lines.some((line) => line.includes('alice-secret')), 'a password reached the log');
  });
}
