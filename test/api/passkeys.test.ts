/** Passkeys against an authenticator that can do each thing wrong. The ceremonies in a browser: test/interop/passkeys. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { ApiSite, type Got, PASSWORD } from '../support/api-site.ts';
import { Authenticator, type Otherwise } from '../support/authenticator.ts';

let api: ApiSite;
before(async () => {
  api = await ApiSite.open({ maxFailedLogins: 5 });
});

type Holder = { readonly name: string; readonly cookie: string; readonly authenticator: Authenticator };

const options = (cookie: string) => api.tls('POST /api/session/passkeys/options', { cookie });
const send = (cookie: string, response: unknown, name = 'laptop') =>
  api.tls('POST /api/session/passkeys', { cookie, body: { name, response } });

async function holder(role: 'operator' | 'help-desk' = 'operator'): Promise<Holder> {
  const { name } = await api.person(role);
  const cookie = await api.login(name);
  const authenticator = new Authenticator(api.origin);
  const got = await send(cookie, authenticator.create((await options(cookie)).body));
  assert.equal(got.status, 201, got.text);
  return { name, cookie, authenticator };
}

let addresses = 0;
const ownAddress = (): string => `127.4.0.${++addresses}`;

async function attempt(account?: string): Promise<{ attempt: string; options: Record<string, unknown> }> {
  const got = await api.tls('POST /api/login/passkey/options', { body: account === undefined ? {} : { account } });
  return got.body as { attempt: string; options: Record<string, unknown> };
}

type Try = { readonly account?: string; readonly from?: string } & Otherwise;

async function login(
  authenticator: Authenticator,
  { account, from = ownAddress(), ...otherwise }: Try = {},
): Promise<Got> {
  const asked = await attempt(account);
  const response = authenticator.get(asked.options, otherwise);
  return api.tls('POST /api/login/passkey', { from, body: { attempt: asked.attempt, response } });
}

async function newestLogin(): Promise<Record<string, unknown>> {
  const { body } = await api.good('GET /api/audit', { query: 'action=login&limit=1' });
  return (body['entries'] as Record<string, unknown>[])[0] ?? {};
}

async function refused(got: Got, why: RegExp): Promise<void> {
  assert.deepEqual([got.status, got.kind, got.cookie], [401, 'login-failed', undefined], got.text);
  assert.equal(got.body['detail'], 'the account or what it was proved with is not right');
  const entry = await newestLogin();
  assert.deepEqual([entry['how'], entry['outcome']], ['passkey', 'login-failed']);
  assert.match(String(entry['detail']), why);
}

describe('a passkey', () => {
  test('signs in without a name and with the right one, and the record says so', async () => {
    const { name, authenticator } = await holder();
    for (const account of [undefined, name]) {
      const got = await login(authenticator, account === undefined ? {} : { account });
      assert.equal(got.status, 200, got.text);
      assert.deepEqual([got.body['account'], got.body['how']], [name, 'passkey']);
      assert.match(
        String(got.headers['set-cookie']),
        /^__Host-sallyport=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict/,
      );
      const who = await api.tls('GET /api/session', { cookie: got.cookie ?? '' });
      assert.deepEqual([who.body['account'], who.body['how']], [name, 'passkey']);
      const entry = await newestLogin();
      assert.deepEqual([entry['actor'], entry['how'], entry['outcome']], [name, 'passkey', 'done']);
    }
    const { body } = await api.good('GET /api/accounts/{account}/passkeys', { path: { account: name } });
    const [shown] = body['passkeys'] as { name: string; lastUsedMs: number }[];
    assert.equal(shown?.name, 'laptop');
    assert.ok(Date.now() - Number(shown?.lastUsedMs) < 60_000);
  });

  test('of another account does not sign in the one that was named', async () => {
    const [{ authenticator }, other] = [await holder(), await holder()];
    await refused(await login(authenticator, { account: other.name }), /the passkey is not one of operator-\d+/);
    await refused(await login(authenticator, { userHandle: other.authenticator.userHandle }), /names another account/);
    await refused(await login(authenticator, { userHandle: null }), /names another account/);
  });

  test('does not sign in from another origin, for another name, or in a frame of another site', async () => {
    const { authenticator } = await holder();
    await refused(await login(authenticator, { origin: 'https://evil.example' }), /response origin "https:\/\/evil/);
    await refused(await login(authenticator, { origin: 'http://localhost' }), /response origin/);
    await refused(await login(authenticator, { rpId: 'evil.example' }), /RP ID/i);
    await refused(await login(authenticator, { crossOrigin: true }), /a frame of another site/);
  });

  test('does not sign in unless the person was there and was verified', async () => {
    const { authenticator } = await holder();
    await refused(await login(authenticator, { userVerified: false }), /User verification required/);
    await refused(await login(authenticator, { userPresent: false }), /User not present/);
  });

  test('whose signature is wrong, or that nobody registered, does not sign in', async () => {
    const { authenticator } = await holder();
    await refused(await login(authenticator, { spoilSignature: true }), /signature/);
    const stranger = new Authenticator(api.origin);
    await refused(await login(stranger), /no account has this passkey/);
  });

  test('answers a challenge once, and only the one of its own login', async () => {
    const { authenticator } = await holder();
    const [first, second] = [await attempt(), await attempt()];
    const response = authenticator.get(first.options);
    const send = (id: string) =>
      api.tls('POST /api/login/passkey', { from: ownAddress(), body: { attempt: id, response } });
    await refused(await send(second.attempt), /Unexpected authentication response challenge/);
    assert.equal((await send(first.attempt)).status, 200);
    await refused(await send(first.attempt), /was answered, or is too old/);
    await refused(await send('nobody-gave-this'), /is not known/);
  });

  test('whose sign counter went back is refused, and the log warns that it may be a copy', async () => {
    const { name, authenticator } = await holder();
    assert.equal((await login(authenticator, { counter: 12 })).status, 200);
    for (const counter of [12, 5, 0])
      await refused(await login(authenticator, { counter }), /sign counter of laptop went from 12 to \d+: .* a copy/);
    const told = await api.gateway.event(
      (event) => event.event === 'audit' && event['actor'] === name && /copy/.test(String(event['detail'])),
    );
    assert.deepEqual([told['level'], told['outcome']], ['warning', 'login-failed']);
    // Who cannot sign cannot raise the alarm.
    await refused(await login(authenticator, { counter: 3, spoilSignature: true }), /signature/);
    assert.equal((await login(authenticator, { counter: 13 })).status, 200);
  });

  test('of an account that is disabled or deleted signs nobody in', async () => {
    const { name, authenticator } = await holder();
    const path = { account: name };
    await api.good('PATCH /api/accounts/{account}', { path, body: { enabled: false } });
    await refused(await login(authenticator), /the account is disabled/);
    await api.good('DELETE /api/accounts/{account}', { path });
    await refused(await login(authenticator), /no account has this passkey/);
    // Not even where somebody else gets that name.
    await api.good('POST /api/accounts', { body: { name, role: 'administrator' } });
    await refused(await login(authenticator), /no account has this passkey/);
  });

  test('that is deleted signs nobody in, and the sessions that it began end', async () => {
    const { name, cookie, authenticator } = await holder();
    const session = (await login(authenticator)).cookie ?? '';
    const id = authenticator.id.toString('base64url');
    const alive = async (each: string) => (await api.tls('GET /api/session', { cookie: each })).status;
    assert.deepEqual([await alive(cookie), await alive(session)], [200, 200]);
    assert.equal((await api.tls('DELETE /api/session/passkeys/{id}', { cookie, path: { id } })).status, 204);
    assert.deepEqual([await alive(cookie), await alive(session)], [200, 401]);
    await refused(await login(authenticator), /no account has this passkey/);
    const { body } = await api.good('GET /api/accounts/{account}/passkeys', { path: { account: name } });
    assert.deepEqual(body['passkeys'], []);
  });

  test('fails only so often in a row: then its account’s passkeys are locked, and its password is not', async () => {
    const { name, authenticator } = await holder();
    for (let i = 0; i < 5; i++) await refused(await login(authenticator, { spoilSignature: true }), /signature/);
    const locked = await login(authenticator);
    assert.deepEqual([locked.status, locked.kind], [429, 'too-many-attempts']);
    assert.ok(Number(locked.headers['retry-after']) > 800);
    assert.equal((await api.tls('POST /api/login', { body: { account: name, password: PASSWORD } })).status, 200);
    assert.equal((await login(authenticator)).status, 429);
    const shown = await api.good('GET /api/accounts/{account}', { path: { account: name } });
    assert.ok(Number(shown.body['lockedUntilMs']) > Date.now());
  });

  test('of nobody, tried in the name of an account, does not lock that account out', async () => {
    const { name, authenticator } = await holder();
    for (let i = 0; i < 8; i++)
      await refused(await login(new Authenticator(api.origin), { account: name }), /no account has this passkey/);
    assert.equal((await login(authenticator, { account: name })).status, 200);
  });

  test('tried with passkeys of nobody locks the address, for options too', async () => {
    const from = ownAddress();
    for (let i = 0; i < 20; i++) assert.equal((await login(new Authenticator(api.origin), { from })).status, 401);
    assert.equal((await login(new Authenticator(api.origin), { from })).status, 429);
    assert.equal((await api.tls('POST /api/login/passkey/options', { from, body: {} })).status, 429);
  });
});

test('with clientCertificate.required a passkey signs in only beside a certificate of its account', async () => {
  const strict = await ApiSite.open({ clientCertificate: { trust: ['cac'], required: true } });
  const { name } = await strict.person('operator');
  const { pki } = strict.site;
  const [mine, other] = [pki.card('alice'), pki.card('bob')];
  const path = { account: name };
  await strict.good('POST /api/accounts/{account}/certificates', { path, body: { pem: mine.cert } });
  const { cookie = '' } = await strict.tls('POST /api/login/certificate', { certificate: mine });
  const asked = await strict.tls('POST /api/session/passkeys/options', { cookie });
  const authenticator = new Authenticator(strict.origin);
  const body = { name: 'laptop', response: authenticator.create(asked.body) };
  assert.equal((await strict.tls('POST /api/session/passkeys', { cookie, body })).status, 201);
  const signIn = async (card?: { cert: string; key: string }) => {
    const { body: given } = await strict.tls('POST /api/login/passkey/options', { body: {} });
    const response = authenticator.get(given['options'] as Record<string, unknown>);
    return strict.tls('POST /api/login/passkey', {
      body: { attempt: given['attempt'], response },
      ...(card === undefined ? {} : { certificate: card }),
    });
  };
  assert.equal((await signIn()).kind, 'login-failed');
  assert.equal((await signIn(other)).kind, 'login-failed');
  assert.equal((await signIn(mine)).status, 200);
});

describe('the options of a login', () => {
  test('are the same for every name, so that nobody learns who has passkeys', async () => {
    const { name } = await holder();
    const shapes = [undefined, name, 'nobody', 'Not A Name!'].map(async (account) => {
      const { options: given } = await attempt(account);
      return { ...given, challenge: String(given['challenge']).length };
    });
    const wanted = { challenge: 43, timeout: 120_000, rpId: 'localhost', userVerification: 'required' };
    for (const shape of await Promise.all(shapes)) assert.deepEqual(shape, wanted);
  });

  test('asked for again and again push out one’s own older ones only', async () => {
    const { authenticator } = await holder();
    const mine = await attempt();
    const from = ownAddress();
    const flood = [];
    for (let i = 0; i < 12; i++)
      flood.push((await api.tls('POST /api/login/passkey/options', { from, body: {} })).body);
    const body = { attempt: mine.attempt, response: authenticator.get(mine.options) };
    assert.equal((await api.tls('POST /api/login/passkey', { body })).status, 200);
    const answer = (asked: Got['body'] | undefined) => {
      const response = authenticator.get(asked?.['options'] as Record<string, unknown>);
      return api.tls('POST /api/login/passkey', {
        from: ownAddress(),
        body: { attempt: asked?.['attempt'], response },
      });
    };
    await refused(await answer(flood[0]), /is not known/);
    assert.equal((await answer(flood[11])).status, 200);
  });
});

describe('registering a passkey', () => {
  async function tried(otherwise: Otherwise): Promise<Got> {
    const { name } = await api.person('help-desk');
    const cookie = await api.login(name);
    const got = await send(cookie, new Authenticator(api.origin).create((await options(cookie)).body, otherwise));
    const { body } = await api.good('GET /api/accounts/{account}/passkeys', { path: { account: name } });
    assert.equal((body['passkeys'] as unknown[]).length, got.status === 201 ? 1 : 0);
    return got;
  }

  test('asks for a discoverable one, for verification of the person, and for no attestation', async () => {
    const { name, cookie, authenticator } = await holder();
    const { body } = await options(cookie);
    assert.deepEqual(body['rp'], { name: 'Sallyport', id: 'localhost' });
    const user = body['user'] as { id: string; name: string };
    assert.equal(user.name, name);
    assert.ok(!Buffer.from(user.id, 'base64url').toString('latin1').includes(name), 'the handle holds the name');
    const selection = body['authenticatorSelection'] as Record<string, unknown>;
    assert.deepEqual([selection['residentKey'], selection['userVerification']], ['required', 'required']);
    assert.equal(body['attestation'], 'none');
    const excluded = (body['excludeCredentials'] as { id: string }[]).map(({ id }) => id);
    assert.deepEqual(excluded, [authenticator.id.toString('base64url')]);
  });

  test('is in the audit record, with its name', async () => {
    const { name } = await holder();
    const { body } = await api.good('GET /api/audit', { query: `action=registerPasskey&actor=${name}` });
    const [entry] = body['entries'] as Record<string, unknown>[];
    assert.deepEqual([entry?.['outcome'], entry?.['facts']], ['done', { name: 'laptop' }]);
  });

  test('takes self attestation, and none with certificates, whose lists it would have to fetch', async () => {
    assert.equal((await tried({ attestation: 'packed' })).status, 201);
    const got = await tried({ attestation: 'certificate' });
    assert.deepEqual([got.status, got.kind], [400, 'not-possible']);
    assert.match(String(got.body['detail']), /with certificates was not asked for/);
  });

  test('says what is wrong with an answer and keeps nothing of it', async () => {
    const cases: [Otherwise, RegExp][] = [
      [{ origin: 'https://evil.example' }, /origin/],
      [{ rpId: 'evil.example' }, /RP ID/i],
      [{ userVerified: false }, /User verification was required/],
      [{ challenge: Buffer.alloc(32).toString('base64url') }, /challenge/],
      [{ crossOrigin: true }, /frame of another site/],
    ];
    for (const [otherwise, why] of cases) {
      const got = await tried(otherwise);
      assert.deepEqual([got.status, got.kind], [400, 'not-possible'], got.text);
      assert.match(String(got.body['detail']), why);
    }
  });

  test('answers the challenge of its own session, once', async () => {
    const [one, two] = [await holder('help-desk'), await holder('help-desk')];
    const { body } = await options(one.cookie);
    const response = new Authenticator(api.origin).create(body);
    assert.equal((await send(two.cookie, response)).kind, 'not-possible');
    assert.equal((await send(one.cookie, response)).status, 201);
    assert.equal((await send(one.cookie, response)).kind, 'not-possible');
  });

  test('with octets that are no answer of an authenticator is a sentence, not a failure of the gateway', async () => {
    const { cookie } = await holder('help-desk');
    const deep = Buffer.alloc(12_000, 0x81).toString('base64url');
    for (const attestationObject of ['', 'AAAA', deep, Buffer.from('a1', 'hex').toString('base64url')]) {
      const made = new Authenticator(api.origin).create((await options(cookie)).body);
      const got = await send(cookie, { ...made, response: { ...made.response, attestationObject } });
      assert.deepEqual([got.status, got.kind], [400, 'not-possible'], got.text);
    }
    const made = new Authenticator(api.origin).create((await options(cookie)).body);
    const named = { ...made, id: 'AAAA', rawId: 'AAAA' };
    assert.match(String((await send(cookie, named)).body['detail']), /names another passkey/);
  });
});
