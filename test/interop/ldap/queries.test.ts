/** The queries of a configuration over a real slapd: the cache while it is up and down, and `ldaptest` as it is run. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import type { Config, LdapServerConfig, Material } from '../../../src/config/schema.ts';
import { type LdapQueries, openQueries } from '../../../src/ldap/queries.io.ts';
import { serverConfig } from '../../contract/directory-server.ts';
import { atEnd } from '../../support/at-end.ts';
import { selfSigned } from '../../support/certificate-authority.ts';
import { PROGRAM } from '../../support/gateway.ts';
import { runProgram } from '../../support/program.ts';
import { GATEWAY_ACCOUNT, Slapd } from '../../support/slapd.ts';

const ALLOWANCE = '(&(uid={u})(|(!(caccn=*))(cacexempt=*)(cacemergency>={t})))';
const MINUTE_MS = 60_000;
const NO_LOG = { emit: () => undefined };

function queriesOf(server: Partial<LdapServerConfig>, filter = '(&(caccn={cn})(cacserial={sn}))'): LdapQueries {
  const config = {
    ldap: {
      servers: { corp: serverConfig(server) },
      queries: {
        card: { server: 'corp', type: 'certificate', filter, userIdAttribute: 'uid' },
        login: {
          server: 'corp',
          type: 'smtpAuth',
          filter: '(uid={u})',
          method: 'bind',
          passwordAttribute: 'userPassword',
          allowance: ALLOWANCE,
        },
      },
    },
  } as unknown as Config;
  const material: Material = {
    certificates: {},
    authorities: {},
    bindPasswords: { corp: GATEWAY_ACCOUNT.password },
    ldif: {},
  };
  const queries = openQueries(config, material, { clock: { now: () => 0 }, log: NO_LOG, receiveThreads: 1 });
  atEnd(() => queries.close());
  return queries;
}

const card = (cn: string, sn: string) => ({
  token: (token: string) => ({ cn: [cn], sn: [sn] })[token],
  der: Buffer.from(`${cn} ${sn}`),
});
const IS_ALICE = {
  answer: 'yes',
  value: { user: 'alice', dn: 'uid=alice,ou=people,dc=example,dc=test', rules: ['filter'] },
};
const ALICE = card('ADAMS.ALICE.A.1000000001', '1001');
const NOBODY = card('NOBODY', '1');

test('while the directory is down a cached owner counts until its time is over, a cached miss for a minute', async () => {
  const slapd = await Slapd.start();
  const ask = queriesOf({ hosts: [slapd.url], cache: { ttl: 15 * MINUTE_MS, maxEntries: 100 } }).certificate('card');
  assert.deepEqual(await ask(ALICE, 0), IS_ALICE);
  assert.deepEqual(await ask(NOBODY, 0), { answer: 'no', why: 'no entry' });
  await slapd.stop();
  assert.deepEqual(await ask(ALICE, 14 * MINUTE_MS), IS_ALICE);
  assert.deepEqual(await ask(NOBODY, MINUTE_MS - 1), { answer: 'no', why: 'no entry' });
  assert.equal((await ask(NOBODY, MINUTE_MS)).answer, 'unknown');
  assert.equal((await ask(ALICE, 15 * MINUTE_MS)).answer, 'unknown');
  assert.equal((await ask(card('CLARK.CAROL.C.1000000003', '1003'), 0)).answer, 'unknown');
});

test('with a time of 0 s, or with {t} in the filter, the directory is asked each time', async () => {
  const slapd = await Slapd.start();
  const cached = { ttl: 15 * MINUTE_MS, maxEntries: 100 };
  const each = queriesOf({ hosts: [slapd.url], cache: { ttl: 0, maxEntries: 100 } }).certificate('card');
  const timed = queriesOf({ hosts: [slapd.url], cache: cached }, '(&(caccn={cn})(!(cacemergency>={t})))').certificate(
    'card',
  );
  assert.deepEqual(await each(ALICE, 0), IS_ALICE);
  assert.deepEqual(await timed(ALICE, 0), IS_ALICE);
  await slapd.stop();
  assert.equal((await each(ALICE, 0)).answer, 'unknown');
  assert.equal((await timed(ALICE, 0)).answer, 'unknown');
});

test('a bind and an allowance are never cached', async () => {
  const slapd = await Slapd.start();
  const ask = queriesOf({ hosts: [slapd.url], cache: { ttl: 15 * MINUTE_MS, maxEntries: 100 } }).smtpAuth('login');
  const login = { login: 'bob', password: 'bob-secret', nowMs: 0, defaultDomain: undefined, askAllowance: true };
  assert.deepEqual(await ask(login), { kind: 'accepted', allowed: true });
  await slapd.stop();
  assert.equal((await ask(login)).kind, 'unavailable');
});

test('a query that does not exist or is of the other type is a fault of the configuration', () => {
  const queries = queriesOf({ hosts: ['ldap://127.0.0.1:1'] });
  for (const name of ['nothing', 'constructor', 'login'])
    assert.throws(() => queries.certificate(name), { code: 'config' });
  assert.throws(() => queries.smtpAuth('card'), { code: 'config' });
});

describe('sallyport ldaptest', () => {
  let file: string;
  let cardFile: string;
  before(async () => {
    const slapd = await Slapd.start();
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-ldaptest-'));
    atEnd(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(join(folder, 'pki'));
    cardFile = selfSigned(join(folder, 'pki'), 'card', { subject: '/O=Example/CN=ADAMS.ALICE.A.1000000001' }).certFile;
    file = join(folder, 'sallyport.json');
    const config = {
      hostname: 'gw.example.test',
      ldap: {
        servers: { corp: { hosts: [slapd.url], baseDn: 'dc=example,dc=test', bind: GATEWAY_ACCOUNT } },
        queries: {
          card: { server: 'corp', type: 'certificate', filter: '(caccn={cn})' },
          login: { server: 'corp', type: 'smtpAuth', filter: '(uid={u})', allowance: ALLOWANCE },
        },
      },
      listeners: {
        submission: { type: 'private', address: ['127.0.0.1:5587'], hat: [{ senderGroup: 'ALL', policy: 'BLOCKED' }] },
      },
    };
    writeFileSync(file, JSON.stringify(config));
  });
  const run = (...args: string[]) =>
    runProgram(PROGRAM, ['ldaptest', '--config', file, ...args], { input: 'bob-secret\n' });

  test('shows every stage of a login that is good', async () => {
    const { code, output } = await run('--user', 'bob');
    assert.match(
      output,
      new RegExp(
        [
          'LDAP query login \\(smtpAuth\\) on server corp',
          'Server ldap://127\\.0\\.0\\.1:\\d+: connected',
          'Query: \\(uid=bob\\) below dc=example,dc=test',
          'Query: entries found: 1',
          '    uid=bob,ou=people,dc=example,dc=test',
          'BIND as uid=bob,ou=people,dc=example,dc=test: match positive',
          'Allowance: \\(&\\(uid=bob\\)\\(\\|\\(!\\(caccn=\\*\\)\\)\\(cacexempt=\\*\\)\\(cacemergency>=\\d{14}Z\\)\\)\\) below dc=example,dc=test',
          'Allowance: entries found: 1',
          '    uid=bob,ou=people,dc=example,dc=test',
          'Success: Action: match positive, allowed to use SMTP AUTH',
        ].join('\n'),
      ),
    );
    assert.equal(code, 0);
    assert.ok(!output.includes('bob-secret'));
  });
  test('shows why a login is not good', async () => {
    const { code, output } = await run('--user', 'alice');
    assert.match(
      output,
      /BIND as uid=alice,.*: match negative \(LDAP authentication failed: LDAP Error "invalidCredentials" \[0x31\]\)/,
    );
    assert.match(output, /^Failure: Action: match negative/m);
    assert.equal(code, 1);
  });
  test('shows whose certificate it is', async () => {
    const { code, output } = await run('--query', 'card', '--certificate', cardFile);
    assert.match(output, /^Query: \(caccn=ADAMS\.ALICE\.A\.1000000001\) below/m);
    assert.match(output, /^User ID \(uid\): alice$/m);
    assert.match(output, /^Success: Action: match positive: the certificate belongs to alice$/m);
    assert.equal(code, 0);
  });
  test('says what is wrong with how it was called', async () => {
    assert.equal((await run('--query', 'card')).code, 2);
    assert.equal((await run('--user', 'a', '--certificate', 'b')).code, 2);
    assert.match((await run('--certificate', 'missing.pem')).output, /cannot read missing\.pem: ENOENT/);
    assert.match((await run('--query', 'card', '--user', 'bob')).output, /the query card is not of type smtpAuth/);
    assert.match((await run('--certificate', file)).output, /holds no certificate/);
  });
});
