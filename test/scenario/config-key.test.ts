/** The master key of a store while a gateway runs on it, as a credential of systemd, and on another machine. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { configCommand, Gateway, PROGRAM, temporaryFolder, writeConfig } from '../support/gateway.ts';
import { runProgram } from '../support/program.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
before(async () => {
  site = await Site.open();
});

const command = (...args: readonly string[]) => runProgram(PROGRAM, args);

/** A store whose certificate and key are in it; the files are gone. */
async function store() {
  const port = await freePort();
  const config = withListener(site.base(), 'submission', { policy: { tls: 'preferred' }, port });
  const folder = site.copy();
  const data = join(temporaryFolder(), 'data');
  const file = writeConfig(join(folder, 'site.yaml'), config);
  const { code, output } = await configCommand('load', file, '--commit', '--inline', '--data', data);
  assert.equal(code, 0, output);
  return { data, port };
}

async function startsTls(port: number): Promise<void> {
  const session = await SmtpSession.open({ port });
  await session.startTls({ ca: site.pki.serverCa });
  await session.quit();
}

test('a running gateway gets another master key: what is committed before and after opens with it at the next start', async () => {
  const { data, port } = await store();
  const key = join(data, 'master.key');
  const former = readFileSync(key, 'utf8');
  const gateway = await Gateway.startStore(data);
  assert.equal((await configCommand('set', 'hostname', 'after.example.test', '--data', data)).code, 0);
  const changed = await configCommand('rekey', '--data', data);
  assert.deepEqual(
    [changed.code, changed.output],
    [0, `1 secret encrypted under the new key in ${key}\nKeep a copy of it apart\n`],
  );
  await gateway.event((event) => /changed the master key of the configuration store/.test(String(event['text'])));
  assert.equal((await configCommand('commit', '--data', data)).code, 0);
  const elsewhere = await configCommand('rekey', '--to', join(data, 'other.key'), '--data', data);
  assert.match(elsewhere.output, /a running gateway goes on with its own key file: stop it, or leave --to out/);
  await gateway.stop();
  const again = await Gateway.startStore(data);
  await startsTls(port);
  await again.stop();
  writeFileSync(key, former);
  const refused = Gateway.launchStore(data);
  assert.equal(await refused.exited, 1);
  assert.match(refused.lines[0] ?? '', /master\.key is not the master key that .*config\.db was written with/);
});

test('the master key is read from the credentials of systemd, and then nothing of it lies in the data folder', async () => {
  const { data, port } = await store();
  const credentials = temporaryFolder();
  renameSync(join(data, 'master.key'), join(credentials, 'master.key'));
  assert.match((await configCommand('show', '--data', data)).output, /master\.key is missing: without the master key/);
  const env = { CREDENTIALS_DIRECTORY: credentials };
  const gateway = await Gateway.startStore(data, [], env);
  await startsTls(port);
  const online = await configCommand('rekey', '--data', data);
  assert.equal(online.code, 1);
  assert.match(
    online.output,
    /is a credential of systemd, which nobody can write: stop the gateway, config rekey --to FILE/,
  );
  await gateway.stop();
  const file = join(credentials, 'next');
  const rekeyed = await runProgram(PROGRAM, ['config', 'rekey', '--to', file, '--data', data], { env });
  assert.equal(rekeyed.code, 0, rekeyed.output);
  assert.match(
    rekeyed.stdout,
    /1 secret encrypted under the new key in .*next, with which the gateway must be started/,
  );
  renameSync(file, join(credentials, 'master.key'));
  const second = await Gateway.startStore(data, [], env);
  await startsTls(port);
  await second.stop();
});

test('saveconfig with secrets, on another machine loadconfig with the passphrase, and that gateway has the same key', async () => {
  const { data, port } = await store();
  const folder = temporaryFolder();
  const [passphrase, file] = [join(folder, 'passphrase'), join(folder, 'move.yaml')];
  writeFileSync(passphrase, 'open sesame\n');
  const first = await Gateway.startStore(data);
  const saved = await command('saveconfig', file, '--with-secrets', '--passphrase-file', passphrase, '--data', data);
  assert.equal(saved.code, 0, saved.output);
  await first.stop();
  // Another machine: nothing of the first one but that file.
  const other = join(temporaryFolder(), 'data');
  mkdirSync(other);
  writeFileSync(passphrase, 'open sesam\n');
  const wrong = await command('loadconfig', file, '--commit', '--passphrase-file', passphrase, '--data', other);
  assert.equal(wrong.code, 1);
  assert.match(wrong.output, /does not open/);
  writeFileSync(passphrase, 'open sesame\n');
  const loaded = await command('loadconfig', file, '--commit', '--passphrase-file', passphrase, '--data', other);
  assert.equal(loaded.code, 0, loaded.output);
  const second = await Gateway.startStore(other);
  await startsTls(port);
  await second.stop();
});
