/** Postfix as the client: it relays everything to the gateway, and its certificate is its identity. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Person } from '../support/pki.ts';
import { type PostfixNextHop, startPostfix } from '../support/postfix.ts';
import { Site } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
let port: number;
before(async () => {
  site = await Site.open();
  const policy = { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' };
  port = (await site.startOne({ profile: 'cac', policy })).port;
});

function postfixWith(person: Person): Promise<PostfixNextHop> {
  const { certFile, keyFile } = site.pki.card(person);
  return startPostfix({
    mailboxes: [],
    parameters: {
      relayhost: `[127.0.0.1]:${port}`,
      smtp_tls_security_level: 'encrypt',
      smtp_tls_CAfile: join(site.folder, 'pki', 'server-ca.pem'),
      smtp_tls_cert_file: certFile,
      smtp_tls_key_file: keyFile,
      smtp_tls_loglevel: '1',
    },
  });
}

async function submit(postfix: PostfixNextHop, subject: string): Promise<void> {
  const session = await SmtpSession.open({ port: postfix.port });
  assert.equal(
    (await session.send({ text: `From: <alice@example.test>\r\nSubject: ${subject}\r\n\r\nhello\r\n` })).code,
    250,
  );
  await session.quit();
}

test('Postfix with the card of a known client relays through the gateway', async () => {
  const postfix = await postfixWith('alice');
  try {
    await submit(postfix, 'by-postfix');
    await site.nextHop.messageWith('Subject: by-postfix');
  } finally {
    await postfix.stop();
  }
});

test('Postfix with a revoked card has the reason in its log', async () => {
  const postfix = await postfixWith('frank');
  try {
    await submit(postfix, 'by-frank');
    const limit = Date.now() + 20_000;
    while (!/client certificate revoked/.test(postfix.log())) {
      assert.ok(Date.now() < limit, postfix.log());
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    await postfix.stop();
  }
  assert.ok(!site.nextHop.messages.some(({ text }) => text.includes('by-frank')));
});
