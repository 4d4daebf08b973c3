/** An administrator deletes and bounces while a gateway delivers to a real Postfix: its mail boxes have what must be there. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ApiSite } from '../../support/api-site.ts';
import { eventually } from '../../support/eventually.ts';
import { type PostfixNextHop, startPostfix } from '../../support/postfix.ts';
import { SmtpSession } from '../../support/smtp-session.ts';

const EACH = 100;
const BOXES = ['kept@example.com', 'deleted@example.com', 'bounced@example.com', 'sender@example.com'] as const;
const [KEPT, DELETED, BOUNCED, SENDER] = BOXES;

let postfix: PostfixNextHop;
let api: ApiSite;
before(async () => {
  postfix = await startPostfix({ mailboxes: BOXES });
  api = await ApiSite.open({}, (config) => ({
    ...config,
    smtpRoutes: { ALL: [`127.0.0.1:${postfix.port}`] },
    delivery: { maxConnectionsPerHost: 2 },
  }));
});
after(() => postfix.stop());

test('what was deleted or bounced is in no mail box, everything else once, and each bounce with its sender', async () => {
  const work = async (route: string, mids: readonly number[]): Promise<void> => {
    for (const mid of mids) await api.good(route, { body: { selection: { by: 'message', mid } } });
  };
  const sent: Record<string, number[]> = { [KEPT]: [], [DELETED]: [], [BOUNCED]: [] };
  // So that something is there to delete and to bounce, however quick Postfix is.
  await api.good('POST /api/suspend', { body: { delivery: true } });
  const session = await SmtpSession.open({ port: api.mailPort });
  for (let n = 0; n < EACH; n++) {
    if (n === 10) await api.good('POST /api/resume', { body: { delivery: true } });
    for (const to of [KEPT, DELETED, BOUNCED]) {
      const reply = await session.send({ from: SENDER, to, text: `Subject: ${to} ${n}\r\n\r\nx\r\n` });
      const mid = Number(/MID (\d+)/.exec(reply.text)?.[1]);
      sent[to]?.push(mid);
      if (n % 2 === 0 && to !== KEPT)
        await work(to === DELETED ? 'POST /api/queue/delete' : 'POST /api/queue/bounce', [mid]);
    }
  }
  await session.quit();
  const fate = (name: string, mids: readonly number[] = []): number =>
    api.gateway.events.filter(({ event, mid }) => event === name && mids.includes(Number(mid))).length;
  await eventually(() => {
    assert.equal(fate('delivered', sent[KEPT]), EACH);
    assert.equal(fate('delivered', sent[DELETED]) + fate('deleted', sent[DELETED]), EACH);
    assert.equal(fate('delivered', sent[BOUNCED]) + fate('bounced', sent[BOUNCED]), EACH);
  });
  const [deleted, bounced] = [fate('deleted', sent[DELETED]), fate('bounced', sent[BOUNCED])];
  const subjects = async (box: string, count: number): Promise<Set<string | undefined>> =>
    new Set((await postfix.waitFor(box, count)).map((mail) => /^Subject: (.*)$/m.exec(mail)?.[1]));
  assert.equal((await subjects(KEPT, EACH)).size, EACH);
  assert.equal((await subjects(DELETED, EACH - deleted)).size, EACH - deleted);
  assert.equal((await subjects(BOUNCED, EACH - bounced)).size, EACH - bounced);
  await postfix.waitFor(SENDER, bounced);
  await api.gateway.stop();
  const counts = BOXES.map((box) => postfix.mailbox(box).length);
  assert.deepEqual(counts, [EACH, EACH - deleted, EACH - bounced, bounced]);
  assert.ok(deleted > 0 && bounced > 0, `${deleted} deleted, ${bounced} bounced`);
});
