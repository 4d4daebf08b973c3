/** How administrators prove who they are, and what keeps others out. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, describe, test } from 'node:test';
import { join } from 'node:path';
import { ApiSite, PASSWORD, request } from '../support/api-site.ts';
import { PATIENCE_MS } from '../support/eventually.ts';

let api: ApiSite;
before(async () => {
  api = await ApiSite.open({ clientCertificate: { trust: ['cac'] }, maxFailedLogins: 3 }, (config) => ({
    ...config,
    crl: { ...(config['crl'] as object), checkWebInterface: true },
  }));
});

const login = (account: string, password: string, more: { from?: string } = {}) =>
  api.tls('POST /api/login', { body: { account, password }, ...more });

async function newestLogin(): Promise<Record<string, unknown>> {
  const { body } = await api.good('GET /api/audit', { query: 'action=login&limit=1' });
  const [entry] = body['entries'] as Record<string, unknown>[];
  assert.ok(entry !== undefined, 'no login is recorded');
  return entry;
}

describe('a password', () => {
  test('opens a session whose cookie no script and no other site can use', async () => {
    const { name } = await api.person('operator');
    const got = await login(name, PASSWORD);
    const [cookie = ''] = [got.headers['set-cookie'] ?? []].flat();
    assert.match(cookie, /^__Host-sallyport=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=43200$/);
    assert.deepEqual([got.body['account'], got.body['role'], got.body['how']], [name, 'operator', 'password']);
    const who = await api.tls('GET /api/session', { cookie: got.cookie ?? '' });
    assert.equal(who.body['account'], name);
    const entry = await newestLogin();
    assert.deepEqual(
      [entry['actor'], entry['how'], entry['address'], entry['outcome']],
      [name, 'password', '127.0.0.1', 'done'],
    );
    const event = await api.gateway.event((each) => each.event === 'audit' && each['actor'] === name);
    assert.deepEqual([event['action'], event['outcome'], event['level']], ['login', 'done', 'info']);
  });

  test('that is wrong, an account that does not exist and one without a password are told apart by nobody', async () => {
    const { name } = await api.person('operator');
    await api.good('POST /api/accounts', { body: { name: 'cardonly', role: 'operator' } });
    const answers = [
      await login(name, 'wrong', { from: '127.0.2.1' }),
      await login('nobody', 'wrong', { from: '127.0.2.1' }),
      await login('cardonly', 'wrong', { from: '127.0.2.1' }),
      await login('Not A Name!', 'wrong', { from: '127.0.2.1' }),
    ];
    assert.deepEqual(new Set(answers.map(({ status, text, cookie }) => `${status} ${cookie} ${text}`)).size, 1);
    assert.equal(answers[0]?.kind, 'login-failed');
    const { body } = await api.good('GET /api/audit', { query: 'action=login&limit=4' });
    const why = (body['entries'] as { detail: string }[]).map(({ detail }) => detail);
    assert.deepEqual(why, ['no such account', 'it has no password', 'no such account', 'wrong password']);
  });

  test('of an account that does not exist costs the same work', async () => {
    const { name } = await api.person('operator');
    const spent = async (account: string, from: string): Promise<number> => {
      const began = process.hrtime.bigint();
      await login(account, 'wrong', { from });
      return Number(process.hrtime.bigint() - began) / 1e6;
    };
    const times = { known: [] as number[], unknown: [] as number[] };
    for (let i = 0; i < 6; i++) {
      if (i % 2 === 0) await api.good('POST /api/accounts/{account}/unlock', { path: { account: name } });
      times.known.push(await spent(name, `127.0.3.${i + 1}`));
      times.unknown.push(await spent(`unknown${i}`, `127.0.4.${i + 1}`));
    }
    // An argon2id hash takes tens of milliseconds, everything else a few.
    assert.ok(Math.min(...times.unknown) > Math.min(...times.known) / 2, JSON.stringify(times));
  });

  test('tried too often locks the account: the right one is refused too, and says when to come back', async () => {
    const { name } = await api.person('operator');
    for (let i = 0; i < 3; i++) assert.equal((await login(name, 'wrong', { from: '127.0.5.1' })).kind, 'login-failed');
    const locked = await login(name, PASSWORD, { from: '127.0.5.2' });
    assert.deepEqual([locked.status, locked.kind], [429, 'too-many-attempts']);
    const seconds = Number(locked.headers['retry-after']);
    assert.ok(seconds > 800 && seconds <= 900, String(seconds));
    const shown = await api.good('GET /api/accounts/{account}', { path: { account: name } });
    assert.ok(Number(shown.body['lockedUntilMs']) > Date.now());
    const entry = await newestLogin();
    assert.deepEqual([entry['outcome'], entry['detail']], ['too-many-attempts', 'locked after failed logins']);
    // Further attempts do not fill the record.
    for (let i = 0; i < 5; i++) await login(name, 'wrong', { from: '127.0.5.3' });
    assert.equal((await newestLogin())['id'], entry['id']);
    const unlocked = await api.good('POST /api/accounts/{account}/unlock', { path: { account: name } });
    assert.equal(unlocked.body['wasLocked'], true);
    assert.equal((await login(name, PASSWORD, { from: '127.0.5.2' })).status, 200);
  });

  test('tried with many names locks the address, and no other', async () => {
    const { name } = await api.person('operator');
    const answers = [];
    for (let i = 0; i < 14; i++) answers.push((await login(`name${i}`, 'wrong', { from: '127.0.6.1' })).kind);
    assert.deepEqual(
      answers.slice(0, 12),
      Array.from({ length: 12 }, () => 'login-failed'),
    );
    assert.deepEqual(answers.slice(12), ['too-many-attempts', 'too-many-attempts']);
    assert.equal((await login(name, PASSWORD, { from: '127.0.6.1' })).status, 429);
    assert.equal((await login(name, PASSWORD, { from: '127.0.6.2' })).status, 200);
  });

  test('an account that is locked still signs in by token', async () => {
    const { name, token } = await api.person('operator');
    for (let i = 0; i < 4; i++) await login(name, 'wrong', { from: '127.0.7.1' });
    assert.equal((await api.tls('GET /api/session', { token })).status, 200);
  });

  test('that is too short, or has the name in it, is not taken, and is in no log', async () => {
    for (const password of ['short', 'my name is frederick']) {
      const got = await api.local('POST /api/accounts', { body: { name: 'frederick', role: 'operator', password } });
      assert.equal(got.status, 422);
      assert.deepEqual(
        (got.body['errors'] as { path: string }[]).map(({ path }) => path),
        ['password'],
      );
    }
    await api.gateway.event((event) => event.event === 'audit' && event['outcome'] === 'invalid');
    assert.ok(!api.gateway.lines.some((line) => line.includes('frederick!') || line.includes(PASSWORD)));
    const audit = await api.good('GET /api/audit', { query: 'limit=1000' });
    assert.ok(!audit.text.includes(PASSWORD) && !audit.text.includes('my name is frederick'));
  });

  test('that is changed ends every other session of the account', async () => {
    const { name } = await api.person('operator');
    const [mine, other] = [await api.login(name), await api.login(name)];
    const body = { current: PASSWORD, password: 'a new battery horse' };
    assert.equal((await api.tls('PUT /api/session/password', { cookie: mine, body })).status, 204);
    assert.equal((await api.tls('GET /api/session', { cookie: mine })).status, 200);
    assert.equal((await api.tls('GET /api/session', { cookie: other })).status, 401);
    assert.equal((await login(name, PASSWORD)).status, 401);
    assert.equal((await login(name, 'a new battery horse')).status, 200);
  });
});

describe('a session', () => {
  test('ends by signing out, with its account, and with the role of its account', async () => {
    const { name } = await api.person('operator');
    const path = { account: name };
    const alive = async (cookie: string) => (await api.tls('GET /api/session', { cookie })).status;
    let cookie = await api.login(name);
    assert.equal((await api.tls('DELETE /api/session', { cookie })).status, 204);
    assert.equal(await alive(cookie), 401);
    cookie = await api.login(name);
    await api.good('PATCH /api/accounts/{account}', { path, body: { role: 'read-only' } });
    assert.equal(await alive(cookie), 401);
    cookie = await api.login(name);
    await api.good('PATCH /api/accounts/{account}', { path, body: { enabled: false } });
    assert.equal(await alive(cookie), 401);
    assert.equal((await login(name, PASSWORD)).kind, 'login-failed');
    assert.equal((await newestLogin())['detail'], 'the account is disabled');
  });

  test('survives a restart of the gateway', async () => {
    const { name } = await api.person('operator');
    const cookie = await api.login(name);
    await api.restart();
    assert.equal((await api.tls('GET /api/session', { cookie })).body['account'], name);
  });

  test('a change by cookie needs the gateway’s own origin, a login refuses any other', async () => {
    const { name } = await api.person('operator');
    const cookie = await api.login(name);
    const update = (headers: Record<string, string>) =>
      request(
        { host: '127.0.0.1', port: api.port, ca: api.site.pki.serverCa, agent: false },
        'POST',
        '/api/crl/update',
        { headers: { cookie, 'content-type': 'application/json', ...headers }, body: '{}' },
      );
    assert.equal((await update({})).status, 403);
    assert.equal((await update({ origin: 'null' })).status, 403);
    assert.equal((await update({ origin: 'https://localhost' })).status, 403);
    assert.equal((await update({ origin: api.origin })).status, 200);
    const cross = await api.tls('POST /api/login', {
      origin: 'https://evil.example',
      body: { account: name, password: PASSWORD },
    });
    assert.equal(cross.kind, 'foreign-origin');
  });

  test('a cookie that nobody gave out, or of another length, is none', async () => {
    for (const value of ['x', 'x'.repeat(43), 'x'.repeat(5000), '', '%00'])
      assert.equal((await api.tls('GET /api/session', { cookie: `__Host-sallyport=${value}` })).status, 401);
  });
});

describe('a token', () => {
  test('is shown once, says when it was used and from where, and counts no more once it is deleted', async () => {
    const { name, token } = await api.person('operator');
    assert.match(token, /^sallyport_[0-9a-f]{24}_[\w-]{43}$/);
    assert.equal((await api.tls('GET /api/session', { token })).body['how'], 'token');
    const path = { account: name };
    const list = await api.good('GET /api/accounts/{account}/tokens', { path });
    assert.ok(!list.text.includes(token.slice(-43)));
    const [shown] = list.body['tokens'] as { id: string; lastUsedMs: number; lastUsedFrom: string }[];
    assert.ok(Date.now() - Number(shown?.lastUsedMs) < 60_000);
    assert.equal(shown?.lastUsedFrom, '127.0.0.1');
    await api.good('DELETE /api/accounts/{account}/tokens/{id}', { path: { ...path, id: shown?.id ?? '' } });
    assert.equal((await api.tls('GET /api/session', { token })).kind, 'unauthenticated');
  });

  test('never gives more than its account has, also when that became less', async () => {
    const { name } = await api.person('operator');
    const path = { account: name };
    const make = async (role: string): Promise<{ token: string; role: string }> => {
      const { body } = await api.good('POST /api/accounts/{account}/tokens', { path, body: { name: 'x', role } });
      return { token: String(body['secret']), role: (body['token'] as { role: string }).role };
    };
    assert.equal((await make('administrator')).role, 'operator');
    const { token } = await make('operator');
    assert.equal((await api.tls('POST /api/crl/update', { token, body: {} })).status, 200);
    await api.good('PATCH /api/accounts/{account}', { path, body: { role: 'help-desk' } });
    assert.equal((await api.tls('GET /api/session', { token })).body['role'], 'help-desk');
    assert.equal((await api.tls('POST /api/crl/update', { token, body: {} })).kind, 'forbidden');
    await api.good('PATCH /api/accounts/{account}', { path, body: { enabled: false } });
    assert.equal((await api.tls('GET /api/session', { token })).status, 401);
  });

  test('cannot make accounts, passwords, tokens or certificates: a leak must not give itself a second life', async () => {
    const { token, name } = await api.person('administrator');
    const path = { account: name };
    const body = { name: 'x', role: 'operator' };
    assert.equal((await api.tls('POST /api/accounts', { token, body })).kind, 'forbidden');
    assert.equal(
      (await api.tls('POST /api/accounts/{account}/tokens', { token, path, body: { name: 'x' } })).kind,
      'forbidden',
    );
    const password = { password: 'another password' };
    assert.equal(
      (await api.tls('PUT /api/accounts/{account}/password', { token, path, body: password })).kind,
      'forbidden',
    );
    const pem = { pem: api.site.pki.card('carol').cert };
    assert.equal(
      (await api.tls('POST /api/accounts/{account}/certificates', { token, path, body: pem })).kind,
      'forbidden',
    );
  });

  test('that is malformed, of another account or cut short is none, and does not fall back to a cookie', async () => {
    const { token, name } = await api.person('operator');
    const cookie = await api.login(name);
    for (const bad of ['', 'x', token.slice(0, -1), `${token}x`, token.replace('sallyport', 'other'), 'a_b_c_d'])
      assert.equal((await api.tls('GET /api/session', { token: bad, cookie })).status, 401, bad);
    const basic = await api.tls('GET /api/session', { headers: { authorization: 'Basic eDp5' } });
    assert.deepEqual([basic.status, basic.headers['www-authenticate']], [401, 'Bearer']);
  });
});

describe('a client certificate', () => {
  /** With curl, as a script would. */
  function curl(key: string, card: { certFile: string; keyFile: string } | undefined, more: readonly string[] = []) {
    const [method = '', path = ''] = key.split(' ');
    const certificate = card === undefined ? [] : ['--cert', card.certFile, '--key', card.keyFile];
    const output = execFileSync(
      'curl',
      [
        ...['-s', '-X', method, '--cacert', join(api.site.folder, 'pki', 'server-ca.pem'), '-w', '\n%{http_code}'],
        ...['--resolve', `localhost:${api.port}:127.0.0.1`, ...certificate, ...more, `${api.origin}${path}`],
      ],
      { encoding: 'utf8', timeout: PATIENCE_MS },
    );
    const at = output.lastIndexOf('\n');
    return { status: Number(output.slice(at + 1)), text: output.slice(0, at) };
  }

  async function bind(account: string, pem: string): Promise<void> {
    await api.good('POST /api/accounts', { body: { name: account, role: 'operator' } });
    await api.good('POST /api/accounts/{account}/certificates', { path: { account }, body: { pem } });
  }

  test('that is good and an account’s signs in', async () => {
    await bind('alice', api.site.pki.card('alice').cert);
    const jar = join(api.site.folder, 'cookies');
    const got = curl('POST /api/login/certificate', api.site.pki.card('alice'), ['-c', jar]);
    assert.equal(got.status, 200, got.text);
    assert.match(got.text, /"account":"alice","role":"operator","how":"certificate"/);
    const who = curl('GET /api/session', undefined, ['-b', jar]);
    assert.equal(who.status, 200, who.text);
  });

  test('that is revoked, expired, of another authority, nobody’s or not given does not, and the record says why', async () => {
    const { pki } = api.site;
    await bind('frank', pki.card('frank').cert);
    const cases = [
      [pki.card('frank'), /client certificate revoked/],
      [pki.bad('expired'), /not valid after/],
      [pki.bad('untrusted'), /client certificate/],
      [pki.bad('forgedIssuer'), /client certificate/],
      [pki.bad('wrongPurpose'), /client certificate/],
      [pki.card('erin'), /no account has this certificate/],
      [undefined, /no client certificate was given/],
    ] as const;
    for (const [card, why] of cases) {
      const got = curl('POST /api/login/certificate', card);
      assert.equal(got.status, 401, got.text);
      assert.match(got.text, /login-failed/);
      assert.match(String((await newestLogin())['detail']), why);
    }
  });

  test('that was renewed by the same authority for the same name still signs in', async () => {
    const issue = { subject: '/O=Example/CN=RENEWED.PERSON.R.1', serial: '4001' };
    await bind('renewed', api.site.pki.issue(issue).cert);
    const next = api.site.pki.issue({ ...issue, serial: '4002' });
    assert.equal(curl('POST /api/login/certificate', next).status, 200);
  });

  test('given with another request signs nobody in', () => {
    assert.equal(curl('GET /api/session', api.site.pki.card('alice')).status, 401);
  });

  test('that is revoked while its session is open ends the session', async () => {
    const { pki, crls } = api.site;
    const card = pki.issue({ subject: '/O=Example/CN=LATER.REVOKED.L.1', serial: '4010' });
    await bind('later', card.cert);
    const got = await api.tls('POST /api/login/certificate', { certificate: card });
    const cookie = got.cookie ?? '';
    assert.equal((await api.tls('GET /api/session', { cookie })).status, 200);
    crls.answer = { kind: 'list', body: pki.crl({ revoked: ['1006', '4010'], number: 2 }) };
    await api.good('POST /api/crl/update', { body: { source: 'cac' } });
    const ended = await api.tls('GET /api/session', { cookie });
    assert.equal(ended.status, 401);
    assert.match(String(ended.body['detail']), /client certificate revoked/);
  });
});

