import assert from 'node:assert/strict';
import { createHash, pbkdf2Sync } from 'node:crypto';
import { describe, test } from 'node:test';
import { checkStoredPassword } from './stored-password.ts';

const SALT = Buffer.from('0123456789');
const digest = (name: string, salt = Buffer.alloc(0)): string =>
  Buffer.concat([createHash(name).update('secret').update(salt).digest(), salt]).toString('base64');
const adapted = (bytes: Buffer): string => bytes.toString('base64').replaceAll('+', '.').replaceAll('=', '');
const iterated = (hash: string, bytes: number): string =>
  `1000$${adapted(SALT)}$${adapted(pbkdf2Sync('secret', SALT, 1000, bytes, hash))}`;

const FORMS: readonly (readonly [string, string | Uint8Array])[] = [
  ['plain text', 'secret'],
  ['plain octets', Buffer.from('secret')],
  ['{CLEARTEXT}', '{CLEARTEXT}secret'],
  ['{SHA}', `{SHA}${digest('sha1')}`],
  ['{SSHA}', `{SSHA}${digest('sha1', SALT)}`],
  ['{ssha} in lower case', `{ssha}${digest('sha1', SALT)}`],
  ['{SHA256}', `{SHA256}${digest('sha256')}`],
  ['{SSHA256}', `{SSHA256}${digest('sha256', SALT)}`],
  ['{SSHA384}', `{SSHA384}${digest('sha384', SALT)}`],
  ['{SHA512}', `{SHA512}${digest('sha512')}`],
  ['{SSHA512}', `{SSHA512}${digest('sha512', SALT)}`],
  ['{MD5}', `{MD5}${digest('md5')}`],
  ['{SMD5}', `{SMD5}${digest('md5', SALT)}`],
  ['{PBKDF2}', `{PBKDF2}${iterated('sha1', 20)}`],
  ['{PBKDF2-SHA256}', `{PBKDF2-SHA256}${iterated('sha256', 32)}`],
  ['{PBKDF2-SHA512}', `{PBKDF2-SHA512}${iterated('sha512', 64)}`],
];

describe('the right password fits and others do not', () => {
  for (const [title, stored] of FORMS) {
    test(title, async () => {
      assert.equal((await checkStoredPassword(stored, 'secret')).fits, true);
      for (const wrong of ['', 'Secret', 'secret ', 'secre', String(stored) === 'secret' ? 'x' : String(stored)]) {
        const expected = typeof stored !== 'string' && wrong === 'secret';
        assert.equal((await checkStoredPassword(stored, wrong)).fits, expected, wrong);
      }
    });
  }
});

describe('what is stored badly fits nothing', () => {
  for (const stored of [
    '',
    '{SSHA}',
    '{SSHA}AAAA',
    `{SHA}${digest('sha1', SALT)}`,
    '{PBKDF2}1$$',
    '{PBKDF2}9999999$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    '{CLEARTEXT}',
  ]) {
    test(stored || 'an empty value', async () => {
      for (const password of ['secret', '', stored])
        assert.equal((await checkStoredPassword(stored, password)).fits, false);
    });
  }
  test('an unknown form is named', async () => {
    assert.deepEqual(await checkStoredPassword('{CRYPT}$6$x', '{CRYPT}$6$x'), { fits: false, unsupported: '{CRYPT}' });
  });
});
