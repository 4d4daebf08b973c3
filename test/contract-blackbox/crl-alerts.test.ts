/**
 * A revocation list comes near its nextUpdate and passes it while the gateway runs: what an administrator hears and
 * what metrics show before anybody is locked out, and what sessions get once the time is over.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { CrlServer } from '../support/crl-server.ts';
import { freePort } from '../support/free-port.ts';
import { type Gateway, type LogEvent, PROGRAM } from '../support/gateway.ts';
import type { Person } from '../support/pki.ts';
import { runProgram } from '../support/program.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ISSUING = 'CN=Test Card Issuing CA,O=Example';
const ROOT = 'CN=Test Card Root CA,O=Example';

let site: Site;
before(async () => {
  site = await Site.open();
});

type Source = Record<string, unknown>;
type Running = { readonly gateway: Gateway; readonly port: number; readonly metrics: number };

async function start(server: CrlServer, source: Source = {}, log: 'json' | 'text' = 'json'): Promise<Running> {
  const [port, metrics] = [await freePort(), await freePort()];
  const config = {
    ...site.base(),
    system: { metrics: `127.0.0.1:${metrics}` },
    crl: {
      checkInbound: true,
      sources: { cac: { type: 'pem', primaryUrl: server.url(), schedule: 'manual', ...source } },
    },
  };
  const policy = { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' };
  const listening = withListener(config, 'submission', { profile: 'cac', policy, port });
  return { gateway: await site.start(listening, { folder: site.copy(), log }), port, metrics };
}

async function enter(port: number, person: Person): Promise<SmtpSession> {
  const session = await SmtpSession.open({ port });
  await session.startTls(site.pki.card(person));
  return session;
}

const serve = (body: string): Promise<CrlServer> => CrlServer.start({ kind: 'list', body });

async function maySend(session: SmtpSession): Promise<void> {
  await session.expect('MAIL FROM:<alice@example.test>', '250');
  await session.expect('RSET', '250');
}

async function update({ data }: Gateway): Promise<void> {
  const { code, output } = await runProgram(PROGRAM, ['crl', 'update', '--data', data]);
  assert.equal(code, 0, output);
}

/** The value of a series; undefined where there is none. */
async function gauge({ metrics }: Running, series: string): Promise<number | undefined> {
  const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}
const ofList = (name: string, issuer = ISSUING): string =>
  `sallyport_crl_${name}{source="cac",issuer="${issuer}",kind="complete"}`;
const alertsOf = (age: string): string => `sallyport_crl_alerts_total{source="cac",age="${age}"}`;

const isAlert =
  (issuer: string, age: string) =>
  ({ event, issuer: of, age: reached }: LogEvent): boolean =>
    event === 'crl-alert' && of === issuer && reached === age;
const alerts = (events: readonly LogEvent[]): string[] =>
  events
    .filter(({ event }) => event === 'crl-alert')
    .map(({ source, issuer, age, level }) => [source, issuer, age, level].join(' '));

