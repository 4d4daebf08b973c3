/** Suspend and resume: receiving, delivery and the work queue, while sessions are open and over restarts. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ApiSite } from '../support/api-site.ts';
import { SmtpSession, submit } from '../support/smtp-session.ts';

type Body = Record<string, unknown>;

let api: ApiSite;
before(async () => {
  api = await ApiSite.open();
});

const status = async (): Promise<Body> => (await api.good('GET /api/status')).body;
const metrics = async (): Promise<string> => (await api.good('GET /api/metrics')).text;
const arrived = (text: string): number =>
  api.site.nextHop.messages.filter((message) => message.text.includes(text)).length;

async function greeting(): Promise<string> {
  const session = await SmtpSession.dial({ port: api.mailPort });
  const { text } = await session.reply();
  session.destroy();
  return text;
}

test('suspendlistener: new connections get 421, idle ones end, a transaction under way is finished first', async () => {
  const idle = await SmtpSession.open({ port: api.mailPort });
  const busy = await SmtpSession.open({ port: api.mailPort });
  for (const line of ['MAIL FROM:<a@example.test>', 'RCPT TO:<b@example.test>']) await busy.expect(line, '250');
  const { body } = await api.good('POST /api/suspend', { body: { listeners: ['submission'], reason: 'maintenance' } });
  assert.equal(body['systemStatus'], 'Receiving suspended');
  assert.match((await idle.reply()).text, /^421 4\.3\.2 gw\.example\.test service not available/);
  await idle.closed();
  assert.match(await greeting(), /^421 4\.3\.2/);
  await busy.expect('DATA', '354');
  await busy.expect('Subject: finished under suspension\r\n\r\nx\r\n.', '250 2.0.0');
  assert.match((await busy.reply()).text, /^421 4\.3\.2/);
  await busy.closed();
  await api.site.nextHop.messageWith('finished under suspension');
  assert.match(await metrics(), /^sallyport_receiving_suspended\{listener="submission"\} 1$/m);
  await api.gateway.event((event) => event.event === 'listener-suspended');
  const said = await api.gateway.event((event) => event.event === 'suspension');
  assert.deepEqual(
    [said['of'], said['listener'], said['suspended'], said['reason']],
    ['receiving', 'submission', true, 'maintenance'],
  );
});

test('a suspension holds after a restart, and after kill -9, until somebody resumes', async () => {
  await api.restart();
  assert.match(await greeting(), /^421 4\.3\.2/);
  await api.gateway.kill();
  await api.restart();
  assert.match(await greeting(), /^421 4\.3\.2/);
  const { listeners } = (await status()) as { listeners: { suspended?: { by: string; reason: string } }[] };
  assert.match(listeners[0]?.suspended?.by ?? '', /^cli:/);
  assert.equal(listeners[0]?.suspended?.reason, 'maintenance');
  const { body } = await api.good('POST /api/resume', { body: { listeners: 'all' } });
  assert.equal(body['systemStatus'], 'Online');
  assert.match(await greeting(), /^220 /);
  assert.match(await metrics(), /^sallyport_receiving_suspended\{listener="submission"\} 0$/m);
});

test('suspenddel: mail is accepted and waits, over a restart, and is delivered once when delivery is resumed', async () => {
  await api.good('POST /api/suspend', { body: { delivery: true } });
  assert.equal((await status())['systemStatus'], 'Delivery suspended');
  await submit(api.mailPort, { text: 'Subject: waits for delivery\r\n\r\nx\r\n' });
  await api.restart();
  assert.match(await metrics(), /^sallyport_delivery_suspended 1$/m);
  // A round of delivery that looked at the flag has been by now.
  await api.good('POST /api/queue/deliver-now', { body: { selection: { by: 'all' } } });
  const { recipients } = (await api.good('GET /api/queue/recipients')).body as { recipients: Body[] };
  assert.deepEqual(
    recipients.map(({ state, attempts }) => [state, attempts]),
    [['waiting', 0]],
  );
  assert.equal(arrived('waits for delivery'), 0);
  await api.good('POST /api/resume', { body: { delivery: true } });
  await api.site.nextHop.messageWith('waits for delivery');
  assert.equal(arrived('waits for delivery'), 1);
});

test('suspending delivery lets the transaction under way finish, and begins no other', async () => {
  const { nextHop } = api.site;
  const reached = new Promise<void>((resolve) => {
    nextHop.hold = resolve;
  });
  await submit(api.mailPort, { text: 'Subject: under way\r\n\r\nx\r\n' });
  await reached;
  await api.good('POST /api/suspend', { body: { delivery: true } });
  await submit(api.mailPort, { text: 'Subject: comes after\r\n\r\nx\r\n' });
  assert.equal(((await status())['delivery'] as Body)['connections'], 1);
  const from = api.gateway.events.length;
  nextHop.letGo();
  await nextHop.messageWith('Subject: under way');
  await api.gateway.event((event) => event.event === 'dcid-close', { from });
  assert.equal(arrived('comes after'), 0);
  await api.good('POST /api/resume', { body: { delivery: true } });
  await nextHop.messageWith('comes after');
  assert.deepEqual([arrived('Subject: under way'), arrived('comes after')], [1, 1]);
});

test('workqueue pause: new mail waits in the work queue, over a restart, and goes on when it is resumed', async () => {
  await api.good('POST /api/queue/work-queue/pause', { body: { reason: 'checking the directory' } });
  for (let n = 0; n < 3; n++)
    await submit(api.mailPort, { to: `r${n}@work.example`, text: 'Subject: in the work queue\r\n\r\nx\r\n' });
  await api.restart();
  const { body } = await api.good('GET /api/queue/work-queue');
  assert.deepEqual(
    [body['status'], body['messages'], (body['paused'] as Body)['reason']],
    ['paused', 3, 'checking the directory'],
  );
  assert.equal((await status())['systemStatus'], 'Work queue paused');
  const { recipients } = (await api.good('GET /api/queue/recipients')).body as { recipients: Body[] };
  assert.deepEqual(
    recipients.map(({ state }) => state),
    ['work-queue', 'work-queue', 'work-queue'],
  );
  await api.good('POST /api/queue/delete', { body: { selection: { by: 'message', mid: recipients[0]?.['mid'] } } });
  assert.equal(arrived('in the work queue'), 0);
  const resumed = (await api.good('POST /api/queue/work-queue/resume')).body;
  assert.equal(resumed['status'], 'operational');
  for (const n of [1, 2]) await api.site.nextHop.message(({ to }) => to.includes(`r${n}@work.example`));
  assert.equal(arrived('in the work queue'), 2);
  assert.match(await metrics(), /^sallyport_work_queue_paused 0$/m);
});

test('suspending, pausing and resuming again and again while mail flows loses and doubles nothing', async () => {
  const senders = 4;
  const each = 60;
  const sent: string[] = [];
  let sending = true;
  let turns = 0;
  const flow = Promise.all(
    Array.from({ length: senders }, async (_, s) => {
      for (let n = 0; n < each || turns <= 3; n++) {
        const to = `r${s}-${n}@toggle.example`;
        await submit(api.mailPort, { to });
        sent.push(to);
      }
    }),
  ).finally(() => {
    sending = false;
  });
  for (; sending; turns++) {
    await api.good('POST /api/suspend', { body: { delivery: true } });
    await api.good('POST /api/queue/work-queue/pause', { body: {} });
    await api.good('POST /api/resume', { body: { delivery: true } });
    await api.good('POST /api/queue/work-queue/resume');
  }
  await flow;
  for (const to of sent) await api.site.nextHop.message((message) => message.to.includes(to));
  const taken = api.site.nextHop.messages.flatMap(({ to }) => to).filter((to) => to.endsWith('@toggle.example'));
  assert.deepEqual(taken.toSorted(), sent.toSorted());
  assert.equal((await status())['systemStatus'], 'Online');
});
