/**
 * What an administrator does to the queue of a running gateway, while mail flows: delete, bounce, deliver now. Nothing is
 * lost that was not deleted, nothing is delivered that was, nothing comes twice.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ApiSite } from '../support/api-site.ts';
import { eventually } from '../support/eventually.ts';
import { SmtpSession, submit } from '../support/smtp-session.ts';

type Body = Record<string, unknown>;
/** A host that is down is asked again after an hour, unless an administrator wants it earlier. */
const PATIENT = { bounceProfiles: { default: { initialWait: '1h', maxWait: '1h' } } };

let api: ApiSite;
before(async () => {
  api = await ApiSite.open({}, (config) => ({ ...config, ...PATIENT }));
});

const delivery = (suspended: boolean) =>
  api.good(suspended ? 'POST /api/suspend' : 'POST /api/resume', { body: { delivery: true } });

async function whole(key: string, body: Body): Promise<{ recipients: number; inDelivery: number; bounces: number }> {
  const sum = { recipients: 0, inDelivery: 0, bounces: 0 };
  for (let after: unknown; ; ) {
    const got = (await api.good(key, { body: { ...body, ...(after === undefined ? {} : { after }) } })).body;
    for (const name of ['recipients', 'inDelivery', 'bounces'] as const) sum[name] += Number(got[name] ?? 0);
    after = got['after'];
    if (after === undefined) return sum;
  }
}

async function listed(query = ''): Promise<Body[]> {
  return (await api.good('GET /api/queue/recipients', { query: `${query}&limit=1000` })).body['recipients'] as Body[];
}

async function empty(): Promise<void> {
  await eventually(async () => {
    const { queue } = (await api.good('GET /api/status')).body as { queue: { messages: number } };
    assert.equal(queue.messages, 0);
  });
}

/** Messages that the next hop took, by recipient. */
const taken = (recipient: string): number =>
  api.site.nextHop.messages.filter(({ to }) => to.includes(recipient)).length;

test('deleterecipients by host: what is deleted never arrives, what is not arrives once, and the log says who did it', async () => {
  await delivery(true);
  const gone = await submit(api.mailPort, { to: 'one@gone.example' });
  await submit(api.mailPort, { to: 'two@stays.example' });
  assert.equal((await listed('host=gone.example')).length, 1);
  const report = await whole('POST /api/queue/delete', {
    selection: { by: 'host', host: 'GONE.example' },
    reason: 'sent by mistake',
  });
  assert.deepEqual(report, { recipients: 1, inDelivery: 0, bounces: 0 });
  const event = await api.gateway.event((each) => each.event === 'deleted' && each.mid === gone);
  assert.match(String(event['by']), /^cli:/);
  assert.deepEqual([event['rids'], event['reason']], [[0], 'sent by mistake']);
  await delivery(false);
  await api.site.nextHop.message(({ to }) => to.includes('two@stays.example'));
  await empty();
  assert.deepEqual([taken('one@gone.example'), taken('two@stays.example')], [0, 1]);
});

test('bouncerecipients by sender: the sender reads the reason and not the administrator’s name', async () => {
  await delivery(true);
  const mid = await submit(api.mailPort, { from: 'carol@example.test', to: 'one@bounced.example' });
  await submit(api.mailPort, { to: 'two@bounced.example' });
  const report = await whole('POST /api/queue/bounce', {
    selection: { by: 'sender', sender: '<Carol@example.test>' },
    reason: 'the exercise is over',
  });
  assert.deepEqual(report, { recipients: 1, inDelivery: 0, bounces: 1 });
  const event = await api.gateway.event((each) => each.event === 'bounced' && each.mid === mid);
  assert.match(String(event['by']), /^cli:/);
  await delivery(false);
  const bounce = await api.site.nextHop.message(({ from, to }) => from === '' && to.includes('carol@example.test'));
  assert.match(bounce.text, /Final-Recipient: rfc822; ?one@bounced\.example/);
  assert.match(bounce.text, /Status: 5\.0\.0/);
  assert.match(bounce.text, /message bounced by administrator: the exercise is over/);
  assert.doesNotMatch(bounce.text, /cli:/);
  await api.site.nextHop.message(({ to }) => to.includes('two@bounced.example'));
  await empty();
  assert.equal(taken('one@bounced.example'), 0);
});