test('an alert comes at the configured time before nextUpdate, another when it has passed, and then people are refused', async () => {
  const server = await serve(site.pki.crl({ number: 1 }));
  const running = await start(server, { alertBefore: '8s' });
  const { gateway, port } = running;
  assert.equal(await gauge(running, ofList('expiring')), 0);
  const alice = await enter(port, 'alice');
  await alice.expect('EHLO client.example.test', '250');
  await maySend(alice);
  // A list that lives for 15 s from now on (openssl counts in whole seconds) is alerted for 8 s.
  const nextUpdateMs = Math.ceil(Date.now() / 1000) * 1000 + 15_000;
  const issuing = site.pki.issuing.crl({ revoked: ['1006'], number: 2, nextUpdateMs });
  server.answer = { kind: 'list', body: issuing + site.pki.root.crl({ number: 2 }) };
  await update(gateway);

  const before = await gateway.event(isAlert(ISSUING, 'expiring'));
  assert.ok(Date.parse(String(before['time'])) >= nextUpdateMs - 8000, 'alerted before its time');
  assert.ok(Date.parse(String(before['time'])) <= nextUpdateMs, 'alerted after the end only');
  assert.equal(before['nextUpdateMs'], nextUpdateMs);
  assert.equal(await gauge(running, ofList('expiring')), 1);
  assert.equal(await gauge(running, ofList('expired')), 0);
  assert.equal(await gauge(running, alertsOf('expiring')), 1);
  const left = await gauge(running, ofList('next_update_seconds'));
  assert.ok(left !== undefined && left >= 0 && left <= 8, `${left} s left`);
  await maySend(alice);

  const after = await gateway.event(isAlert(ISSUING, 'expired'));
  assert.ok(Date.parse(String(after['time'])) > nextUpdateMs, 'told before it was true');
  assert.equal(await gauge(running, ofList('expiring')), 0);
  assert.equal(await gauge(running, ofList('expired')), 1);
  assert.equal(await gauge(running, alertsOf('expired')), 1);
  assert.ok(((await gauge(running, ofList('next_update_seconds'))) ?? 0) < 0);
  const words = `554 5.7.1 client certificate cannot be checked for revocation: the revocation list of ${ISSUING} has expired`;
  assert.equal((await alice.expect('MAIL FROM:<alice@example.test>', '554 5.7.1')).text, words);
  const late = await enter(port, 'carol');
  assert.equal((await late.expect('EHLO client.example.test', '554 5.7.1')).text, words);
  assert.deepEqual(alerts(gateway.events), [`cac ${ISSUING} expiring warning`, `cac ${ISSUING} expired critical`]);

  // The next list ends it.
  server.answer = { kind: 'list', body: site.pki.crl({ number: 9 }) };
  await update(gateway);
  assert.equal(await gauge(running, ofList('expired')), 0);
  const again = await enter(port, 'carol');
  await again.expect('EHLO client.example.test', '250');
  for (const session of [alice, late, again]) await session.quit();
  await gateway.stop();
});

test('without alertBefore the alert comes in the last tenth of a list’s life, for each list by itself', async () => {
  const now = Date.now();
  const body =
    site.pki.issuing.crl({ revoked: [], thisUpdateMs: now - 10 * HOUR_MS, nextUpdateMs: now + HOUR_MS }) +
    site.pki.root.crl({ thisUpdateMs: now - 10 * HOUR_MS, nextUpdateMs: now + 2 * HOUR_MS });
  const server = await serve(body);
  const running = await start(server);
  await running.gateway.event(isAlert(ISSUING, 'expiring'));
  assert.deepEqual(alerts(running.gateway.events), [`cac ${ISSUING} expiring warning`]);
  assert.equal(await gauge(running, ofList('expiring')), 1);
  assert.equal(await gauge(running, ofList('expiring', ROOT)), 0);
  assert.equal(await gauge(running, ofList('entries', ROOT)), 0);
  const age = await gauge(running, ofList('age_seconds', ROOT));
  assert.ok(age !== undefined && Math.abs(age - 36_000) < 60, `${age}`);
  await running.gateway.stop();
});

test('in mail_logs the alert is one line with its level', async () => {
  const now = Date.now();
  const body =
    site.pki.issuing.crl({ thisUpdateMs: now - 3 * DAY_MS, nextUpdateMs: now - DAY_MS }) +
    site.pki.root.crl({ nextUpdateMs: now + DAY_MS });
  const server = await serve(body);
  const { gateway } = await start(server, { alertBefore: '2d' }, 'text');
  await gateway.line(
    /Critical: CRL source cac: the revocation list of "CN=Test Card Issuing CA,O=Example" has expired \(nextUpdate \S+\)$/,
  );
  await gateway.line(
    /Warning: CRL source cac: the revocation list of "CN=Test Card Root CA,O=Example" is about to expire \(nextUpdate \S+\)$/,
  );
  await gateway.stop();
});
