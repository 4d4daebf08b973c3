/**
 * Commits while 200 sessions are open and mail flows: no session is dropped, none gets the new revision before it ends, no
 * message is lost.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { PROGRAM } from '../support/gateway.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { configCommand, Gateway, temporaryFolder, writeConfig } from '../support/gateway.ts';
import { runProgram } from '../support/program.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

const SESSIONS = 200;
const MESSAGES_EACH = 4;

async function running() {
  const site = await Site.open();
  const port = await freePort();
  const limits = { maxConnectionsPerAddress: 1000 };
  const config = withListener(site.base(), 'submission', { policy: limits, port });
  const data = join(temporaryFolder(), 'data');
  const file = writeConfig(join(site.folder, 'site.yaml'), config);
  const { code, output } = await configCommand('load', file, '--commit', '--data', data);
  assert.equal(code, 0, output);
  return { site, port, data, gateway: await Gateway.startStore(data) };
}

const configure = (data: string, ...args: readonly string[]) =>
  runProgram(PROGRAM, ['config', ...args, '--data', data]);

test('commits under load drop no session and lose no message, and a session keeps its revision', async () => {
  const { site, port, data, gateway } = await running();
  const sessions: SmtpSession[] = [];
  // The listener's queue has 50 places.
  while (sessions.length < SESSIONS)
    sessions.push(...(await Promise.all(Array.from({ length: 20 }, () => SmtpSession.open({ port })))));
  let commits = 0;
  let committing = true;
  const committer = (async () => {
    for (; commits < 3; commits++) {
      const banner = JSON.stringify({ code: 220, text: `revision ${commits + 2}` });
      assert.equal((await configure(data, 'set', 'mailFlowPolicies.submission.banner', banner)).code, 0);
      const { code, output } = await configure(data, 'commit', '--comment', String(commits));
      assert.equal(code, 0, output);
    }
    committing = false;
  })();
  const sent = new Set<string>();
  const senders = sessions.map(async (session, i) => {
    for (let j = 0; committing || j < MESSAGES_EACH; j++) {
      const id = `id-${i}-${j}-`;
      assert.equal((await session.send({ text: `Subject: ${id}\r\n\r\nbody\r\n` })).code, 250);
      sent.add(id);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    await session.quit();
  });
  await Promise.all([committer, ...senders]);
  assert.equal(commits, 3);
  const fresh = await SmtpSession.dial({ port });
  assert.match((await fresh.reply()).text, /revision 4$/);
  await fresh.quit();
  const missing = (): string[] => {
    const there = new Set(site.nextHop.messages.map(({ text }) => /^Subject: (\S+)/m.exec(text)?.[1]));
    return [...sent].filter((id) => !there.has(id));
  };
  await eventually(() => assert.deepEqual(missing(), []));
  assert.ok(sent.size >= SESSIONS * MESSAGES_EACH);
  const ofFirst = gateway.events.filter((event) => event.event === 'hat' && event['revision'] === 1);
  assert.ok(ofFirst.length >= SESSIONS, 'a session did not begin under revision 1');
  assert.equal(gateway.events.filter((event) => event.event === 'icid-close' && event['how'] !== 'close').length, 0);
  assert.equal(await gateway.stop(), 0);
});