test('all is what is there when the work begins: the bounces of a bounce of all are delivered', async () => {
  await delivery(true);
  for (let n = 0; n < 20; n++) await submit(api.mailPort, { from: `s${n}@example.test`, to: `r${n}@all.example` });
  const report = await whole('POST /api/queue/bounce', { selection: { by: 'all' } });
  assert.deepEqual(report, { recipients: 20, inDelivery: 0, bounces: 20 });
  await delivery(false);
  for (let n = 0; n < 20; n++)
    await api.site.nextHop.message(({ from, to }) => from === '' && to.includes(`s${n}@example.test`));
  await empty();
  for (let n = 0; n < 20; n++) assert.deepEqual([taken(`r${n}@all.example`), taken(`s${n}@example.test`)], [0, 1]);
});

test('a single message is deleted by its MID, one of its recipients by MID and RID', async () => {
  await delivery(true);
  const session = await SmtpSession.open({ port: api.mailPort });
  await session.expect('MAIL FROM:<alice@example.test>', '250');
  for (const to of ['a@mid.example', 'b@mid.example']) await session.expect(`RCPT TO:<${to}>`, '250');
  await session.expect('DATA', '354');
  const mid = Number(/MID (\d+)/.exec((await session.expect('Subject: two\r\n\r\nx\r\n.', '250')).text)?.[1]);
  await session.quit();
  const shown = (await api.good('GET /api/queue/messages/{mid}', { path: { mid: String(mid) } })).body;
  assert.match(String(shown['header']), /^Received: [\s\S]*\r\nSubject: two\r\n$/);
  assert.deepEqual(
    (shown['recipients'] as Body[]).map(({ recipient, state }) => [recipient, state]),
    [
      ['a@mid.example', 'waiting'],
      ['b@mid.example', 'waiting'],
    ],
  );
  assert.equal((await whole('POST /api/queue/delete', { selection: { by: 'message', mid, rid: 0 } })).recipients, 1);
  await delivery(false);
  const got = await api.site.nextHop.message(({ to }) => to.includes('b@mid.example'));
  assert.deepEqual(got.to, ['b@mid.example']);
  assert.equal((await whole('POST /api/queue/delete', { selection: { by: 'message', mid } })).recipients, 0);
  await empty();
});

test('delivernow: a host that was down is asked at once, the others keep their time', async () => {
  await api.site.nextHop.down();
  const [now, later] = [
    await submit(api.mailPort, { to: 'a@now.example' }),
    await submit(api.mailPort, { to: 'a@later.example' }),
  ];
  for (const mid of [now, later]) await api.gateway.event((each) => each.event === 'delayed' && each.mid === mid);
  // The log tells of an attempt before its outcome is written down and counted.
  await eventually(async () => {
    const down = (await api.good('GET /api/queue/hosts/{host}', { path: { host: 'now.example' } })).body;
    assert.deepEqual(
      [down['state'], down['activeRecipients'], down['attemptedRecipients'], down['softBounced']],
      ['down', 1, 1, 1],
    );
  });
  await api.site.nextHop.up();
  const { body } = await api.good('POST /api/queue/deliver-now', {
    body: { selection: { by: 'host', host: 'now.example' } },
  });
  assert.equal(body['recipients'], 1);
  await api.site.nextHop.message(({ to }) => to.includes('a@now.example'));
  await api.gateway.event((each) => each.event === 'message-done' && each.mid === now);
  const [left] = await listed();
  assert.equal(left?.['recipient'], 'a@later.example');
  assert.ok(Number(left?.['nextAttemptMs']) > Date.now() + 3_000_000);
  await api.good('POST /api/queue/deliver-now', { body: { selection: { by: 'all' } } });
  await api.site.nextHop.message(({ to }) => to.includes('a@later.example'));
  await empty();
  await eventually(async () => {
    const up = (await api.good('GET /api/queue/hosts/{host}', { path: { host: 'now.example' } })).body;
    const shown = [up['state'], up['activeRecipients'], up['delivered'], up['route']];
    assert.deepEqual(shown, ['up', 0, 1, 'smtpRoutes.ALL']);
  });
});

test('a recipient that a transaction carries at this moment is left to it, and the answer says so', async () => {
  const { nextHop } = api.site;
  let reached = (): void => undefined;
  const atNextHop = new Promise<void>((resolve) => {
    reached = resolve;
  });
  nextHop.hold = () => reached();
  await submit(api.mailPort, { to: 'a@inflight.example' });
  await atNextHop;
  const [row] = await listed('host=inflight.example');
  assert.equal(row?.['state'], 'in-delivery');
  const report = await whole('POST /api/queue/delete', { selection: { by: 'host', host: 'inflight.example' } });
  assert.deepEqual(report, { recipients: 0, inDelivery: 1, bounces: 0 });
  nextHop.letGo();
  await nextHop.message(({ to }) => to.includes('a@inflight.example'));
  await empty();
  assert.equal(taken('a@inflight.example'), 1);
});

