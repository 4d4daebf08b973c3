/** `check`, `run`, SIGHUP and SIGTERM: exit codes, faults with their place, and what goes on when a file is faulty. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { freePort, freePorts } from '../support/free-port.ts';
import { check, Gateway, writeConfig } from '../support/gateway.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
before(async () => {
  site = await Site.open();
});

const RECIPE_NAMES = ['recipe-a-certificate', 'recipe-b-smtp-auth', 'recipe-c-either'] as const;

for (const name of RECIPE_NAMES) {
  test(`${name} passes check unchanged`, () => {
    const file = writeConfig(
      join(site.folder, `${name}.yaml`),
      site.recipe(name, { smtp: 5587, ldap: 3389, secondaryCrl: 8089 }),
    );
    assert.deepEqual(check(file), { code: 0, lines: [] });
  });
}

type Faulty = readonly [title: string, edit: (recipe: string) => string, path: string, severity?: 'warning'];

const FAULTS: readonly Faulty[] = [
  [
    'an unknown key',
    (text) => text.replace('    type: private', '    type: private\n    colour: green'),
    'listeners.submission',
  ],
  [
    'a sender group with a policy that is nowhere',
    (text) => text.replace('policy: RELAYED }', 'policy: NOWHERE }'),
    'listeners.submission.hat[0].policy',
  ],
  [
    'a listener with a profile that is nowhere',
    (text) => text.replace('smtpAuthProfile: cac', 'smtpAuthProfile: none-such'),
    'listeners.submission.smtpAuthProfile',
  ],
  [
    'a listener with a certificate that is nowhere',
    (text) => text.replace('certificate: gateway', 'certificate: none-such'),
    'listeners.submission.certificate',
  ],
  [
    'a profile with a query that is nowhere',
    (text) => text.replace('query: cac-certificate', 'query: none-such'),
    'smtpAuthProfiles.cac.query',
  ],
  [
    'a profile that trusts an authority that is nowhere',
    (text) => text.replace('trust: [cac]', 'trust: [none-such]'),
    'smtpAuthProfiles.cac.trust[0]',
  ],
  [
    'a query with a server that is nowhere',
    (text) => text.replace('server: corp', 'server: none-such'),
    'ldap.queries.cac-certificate.server',
  ],
  [
    'a filter that is none',
    (text) => text.replace('(&(caccn={cn})(cacserial={sn}))', '(&(caccn={cn})'),
    'ldap.queries.cac-certificate.filter',
  ],
  ['a filter with an unknown token', (text) => text.replace('{sn}', '{serial}'), 'ldap.queries.cac-certificate.filter'],
  [
    'verifyClientCertificate with tls off',
    (text) => text.replace('tls: required ', 'tls: off '),
    'listeners.submission.hat[0].policy',
  ],
  [
    'an unreadable certificate file',
    (text) => text.replace('pki/gateway.pem', 'pki/not-there.pem'),
    'certificates.gateway.certFile',
  ],
  [
    'a key that does not match its certificate',
    (text) => text.replace('pki/gateway.key', 'pki/other.key'),
    'certificates.gateway',
  ],
  [
    'a password file that is not there',
    (text) => text.replace('secrets/ldap', 'secrets/none'),
    'ldap.servers.corp.bind',
  ],
  [
    'an authority file without a certificate',
    (text) => text.replace('pki/cac-ca.pem', 'secrets/ldap'),
    'certificateAuthorities.cac',
  ],
  ['a CRL schedule below one second', (text) => text.replace('every: 1h', 'every: 10ms'), 'crl.sources.cac.schedule'],
  [
    'an impossible sender',
    (text) => text.replace('127.0.0.0/8', '127.0.0.0/99'),
    'listeners.submission.hat[0].senders[0]',
  ],
  [
    'an impossible port',
    (text) => text.replace('127.0.0.1:5587', '127.0.0.1:99999'),
    'listeners.submission.address[0]',
  ],
  [
    'a value of the wrong kind',
    (text) => text.replace('verifyClientCertificate: true', 'verifyClientCertificate: maybe'),
    'mailFlowPolicies.RELAYED.verifyClientCertificate',
  ],
  ['a route to nowhere', (text) => text.replace(/ALL: \["127[^\]]*\]/, 'ALL: []'), 'smtpRoutes.ALL'],
];

const recipe = (): string => site.recipe('recipe-a-certificate', { smtp: 5587, ldap: 3389, secondaryCrl: 8089 });

for (const [title, edit, path] of FAULTS) {
  test(`check reports ${title} with its place`, () => {
    writeFileSync(join(site.folder, 'pki', 'other.key'), site.pki.card('alice').key);
    const text = recipe();
    const edited = edit(text);
    assert.notEqual(edited, text, 'the edit changed nothing');
    const file = writeConfig(join(site.folder, 'faulty.yaml'), edited);
    const { code, lines } = check(file);
    assert.equal(code, 1, lines.join('\n'));
    assert.ok(lines.length > 0);
    for (const line of lines) assert.match(line, /^.*faulty\.yaml:\d+:\d+: \S+: .+/);
    const [place, found] =
      /faulty\.yaml:(\d+):\d+: (\S+): /.exec(lines.find((line) => line.includes(`: ${path}`)) ?? '')?.slice(1) ?? [];
    assert.ok(found?.startsWith(path), `expected ${path} in\n${lines.join('\n')}`);
    assert.ok(Number(place) > 1, 'the fault stands at the beginning of the file');
  });
}

test('verifyClientCertificate on a listener whose profile is of type ldap is a fault', () => {
  const text = site
    .recipe('recipe-b-smtp-auth', { smtp: 5587, ldap: 3389 })
    .replace('tls: required,', 'tls: required, verifyClientCertificate: true,');
  const { code, lines } = check(writeConfig(join(site.folder, 'faulty.yaml'), text));
  assert.equal(code, 1);
  assert.ok(
    lines.some((line) => /verify/i.test(line)),
    lines.join('\n'),
  );
});

test('check names every fault at once', () => {
  const text = recipe().replace('policy: RELAYED }', 'policy: NOWHERE }').replace('trust: [cac]', 'trust: [none-such]');
  const { code, lines } = check(writeConfig(join(site.folder, 'faulty.yaml'), text));
  assert.equal(code, 1);
  assert.equal(lines.length, 2, lines.join('\n'));
});

test('text that is not YAML is a fault with its line', () => {
  const { code, lines } = check(
    writeConfig(join(site.folder, 'faulty.yaml'), 'hostname: gw.example.test\nlisteners: [\n'),
  );
  assert.equal(code, 1);
  assert.match(lines[0] ?? '', /faulty\.yaml:\d+:\d+: /);
});

test('a file that is not there is a fault', () => {
  const { code, lines } = check(join(site.folder, 'not-there.yaml'));
  assert.equal(code, 1);
  assert.ok(lines.length >= 1);
});

test('an expired certificate among the authorities is a warning and the exit code stays 0', () => {
  writeFileSync(
    join(site.folder, 'pki', 'with-expired.pem'),
    site.pki.root.own.cert + site.pki.issuing.own.cert + site.pki.expiredAuthority.cert,
  );
  const { code, lines } = check(
    writeConfig(join(site.folder, 'warned.yaml'), recipe().replace('pki/cac-ca.pem', 'pki/with-expired.pem')),
  );
  assert.equal(code, 0, lines.join('\n'));
  assert.ok(
    lines.some((line) => /^.*warned\.yaml:\d+:\d+: warning: certificateAuthorities\.cac/.test(line)),
    lines.join('\n'),
  );
});

test('run with a faulty file prints the faults, ends with 1 and never listens', async () => {
  const folder = site.copy();
  const port = await freePort();
  const text = site
    .recipe('recipe-a-certificate', { smtp: port, ldap: 3389 })
    .replace('trust: [cac]', 'trust: [none-such]');
  const gateway = Gateway.launch({ config: text, folder });
  assert.equal(await gateway.exited, 1);
  assert.match(gateway.output(), /smtpAuthProfiles\.cac\.trust\[0\]: /);
  assert.doesNotMatch(gateway.output(), /\bready\b/);
  await assert.rejects(SmtpSession.dial({ port }));
});

test('run writes into the data folder only', async () => {
  const { gateway, port, folder } = await site.startOne({ policy: {} });
  const before = readdirSync(folder).sort();
  const session = await SmtpSession.open({ port });
  assert.equal((await session.send()).code, 250);
  await session.quit();
  assert.equal(await gateway.stop(), 0);
  assert.deepEqual(readdirSync(folder).sort(), before);
  assert.ok(existsSync(gateway.data));
});

test('a second gateway on the same address says so and ends with 1', async () => {
  const { gateway, config } = await site.startOne({ policy: {} });
  const second = Gateway.launch({ config, folder: site.copy() });
  assert.equal(await second.exited, 1);
  assert.match(second.output(), /127\.0\.0\.1:\d+/);
  await gateway.stop();
});

test('SIGHUP puts a good file in force for new sessions, and open sessions keep the old revision', async () => {
  const [port, added] = (await freePorts(2)) as [number, number];
  const config = (banner: string): Record<string, unknown> =>
    withListener(site.base(), 'submission', {
      policy: { banner: { text: banner }, maxMessageSize: banner === 'old' ? '20k' : '30k' },
      port,
    });
  const gateway = await Gateway.start({ config: config('old'), folder: site.copy() });
  const open = await SmtpSession.dial({ port });
  assert.match((await open.reply()).text, /old/);
  await gateway.reload(withListener(config('new'), 'added', { policy: {}, port: added }));
  const fresh = await SmtpSession.dial({ port });
  assert.match((await fresh.reply()).text, /new/);
  assert.equal((await fresh.ehlo()).get('SIZE'), '30720');
  assert.equal((await open.ehlo()).get('SIZE'), '20480');
  const other = await SmtpSession.open({ port: added });
  assert.equal((await other.send()).code, 250);
  await gateway.reload(config('newer'));
  await assert.rejects(SmtpSession.dial({ port: added }));
  for (const session of [open, fresh, other]) await session.quit();
  assert.equal(await gateway.stop(), 0);
});

test('SIGHUP with a faulty file changes nothing and the log says why', async () => {
  const { gateway, port, config } = await site.startOne({ policy: { banner: { text: 'first' } } });
  const changed = await gateway.reload({ ...config, colour: 'green' });
  assert.match(JSON.stringify(changed), /not changed/);
  assert.ok(
    gateway.lines.some((line) => /sallyport\.yaml:\d+:\d+: .*colour/.test(line)),
    gateway.output(),
  );
  const session = await SmtpSession.dial({ port });
  assert.match((await session.reply()).text, /first/);
  await session.quit();
  await gateway.reload('hostname: [');
  await gateway.reload(config);
  assert.equal(await gateway.stop(), 0);
});

test('a key file that has become unreadable is a fault at SIGHUP and not an end', async () => {
  const folder = site.copy();
  const port = await freePort();
  const config = withListener(site.base(), 'submission', { policy: { tls: 'preferred' }, port });
  const gateway = await Gateway.start({ config, folder });
  writeFileSync(join(folder, 'pki', 'gateway.key'), 'not a key');
  chmodSync(join(folder, 'pki', 'gateway.key'), 0o600);
  assert.match(JSON.stringify(await gateway.reload(config)), /not changed/);
  const session = await SmtpSession.open({ port });
  await session.startTls({ ca: site.pki.serverCa });
  await session.quit();
  assert.equal(await gateway.stop(), 0);
});

test('an unknown command and an unknown option are refused', () => {
  assert.notEqual(check('--no-such-option').code, 0);
});
