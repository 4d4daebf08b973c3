/** sslconfig, smtproutes and commit --dry-run on a running gateway. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { piped } from '../support/command-line.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/gateway.ts';
import { type One, Site } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
let one: One;
before(async () => {
  site = await Site.open();
  one = await site.startOne({ policy: { tls: 'preferred' } }, undefined, { store: true });
});

const at = (...words: readonly string[]): string[] => [...words, '--data', one.gateway.data];

async function told(command: string, ...answers: readonly string[]): Promise<string> {
  const { code, stdout } = await piped(at(command), ...answers);
  assert.equal(code, 0, stdout);
  return stdout;
}

async function handshake(version: 'TLSv1.2' | 'TLSv1.3'): Promise<void> {
  const session = await SmtpSession.open({ port: one.port });
  await session.startTls({ ca: site.pki.serverCa, version });
  assert.equal((await session.command('EHLO client.example.test')).code, 250);
}

test('sslconfig raises the oldest version, and after commit TLSv1.2 is refused', async () => {
  await handshake('TLSv1.2');
  const output = await told('sslconfig', 'inbound', '3', 'TLSv1.3', '', '', '');
  assert.match(output, /^sslconfig settings:\n {2}Inbound SMTP method: {2}TLSv1\.2 to TLSv1\.3\n/);
  assert.match(output, /"3" is no choice\. Enter a number from 1 to 2\.\n/);
  assert.match(output, /Inbound SMTP method: {2}TLSv1\.3\n/);
  await told('commit', 'TLS 1.3');
  await handshake('TLSv1.3');
  await assert.rejects(handshake('TLSv1.2'));
  assert.equal((await piped(at('sslconfig', 'inbound', '--min-version', 'TLSv1.2'))).code, 0);
  await told('commit', 'TLS 1.2 again');
  await handshake('TLSv1.2');
});

test('routes are edited, exported, imported and cleared; a faulty file changes nothing', async () => {
  const file = join(temporaryFolder(), 'routes');
  const output = await told(
    'smtproutes',
    ...['new', 'example.com', 'relay.example.com:26', 'edit', 'ALL', 'USEDNS', 'export', file, ''],
  );
  assert.match(output, /^There is currently 1 route configured\.\n/);
  assert.equal(readFileSync(file, 'utf8').replace(/^#.*\n/, ''), 'ALL: USEDNS\nexample.com: relay.example.com:26\n');
  writeFileSync(file, 'example.net: [192.0.2.1]\nexample.org\n');
  assert.match(await told('smtproutes', 'import', file, ''), /line 2: a route is written DOMAIN: HOST, HOST\n/);
  writeFileSync(file, 'example.net: [192.0.2.1]\nALL: USEDNS # the rest\n');
  assert.equal((await piped(at('smtproutes', 'import', file))).code, 0);
  const { stdout } = await piped(at('smtproutes', 'print', '--json'));
  assert.deepEqual(JSON.parse(stdout), { 'example.net': ['[192.0.2.1]'], ALL: ['USEDNS'] });
  assert.deepEqual(
    (await piped(at('smtproutes', 'delete', 'example.edu'))).stdout,
    'sallyport: there is no route for example.edu\n',
  );
  assert.match(await told('smtproutes', 'clear', 'y', ''), /There are currently no routes configured\.\n/);
  await told('clearchanges', 'y');
});

test('commit --dry-run tries the uncommitted changes on the clients of the last days and commits nothing', async () => {
  const session = await SmtpSession.open({ port: one.port });
  await session.startTls({ ca: site.pki.serverCa });
  await session.ehlo();
  assert.equal((await session.send()).code, 250);
  await session.quit();
  await told('listenerconfig', 'edit', '1', 'hostaccess', 'edit', '1', 'RELAYLIST', '192.0.2.0/24', '', '', '', '');
  // The threads report what they saw in a while.
  const { stdout } = await eventually(async () => {
    const tried = await piped(at('commit', '--dry-run'));
    assert.equal(tried.code, 3, tried.stdout);
    return tried;
  });
  assert.match(stdout, /127\.0\.0\.1/);
  assert.match((await piped(at('showchanges'))).stdout, /192\.0\.2\.0\/24/);
  await told('clearchanges', 'y');
});

test('a secret is refused as an argument and taken from standard input; it is masked wherever it is shown', async () => {
  const bind = (password: string): string[] =>
    at('ldapconfig', 'new', 'ad', '--hosts', 'ldap://127.0.0.1:1', '--bind-dn', 'cn=gw', '--bind-password', password);
  const refused = await piped(bind('hunter2'));
  assert.equal(refused.code, 1);
  assert.match(refused.stdout, /--bind-password: a secret is no argument, because others could see it/);
  const taken = await piped(bind('-'), 'hunter2');
  assert.equal(taken.code, 0, taken.output);
  const { stdout } = await piped(at('ldapconfig', 'show', 'ad'));
  assert.match(stdout, /"password": "\(masked\)"/);
  assert.doesNotMatch(stdout, /hunter2/);
  const saved = await piped(at('showconfig', 'ldap.servers.ad.bind', '--candidate'));
  assert.match(saved.stdout, /"dn": "cn=gw"/);
  await told('clearchanges', 'y');
});
