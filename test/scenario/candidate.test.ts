/**
 * A running gateway asked about changes that are not committed: whose verdict they would change, which rules nobody has
 * needed, who may use a password and who is only monitored. config.db is the gateway's alone: the commands ask it.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { DryRun } from '../../src/explain/dry-run-report.ts';
import { ClientHistory } from '../../src/log/client-history.io.ts';
import type { RuleReport } from '../../src/explain/rule-reports.ts';
import type { TraceReport } from '../../src/explain/trace.io.ts';
import { eventually } from '../support/eventually.ts';
import { freePort, freePorts } from '../support/free-port.ts';
import { type Gateway, PROGRAM } from '../support/gateway.ts';
import { runProgram } from '../support/program.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

type Section = Record<string, unknown>;
const SEEN = 5;
const STARTED_MS = Date.now();
const day = (fromNow: number): string => new Date(Date.now() + fromNow * 86_400_000).toISOString().slice(0, 10);

let site: Site;
let gateway: Gateway;
let submission = 0;

async function send(port: number, how: { card?: 'alice' | 'frank'; password?: string }): Promise<void> {
  const session = await SmtpSession.open({ port });
  await session.startTls({ ca: site.pki.serverCa, ...(how.card === undefined ? {} : site.pki.card(how.card)) });
  await session.ehlo();
  if (how.password !== undefined) await session.authPlain(how.password, `${how.password}-secret`);
  await session.send({ from: `${how.card ?? how.password}@example.test`, to: 'x@elsewhere.example' });
  await session.quit();
}

/** Threads tell the control thread every second, each for itself. */
async function remembered(): Promise<void> {
  await eventually(() => {
    const history = ClientHistory.read(gateway.data);
    const rules = history?.hits().map(({ rule }) => rule) ?? [];
    const clients = history?.countClients(0);
    history?.close();
    assert.equal(clients, SEEN);
    assert.ok(rules.includes('smtpRoutes.ALL'), rules.join());
  });
}

before(async () => {
  site = await Site.open();
  const [port = 0, watched = 0] = await freePorts(2);
  submission = port;
  const policy = { behavior: 'accept', tls: 'required', smtpAuth: 'required' };
  let config = withListener(site.base(), 'submission', { policy, profile: 'cac-or-password', port });
  config = withListener(config, 'watched', { policy, profile: 'monitored', port: watched });
  config['smtpRoutes'] = { ALL: ['/dev/null'], 'never.example': ['/dev/null'] };
  config['mailFlowPolicies'] = { ...(config['mailFlowPolicies'] as Section), SPARE: { behavior: 'accept' } };
  config['exemptions'] = {
    'alice-lost-card': { user: 'alice', until: day(5), reason: 'card lost', grantedBy: 'help desk' },
    'dave-spare': { user: 'dave', until: day(90), reason: 'new card', grantedBy: 'help desk' },
  };
  gateway = await site.start(config, { folder: site.copy(), store: true });
  await send(port, { card: 'alice' });
  await send(port, { password: 'alice' });
  await send(port, { password: 'bob' });
  await send(port, { card: 'frank' });
  await send(watched, { password: 'erin' });
  await remembered();
});

const run = async (...args: readonly string[]): Promise<{ code: number | null; output: string }> =>
  await runProgram(PROGRAM, [...args, '--data', gateway.data]);

const VERIFY = 'mailFlowPolicies.submission.verifyClientCertificate';

test('without uncommitted changes there is nothing to try', async () => {
  const { code, output } = await run('dryrun');
  assert.equal(code, 1, output);
  assert.match(output, /^sallyport: .*no (uncommitted )?changes/);
});

