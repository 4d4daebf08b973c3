/** Delivery to a real Postfix as the next hop. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { selfSigned } from '../../support/certificate-authority.ts';
import { MemoryQueue } from '../../support/memory-queue.ts';
import { type PostfixNextHop, startPostfix } from '../../support/postfix.ts';
import { newMessage, startRig } from './delivery-rig.ts';

let postfix: PostfixNextHop;

before(async () => {
  const tls = selfSigned(mkdtempSync(join(tmpdir(), 'sallyport-postfix-tls-')), 'next', {
    subject: '/CN=next.example.test',
  });
  postfix = await startPostfix({
    tls,
    mailboxes: [
      'one@example.com',
      'two@example.com',
      'big@example.com',
      'many@example.com',
      'jürgen@example.com',
      'busy@example.com',
    ],
    parameters: {
      smtpd_recipient_restrictions:
        'check_recipient_access inline:{{busy@example.com=450 4.2.1 mailbox busy}}, permit_mynetworks, reject',
    },
  });
});
after(() => postfix.stop());

const routes = (): Record<string, string[]> => ({ 'example.com': [`127.0.0.1:${postfix.port}`], ALL: ['/dev/null'] });

test('Postfix gets the message over TLS, dots and all, and the unknown recipient bounces', async (t) => {
  const rig = startRig(t, { routes: routes(), profile: { initialWait: '1h', maxWait: '1h' } });
  await rig.send({
    to: ['one@example.com', 'two@example.com', 'nobody@example.com', 'busy@example.com'],
    text: 'Subject: to Postfix\r\nMessage-ID: <1@example.org>\r\n\r\n.\r\n..two\r\n.end\r\n',
  });
  const [mail] = await postfix.waitFor('one@example.com', 1);
  assert.match(mail ?? '', /Subject: to Postfix\n/);
  assert.match(mail ?? '', /\n\n\.\n\.\.two\n\.end\n$/);
  assert.match(mail ?? '', /using TLSv1\.3/);
  assert.equal((await postfix.waitFor('two@example.com', 1)).length, 1);
  await rig.queue.until(() => rig.queue.settled.length >= 4);
  const outcomes = Object.fromEntries(rig.queue.settled.slice(0, 4).map(({ rid, outcome }) => [rid, outcome]));
  assert.deepEqual(outcomes, { 0: 'delivered', 1: 'delivered', 2: 'bounced', 3: 'retry' });
  assert.equal(rig.events('bounced')[0]?.status, '5.1.1');
  assert.equal(rig.events('dcid-tls').length, 1);
});

test('a message of 20 MB arrives at Postfix whole', async (t) => {
  const rig = startRig(t, { routes: routes() });
  const text = `Subject: big\r\n\r\n${`${'0123456789'.repeat(7)}\r\n`.repeat(300_000)}end\r\n`;
  writeFileSync(join(rig.spoolDir, 'big'), text);
  await rig.send({ to: ['big@example.com'], body: { kind: 'spooled', file: 'big', size: text.length } });
  const [mail] = await postfix.waitFor('big@example.com', 1);
  const body = mail?.slice(mail.indexOf('\n\n') + 2) ?? '';
  assert.equal(body.length, 300_000 * 71 + 4);
  assert.ok(body.endsWith('\nend\n'));
});

test('a hundred messages reach Postfix once each, over a few connections', async (t) => {
  const queue = new MemoryQueue();
  for (let i = 0; i < 100; i++)
    await queue.accept(newMessage({ to: ['many@example.com'], text: `Subject: number ${i}\r\n\r\nx\r\n` }));
  const rig = startRig(t, { queue, routes: routes(), delivery: { maxConnectionsPerHost: 4 } });
  const mails = await postfix.waitFor('many@example.com', 100);
  await queue.until(() => queue.settled.length === 100);
  const subjects = new Set(mails.map((mail) => /Subject: (.*)\n/.exec(mail)?.[1]));
  assert.equal(subjects.size, 100);
  assert.equal(mails.length, 100);
  assert.ok(rig.events('dcid-open').length <= 8);
});

test('an international address goes through with SMTPUTF8', async (t) => {
  const rig = startRig(t, { routes: routes() });
  await rig.send({
    to: ['jürgen@example.com', 'busy@example.com'],
    text: 'Subject: Grüße\r\n\r\nSchön\r\n',
    envelope: { smtpUtf8: true, body: '8BITMIME' },
  });
  const [mail] = await postfix.waitFor('jürgen@example.com', 1);
  assert.match(mail ?? '', /Subject: Grüße\n[^]*\n\nSchön\n$/);
});

test('Postfix takes over NOTIFY, so that no notification is ours to send', async (t) => {
  const rig = startRig(t, { routes: routes() });
  await rig.send({ to: [{ address: 'two@example.com', notify: 'SUCCESS', orcpt: 'rfc822;two@example.com' }] });
  await postfix.waitFor('two@example.com', 2);
  await rig.queue.until(() => rig.queue.settled.length === 1);
  assert.equal(rig.queue.bounces.length, 0);
});
