/** A gateway on the configuration store: how it starts, what SIGHUP does, and `sallyport config` where no gateway runs. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { configCommand, Gateway, temporaryFolder, writeConfig } from '../support/gateway.ts';
import { Pki } from '../support/pki.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

type Section = Record<string, unknown>;

let site: Site;
before(async () => {
  site = await Site.open();
});

/** A configuration file in a folder of its own, with the files that it names. */
async function fileWithListener(change: (config: Section) => Section = (config) => config) {
  const port = await freePort();
  const folder = site.copy();
  const config = change(withListener(site.base(), 'submission', { policy: { tls: 'preferred' }, port }));
  return { port, folder, file: writeConfig(join(folder, 'site.yaml'), config), data: join(temporaryFolder(), 'data') };
}

async function configure(...args: readonly string[]): Promise<string> {
  const { code, output } = await configCommand(...args);
  assert.equal(code, 0, output);
  return output;
}

const loaded = (file: string, data: string, ...more: readonly string[]): Promise<string> =>
  configure('load', file, '--commit', '--comment', 'loaded', '--data', data, ...more);

test('a data folder without a configuration says how to load one', async () => {
  const data = join(temporaryFolder(), 'data');
  const gateway = Gateway.launchStore(data);
  assert.equal(await gateway.exited, 1);
  assert.equal(
    gateway.lines[0],
    `${data} has no configuration yet. Load one: sallyport config load FILE --commit --data ${data}`,
  );
  assert.ok(!existsSync(join(data, 'config.db')));
});

test('a file is loaded, committed, and run from the store; its relative paths lead where they led', async () => {
  const { file, data, port } = await fileWithListener();
  assert.match(await loaded(file, data), /Changes committed: revision 1, counts from the next start\n$/);
  const gateway = await Gateway.startStore(data);
  await gateway.line(/Sallyport is ready: revision 1/);
  const session = await SmtpSession.open({ port });
  await session.startTls({ ca: site.pki.serverCa });
  await session.command('EHLO client.example.test');
  assert.equal((await session.send({ text: 'Subject: from the store\r\n\r\n' })).code, 250);
  await site.nextHop.messageWith('Subject: from the store');
  assert.equal(await gateway.stop(), 0);
});

test('with --inline certificates, keys and authorities are in the store, and the files may go', async () => {
  const { file, data, port, folder } = await fileWithListener((config) => ({
    ...config,
    ldap: {
      servers: { corp: { hosts: ['ldap://127.0.0.1:1'], bind: { dn: 'cn=gw', passwordFile: 'secrets/ldap' } } },
      queries: {},
    },
    smtpAuthProfiles: {},
  }));
  await loaded(file, data, '--inline');
  rmSync(folder, { recursive: true });
  const gateway = await Gateway.startStore(data);
  const session = await SmtpSession.open({ port });
  await session.startTls({ ca: site.pki.serverCa });
  await session.quit();
  await gateway.stop();
  const shown = await configure('show', '--data', data);
  assert.match(shown, /keyPem: \(masked\)/);
  assert.match(shown, /password: \(masked\)/);
  assert.match(shown, /certPem: \|\n +-----BEGIN CERTIFICATE-----/);
  assert.ok(!shown.includes('PRIVATE KEY') && !shown.includes('gateway-secret'));
  for (const name of ['config.db', 'master.key']) assert.equal(statSync(join(data, name)).mode & 0o777, 0o600, name);
  assert.ok(!readFileSync(join(data, 'config.db'), 'latin1').includes('PRIVATE KEY'));
});

test('SIGHUP reads the files again that the committed revision names; with a broken one nothing changes', async () => {
  const { file, data, port, folder } = await fileWithListener();
  await loaded(file, data);
  const gateway = await Gateway.startStore(data);
  const other = new Pki(join(temporaryFolder(), 'pki'));
  writeFileSync(join(folder, 'pki', 'gateway.key'), other.gateway.key);
  let from = gateway.events.length;
  gateway.signal('SIGHUP');
  await gateway.event((event) => /key does not match/.test(String(event['text'])), { from });
  await gateway.event((event) => String(event['text']).startsWith('configuration not changed'), { from });
  await (await startTls(port, site.pki.serverCa)).quit();
  writeFileSync(join(folder, 'pki', 'gateway.pem'), other.gateway.cert);
  from = gateway.events.length;
  gateway.signal('SIGHUP');
  await gateway.event((event) => event['text'] === 'configuration revision 1 in force', { from });
  await (await startTls(port, other.serverCa)).quit();
  await gateway.stop();
});

