/** What happens to a message after 250: delivered once, retried while the next hop is away, bounced when refused. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { Gateway } from '../support/gateway.ts';
import { NextHop } from '../support/next-hop.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
before(async () => {
  site = await Site.open();
});

async function submit(port: number, subject: string, more: { from?: string; to?: string } = {}): Promise<void> {
  const session = await SmtpSession.open({ port });
  const reply = await session.send({ text: `Subject: ${subject}\r\n\r\n..dot at the start\r\nhello\r\n`, ...more });
  assert.equal(reply.code, 250, reply.text);
  await session.quit();
}

test('a message arrives once, unchanged, with a Received field on top', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  await submit(port, 'arrives once');
  const message = await site.nextHop.messageWith('Subject: arrives once');
  assert.equal(message.from, 'alice@example.test');
  assert.deepEqual(message.to, ['someone@elsewhere.example']);
  assert.match(message.text, /^Received: from client\.example\.test /);
  assert.ok(message.text.endsWith('Subject: arrives once\r\n\r\n.dot at the start\r\nhello\r\n'), message.text);
  assert.equal(site.nextHop.messages.filter(({ text }) => text.includes('arrives once')).length, 1);
  await gateway.stop();
});

test('while the next hop is down the message waits, and arrives when it is up', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  await site.nextHop.down();
  await submit(port, 'waits for the next hop');
  await gateway.event((event) => event.event === 'delayed' || event.event === 'dcid-failed');
  await site.nextHop.up();
  await site.nextHop.messageWith('waits for the next hop');
  await gateway.stop();
});

test('a message that the next hop puts off is retried', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  site.nextHop.dataReply = '451 4.3.0 not now';
  await submit(port, 'put off');
  await gateway.event((event) => event.event === 'delayed');
  site.nextHop.dataReply = '250 2.0.0 kept';
  await site.nextHop.messageWith('Subject: put off');
  await gateway.stop();
});

test('a message that the next hop refuses comes back as a bounce to its sender, with a null sender', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  site.nextHop.refuse = (recipient) =>
    recipient === 'someone@elsewhere.example' ? '550 5.1.1 no such user' : undefined;
  await submit(port, 'refused there');
  const bounce = await site.nextHop.message(({ from, to }) => from === '' && to.includes('alice@example.test'));
  assert.match(bounce.text, /Content-Type: multipart\/report/i);
  assert.match(bounce.text, /report-type="?delivery-status/i);
  assert.match(bounce.text, /Final-Recipient: rfc822; ?someone@elsewhere\.example/i);
  assert.match(bounce.text, /Status: 5\.1\.1/);
  assert.match(bounce.text, /no such user/);
  site.nextHop.refuse = () => undefined;
  await gateway.stop();
});

test('a bounce that cannot be delivered ends there', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  site.nextHop.refuse = () => '550 5.1.1 no such user';
  await submit(port, 'null sender', { from: '' });
  await gateway.event((event) => event.event === 'double-bounce' || event.event === 'bounced');
  assert.ok(!gateway.events.some((event) => event.event === 'bounce-generated'));
  site.nextHop.refuse = () => undefined;
  await gateway.stop();
});

test('routes: a domain has its own next hop, /dev/null accepts and discards, the second host takes over', async () => {
  const other = await NextHop.start();
  const port = await freePort();
  const dead = await freePort();
  const smtpRoutes = {
    ALL: [`127.0.0.1:${site.nextHop.port}`],
    'other.example': [`127.0.0.1:${dead}`, `127.0.0.1:${other.port}`],
    '.example': [`[127.0.0.1]:${other.port}`],
    'nowhere.example': ['/dev/null'],
  };
  const config = { ...withListener(site.base(), 'submission', { policy: {}, port }), smtpRoutes };
  const gateway = await Gateway.start({ config, folder: site.copy() });
  await submit(port, 'to other', { to: 'a@other.example' });
  await submit(port, 'to sub', { to: 'a@sub.example' });
  await submit(port, 'to nowhere', { to: 'a@nowhere.example' });
  await submit(port, 'to all', { to: 'a@somewhere.test' });
  await other.messageWith('Subject: to other');
  await other.messageWith('Subject: to sub');
  await site.nextHop.messageWith('Subject: to all');
  await gateway.event((event) => event.event === 'discarded');
  assert.ok(![...other.messages, ...site.nextHop.messages].some(({ text }) => text.includes('to nowhere')));
  await gateway.stop();
  await other.stop();
});

test('8-bit and SMTPUTF8 mail arrives octet for octet, and so does a long message', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  const session = await SmtpSession.open({ port });
  await session.expect('MAIL FROM:<jörg@example.test> SMTPUTF8 BODY=8BITMIME', '250');
  await session.expect('RCPT TO:<müller@elsewhere.example>', '250');
  await session.expect('DATA', '354');
  const long = 'grüße, 0123456789 abcdefghijklmnopqrstuvwxyz\r\n'.repeat(20_000);
  session.write(`Subject: long ü\r\n\r\n${long}.\r\n`);
  assert.equal((await session.reply()).code, 250);
  await session.quit();
  const message = await site.nextHop.messageWith('Subject: long');
  const text = Buffer.from(message.text, 'latin1').toString('utf8');
  assert.equal(text.slice(text.indexOf('\r\n\r\n') + 4), long);
  assert.equal(Buffer.from(message.from, 'latin1').toString('utf8'), 'jörg@example.test');
  await gateway.stop();
});

test('a message in BDAT chunks arrives as one', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  const session = await SmtpSession.open({ port });
  await session.expect('MAIL FROM:<a@example.test>', '250');
  await session.expect('RCPT TO:<b@elsewhere.example>', '250');
  session.write('BDAT 20\r\nSubject: in chunks\r\nBDAT 9\r\n\r\n.\r\nab\r\nBDAT 0 LAST\r\n');
  for (const reply of await session.replies(3)) assert.equal(reply.code, 250);
  await session.quit();
  const message = await site.nextHop.messageWith('Subject: in chunks');
  assert.ok(message.text.endsWith('Subject: in chunks\r\n\r\n.\r\nab\r\n'), message.text);
  await gateway.stop();
});

test('a loop is found however long the header has grown', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  const session = await SmtpSession.open({ port });
  const hop = `Received: from a by b; Tue, 24 Nov 2026 12:00:00 +0000\r\nARC-Seal: ${'0123456789'.repeat(90)}\r\n`;
  const text = (hops: number): string => `${hop.repeat(hops)}Subject: ${hops} hops\r\n\r\nhello\r\n`;
  assert.match((await session.send({ text: text(101) })).text, /^554 5\.4\.6/);
  assert.equal((await session.send({ text: text(99) })).code, 250);
  await session.quit();
  await site.nextHop.messageWith('Subject: 99 hops');
  await gateway.stop();
});

test('a next hop without 8BITMIME gets no 8-bit text: the sender is told by a notification that it can take', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  const { keywords } = site.nextHop;
  site.nextHop.keywords = ['PIPELINING'];
  const session = await SmtpSession.open({ port });
  await session.expect('MAIL FROM:<eight@example.test> BODY=8BITMIME', '250');
  await session.expect('RCPT TO:<someone@elsewhere.example>', '250');
  await session.expect('DATA', '354');
  await session.expect('Subject: eight bits\r\n\r\ngrüße\r\n.', '250');
  await session.quit();
  const bounce = await site.nextHop.message(({ from, to }) => from === '' && to.includes('eight@example.test'));
  assert.match(bounce.text, /Status: 5\.6\.3/);
  assert.match(bounce.text, /Subject: eight bits/);
  assert.match(bounce.text, /^[\t\r\n -~]*$/);
  assert.ok(!site.nextHop.messages.some(({ from, text }) => from !== '' && text.includes('eight bits')));
  site.nextHop.keywords = keywords;
  await gateway.stop();
});

test('a message that asks for SMTPUTF8 and does not need it passes a next hop without it', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  const { keywords } = site.nextHop;
  site.nextHop.keywords = ['PIPELINING', '8BITMIME'];
  const session = await SmtpSession.open({ port });
  await session.expect('MAIL FROM:<alice@example.test> SMTPUTF8 BODY=8BITMIME', '250');
  await session.expect('RCPT TO:<someone@elsewhere.example>', '250');
  await session.expect('DATA', '354');
  await session.expect('Subject: asked in vain\r\n\r\ngrüße\r\n.', '250');
  await session.quit();
  await site.nextHop.messageWith('Subject: asked in vain');
  site.nextHop.keywords = keywords;
  await gateway.stop();
});
