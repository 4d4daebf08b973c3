/** What administrators are told by mail: a list that expires, a certificate near its end, a full disk, a route that is down. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { connectApi } from '../../src/admin/api-client.io.ts';
import { atEnd } from '../support/at-end.ts';
import { freePort } from '../support/free-port.ts';
import type { LogEvent } from '../support/gateway.ts';
import { NextHop } from '../support/next-hop.ts';
import { type One, Site } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
type Section = Record<string, unknown>;

let site: Site;
/** The mail server of the administrators. */
let office: NextHop;
before(async () => {
  site = await Site.open();
  office = await NextHop.start();
  atEnd(() => office.stop());
});

const everything = { 'ops@example.test': { all: 'all' } };

function start(alerts: Section, change: (config: Section) => Section = (config) => config): Promise<One> {
  return site.startOne({ policy: {} }, (config) =>
    change({ ...config, alerts: { recipients: everything, smtpHosts: [`127.0.0.1:${office.port}`], ...alerts } }),
  );
}

const sent = (name: string, address: string, about: RegExp) => (event: LogEvent) =>
  event.event === name && event['recipient'] === address && about.test(String(event['subject']));
const sentTo = (address: string, about: RegExp) => sent('alert-sent', address, about);
const subjects = (): string[] => office.messages.map(({ text }) => /^Subject: (.*)\r$/m.exec(text)?.[1] ?? '');

test('a revocation list near its end, one past it, and a certificate near its end are told to who wants to know', async () => {
  const now = Date.now();
  const certificate = site.pki.root.issue({
    subject: '/CN=gw.example.test',
    serial: '0100',
    notAfterMs: now + 4 * DAY_MS + HOUR_MS,
    extensions: ['subjectAltName=DNS:gw.example.test'],
  });
  const list = site.pki.crl({ thisUpdateMs: now - 2 * DAY_MS, nextUpdateMs: now - HOUR_MS });
  site.crls.answer = { kind: 'list', body: list };
  const recipients = {
    'cards@example.test': { certificates: ['critical'] },
    'ops@example.test': { certificates: ['warning'], system: ['critical'] },
  };
  const { gateway } = await start({ recipients }, (config) => ({
    ...config,
    certificates: { gateway: { certPem: certificate.cert, keyPem: certificate.key } },
  }));
  const expired = await office.message(({ to, text }) => to[0] === 'cards@example.test' && /has expired/.test(text));
  assert.equal(expired.from, 'alert@gw.example.test');
  assert.match(
    expired.text,
    /^Subject: \[Critical\]-\[gw\.example\.test\]: \(Certificates\) CRL source cac: the revo/m,
  );
  assert.match(expired.text, /^Auto-Submitted: auto-generated\r$/m);
  const soon = await office.message(({ to, text }) => to[0] === 'ops@example.test' && /expires in 4 days/.test(text));
  assert.match(soon.text, /^Subject: \[Warning\]-\[gw\.example\.test\]: \(Certificates\) Certificate gateway/m);
  await gateway.event(sentTo('ops@example.test', /Certificate gateway/));
  assert.ok(office.messages.every(({ to, text }) => to[0] !== 'cards@example.test' || /\[Critical\]/.test(text)));
  assert.ok(
    office.messages.every(({ text }) => !text.startsWith('Received:')),
    'an alert went through the queue',
  );
  site.crls.answer = { kind: 'list', body: site.pki.crl() };
  await gateway.stop();
});

test('when the disk is full mail gets 452 and the alert leaves all the same; duplicates are held back, then told of', async () => {
  // Long enough for five refusals on a busy machine.
  const { gateway, port } = await start({ initialWait: '5s' }, (config) => ({
    ...config,
    system: { minFreeSpace: '1000000G' },
  }));
  const session = await SmtpSession.open({ port });
  const refuse = async (): Promise<void> =>
    assert.equal((await session.send({ text: 'Subject: full\r\n\r\nx\r\n' })).code, 452);
  await refuse();
  const first = await office.message(({ text }) => text.includes('message not stored'));
  assert.match(first.text, /^Subject: \[Critical\]-\[gw\.example\.test\]: \(System\) ICID \d+ message not stored: /m);
  assert.doesNotMatch(first.text, /held back/);
  for (let i = 0; i < 5; i++) await refuse();
  const second = await office.message(({ text }) => text.includes('held back'));
  const [, times = '', held = ''] = /raised (\d+) times since .*held back: (\d+)\./.exec(second.text) ?? [];
  assert.deepEqual([Number(times), Number(held)], [5, 4], second.text);
  assert.equal(office.messages.filter(({ text }) => text.includes('message not stored')).length, 2);
  await session.quit();
  await gateway.stop();
});