test('with clientCertificate.required a password alone does not sign in, and another person’s card does not help', async () => {
  const strict = await ApiSite.open({ clientCertificate: { trust: ['cac'], required: true } });
  const { pki } = strict.site;
  const { name } = await strict.person('operator');
  await strict.good('POST /api/accounts/{account}/certificates', {
    path: { account: name },
    body: { pem: pki.card('alice').cert },
  });
  const body = { account: name, password: PASSWORD };
  assert.equal((await strict.tls('POST /api/login', { body })).kind, 'login-failed');
  assert.equal((await strict.tls('POST /api/login', { body, certificate: pki.card('bob') })).kind, 'login-failed');
  assert.equal((await strict.tls('POST /api/login', { body, certificate: pki.card('alice') })).status, 200);
});

test('with clientCertificate.required a token counts only beside a certificate of its account', async () => {
  const strict = await ApiSite.open({ clientCertificate: { trust: ['cac'], required: true } });
  const { pki } = strict.site;
  const { name, token } = await strict.person('operator');
  const body = { pem: pki.card('alice').cert };
  await strict.good('POST /api/accounts/{account}/certificates', { path: { account: name }, body });
  const without = await strict.tls('GET /api/session', { token });
  assert.deepEqual([without.status, without.kind], [401, 'unauthenticated']);
  assert.equal(without.body['detail'], 'a client certificate is required');
  const other = await strict.tls('GET /api/session', { token, certificate: pki.card('bob') });
  assert.deepEqual([other.status, other.body['detail']], [401, 'the client certificate is not one of this account']);
  assert.equal((await strict.tls('GET /api/session', { token, certificate: pki.bad('expired') })).status, 401);
  assert.equal((await strict.tls('GET /api/session', { token, certificate: pki.card('alice') })).body['how'], 'token');
});

