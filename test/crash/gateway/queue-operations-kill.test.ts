/** kill -9 in the middle of an administrator's work on the queue: what was answered for is done, the rest is as it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiSite } from '../../support/api-site.ts';
import { SmtpSession } from '../../support/smtp-session.ts';

const MESSAGES = 1500;
type Row = { readonly mid: number; readonly recipient: string; readonly sender: string };

async function fill(port: number): Promise<void> {
  const sessions = await Promise.all(Array.from({ length: 8 }, () => SmtpSession.open({ port })));
  await Promise.all(
    sessions.map(async (session, s) => {
      for (let n = s; n < MESSAGES; n += sessions.length)
        assert.equal((await session.send({ from: `s${n}@example.test`, to: `r${n}@kill.example` })).code, 250);
      await session.quit();
    }),
  );
}

async function queued(api: ApiSite): Promise<Row[]> {
  const rows: Row[] = [];
  for (let after = ''; ; ) {
    const got = await api.good('GET /api/queue/recipients', { query: `limit=1000${after}` });
    const page = got.body as { recipients: Row[]; after?: string };
    rows.push(...page.recipients);
    if (page.after === undefined) return rows;
    after = `&after=${page.after}`;
  }
}

for (const action of ['delete', 'bounce'] as const) {
  test(`kill -9 in the middle of a ${action} of all: each recipient is still there or has its ${action}, never both`, async () => {
    const api = await ApiSite.open();
    await api.good('POST /api/suspend', { body: { delivery: true } });
    await fill(api.mailPort);
    assert.equal((await queued(api)).length, MESSAGES);
    const name = action === 'delete' ? 'deleted' : 'bounced';
    const cut = api.local(`POST /api/queue/${action}`, { body: { selection: { by: 'all' } } }).then(
      () => 'answered',
      () => 'cut',
    );
    await api.gateway.event(({ event }) => event === name);
    await api.gateway.kill();
    const answer = await cut;
    const told = api.gateway.events.filter(({ event }) => event === name).length;
    await api.restart();
    const rows = await queued(api);
    const originals = new Set(rows.filter(({ sender }) => sender !== '').map(({ recipient }) => recipient));
    const bounced = rows.filter(({ sender }) => sender === '').map(({ recipient }) => recipient);
    if (answer === 'answered') assert.equal(originals.size, 0, 'what was answered for must be done');
    assert.ok(MESSAGES - originals.size >= told, 'what the log told of must be done');
    assert.equal(bounced.length, new Set(bounced).size, 'a bounce is there twice');
    if (action === 'bounce')
      for (let n = 0; n < MESSAGES; n++)
        assert.notEqual(originals.has(`r${n}@kill.example`), bounced.includes(`s${n}@example.test`), `r${n}`);
    else assert.equal(bounced.length, 0);
    await api.good('POST /api/resume', { body: { delivery: true } });
    for (const recipient of originals) await api.site.nextHop.message(({ to }) => to.includes(recipient));
    for (const recipient of bounced) await api.site.nextHop.message(({ to }) => to.includes(recipient));
    assert.equal(api.site.nextHop.messages.length, originals.size + bounced.length);
    await api.gateway.stop();
  });
}
