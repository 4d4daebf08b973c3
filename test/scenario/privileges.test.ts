/**
 * "Run unprivileged": started as root the gateway binds its ports, gives its data folder to `system.user` and goes on
 * as that account, in every one of its threads. Started by anyone else it stays who it is.
 */
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

const ROOT = process.getuid?.() === 0;
const ACCOUNT = 'nobody';
const UID = Number(
  readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${ACCOUNT}:`))
    ?.split(':')[2],
);

/** Real and effective user of each thread; one may have ended since they were listed. */
const usersOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    (/^Uid:\s+(\d+)\s+(\d+)/m.exec(statusOf(`${pid}/task/${task}`)) ?? []).slice(1).map(Number),
  );

function statusOf(task: string): string {
  try {
    return readFileSync(`/proc/${task}/status`, 'utf8');
  } catch {
    return '';
  }
}

test('once its ports are bound the gateway runs as system.user, and mail is queued and delivered as before', async () => {
  const site = await Site.open();
  const port = await freePort();
  const folder = site.copy();
  chmodSync(folder, 0o755);
  const config = withListener(site.base(), 'submission', { policy: {}, port });
  const gateway = await site.start({ ...config, system: { user: ACCOUNT } }, { folder });
  const expected = ROOT ? UID : process.getuid?.();
  assert.deepEqual([...new Set(usersOf(gateway.pid))], [expected]);
  assert.equal(statSync(join(gateway.data, 'queue.db')).uid, expected);
  const groups = /^Groups:(.*)$/m.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1] ?? '';
  if (ROOT) assert.ok(!groups.trim().split(/\s+/).includes('0'), `groups of root are left: ${groups}`);
  const session = await SmtpSession.open({ port });
  for (const line of ['MAIL FROM:<a@example.test>', 'RCPT TO:<b@example.test>']) await session.expect(line, '250');
  await session.expect('DATA', '354');
  await session.expect('Subject: as nobody\r\n\r\ntext\r\n.', '250 2.0.0');
  await site.nextHop.messageWith('as nobody');
  assert.equal(await gateway.stop(), 0);
});

test('an account that does not exist is said, and nothing listens', async () => {
  const site = await Site.open();
  const port = await freePort();
  const config = withListener(site.base(), 'submission', { policy: {}, port });
  const start = site.start({ ...config, system: { user: 'nobody-of-that-name' } }, { folder: site.copy() });
  if (ROOT) await assert.rejects(start, /ended before[^]*nobody-of-that-name/);
  else assert.equal(await (await start).stop(), 0);
});