async function startTls(port: number, ca: string): Promise<SmtpSession> {
  const session = await SmtpSession.open({ port });
  await session.startTls({ ca });
  return session;
}

test('a store moves to another machine by an export with secrets, and by no other', async () => {
  const { file, data, folder } = await fileWithListener();
  await loaded(file, data, '--inline');
  const passphrase = join(folder, 'passphrase');
  writeFileSync(passphrase, 'open sesame\n');
  const [masked, sealed] = [join(folder, 'masked.yaml'), join(folder, 'sealed.yaml')];
  assert.match(await configure('save', masked, '--data', data), /secrets masked/);
  await configure('save', sealed, '--with-secrets', '--passphrase-file', passphrase, '--data', data);
  assert.equal(statSync(sealed).mode & 0o777, 0o600);
  const text = readFileSync(sealed, 'utf8');
  assert.ok(text.includes('keyPem: sealed:scrypt:') && !text.includes('PRIVATE KEY'));
  assert.equal((await configCommand('save', sealed, '--data', data)).code, 1, 'a file was overwritten');
  const other = join(temporaryFolder(), 'data');
  const refused = await configCommand('load', masked, '--data', other);
  assert.equal(refused.code, 1);
  assert.match(
    refused.output,
    /masked\.yaml:\d+:\d+: certificates\.gateway\.keyPem: the secret is masked, and there is none here/,
  );
  await loaded(sealed, other, '--passphrase-file', passphrase);
  assert.equal(
    (await configure('save', '--with-secrets', '--clear', '--data', other)).replace(/^#.*\n/gm, ''),
    (await configure('save', '--with-secrets', '--clear', '--data', data)).replace(/^#.*\n/gm, ''),
  );
  // Back where the secrets are, the masked file is no change.
  assert.match(await configure('load', masked, '--data', data), /^no differences$/m);
});

test('the uncommitted changes of the command line last from one command to the next', async () => {
  const { file, data } = await fileWithListener();
  await loaded(file, data);
  await configure('set', 'listeners.submission.maxConcurrency', '7', '--data', data);
  await configure('rename', 'certificates.gateway', 'renamed', '--data', data);
  const diff = await configure('diff', '--data', data);
  assert.match(diff, /^\+ listeners\.submission\.maxConcurrency: 7$/m);
  assert.match(diff, /^\* listeners\.submission\.certificate: "gateway" -> "renamed"$/m);
  assert.equal(await configure('show', 'listeners.submission.maxConcurrency', '--candidate', '--data', data), '7\n');
  assert.equal((await configCommand('show', 'listeners.submission.maxConcurrency', '--data', data)).code, 1);
  assert.match(await configure('commit', '--comment', 'seven', '--data', data), /revision 2/);
  assert.match(await configure('history', '--data', data), /^2  \S+  \S+  seven\n1  \S+  \S+  loaded\n$/);
  await configure('rollback', '1', '--data', data);
  assert.equal(await configure('diff', '1', '3', '--data', data), 'no differences\n');
  await configure('delete', 'listeners.submission.certificate', '--data', data);
  assert.match(await configure('clear', '--data', data), /^1 change given up$/m);
  const wrong = await configCommand('set', 'listeners.nothing', '{"type": "private"}', '--data', data);
  assert.equal(wrong.code, 0);
  const refused = await configCommand('commit', '--data', data);
  assert.equal(refused.code, 1);
  assert.match(refused.output, /^listeners\.nothing\.address: is missing/m);
});

test('a faulty file is not loaded: the lines are those of check', async () => {
  const { file, data } = await fileWithListener((config) => ({ ...config, hostname: 'not a name' }));
  const { code, output } = await configCommand('load', file, '--commit', '--data', data);
  assert.equal(code, 1);
  assert.match(output, /^\S+site\.yaml:\d+:\d+: hostname: a host name has labels of letters/);
  assert.equal(await Gateway.launchStore(data).exited, 1);
});

test('where a file is the truth, load puts the new one in its place, once it is right there', async () => {
  const { file, folder } = await fileWithListener();
  const original = readFileSync(file, 'utf8');
  const next = join(temporaryFolder(), 'next.yaml');
  writeFileSync(next, `# a remark that stays\n${original.replace('gw.example.test', 'new.example.test')}`);
  assert.match(
    await configure('load', next, '--config', file),
    /^\* hostname: "gw\.example\.test" -> "new\.example\.test"\nChecked/m,
  );
  assert.equal(readFileSync(file, 'utf8'), original, 'replaced without --commit');
  await configure('load', next, '--commit', '--config', file);
  assert.equal(readFileSync(file, 'utf8'), readFileSync(next, 'utf8'));
  assert.equal(readFileSync(`${file}.previous`, 'utf8'), original);
  writeFileSync(next, original.replace('"submission"', '"sub mission"'));
  const refused = await configCommand('load', next, '--commit', '--config', file);
  assert.equal(refused.code, 1);
  assert.match(refused.output, /next\.yaml:\d+:\d+: mailFlowPolicies\["sub mission"\]: a name has 1 to 64/);
  assert.match(readFileSync(file, 'utf8'), /new\.example\.test/);
  assert.ok(!existsSync(join(folder, 'site.yaml.new')));
  const set = await configCommand('set', 'hostname', 'x', '--config', file);
  assert.equal(set.code, 1);
  assert.match(set.output, /that file is the only truth/);
});

test('an unconfirmed revision goes back at a start after its time, and at once where it cannot start', async () => {
  const { file, data, folder } = await fileWithListener();
  await loaded(file, data);
  await configure('set', 'hostname', 'late.example.test', '--data', data);
  assert.match(
    await configure('commit', '--confirm', '1s', '--data', data),
    /Goes back to revision 1 at \S+ unless confirmed/,
  );
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const gateway = await Gateway.startStore(data);
  await gateway.line(/revision 2 was not confirmed in time, back to revision 1/);
  await gateway.line(/Sallyport is ready: revision 3/);
  await gateway.stop();
  mkdirSync(join(folder, 'more'));
  for (const name of ['gateway.pem', 'gateway.key'])
    copyFileSync(join(folder, 'pki', name), join(folder, 'more', name));
  await configure(
    'set',
    'certificates.more',
    JSON.stringify({ certFile: join(folder, 'more/gateway.pem'), keyFile: join(folder, 'more/gateway.key') }),
    '--data',
    data,
  );
  await configure('commit', '--confirm', '10m', '--data', data);
  renameSync(join(folder, 'more'), join(folder, 'gone'));
  const second = await Gateway.startStore(data);
  await second.line(/an unconfirmed revision cannot start: .*there is no such file/);
  await second.line(/Sallyport is ready: revision 5/);
  await second.stop();
});

test('the master key may lie elsewhere; without it, or where everybody may read it, nothing starts', async () => {
  const { file, data } = await fileWithListener();
  const key = join(temporaryFolder(), 'the.key');
  await loaded(file, data, '--key-file', key);
  assert.ok(!existsSync(join(data, 'master.key')));
  const without = Gateway.launchStore(data);
  assert.equal(await without.exited, 1);
  assert.match(without.lines[0] ?? '', /master\.key is missing: without the master key/);
  await (await Gateway.startStore(data, ['--key-file', key])).stop();
  chmodSync(key, 0o644);
  const open = Gateway.launchStore(data, ['--key-file', key]);
  assert.equal(await open.exited, 1);
  assert.match(open.lines[0] ?? '', /is open to everybody/);
});

test('a second process cannot open the store of a running gateway', async () => {
  const { file, data } = await fileWithListener();
  await loaded(file, data);
  const gateway = await Gateway.startStore(data);
  const second = Gateway.launchStore(data);
  assert.equal(await second.exited, 1);
  assert.match(second.lines[0] ?? '', /config\.db is in use: another process works on this data folder/);
  await gateway.stop();
});