test('a session that began without a certificate ends once clientCertificate.required comes into force', async () => {
  const site = await ApiSite.open({ clientCertificate: { trust: ['cac'] } }, (config) => config, { store: true });
  const { name } = await site.person('operator');
  const cookie = await site.login(name);
  assert.equal((await site.tls('GET /api/session', { cookie })).status, 200);
  const edits = [{ op: 'set', path: ['admin', 'clientCertificate', 'required'], value: true }];
  await site.good('PATCH /api/config/candidate', { body: { edits } });
  await site.good('POST /api/config/commit', { body: { comment: 'cards for everybody' } });
  const ended = await site.tls('GET /api/session', { cookie });
  assert.equal(ended.status, 401);
  assert.match(String(ended.body['detail']), /client certificate, which is required now/);
});

test('a network that is not on the access list does not even get a handshake', async () => {
  const site = await ApiSite.open({ accessList: ['127.0.0.1'] });
  assert.equal((await site.tls('GET /api/openapi.json')).status, 200);
  await assert.rejects(
    site.tls('GET /api/openapi.json', { from: '127.0.0.2' }),
    /ECONNRESET|EPIPE|socket hang up|disconnected/,
  );
});

test('many logins at a time are answered one after the other or told to come back, and none gets in', async () => {
  const site = await ApiSite.open({ maxFailedLogins: 1000 });
  // Many more than may wait, however slowly they come.
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      site.tls('POST /api/login', { from: `127.0.8.${1 + (i % 5)}`, body: { account: `a${i}`, password: 'wrong' } }),
    ),
  );
  const kinds = new Set(answers.map(({ kind }) => kind));
  assert.deepEqual(kinds, new Set(['login-failed', 'unavailable']));
});
