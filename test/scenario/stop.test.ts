/** Graceful stop: idle sessions end, transactions finish, everything is over within ten seconds, and nothing is lost. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Gateway } from '../support/gateway.ts';
import { Site } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

/** Less than what transactions are given. */
const IDLE_STOP_MS = 8000;
/** What transactions are given, and a moment. */
const BUSY_STOP_MS = 11_000;

let site: Site;
before(async () => {
  site = await Site.open();
});

test('SIGTERM ends an idle session with 421 and the gateway exits with 0', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  const session = await SmtpSession.open({ port });
  const from = Date.now();
  const stopped = gateway.stop();
  assert.match((await session.reply()).text, /^421 4\.3\.2/);
  await session.closed();
  assert.equal(await stopped, 0);
  assert.ok(Date.now() - from < IDLE_STOP_MS, `stopped after ${Date.now() - from} ms`);
});

test('a transaction that is under way at SIGTERM is finished, acknowledged and delivered after the next start', async () => {
  const { gateway, port, config, folder } = await site.startOne({ policy: {} });
  await site.nextHop.down();
  const session = await SmtpSession.open({ port });
  for (const line of ['MAIL FROM:<a@example.test>', 'RCPT TO:<b@example.test>']) await session.expect(line, '250');
  await session.expect('DATA', '354');
  session.write('Subject: under way at SIGTERM\r\n\r\nfirst half\r\n');
  const stopped = gateway.stop();
  await assert.rejects(waitForRefusal(port, session), /refused/);
  await session.expect('second half\r\n.', '250 2.0.0');
  assert.match((await session.reply()).text, /^421 4\.3\.2/);
  assert.equal(await stopped, 0);
  await site.nextHop.up();
  const again = await site.start(config, { folder });
  await site.nextHop.messageWith('under way at SIGTERM');
  await again.stop();
});

test('a transaction that has only begun at SIGTERM is finished too, and a second SIGTERM cuts nothing short', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  const session = await SmtpSession.open({ port });
  for (const line of ['MAIL FROM:<a@example.test>', 'RCPT TO:<b@example.test>']) await session.expect(line, '250');
  const stopped = gateway.stop();
  await assert.rejects(waitForRefusal(port, session), /refused/);
  gateway.signal('SIGTERM');
  await session.expect('RCPT TO:<c@example.test>', '250');
  await session.expect('DATA', '354');
  await session.expect('Subject: begun before SIGTERM\r\n\r\nhello\r\n.', '250 2.0.0');
  assert.match((await session.reply()).text, /^421 4\.3\.2/);
  assert.equal(await stopped, 0);
});

test('whoever is asked for a password at SIGTERM hears 421', async () => {
  const { gateway, port } = await site.startOne({ profile: 'password-only', policy: { smtpAuth: 'preferred' } });
  const session = await SmtpSession.open({ port });
  await session.expect('AUTH LOGIN', '334');
  const stopped = gateway.stop();
  assert.match((await session.reply()).text, /^421 4\.3\.2/);
  assert.equal(await stopped, 0);
});

/** Resolves never: rejects once the listener takes no new connection, so that the stop has begun. */
async function waitForRefusal(port: number, session: SmtpSession): Promise<void> {
  for (;;) {
    const other = await SmtpSession.dial({ port }).catch(() => undefined);
    if (other === undefined) throw new Error('refused');
    other.destroy();
    assert.ok(session.isOpen, 'the transaction was cut off');
  }
}

/** SIGTERM; resolves when the session's connection is closed and the gateway has ended well. */
async function stopUnder(session: SmtpSession, gateway: Gateway): Promise<void> {
  const from = Date.now();
  const stopped = gateway.stop();
  await session.closed();
  assert.ok(Date.now() - from < BUSY_STOP_MS, `cut off after ${Date.now() - from} ms`);
  assert.equal(await stopped, 0);
}

describe('the stop is not held up for more than ten seconds', { concurrency: 2 }, () => {
  test('by a client that hangs in the middle of a transaction', async () => {
    const { gateway, port } = await site.startOne({ policy: {} });
    const session = await SmtpSession.open({ port });
    for (const line of ['MAIL FROM:<a@example.test>', 'RCPT TO:<b@example.test>']) await session.expect(line, '250');
    await session.expect('DATA', '354');
    await stopUnder(session, gateway);
    assert.match((await session.reply()).text, /^421 4\.3\.2/);
  });

  test('by a TLS handshake', async () => {
    const { gateway, port } = await site.startOne({ policy: { tls: 'preferred' } });
    const session = await SmtpSession.open({ port });
    await session.expect('STARTTLS', '220');
    await stopUnder(session, gateway);
  });
});
