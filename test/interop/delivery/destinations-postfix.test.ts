/** Destination Controls of a running gateway against Postfix: with TLS, without, and with an alert where it is missed. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { atEnd } from '../../support/at-end.ts';
import { type PostfixNextHop, startPostfix } from '../../support/postfix.ts';
import { type One, Site } from '../../support/site.ts';
import { SmtpSession } from '../../support/smtp-session.ts';

let site: Site;
/** Demands TLS. */
let strict: PostfixNextHop;
/** Has none. */
let plain: PostfixNextHop;
let one: One;

before(async () => {
  site = await Site.open();
  const tls = site.pki.root.issue({ subject: '/CN=mail.example.test', serial: '0300' });
  const mailboxes = ['a@secure.test', 'a@off.test', 'a@open.test', 'ops@example.test'];
  strict = await startPostfix({ mailboxes, tls, parameters: { smtpd_tls_security_level: 'encrypt' } });
  atEnd(() => strict.stop());
  plain = await startPostfix({ mailboxes: ['a@missing.test', 'a@open.test', 'a@gone.test', 'ops@example.test'] });
  atEnd(() => plain.stop());
  const [toStrict, toPlain] = [strict, plain].map(({ port }) => [`127.0.0.1:${port}`]);
  one = await site.startOne({ policy: {} }, (config) => ({
    ...config,
    smtpRoutes: { 'secure.test': toStrict, 'off.test': toStrict, ALL: toPlain },
    bounceProfiles: { default: { initialWait: '1s', maxWait: '1s', maxRetries: 1 } },
    destinationControls: {
      sendTlsRequiredAlert: true,
      domains: { 'secure.test': { tls: 'required' }, 'missing.test': { tls: 'required' }, 'off.test': { tls: 'off' } },
    },
    alerts: { recipients: { 'ops@example.test': { system: ['warning'] } } },
  }));
});

async function submit(to: string, from = 'a@open.test'): Promise<void> {
  const session = await SmtpSession.open({ port: one.port });
  const reply = await session.send({ text: `Subject: to ${to}\r\n\r\nhello\r\n`, from, to });
  assert.equal(reply.code, 250, reply.text);
  await session.quit();
}

test('required: Postfix gets it inside TLS', async () => {
  await submit('a@secure.test');
  const [text = ''] = await strict.waitFor('a@secure.test', 1);
  assert.match(text, /^Received: from gw\.example\.test .*\n.*\(using TLSv1\.3/m);
});

test('off: a Postfix that demands TLS is not given it, and refuses', async () => {
  await submit('a@off.test');
  const bounce = await plain.waitFor('a@open.test', 1);
  assert.match(bounce[0] ?? '', /Must issue a STARTTLS command first/);
  assert.deepEqual(strict.mailbox('a@off.test'), []);
});

test('preferred: a Postfix without TLS gets it in the clear', async () => {
  await submit('a@gone.test');
  const [text = ''] = await plain.waitFor('a@gone.test', 1);
  assert.doesNotMatch(text, /using TLS/);
});

test('required: a Postfix without TLS gets nothing, an alert names the domain, and the mail bounces in the end', async () => {
  await submit('a@missing.test');
  const { gateway } = one;
  const line = await gateway.event(({ event }) => event === 'dcid-tls-required');
  assert.equal(line['remoteAddress'], '127.0.0.1');
  const [alert = ''] = await plain.waitFor('ops@example.test', 1);
  assert.match(
    alert,
    /^Subject: \[Warning\]-\[gw\.example\.test\]: \(System\) TLS was required for the domain missing\.test but could not be successfully negotiated/m,
  );
  await gateway.event(({ event, why }) => event === 'bounced' && /TLS is required: STARTTLS is not/.test(String(why)));
  const bounces = await plain.waitFor('a@open.test', 2);
  assert.ok(bounces.some((text) => text.includes('TLS is required: STARTTLS is not offered')));
  assert.deepEqual(plain.mailbox('a@missing.test'), []);
  assert.doesNotMatch(plain.log(), /missing\.test/, 'Postfix never heard of the recipient');
});
