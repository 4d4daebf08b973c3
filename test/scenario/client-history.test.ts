/**
 * What would change, and what nobody needs: the gateway remembers the clients of the last days and how often each rule
 * was hit; a changed configuration is tried on them before it is put in force.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { dryRun as replay } from '../../src/explain/dry-run.io.ts';
import { ClientHistory } from '../../src/log/client-history.io.ts';
import { offlineRevocation } from '../../src/explain/offline-revocation.io.ts';
import { loadRevision } from '../../src/control/revision.io.ts';
import { PATIENCE_MS } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type Gateway, PROGRAM } from '../support/gateway.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

type Section = Record<string, unknown>;

let site: Site;
let gateway: Gateway;
let config: Section;
let folder: string;

async function send(port: number, how: { card?: 'alice' | 'frank'; password?: string }, to = 'x@elsewhere.example') {
  const session = await SmtpSession.open({ port });
  const client = { ca: site.pki.serverCa, ...(how.card === undefined ? {} : site.pki.card(how.card)) };
  await session.startTls(client);
  await session.ehlo();
  if (how.password !== undefined) await session.authPlain(how.password, `${how.password}-secret`);
  await session.send({ from: `${how.card ?? how.password}@example.test`, to });
  await session.quit();
}

before(async () => {
  site = await Site.open();
  folder = site.copy();
  const port = await freePort();
  const policy = { behavior: 'accept', tls: 'required', smtpAuth: 'required' };
  config = withListener(site.base(), 'submission', { policy, profile: 'cac-or-password', port });
  config['smtpRoutes'] = { ALL: ['/dev/null'], 'never.example': ['/dev/null'] };
  config['mailFlowPolicies'] = { ...(config['mailFlowPolicies'] as Section), SPARE: { behavior: 'accept' } };
  gateway = await site.start(config, { folder });
  await send(port, { card: 'alice' });
  await send(port, { card: 'alice' });
  await send(port, { password: 'bob' });
  await send(port, { card: 'frank' });
  await send(port, { password: 'carol' });
  await gateway.stop();
});

const command = (args: readonly string[]): { code: number | null; text: string } => {
  const { status, stdout } = spawnSync(PROGRAM, args, { encoding: 'utf8', timeout: PATIENCE_MS });
  return { code: status, text: stdout };
};

function dryRun(candidate: Section, more: readonly string[] = []): { code: number | null; text: string } {
  const file = join(folder, 'candidate.yaml');
  writeFileSync(file, JSON.stringify(candidate));
  return command(['dryrun', '--config', gateway.configFile, '--candidate', file, '--data', gateway.data, ...more]);
}

const withPolicy = (change: Section): Section => {
  const policies = config['mailFlowPolicies'] as Record<string, Section>;
  return { ...config, mailFlowPolicies: { ...policies, submission: { ...policies['submission'], ...change } } };
};

test('clients are remembered by listener, address, certificate and login, and no password is kept', () => {
  const history = ClientHistory.read(gateway.data);
  assert.ok(history !== undefined);
  const clients = history.clients(0);
  assert.equal(statSync(join(gateway.data, 'history.db')).mode & 0o777, 0o600);
  assert.ok(
    clients.every(({ lastMs }) => lastMs >= history.sinceMs()),
    'counting began with the gateway',
  );
  assert.deepEqual(
    clients
      .map(({ facts, sessions }) => [facts.login?.user ?? facts.sender, sessions])
      .toSorted((a, b) => (String(a) < String(b) ? -1 : 1)),
    [
      ['alice@example.test', 2],
      ['bob', 1],
      ['carol', 1],
      ['frank@example.test', 1],
    ],
  );
  for (const { facts } of clients)
    if (facts.certificate !== undefined) assert.ok(history.chainOf(facts.certificate).length > 0);
  assert.doesNotMatch(JSON.stringify(clients), /-secret/);
  history.close();
});

test('a candidate that changes nobody says so', () => {
  const { code, text } = dryRun(withPolicy({ maxMessageSize: '20M' }));
  assert.equal(text, 'None of 4 clients seen in the last 7 days would get another verdict.\n');
  assert.equal(code, 0);
});

test('a candidate that demands certificates tells whom it would lock out, and by which rule', () => {
  const { code, text } = dryRun(withPolicy({ verifyClientCertificate: true }));
  assert.equal(code, 3, text);
  assert.match(text, /^2 of 4 clients seen in the last 7 days would be refused:$/m);
  assert.match(text, /bob from 127\.0\.0\.1 at submission, 1 session, last/);
  assert.match(text, /then refused: client certificate required \(certificate none, verify on, tls required\)/);
  assert.doesNotMatch(text, /alice/);
});

test('a candidate that lets more people in says that too', () => {
  const { code, text } = dryRun(withPolicy({ smtpAuth: 'off', behavior: 'relay' }));
  assert.equal(code, 3, text);
  assert.match(text, /^1 of 4 clients seen in the last 7 days would be accepted:$/m);
  assert.match(text, /frank/);
});

test('where the candidate changes what the directory is asked, the directory is asked', () => {
  const ldap = structuredClone(config['ldap']) as { queries: Record<string, Section> };
  ldap.queries['smtp-auth'] = { ...ldap.queries['smtp-auth'], allowance: '(&(uid={u})(cacexempt=*))' };
  const { text } = dryRun({ ...config, ldap });
  assert.match(text, /^1 of 4 clients seen in the last 7 days would be refused:\n {2}bob /m);
  // The refusal that decided, not the "authentication required" that follows from it.
  assert.match(
    text,
    /^ {4}then refused: the allowance query does not match: not allowed to use SMTP AUTH, 525 Dear user, .* \(smtpAuthProfiles\.\S+\.checkAllowed\)$/m,
  );
});

test('a candidate without the listener refuses all its clients, and --json shows each with both verdicts', () => {
  const moved = { ...config, listeners: { other: (config['listeners'] as Section)['submission'] } };
  const { code, text } = dryRun(moved, ['--json']);
  assert.equal(code, 3);
  const { clients, changed } = JSON.parse(text) as { clients: number; changed: { after: { outcome: string } }[] };
  assert.equal(clients, 4);
  assert.deepEqual(
    changed.map(({ after }) => after.outcome),
    ['refused', 'refused', 'refused'],
  );
});

test('a faulty candidate gets its faults and no replay', () => {
  const { code, text } = dryRun({ ...config, listeners: {} });
  assert.equal(code, 1);
  assert.match(text, /candidate\.yaml:\d+:\d+: listeners: /);
});

test('a replay lets others have their turn after every few clients', async () => {
  const loaded = await loadRevision({ file: gateway.configFile, dataDir: undefined, number: 1 });
  assert.ok(loaded.ok);
  const { revision } = loaded;
  const parts = { clock: { now: () => Date.now() }, log: { emit: () => undefined } };
  const { config: checked, material } = revision;
  const crls = await offlineRevocation({ config: checked, material, baseDir: folder, dataDir: gateway.data, ...parts });
  const facts = { listener: 'submission', remoteAddress: '127.0.0.1', tls: true, sender: 'bob@example.test' };
  const login = { user: 'bob', kind: 'accepted', allowed: true } as const;
  const one = { facts: { ...facts, login, recipients: ['x@elsewhere.example'] }, sessions: 1, lastMs: Date.now() };
  const clients = Array.from({ length: 400 }, (_, i) => ({ ...one, key: String(i) }));
  let turns = 0;
  let over = false;
  const count = (): void => {
    turns += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  const judged = { revision, crls };
  const history = { clients: () => clients, countClients: () => clients.length, chainOf: () => [] };
  const result = await replay({ running: judged, candidate: judged, history, days: 7, ...parts });
  over = true;
  crls.close();
  assert.deepEqual([result.clients, result.changed.length], [400, 0]);
  assert.ok(turns >= 50, `${turns} turns`);
});

test('rules that nobody has needed are told, and how long hits have been counted', () => {
  const { code, text } = command(['unused', '--config', gateway.configFile, '--data', gateway.data, '--days', '30']);
  assert.equal(code, 0, text);
  assert.match(text, /^Not used in the last 30 days:$/m);
  for (const rule of ['mailFlowPolicies.SPARE', 'smtpRoutes.never.example', 'listeners.submission.hat ALL: ALL'])
    assert.ok(text.includes(`  ${rule}: never\n`), text);
  for (const rule of [
    'mailFlowPolicies.submission',
    'smtpRoutes.ALL',
    'hat RELAYLIST: 127.0.0.0/8',
    'Profiles.password:',
  ])
    assert.ok(!text.includes(rule), text);
  assert.match(text, /Hits are counted only since \d{4}-/);
});

test('without a history the commands say so', () => {
  const { code, text } = command(['unused', '--config', gateway.configFile, '--data', folder]);
  assert.equal(code, 1);
  assert.match(text, /no gateway has kept any history there/);
});
