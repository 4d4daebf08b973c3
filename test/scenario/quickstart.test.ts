/** The README's first promise: one command makes everything and runs, another plays four people through it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PROGRAM, temporaryFolder } from '../support/gateway.ts';
import { runProgram } from '../support/program.ts';

test('npm run demo plays alice, bob, alice with a password and frank, and two mails arrive', async () => {
  const dir = join(temporaryFolder(), 'quickstart');
  const { code, output } = await runProgram(PROGRAM, ['quickstart', '--demo', '--dir', dir]);
  assert.equal(code, 0, output);
  assert.match(output, /525 Dear user, please use your CAC to send email\./);
  assert.match(output, /frank sends with a card that is revoked[\s\S]*530 5\.7\.0 authentication required/);
  const mails = readdirSync(join(dir, 'mail', 'new')).map((name) =>
    readFileSync(join(dir, 'mail', 'new', name), 'utf8'),
  );
  assert.deepEqual(
    mails.map((text) => /^Return-Path: <(.*)>/.exec(text)?.[1] ?? '').toSorted((a, b) => a.localeCompare(b)),
    ['alice@example.test', 'bob@example.test'],
  );
  assert.ok(mails.some((text) => text.includes('client certificate "CN=ADAMS.ALICE.A.1000000001')));
});

test('every person has a certificate in PEM and PKCS#12, and the configuration passes the check', async () => {
  const dir = join(temporaryFolder(), 'quickstart');
  await runProgram(PROGRAM, ['quickstart', '--demo', '--dir', dir]);
  const names = readdirSync(join(dir, 'pki', 'people'));
  for (const user of ['alice', 'bob', 'carol', 'dave', 'erin', 'frank']) {
    for (const ending of ['pem', 'key', 'p12']) assert.ok(names.includes(`${user}.${ending}`), `${user}.${ending}`);
  }
  const p12 = join(dir, 'pki', 'people', 'alice.p12');
  const { code, output } = await runProgram('openssl', ['pkcs12', '-in', p12, '-passin', 'pass:sallyport', '-nokeys']);
  assert.equal(code, 0, output);
  assert.match(output, /CN = ADAMS\.ALICE\.A\.1000000001/);
  const shown = await runProgram(PROGRAM, ['cert', 'show', p12], { input: 'sallyport\n' });
  assert.equal(shown.code, 0, shown.output);
  assert.match(shown.output, /PKCS#12, 2 certificates, 1 private key/);
  const checked = await runProgram(PROGRAM, ['check', join(dir, 'sallyport.yaml')]);
  assert.deepEqual([checked.code, checked.output], [0, '']);
});
