/** What administrators are told about each other: a commit that nobody confirmed, passwords that somebody guesses. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiSite } from '../support/api-site.ts';
import { atEnd } from '../support/at-end.ts';
import { configCommand } from '../support/gateway.ts';
import { NextHop } from '../support/next-hop.ts';

let api: ApiSite;
let office: NextHop;
before(async () => {
  office = await NextHop.start();
  atEnd(() => office.stop());
  const alerts = {
    recipients: { 'ops@example.test': { system: ['warning'] } },
    smtpHosts: [`127.0.0.1:${office.port}`],
  };
  api = await ApiSite.open({ maxFailedLogins: 3 }, (config) => ({ ...config, alerts }), { store: true });
});

const at = (...words: readonly string[]): string[] => [...words, '--data', api.gateway.data];

test('a commit that nobody confirms goes back by itself, and the administrators are told', async () => {
  assert.equal((await configCommand(...at('set', 'system.minFreeSpace', '32M'))).code, 0);
  const { code, output } = await configCommand(...at('commit', '--confirm', '1s', '--comment', 'risky'));
  assert.equal(code, 0, output);
  const { text } = await office.messageWith('went back to an earlier revision');
  assert.match(
    text,
    /^Subject: \[Warning\]-\[gw\.example\.test\]: \(System\) the configuration went back to an earlier rev/m,
  );
  assert.match(text.replace(/\r\n/g, ' '), /revision 2 was not confirmed before \S+ \(revision 3 in force\)/);
});

test('one whose time ran out while the gateway was down is told at the next start', async () => {
  await api.gateway.kill();
  assert.equal((await configCommand(...at('set', 'system.minFreeSpace', '31M'))).code, 0);
  assert.equal((await configCommand(...at('commit', '--confirm', '1s', '--comment', 'risky, too'))).code, 0);
  await delay(1000);
  await api.restart();
  const { text } = await office.messageWith('was not confirmed in time');
  assert.match(
    text,
    /^Subject: \[Warning\]-\[gw\.example\.test\]: \(System\) configuration revision \d+ in force: revision \d+/m,
  );
});

test('a login that is locked after failures is told once, whoever is guessed at', async () => {
  const guess = (name: string) => api.tls('POST /api/login', { body: { account: name, password: 'wrong' } });
  for (let i = 0; i < 5; i++) await guess('admin');
  const { text } = await office.messageWith('locked after failed logins');
  assert.match(
    text,
    /^Subject: \[Warning\]-\[gw\.example\.test\]: \(System\) Audit: admin \(password\) from 127\.0\.0\.1: login/m,
  );
  for (let i = 0; i < 5; i++) await guess('root');
  const { body } = await api.local('GET /api/alerts');
  const locked = (body['alerts'] as { text: string }[]).filter(({ text: told }) => told.includes('locked'));
  assert.equal(locked.length, 1, 'the second is held back');
});
