/** A listener without a certificate uses a demonstration certificate, made on first use; each start says it is not secure. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Site } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

const WARNING = /no certificate assigned: a demonstration certificate is used, and it is not secure/;

test('without a certificate a demonstration certificate is made on first use, kept, and warned of at every start', async () => {
  const site = await Site.open();
  const { gateway, port, config, folder } = await site.startOne({
    policy: { tls: 'required' },
    more: { certificate: undefined },
  });
  const file = join(gateway.data, 'demonstration-certificate.pem');
  const made = readFileSync(file, 'utf8');
  await gateway.line(WARNING);
  const session = await SmtpSession.open({ port });
  await session.startTls();
  await session.expect('EHLO client.example.test', '250');
  await session.expect('MAIL FROM:<a@example.test>', '250');
  session.destroy();
  await gateway.stop();
  const again = await site.start(config, { folder });
  await again.line(WARNING);
  assert.equal(readFileSync(file, 'utf8'), made);
  await again.stop();
});
