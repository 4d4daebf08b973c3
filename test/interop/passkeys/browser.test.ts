/**
 * Passkeys in Debian's Chromium, with an authenticator that the browser plays: the pages are of the API's own origin,
 * and the scripts do what any page would do with the options and answers of the API.
 */
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { ApiSite, PASSWORD } from '../../support/api-site.ts';
import { Chromium, type Page } from '../../support/chromium.ts';

let api: ApiSite;
let browser: Chromium;
before(async () => {
  api = await ApiSite.open();
  const { publicKey } = new X509Certificate(readFileSync(join(api.site.folder, 'pki', 'gateway.pem')));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  browser = await Chromium.start([createHash('sha256').update(spki).digest('base64')]);
});

/** What a page's script would have. */
const LIBRARY = `
  globalThis.ask = async (method, path, body) => {
    const answer = await fetch(path, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  globalThis.register = async (name, change = (options) => options) => {
    const { body: options } = await ask('POST', '/api/session/passkeys/options');
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(change(options));
    const credential = await navigator.credentials.create({ publicKey });
    return ask('POST', '/api/session/passkeys', { name, response: credential.toJSON() });
  };
  globalThis.assertion = async (account, change = (options) => options) => {
    const { body } = await ask('POST', '/api/login/passkey/options', account === undefined ? {} : { account });
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(change(body.options));
    const credential = await navigator.credentials.get({ publicKey });
    return { attempt: body.attempt, response: credential.toJSON() };
  };
  globalThis.login = async (account, change) => ask('POST', '/api/login/passkey', await assertion(account, change));
  undefined`;

type Answer = { readonly status: number; readonly body: Record<string, unknown> };
const run = async (page: Page, script: string): Promise<Answer> => (await page.run(script)) as Answer;

/** A page of the gateway. */
async function open(origin = api.origin): Promise<Page> {
  const page = await browser.page(`${origin}/api/openapi.json`);
  await page.run(LIBRARY);
  return page;
}

/** Somebody who has signed in by password in this page and registered a passkey. */
async function registered(): Promise<{ page: Page; name: string; authenticator: string }> {
  const { name } = await api.person('operator');
  const page = await open();
  const authenticator = await page.addAuthenticator();
  const signedIn = await run(
    page,
    `ask('POST', '/api/login', ${JSON.stringify({ account: name, password: PASSWORD })})`,
  );
  assert.equal(signedIn.status, 200, JSON.stringify(signedIn));
  const made = await run(page, `register('laptop')`);
  assert.equal(made.status, 201, JSON.stringify(made));
  return { page, name, authenticator };
}

const session = (page: Page) => run(page, `ask('GET', '/api/session')`);
const signOut = (page: Page) => run(page, `ask('DELETE', '/api/session')`);

async function why(): Promise<string> {
  const { body } = await api.good('GET /api/audit', { query: 'action=login&limit=1' });
  return String((body['entries'] as { detail: string }[])[0]?.detail);
}