test('dryrun and commit --dry-run tell whose verdict one’s own changes would change, and commit nothing', async () => {
  assert.equal((await run('config', 'set', VERIFY, 'true')).code, 0);
  for (const command of [['dryrun'], ['config', 'commit', '--dry-run'], ['commit', '--dry-run', '--days', '7']]) {
    const { code, output } = await run(...command);
    assert.equal(code, 3, output);
    assert.match(output, /^2 of 5 clients seen in the last 7 days would be refused:$/m);
    assert.match(output, /bob from 127\.0\.0\.1 at submission, 1 session, last/);
    assert.match(output, /then refused: client certificate required \(certificate none, verify on, tls required\)/);
  }
  assert.equal((await run('config', 'show', VERIFY)).code, 1, 'nothing is in force');
  assert.match((await run('config', 'status')).output, /revision 1\b/i);
});

test('a change that changes nobody’s verdict ends with 0; a faulty one with 1 and its faults', async () => {
  assert.equal((await run('config', 'set', VERIFY, 'false')).code, 0);
  const same = await run('commit', '--dry-run', '--days', '2');
  assert.equal(same.output, 'None of 5 clients seen in the last 2 days would get another verdict.\n');
  assert.equal(same.code, 0);
  assert.equal((await run('config', 'set', 'listeners.submission.nonsense', '1')).code, 0);
  const faulty = await run('dryrun');
  assert.equal(faulty.code, 1);
  assert.match(faulty.output, /^listeners\.submission\.nonsense: unknown key/m);
  await run('config', 'clear');
});

test('a candidate with other revocation settings is tried with revocation lists of its own', async () => {
  assert.equal((await run('config', 'set', 'crl.checkInbound', 'false')).code, 0);
  const { code, output } = await run('dryrun');
  assert.equal(code, 3, output);
  assert.match(output, /^1 of 5 clients seen in the last 7 days would be accepted:\n {2}.*frank/m);
  await run('config', 'clear');
});

