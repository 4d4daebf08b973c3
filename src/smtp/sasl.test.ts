/** AUTH exchanges: what each mechanism asks for and what it makes of the answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SaslStep, startAuth } from './sasl.ts';

const b64 = (text: string): string => Buffer.from(text).toString('base64');

/** Plays the client's lines; challenges on the way must be the expected ones. */
function play(
  mechanism: string,
  initial: string | undefined,
  lines: readonly string[] = [],
): { step: SaslStep; challenges: string[] } {
  const challenges: string[] = [];
  let step = startAuth(mechanism, initial);
  for (const line of lines) {
    assert.ok(step.kind === 'challenge');
    challenges.push(Buffer.from(step.challenge, 'base64').toString());
    step = step.next(Buffer.from(line, 'latin1'));
  }
  return { step, challenges };
}

const credentials = (mechanism: 'PLAIN' | 'LOGIN', login: string, password: string, authzid = ''): SaslStep => ({
  kind: 'credentials',
  mechanism,
  authzid,
  login,
  password,
});
const MALFORMED: SaslStep = { kind: 'malformed' };

test('PLAIN with an initial response needs no challenge', () => {
  assert.deepEqual(play('PLAIN', b64('\0alice\0secret')).step, credentials('PLAIN', 'alice', 'secret'));
});

test('PLAIN without one is asked with an empty challenge', () => {
  const { step, challenges } = play('PLAIN', undefined, [b64('admin\0alice\0s\u00fc\u00df')]);
  assert.deepEqual(challenges, ['']);
  assert.deepEqual(step, credentials('PLAIN', 'alice', 's\u00fc\u00df', 'admin'));
});

test('PLAIN may carry an empty password: the directory stage refuses it', () => {
  assert.deepEqual(play('PLAIN', b64('\0alice\0')).step, credentials('PLAIN', 'alice', ''));
});

const MALFORMED_PLAIN: readonly (readonly [title: string, initial: string])[] = [
  ['no base64', 'not*base64'],
  ['base64 without its padding', b64('\0alice\0secret').replace(/=+$/, '')],
  ['base64 with bits left over', 'AGEAYg=='.replace('Yg', 'Yh')],
  ['base64 of the URL alphabet', 'AGFsaWNlAP-_'],
  ['one field', b64('alice')],
  ['two fields', b64('alice\0secret')],
  ['four fields', b64('\0alice\0secret\0')],
  ['no login', b64('\0\0secret')],
  ['octets that are no UTF-8', Buffer.from([0, 0xff, 0, 0x61]).toString('base64')],
  ['an empty response', '='],
];

for (const [title, initial] of MALFORMED_PLAIN) {
  test(`PLAIN is malformed: ${title}`, () => assert.deepEqual(play('PLAIN', initial).step, MALFORMED));
}

test('LOGIN asks for name and password', () => {
  const { step, challenges } = play('LOGIN', undefined, [b64('alice'), b64('secret')]);
  assert.deepEqual(challenges, ['Username:', 'Password:']);
  assert.deepEqual(step, credentials('LOGIN', 'alice', 'secret'));
});

test('LOGIN takes the name as initial response', () => {
  const { step, challenges } = play('LOGIN', b64('alice'), [b64('secret')]);
  assert.deepEqual(challenges, ['Password:']);
  assert.deepEqual(step, credentials('LOGIN', 'alice', 'secret'));
});

test('LOGIN is malformed where a field is no base64 or holds NUL', () => {
  assert.deepEqual(play('LOGIN', undefined, ['alice?']).step, MALFORMED);
  assert.deepEqual(play('LOGIN', b64('alice'), [b64('a\0b')]).step, MALFORMED);
  assert.deepEqual(play('LOGIN', b64('al\0ice')).step, MALFORMED);
});

test('a star alone gives up, at any point', () => {
  assert.deepEqual(play('PLAIN', undefined, ['*']).step, { kind: 'cancelled' });
  assert.deepEqual(play('LOGIN', undefined, [b64('alice'), '*']).step, { kind: 'cancelled' });
  assert.deepEqual(play('EXTERNAL', undefined, ['*']).step, { kind: 'cancelled' });
});

test('EXTERNAL carries an authorization identity or none', () => {
  assert.deepEqual(play('EXTERNAL', '=').step, { kind: 'external', authzid: '' });
  assert.deepEqual(play('EXTERNAL', b64('alice')).step, { kind: 'external', authzid: 'alice' });
  assert.deepEqual(play('EXTERNAL', undefined, ['']).step, { kind: 'external', authzid: '' });
  assert.deepEqual(play('EXTERNAL', undefined, [b64('a\0')]).step, MALFORMED);
});

test('a mechanism that nobody offers is malformed', () => assert.deepEqual(startAuth('CRAM-MD5'), MALFORMED));
