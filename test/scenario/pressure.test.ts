/** Full disks, floods, slow and rude clients: each gets its reply, nobody else suffers, nothing half is kept. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { atEnd } from '../support/at-end.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { Gateway } from '../support/gateway.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
before(async () => {
  site = await Site.open();
});

/** Octets of message files: everything in the data folder that is neither a database nor a list nor a reserve of zeros. */
function messageOctets(folder: string): number {
  return (
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => contentOf(join(entry.parentPath, entry.name)))
      .reduce((sum, text) => sum + text.split('0123456789'.repeat(7)).length - 1, 0) * 72
  );
}

/** The gateway may have removed it since the folder was listed. */
function contentOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

test('below the free space that must stay, new mail gets 452 4.3.1 and mail goes on when there is space', async () => {
  const { gateway, port, config, folder } = await site.startOne({ policy: {} }, (base) => ({
    ...base,
    system: { minFreeSpace: '900000G' },
  }));
  const session = await SmtpSession.open({ port });
  const reply = await session.send({ text: 'Subject: no space\r\n\r\n' });
  assert.match(reply.text, /^452 4\.3\.1/);
  await session.expect('NOOP', '250');
  await session.quit();
  await gateway.stop();
  const again = await site.start({ ...config, system: {} }, { folder });
  const other = await SmtpSession.open({ port });
  assert.equal((await other.send({ text: 'Subject: space again\r\n\r\n' })).code, 250);
  await other.quit();
  await site.nextHop.messageWith('space again');
  assert.ok(!site.nextHop.messages.some(({ text }) => text.includes('no space')));
  await again.stop();
});

if (process.getuid?.() === 0) {
  test('on a file system that is full a message gets 452 4.3.1, nothing of it stays, and what was acknowledged arrives', async () => {
    const data = join(site.folder, 'small-disk');
    mkdirSync(data);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', data]);
    atEnd(() => execFileSync('umount', ['-l', data]));
    const port = await freePort();
    await site.nextHop.down();
    const base = withListener(site.base(), 'submission', { policy: { maxMessageSize: '4M' }, port });
    const gateway = await Gateway.start({
      config: { ...base, system: { minFreeSpace: 0 } },
      folder: site.copy(),
      data,
    });
    const line = `${'0123456789'.repeat(7)}\r\n`;
    const accepted: string[] = [];
    let refused = 0;
    for (let i = 0; i < 30 && refused < 3; i++) {
      const session = await SmtpSession.open({ port });
      const reply = await session.send({ text: `Subject: big-${i}-\r\n\r\n${line.repeat(14_000)}` });
      if (reply.code === 250) accepted.push(`big-${i}-`);
      else {
        assert.match(reply.text, /^452 4\.3\.1/);
        refused += 1;
      }
      await session.expect('NOOP', '250');
      await session.quit();
    }
    assert.ok(refused >= 3, 'the file system did not fill up');
    assert.ok(accepted.length >= 2, `only ${accepted.length} messages fitted`);
    await eventually(() => {
      const kept = messageOctets(data) / (14_000 * 72);
      assert.ok(kept < accepted.length + 0.01, `${kept} messages are there, ${accepted.length} were acknowledged`);
    });
    await site.nextHop.up();
    for (const subject of accepted) await site.nextHop.messageWith(subject);
    // The next hop has a message a moment before the gateway has read its 250 and removed the file.
    await eventually(() => {
      const files = readdirSync(data, { recursive: true, encoding: 'utf8' });
      assert.deepEqual(
        files.filter((file) => file.endsWith('.eml')),
        [],
      );
    });
    // Room that was given up for outcomes is taken back a second after the last attempt.
    await eventually(async () => {
      const session = await SmtpSession.open({ port });
      const reply = await session.send({ text: 'Subject: room again\r\n\r\n' });
      await session.quit();
      assert.equal(reply.code, 250, reply.text);
    });
    await site.nextHop.messageWith('room again');
    assert.equal(await gateway.stop(), 0);
    assert.equal(
      new Set(site.nextHop.messages.map(({ text }) => /big-\d+-/.exec(text)?.[0]).filter(Boolean)).size,
      accepted.length,
    );
  });
}

test('six thousand NOOPs are tolerated', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  const session = await SmtpSession.open({ port });
  for (let batch = 0; batch < 60; batch++) {
    session.write('NOOP\r\n'.repeat(100));
    for (const reply of await session.replies(100)) assert.equal(reply.code, 250);
  }
  assert.equal((await session.send({ text: 'Subject: after the flood\r\n\r\n' })).code, 250);
  await session.quit();
  await gateway.stop();
});

test('a session of nothing but errors is ended with 421, and others go on', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  const other = await SmtpSession.open({ port });
  const session = await SmtpSession.open({ port });
  let last = 500;
  for (let i = 0; i < 200 && last !== 421; i++) last = (await session.command('FROB')).code;
  assert.equal(last, 421);
  await session.closed();
  await other.expect('NOOP', '250');
  await other.quit();
  await gateway.stop();
});

