/** Answers of authenticators come from anywhere: whatever is changed in a good one, it is good no more, and nothing throws. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { verifyLogin, verifyRegistration } from '../../src/admin/passkey-ceremony.ts';
import { loginOptions, registrationOptions } from '../../src/admin/passkey-options.ts';
import { Authenticator } from '../support/authenticator.ts';

const party = { id: 'gw.example.test', origins: ['https://gw.example.test'] };
const RUNS = { numRuns: 300, seed: 1 };
const octets = (length: number) => new Uint8Array(randomBytes(length));

async function registered() {
  const challenge = octets(32);
  const person = { name: 'alice', fullName: '', handle: octets(32) };
  const authenticator = new Authenticator('https://gw.example.test');
  const options = registrationOptions(party, person, { challenge, registered: [] });
  const response = authenticator.create({ ...options }) as never;
  return { authenticator, challenge, response };
}

async function passkeyOf(authenticator: Authenticator, challenge: Uint8Array<ArrayBuffer>, response: never) {
  const made = await verifyRegistration({ response, party, challenge });
  assert.ok(made.ok, made.ok ? '' : made.why);
  const key = { ...made, account: 'alice', name: 'laptop', createdMs: 0 };
  const login = octets(32);
  const answer = authenticator.get(loginOptions(party, login));
  const good = await verifyLogin({ response: answer as never, party, challenge: login, passkey: key });
  assert.deepEqual(good, { ok: true, counter: 1, synced: false });
  return { key, login, answer };
}

/** One octet of the last `within` of a base64url text is another one. */
function changed(text: string, at: number, by: number, within = Number.MAX_SAFE_INTEGER): string {
  const bytes = Buffer.from(text, 'base64url');
  const place = bytes.length - 1 - (at % Math.min(within, bytes.length));
  bytes.writeUInt8(bytes.readUInt8(place) ^ by, place);
  return bytes.toString('base64url');
}

const MEMBERS = ['clientDataJSON', 'authenticatorData', 'signature'] as const;

test('a login with any octet changed is refused', async () => {
  const { authenticator, challenge, response } = await registered();
  const { key, login, answer } = await passkeyOf(authenticator, challenge, response);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...MEMBERS),
      fc.nat(5000),
      fc.integer({ min: 1, max: 255 }),
      async (name, at, by) => {
        // The library reads the lengths of the signature's DER leniently; its numbers are in the last octets.
        const within = name === 'signature' ? 20 : undefined;
        const forged = {
          ...answer,
          response: { ...answer.response, [name]: changed(answer.response[name], at, by, within) },
        };
        assert.equal(
          (await verifyLogin({ response: forged as never, party, challenge: login, passkey: key })).ok,
          false,
        );
      },
    ),
    RUNS,
  );
});

test('a login with any octets in any member is refused', async () => {
  const { authenticator, challenge, response } = await registered();
  const { key, login, answer } = await passkeyOf(authenticator, challenge, response);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...MEMBERS), fc.uint8Array({ maxLength: 300 }), async (name, bytes) => {
      const forged = { ...answer, response: { ...answer.response, [name]: Buffer.from(bytes).toString('base64url') } };
      assert.equal((await verifyLogin({ response: forged as never, party, challenge: login, passkey: key })).ok, false);
    }),
    RUNS,
  );
});

test('a registration with any octets changed is an answer, never an exception, and never another passkey’s id', async () => {
  const { challenge, response } = await registered();
  const made = response as { id: string; response: { attestationObject: string } };
  await fc.assert(
    fc.asyncProperty(fc.nat(5000), fc.integer({ min: 1, max: 255 }), async (at, by) => {
      const attestationObject = changed(made.response.attestationObject, at, by);
      const forged = { ...made, response: { ...made.response, attestationObject } };
      const answer = await verifyRegistration({ response: forged as never, party, challenge });
      if (answer.ok) assert.equal(answer.id, made.id);
    }),
    RUNS,
  );
});
