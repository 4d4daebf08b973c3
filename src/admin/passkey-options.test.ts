/** The options are those that the library which verifies the answers would make. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateAuthenticationOptions, generateRegistrationOptions } from '@simplewebauthn/server';
import { CHALLENGE_MS } from './passkey-challenges.ts';
import { ALGORITHMS, loginOptions, registrationOptions } from './passkey-options.ts';

const PARTY = { id: 'gw.example.test' };
const challenge = new Uint8Array(32).fill(7);
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('options for registering a passkey', async () => {
  const handle = new Uint8Array([1, 2, 255]);
  const registered = [{ id: 'AQID', transports: ['usb', 'nfc'] as const }];
  const theirs = await generateRegistrationOptions({
    rpName: 'Sallyport',
    rpID: PARTY.id,
    userName: 'alice',
    userDisplayName: 'Alice Example',
    userID: handle,
    challenge,
    timeout: CHALLENGE_MS,
    attestationType: 'none',
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    excludeCredentials: registered.map(({ id, transports }) => ({ id, transports: [...transports] })),
    supportedAlgorithmIDs: [...ALGORITHMS],
  });
  const person = { name: 'alice', fullName: 'Alice Example', handle };
  assert.deepEqual(asJson(registrationOptions(PARTY, person, { challenge, registered })), asJson(theirs));
  const nameless = registrationOptions(PARTY, { ...person, fullName: '' }, { challenge, registered });
  assert.equal(nameless.user.displayName, 'alice');
});

test('options for a login', async () => {
  const theirs = await generateAuthenticationOptions({
    rpID: PARTY.id,
    challenge,
    timeout: CHALLENGE_MS,
    userVerification: 'required',
  });
  assert.deepEqual(asJson(loginOptions(PARTY, challenge)), asJson(theirs));
});