test('time without a command is bounded', async () => {
  const { gateway, port } = await site.startOne({ policy: {}, more: { commandTimeout: '1s' } });
  const session = await SmtpSession.dial({ port });
  assert.equal((await session.reply()).code, 220);
  assert.match((await session.reply()).text, /^421 4\.4\.2/);
  await session.closed();
  await gateway.stop();
});

test('time without a message is bounded, whatever the client says meanwhile', async () => {
  const { gateway, port } = await site.startOne({ policy: {}, more: { unsuccessfulTimeout: '2s' } });
  const from = Date.now();
  const session = await SmtpSession.dial({ port });
  let last = (await session.reply()).code;
  while (last === 220 || last === 250) last = (await session.command('NOOP')).code;
  assert.equal(last, 421);
  assert.ok(Date.now() - from >= 1900);
  await session.closed();
  await gateway.stop();
});

test('a message that stops coming gets 421, after DATA, in a chunk and in AUTH', async () => {
  const more = { dataTimeout: '1s', commandTimeout: '4s' };
  const { gateway, port } = await site.startOne({
    profile: 'password-only',
    policy: { smtpAuth: 'preferred' },
    more,
  });
  const stopAfter = async (last: string): Promise<void> => {
    const session = await SmtpSession.open({ port });
    if (last !== 'AUTH LOGIN')
      for (const line of ['MAIL FROM:<a@example.test>', 'RCPT TO:<b@example.test>']) await session.expect(line, '250');
    if (last === 'BDAT 10') session.write('BDAT 10\r\nhalf');
    else await session.expect(last, '3');
    assert.match((await session.reply()).text, /^421 4\.4\.2/, last);
    await session.closed();
  };
  await Promise.all(['DATA', 'BDAT 10', 'AUTH LOGIN'].map(stopAfter));
  await gateway.stop();
});

test('a message in chunks may take longer than the time without a message, as one after DATA may', async () => {
  const { gateway, port } = await site.startOne({ policy: {}, more: { unsuccessfulTimeout: '3s' } });
  const session = await SmtpSession.open({ port });
  for (const line of ['MAIL FROM:<a@example.test>', 'RCPT TO:<b@example.test>']) await session.expect(line, '250');
  session.write('BDAT 27\r\nSubject: slow chunks\r\n\r\na\r\n');
  assert.equal((await session.reply()).code, 250);
  await setTimeout(3500);
  session.write('BDAT 3 LAST\r\nb\r\n');
  assert.equal((await session.reply()).code, 250);
  await session.quit();
  await site.nextHop.messageWith('slow chunks');
  await gateway.stop();
});

test('more connections than the policy, and than the listener, get 421 at once; a closed one makes room', async () => {
  const { gateway, port } = await site.startOne({ policy: { maxConnectionsPerAddress: 3 } });
  const sessions: SmtpSession[] = [];
  for (let i = 0; i < 3; i++) sessions.push(await SmtpSession.open({ port }));
  const fourth = await SmtpSession.dial({ port });
  assert.match((await fourth.reply()).text, /^421 4\.4\.5/);
  await fourth.closed();
  await gateway.event((event) => event.event === 'icid-close');
  const from = gateway.events.length;
  await sessions.pop()?.quit();
  await gateway.event((event) => event.event === 'icid-close' && event['how'] === 'close', { from });
  const next = await SmtpSession.dial({ port });
  assert.equal((await next.reply()).code, 220);
  for (const session of [...sessions, next]) await session.quit();
  await gateway.stop();
  const busy = await site.startOne({ policy: {}, more: { maxConcurrency: 2 } });
  const two = [await SmtpSession.open({ port: busy.port }), await SmtpSession.open({ port: busy.port })];
  const third = await SmtpSession.dial({ port: busy.port });
  assert.match((await third.reply()).text, /^421 4\.4\.5/);
  for (const session of two) await session.quit();
  await busy.gateway.stop();
});

test('a line without an end is refused once and does not eat memory', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  const session = await SmtpSession.open({ port });
  for (let i = 0; i < 64; i++) session.write('x'.repeat(65_536));
  session.write('\r\n');
  assert.equal((await session.reply()).code, 500);
  await session.quit();
  await gateway.stop();
});

test('a client that goes away in the middle of DATA leaves nothing', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  const session = await SmtpSession.open({ port });
  for (const line of ['MAIL FROM:<a@example.test>', 'RCPT TO:<b@example.test>']) await session.expect(line, '250');
  await session.expect('DATA', '354');
  session.write(`Subject: gone away\r\n\r\n${'half a message\r\n'.repeat(20_000)}`);
  session.destroy();
  await gateway.event((event) => event.event === 'icid-close');
  const other = await SmtpSession.open({ port });
  assert.equal((await other.send({ text: 'Subject: came after\r\n\r\n' })).code, 250);
  await other.quit();
  await site.nextHop.messageWith('came after');
  assert.ok(!site.nextHop.messages.some(({ text }) => text.includes('gone away')));
  await gateway.stop();
});