test('trace asks the running gateway about what is in force, and with --candidate about what is not yet', async () => {
  const session = ['trace', '--listener', 'submission', '--from-ip', '127.0.0.1', '--tls', '--user', 'bob'];
  const mail = ['--sender', 'bob@example.test', 'x@elsewhere.example'];
  assert.equal((await run('config', 'set', VERIFY, 'true')).code, 0);
  const now = await run(...session, ...mail);
  assert.equal(now.code, 0, now.output);
  assert.match(now.output, /^ok {7}auth: bob is authenticated by profile password$/m);
  assert.match(now.output, /Query: \(\|\(uid=bob\)/);
  assert.match(now.output, /^Route of <x@elsewhere\.example>: discarded \(smtpRoutes\.ALL\)$/m);
  assert.match(now.output, /^Outcome under revision 1: the mail is accepted, as bob$/m);
  const then = await run(...session, '--candidate', ...mail);
  assert.equal(then.code, 1, then.output);
  assert.match(then.output, /reply: 554 5\.7\.1 client certificate required$/m);
  assert.match(then.output, /^Outcome under revision 2: the mail is refused, without an identity$/m);
  await run('config', 'clear');
  const card = await run(
    'trace',
    '--listener',
    'submission',
    '--from-ip',
    '127.0.0.1',
    '--json',
    ...mail,
    ...['--certificate', site.pki.card('frank').certFile],
  );
  assert.equal(card.code, 1);
  const { stages } = JSON.parse(card.output) as TraceReport;
  assert.match(
    stages.find(({ stage }) => stage === 'certificate')?.says ?? '',
    /no identity: client certificate revoked/,
  );
});

test('trace looks the client’s name up where an entry of the table is a name, and tells what DNS said', async () => {
  const hat = [
    { senderGroup: 'PARTNERS', senders: ['.partner.example'], policy: 'submission' },
    { senderGroup: 'ALL', policy: 'submission' },
  ];
  assert.equal((await run('config', 'set', 'listeners.submission.hat', JSON.stringify(hat))).code, 0);
  // Nobody answers there.
  assert.equal((await run('config', 'set', 'system.dnsServers', `["127.0.0.1:${await freePort()}"]`)).code, 0);
  const ask = (...more: readonly string[]) =>
    run(
      'trace',
      '--candidate',
      '--listener',
      'submission',
      '--from-ip',
      '192.0.2.7',
      ...more,
      '--sender',
      '',
      'x@y.example',
    );
  const unnamed = await ask();
  assert.match(unnamed.output, /^Name of the client: none \(.+\)\nok {7}connection: sender group ALL /m);
  const named = await ask('--hostname', 'mx.partner.example');
  assert.match(named.output, /^Name of the client: mx\.partner\.example\nok {7}connection: sender group PARTNERS /m);
  await run('config', 'clear');
});

test('ldaptest asks what a session of the running gateway would ask, and with --candidate what the next would', async () => {
  const login = async (...more: readonly string[]) =>
    await runProgram(PROGRAM, ['ldaptest', '--user', 'bob', '--data', gateway.data, ...more], {
      input: 'bob-secret\n',
    });
  const good = await login();
  assert.equal(good.code, 0, good.output);
  assert.match(good.output, /^LDAP query smtp-auth \(smtpAuth\) on server corp\nServer /m);
  assert.match(good.output, /^Success: Action: match positive, allowed to use SMTP AUTH$/m);
  assert.doesNotMatch(good.output, /bob-secret/);
  assert.equal((await run('config', 'set', 'ldap.queries.smtp-auth.allowance', '(&(uid={u})(cacexempt=*))')).code, 0);
  const next = await login('--candidate', '--no-password');
  assert.equal(next.code, 1);
  assert.doesNotMatch(next.output, /BIND/);
  assert.match(next.output, /^Failure: .*not allowed to use SMTP AUTH$/m);
  await run('config', 'clear');
  const card = await run('ldaptest', '--certificate', site.pki.card('alice').certFile, '--profile', 'cac');
  assert.equal(card.code, 0, card.output);
  assert.match(card.output, /^Success: Action: match positive: the certificate belongs to alice$/m);
  assert.match(
    (await run('ldaptest', '--user', 'bob', '--no-password', '--query', 'nowhere')).output,
    /no query nowhere/,
  );
});

test('what the dry run says comes true: after the commit the clients get the verdict that it told', async () => {
  assert.equal((await run('config', 'set', VERIFY, 'true')).code, 0);
  const before = JSON.parse((await run('dryrun', '--json')).output) as DryRun;
  const refused = new Set(before.changed.map(({ client }) => client.facts.login?.user));
  assert.deepEqual(refused, new Set(['bob', 'alice']));
  assert.equal((await run('commit', '--comment', 'cards only')).code, 0);
  for (const user of ['alice', 'bob']) {
    const session = await SmtpSession.open({ port: submission });
    await session.startTls({ ca: site.pki.serverCa });
    assert.match(
      (await session.command('EHLO client.example.test')).text,
      /^554 5\.7\.1 client certificate required/,
      user,
    );
    session.destroy();
  }
  await send(submission, { card: 'alice' });
  const after = await run('config', 'history', '--json');
  assert.match(after.output, /cards only/);
  assert.equal((await run('config', 'rollback', '1')).code, 0);
});

test('questions with octets that no command may have are answered, not obeyed', async () => {
  const odd = ['a@b\r\nRSET', 'a@b>\u0007', '\u202e@x', 'x'.repeat(999), '@', '<>', 'a@b SIZE=1'];
  for (const address of odd) {
    const { code, output } = await run(
      ...[
        'trace',
        '--listener',
        'submission',
        '--from-ip',
        '127.0.0.1',
        '--tls',
        '--user',
        'bob',
        '--sender',
        address,
        address,
      ],
    );
    assert.ok(code === 0 || code === 1 || code === 2, `${JSON.stringify(address)}: ${output}`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is printed is the point
    assert.doesNotMatch(output, /[\u0000-\u0009\u000b-\u001f]|^RSET/m);
  }
});

const KINDS = {
  'sender group entry': ['listeners.submission.hat RELAYLIST: 127.0.0.0/8', 'listeners.submission.hat ALL: ALL'],
  'mail flow policy': ['mailFlowPolicies.submission', 'mailFlowPolicies.SPARE'],
  route: ['smtpRoutes.ALL', 'smtpRoutes.never.example'],
  profile: ['smtpAuthProfiles.monitored', 'smtpAuthProfiles.password-only'],
  exemption: ['exemptions.alice-lost-card', 'exemptions.dave-spare'],
} as const;

test('hits and last hit are told of every sender group entry, policy, route, profile and exemption', async () => {
  const { code, output } = await run('unused', '--all', '--json');
  assert.equal(code, 0, output);
  const { rules, nowMs } = JSON.parse(output) as RuleReport;
  const never = (await run('unused', '--days', '90')).output;
  for (const [kind, [used, spare]] of Object.entries(KINDS)) {
    const found = rules.find(({ rule }) => rule === used);
    assert.ok(found !== undefined && found.hits >= 1, `${kind}: ${JSON.stringify(found)}`);
    assert.ok((found.lastMs ?? 0) >= STARTED_MS && (found.lastMs ?? 0) <= nowMs, kind);
    assert.deepEqual(
      rules.find(({ rule }) => rule === spare),
      { rule: spare, hits: 0 },
    );
    assert.ok(never.includes(`  ${spare}: never\n`), never);
    assert.ok(!never.includes(`  ${used}:`), never);
  }
});

test('the rules of the uncommitted configuration are told with --candidate', async () => {
  assert.equal((await run('config', 'set', 'mailFlowPolicies.FRESH', '{"behavior":"accept"}')).code, 0);
  assert.match((await run('unused', '--candidate')).output, /^ {2}mailFlowPolicies\.FRESH: never$/m);
  assert.doesNotMatch((await run('unused')).output, /FRESH/);
  await run('config', 'clear');
});

test('the running gateway lists exemptions by their end, and who is only monitored', async () => {
  const exemptions = await run('exemptions');
  assert.equal(exemptions.code, 3, exemptions.output);
  assert.match(exemptions.output, /^alice-lost-card: alice, ENDS SOON, until .* used 1 time, last /);
  assert.match(exemptions.output, /^dave-spare: dave, until .*never used$/m);
  assert.equal((await run('exemptions', '--soon', '1')).code, 0);
  const monitored = await run('monitored');
  assert.equal(monitored.code, 0);
  assert.match(monitored.output, /^erin \(profile monitored\): 1 time, since \d{4}-/);
});

test('once the gateway has ended, its commands answer from the store in the data folder', async () => {
  assert.equal((await run('config', 'set', VERIFY, 'true')).code, 0);
  await gateway.stop();
  // The store is nobody's now: the command opens it itself.
  const offline = await run('commit', '--dry-run');
  assert.equal(offline.code, 3, offline.output);
  assert.match(offline.output, /clients seen in the last 7 days would be refused:\n(.*\n)* {2}bob from 127\.0\.0\.1/);
  assert.equal((await run('dryrun')).code, 3);
  assert.match((await run('monitored')).output, /^erin /);
  const session = ['trace', '--listener', 'submission', '--from-ip', '127.0.0.1', '--tls', '--user', 'bob'];
  const mail = ['--sender', 'bob@example.test', 'x@elsewhere.example'];
  const traced = await run(...session, ...mail);
  assert.equal(traced.code, 0, traced.output);
  assert.match(traced.output, /: the mail is accepted, as bob$/m);
  const then = await run(...session, '--candidate', ...mail);
  assert.equal(then.code, 1, then.output);
  assert.match(then.output, /^Decided by certificate: client certificate required \(/m);
  assert.match((await run('ldaptest', '--user', 'bob', '--no-password')).output, /allowed to use SMTP AUTH/);
  assert.match((await run('unused', '--all')).output, /exemptions\.alice-lost-card: last /);
  assert.equal((await run('exemptions')).code, 3);
  const card = await run('cert', 'verify', site.pki.card('frank').certFile, '--profile', 'cac');
  assert.match(card.output, /revoked/);
  assert.equal((await runProgram(PROGRAM, ['status', '--data', gateway.data])).code, 1);
});
