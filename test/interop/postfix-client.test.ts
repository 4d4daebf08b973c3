/** Postfix as the client: it relays everything to the gateway, and its certificate is its identity. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Person } from '../support/pki.ts';
import { type PostfixClient, startPostfixClient } from '../support/postfix-client.ts';
import { Site } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
let port: number;
before(async () => {
  site = await Site.open();
  const policy = { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' };
  port = (await site.startOne({ profile: 'cac', policy })).port;
});

function postfixWith(person: Person): Promise<PostfixClient> {
  const { certFile, keyFile } = site.pki.card(person);
  return startPostfixClient({ relayPort: port, caFile: join(site.folder, 'pki', 'server-ca.pem'), certFile, keyFile });
}

async function submit(postfix: PostfixClient, subject: string): Promise<void> {
  const session = await SmtpSession.open({ port: postfix.port });
  assert.equal(
    (await session.send({ text: `From: <alice@example.test>\r\nSubject: ${subject}\r\n\r\nhello\r\n` })).code,
    250,
  );
  await session.quit();
}

test('Postfix with the card of a known client relays through the gateway', async () => {
  await submit(await postfixWith('alice'), 'by-postfix');
  await site.nextHop.messageWith('Subject: by-postfix');
});

test('Postfix with a revoked card has the reason in its log', async () => {
  const postfix = await postfixWith('frank');
  await submit(postfix, 'by-frank');
  await eventually(() => assert.match(postfix.log(), /client certificate revoked/));
  assert.ok(!site.nextHop.messages.some(({ text }) => text.includes('by-frank')));
});