test('tophosts and topin: who waits, what became of it, who connects', async () => {
  api.site.nextHop.refuse = (recipient) => (recipient.startsWith('nobody@') ? '550 5.1.1 no such user' : undefined);
  for (const to of ['nobody@top.example', 'a@top.example', 'b@top.example']) await submit(api.mailPort, { to });
  await empty();
  api.site.nextHop.refuse = () => undefined;
  await eventually(async () => {
    const { hosts } = (await api.good('GET /api/queue/hosts', { query: 'sort=delivered&limit=1000' })).body as {
      hosts: Body[];
    };
    const row = hosts.find(({ host }) => host === 'top.example');
    assert.deepEqual([row?.['delivered'], row?.['hardBounced'], row?.['activeRecipients']], [2, 1, 0]);
  });
  const details = (await api.good('GET /api/queue/hosts/{host}', { path: { host: 'top.example' } })).body;
  assert.deepEqual(details['hardBounces'], { dns: 0, fiveXX: 1, expired: 0, other: 0 });
  assert.match(String((details['last5xx'] as Body)['text']), /^550 5\.1\.1 no such user/);
  assert.deepEqual((details['addresses'] as Body[])[0]?.['port'], api.site.nextHop.port);
  const session = await SmtpSession.open({ port: api.mailPort });
  const top = await eventually(async () => {
    const [first] = (await api.good('GET /api/receiving/top')).body['hosts'] as Body[];
    // The sessions of before have said QUIT, and end when the gateway sees that they have.
    assert.equal(first?.['connectionsIn'], 1);
    return first;
  });
  assert.deepEqual([top?.['listener'], top?.['remoteAddress']], ['submission', '127.0.0.1']);
  assert.ok(Number(top?.['connections']) >= 10 && Number(top?.['recipients']) >= 10, JSON.stringify(top));
  await session.quit();
});

test('delete, bounce and deliver now while mail arrives and is delivered: every recipient has one fate', async () => {
  const senders = 6;
  const each = 60;
  const { nextHop } = api.site;
  // Some are put off, so that there is always something to work on.
  let turn = 0;
  nextHop.refuse = () => (++turn % 3 === 0 ? '450 4.2.0 later' : undefined);
  const mids = new Map<number, string>();
  let arriving = true;
  const sending = Promise.all(
    Array.from({ length: senders }, async (_, sender) => {
      for (let n = 0; n < each; n++) {
        const to = `r${sender}-${n}@h${n % 4}.race.example`;
        mids.set(await submit(api.mailPort, { from: `s${sender}@example.test`, to }), to);
      }
    }),
  ).then(() => {
    arriving = false;
  });
  while (arriving) {
    await whole('POST /api/queue/delete', { selection: { by: 'host', host: 'h1.race.example' } });
    await whole('POST /api/queue/bounce', { selection: { by: 'host', host: 'h2.race.example' } });
    await api.good('POST /api/queue/deliver-now', { body: { selection: { by: 'all' } } });
  }
  await sending;
  nextHop.refuse = () => undefined;
  await eventually(async () => {
    await api.good('POST /api/queue/deliver-now', { body: { selection: { by: 'all' } } });
    assert.deepEqual(await listed(), []);
  });
  await empty();
  assert.equal(mids.size, senders * each);
  const fates = (name: string): number[] =>
    api.gateway.events
      .filter(({ event, mid }) => event === name && mids.has(Number(mid)))
      .map(({ mid }) => Number(mid));
  // The log comes a moment later than the API's answers.
  await eventually(() => assert.equal(fates('message-done').length, mids.size));
  const [delivered, deleted, bounced] = [fates('delivered'), fates('deleted'), fates('bounced')];
  assert.ok(deleted.length > 0 && bounced.length > 0, `${deleted.length} deleted, ${bounced.length} bounced`);
  const all = [...delivered, ...deleted, ...bounced];
  assert.equal(all.length, new Set(all).size, 'a recipient had two fates');
  assert.deepEqual(new Set(all), new Set(mids.keys()), 'a recipient has no fate');
  for (const [mid, to] of mids) assert.equal(taken(to), delivered.includes(mid) ? 1 : 0, to);
  const bounces = nextHop.messages.filter(({ from, text }) => from === '' && text.includes('race.example')).length;
  assert.equal(bounces, bounced.length);
});