test('a server that takes no alerts is tried again; what is refused for good is given up, and both are in the log', async () => {
  await office.down();
  const port = await freePort();
  const { gateway } = await start({}, (config) => ({ ...config, smtpRoutes: { ALL: [`127.0.0.1:${port}`] } }));
  const api = connectApi(gateway.data);
  const testing = api.call('POST /api/alerts/test', { body: {} });
  const event = await gateway.event(sent('alert-failed', 'ops@example.test', /this is a test alert/));
  assert.match(String(event['why']), /^4\.4\.1 ECONNREFUSED/);
  assert.ok(Number(event['nextAttemptMs']) > Date.now());
  const answer = await testing;
  assert.ok(answer.ok);
  assert.deepEqual(
    answer.body.recipients.map(({ address, state, attempts }) => [address, state, attempts]),
    [['ops@example.test', 'waiting', 1]],
  );
  await office.up();
  await gateway.event(sentTo('ops@example.test', /this is a test alert/));
  office.refuse = () => '550 5.1.1 no such user';
  const refused = await api.call('POST /api/alerts/test', { body: { recipient: 'ops@example.test' } });
  assert.ok(refused.ok);
  assert.equal(refused.body.recipients[0]?.state, 'failed');
  const last = await gateway.event((each) => each.event === 'alert-failed' && each['nextAttemptMs'] === undefined);
  assert.equal(last['why'], '5.1.1 550 5.1.1 no such user');
  office.refuse = () => undefined;
  const list = await api.call('GET /api/alerts');
  assert.ok(list.ok);
  assert.deepEqual(
    list.body.alerts.flatMap(({ text, recipients }) =>
      text.includes('test alert') ? [recipients.map(({ state }) => state)] : [],
    ),
    [['failed'], ['sent']],
  );
  await gateway.stop();
});

test('alerts follow the SMTP routes where they have no hosts of their own; a route that is down raises one', async () => {
  const port = await freePort();
  const { gateway, port: submission } = await start({ smtpHosts: undefined }, (config) => ({
    ...config,
    smtpRoutes: { 'example.test': [`127.0.0.1:${office.port}`], ALL: [`127.0.0.1:${port}`] },
  }));
  const session = await SmtpSession.open({ port: submission });
  assert.equal((await session.send({ text: 'Subject: waits\r\n\r\nx\r\n' })).code, 250);
  await session.quit();
  await gateway.event(sentTo('ops@example.test', /\(Message Delivery\) SMTP route smtpRoutes\.ALL is down: /));
  assert.ok(subjects().some((subject) => subject.startsWith('[Warning]-[gw.example.test]: (Message Delivery) SMTP')));
  await gateway.stop();
});

test('a configuration that SIGHUP cannot take is told; a new one says at once who is told', async () => {
  const { gateway, config } = await start({});
  await gateway.reload({ ...config, hostname: 'not a name' });
  await office.message(({ text }) => text.includes('configuration not changed'));
  const recipients = { 'new@example.test': { system: 'all' } };
  await gateway.reload({ ...config, alerts: { ...(config['alerts'] as Section), recipients, initialWait: '0s' } });
  await gateway.reload({ ...config, hostname: 'not a name' });
  await gateway.event(sentTo('new@example.test', /configuration not changed/));
  await gateway.stop();
});

test('without a recipient nothing is sent, and the last alerts can be looked at', async () => {
  const { gateway, config } = await start({ recipients: {} });
  const before = office.messages.length;
  await gateway.reload({ ...config, hostname: 'not a name' });
  const api = connectApi(gateway.data);
  const list = await api.call('GET /api/alerts');
  assert.ok(list.ok);
  const { alerts } = list.body;
  assert.ok(
    alerts.some(({ text, severity }) => severity === 'critical' && text.startsWith('configuration not changed')),
  );
  assert.ok(alerts.every(({ notSent, recipients }) => notSent === 'no-recipient' && recipients.length === 0));
  assert.equal((await api.call('POST /api/alerts/test', { body: {} })).ok, false);
  assert.equal(office.messages.length, before);
  await gateway.stop();
});

test('what waits for its mail server when the gateway ends is sent by the next one, which still lists it', async () => {
  const { gateway, config, folder } = await start({});
  await office.down();
  await gateway.reload({ ...config, hostname: 'not a name' });
  await gateway.event(sent('alert-failed', 'ops@example.test', /configuration not changed/));
  await gateway.stop();
  await office.up();
  const before = office.messages.length;
  const next = await site.start(config, { folder });
  await next.event(sentTo('ops@example.test', /configuration not changed/));
  const told = office.messages.slice(before).filter(({ text }) => text.includes('configuration not changed'));
  assert.equal(told.length, 1);
  const list = await connectApi(next.data).call('GET /api/alerts');
  assert.ok(list.ok);
  const kept = list.body.alerts.find(({ text }) => text.startsWith('configuration not changed'));
  assert.deepEqual(
    kept?.recipients.map(({ state }) => state),
    ['sent'],
  );
  await next.stop();
});