describe('in Chromium', () => {
  test('a passkey is registered, listed, renamed, signs in without a name and with one, and is deleted', async () => {
    const { page, name, authenticator } = await registered();
    const list = async () =>
      (await run(page, `ask('GET', '/api/session/passkeys')`)).body['passkeys'] as { id: string; name: string }[];
    const [key] = await list();
    assert.equal(key?.name, 'laptop');
    const { credentials } = await page.send('WebAuthn.getCredentials', { authenticatorId: authenticator });
    const [kept] = credentials as { isResidentCredential: boolean; rpId: string; credentialId: string }[];
    assert.deepEqual([kept?.isResidentCredential, kept?.rpId], [true, 'localhost']);
    assert.equal(Buffer.from(kept?.credentialId ?? '', 'base64').toString('base64url'), key?.id);
    const path = `/api/session/passkeys/${key?.id}`;
    assert.equal((await run(page, `ask('PATCH', '${path}', { name: 'old laptop' })`)).status, 204);
    assert.equal((await list())[0]?.name, 'old laptop');

    for (const account of ['undefined', `'${name}'`]) {
      assert.equal((await signOut(page)).status, 204);
      assert.equal((await session(page)).status, 401);
      const got = await run(page, `login(${account})`);
      assert.deepEqual([got.status, got.body['account'], got.body['how']], [200, name, 'passkey'], JSON.stringify(got));
      assert.equal((await session(page)).body['how'], 'passkey');
    }

    assert.equal((await run(page, `ask('DELETE', '${path}')`)).status, 204);
    assert.equal((await session(page)).status, 200);
    await signOut(page);
    assert.equal((await run(page, 'login()')).status, 401);
    assert.equal(await why(), 'no account has this passkey');
  });

  test('the same authenticator is not registered twice: the browser itself sees the one that is there', async () => {
    const { page } = await registered();
    await assert.rejects(run(page, `register('again')`), /InvalidStateError/);
  });

  test('an answer is good once: sent again, nobody is signed in', async () => {
    const { page } = await registered();
    await run(page, `assertion().then((made) => { globalThis.made = made; return { status: 0, body: {} }; })`);
    assert.equal((await run(page, `ask('POST', '/api/login/passkey', made)`)).status, 200);
    assert.equal((await run(page, `ask('POST', '/api/login/passkey', made)`)).status, 401);
    assert.equal(await why(), 'the challenge is not known, was answered, or is too old');
  });

  test('a page of another origin gets neither a passkey nor a login', async () => {
    const { page } = await registered();
    const other = `https://other.example:${api.port}`;
    await page.go(`${other}/api/openapi.json`);
    await page.run(LIBRARY);
    // The API refuses that origin before it says anything.
    assert.equal((await run(page, `ask('POST', '/api/login/passkey/options', {})`)).status, 403);
    // And the browser gives nobody else what belongs to localhost.
    const options = `{ challenge: new Uint8Array(32), rpId: 'localhost' }`;
    await assert.rejects(page.run(`navigator.credentials.get({ publicKey: ${options} })`), /SecurityError/);
  });

  test('an authenticator that cannot verify the person is not taken, and one that did not is refused', async () => {
    const { page, authenticator } = await registered();
    await page.send('WebAuthn.setUserVerified', { authenticatorId: authenticator, isUserVerified: false });
    await assert.rejects(run(page, 'login()'), /NotAllowedError/);
    // A script that asks for less than the API wanted.
    const less = `(options) => ({ ...options, userVerification: 'discouraged' })`;
    assert.equal((await run(page, `login(undefined, ${less})`)).status, 401);
    assert.match(await why(), /User verification required/);
  });

  test('a copy of the passkey whose counter lags behind is refused', async () => {
    const { page, authenticator } = await registered();
    const { credentials } = await page.send('WebAuthn.getCredentials', { authenticatorId: authenticator });
    const [copy] = credentials as Record<string, unknown>[];
    for (let i = 0; i < 3; i++) assert.equal((await run(page, 'login()')).status, 200);
    await page.send('WebAuthn.clearCredentials', { authenticatorId: authenticator });
    await page.send('WebAuthn.addCredential', { authenticatorId: authenticator, credential: copy });
    assert.equal((await run(page, 'login()')).status, 401);
    assert.match(await why(), /the sign counter of laptop went from \d+ to \d+: the passkey may be a copy/);
  });

  test('a passkey of a disabled account signs nobody in, nor does one of another account under this name', async () => {
    const [{ page, name }, other] = [await registered(), await api.person('operator')];
    assert.equal((await run(page, `login('${other.name}')`)).status, 401);
    assert.equal(await why(), `the passkey is not one of ${other.name}`);
    await api.good('PATCH /api/accounts/{account}', { path: { account: name }, body: { enabled: false } });
    assert.equal((await run(page, 'login()')).status, 401);
    assert.equal(await why(), 'the account is disabled');
  });

  test('a passkey that a provider synchronises is shown as such', async () => {
    const { name } = await api.person('operator');
    const page = await open();
    await page.addAuthenticator({ defaultBackupEligibility: true, defaultBackupState: true });
    await run(page, `ask('POST', '/api/login', ${JSON.stringify({ account: name, password: PASSWORD })})`);
    assert.equal((await run(page, `register('phone')`)).body['synced'], true);
  });
});
