/**
 * STARTTLS injection (CVE-2011-0411, CVE-2021-38371, NO STARTTLS 2021): what a man in the middle adds in the clear behind
 * STARTTLS must never be obeyed inside TLS.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Site } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
let port: number;
before(async () => {
  site = await Site.open();
  port = (await site.startOne({ profile: 'cac-or-password', policy: { tls: 'required', smtpAuth: 'preferred' } })).port;
});

test('commands in the same write as STARTTLS get 5xx and the connection ends', async () => {
  const session = await SmtpSession.open({ port });
  session.write('STARTTLS\r\nEHLO injected\r\nMAIL FROM:<injected@example.test>\r\n');
  const reply = await session.reply();
  assert.ok(reply.code >= 500, reply.text);
  await session.closed();
  assert.equal(session.unread, '', 'an injected command was answered');
});

test('half a command behind STARTTLS gets 5xx and the connection ends', async () => {
  const session = await SmtpSession.open({ port });
  session.write('STARTTLS\r\nMAIL FR');
  assert.ok((await session.reply()).code >= 500);
  await session.closed();
});

test('octets in the clear after 220 break the handshake and are never answered', async () => {
  const session = await SmtpSession.open({ port });
  await session.expect('STARTTLS', '220');
  session.write('EHLO injected\r\nMAIL FROM:<injected@example.test>\r\n');
  await session.closed();
  assert.doesNotMatch(session.unread, /^\d{3}[ -]/m);
});

test('a login before STARTTLS does not count after it', async () => {
  const clear = await site.startOne({ profile: 'password-only', policy: { tls: 'preferred', smtpAuth: 'required' } });
  const session = await SmtpSession.open({ port: clear.port });
  assert.equal((await session.authPlain('bob', 'bob-secret')).code, 235);
  await session.expect('MAIL FROM:<bob@example.test>', '250');
  await session.expect('RSET', '250');
  await session.startTls();
  assert.equal((await session.ehlo()).get('AUTH'), 'PLAIN LOGIN');
  await session.expect('MAIL FROM:<bob@example.test>', '530 5.7.0');
  await session.quit();
});

test('a sender given before STARTTLS does not count after it', async () => {
  const open = await site.startOne({ policy: { tls: 'preferred' } });
  const session = await SmtpSession.open({ port: open.port });
  await session.expect('MAIL FROM:<before@example.test>', '250');
  await session.startTls();
  await session.ehlo();
  await session.expect('RCPT TO:<a@example.test>', '503');
  await session.expect('MAIL FROM:<after@example.test>', '250');
  await session.quit();
});
