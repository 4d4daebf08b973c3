/** Passwords as argon2id. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PasswordHashes } from './password-hash.io.ts';
import { passwordFault } from './password-rules.ts';

const PASSWORD = 'correct horse battery';

test('a password is stored as argon2id with its cost and a salt of its own, and is recognised', async () => {
  const hashes = new PasswordHashes();
  const [one, two] = await Promise.all([hashes.hash(PASSWORD), hashes.hash(PASSWORD)]);
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  assert.notEqual(one, two);
  assert.deepEqual(await hashes.check(PASSWORD, one), { ok: true, old: false });
  assert.deepEqual(await hashes.check('correct horse batterY', one), { ok: false, old: false });
});

test('a hash that argon2 itself made is read, and known to be of another cost', async () => {
  // printf 'password' | argon2 somesalt -id -t 2 -m 16 -p 1
  const reference = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  const hashes = new PasswordHashes();
  assert.deepEqual(await hashes.check('password', reference), { ok: true, old: true });
  assert.equal((await hashes.check('passworD', reference)).ok, false);
});

test('nobody has no good password', async () => {
  assert.equal((await new PasswordHashes().check(PASSWORD, undefined)).ok, false);
});

test('accents typed in two ways are the same password', async () => {
  const hashes = new PasswordHashes();
  const stored = await hashes.hash('Ga\u0308nsefu\u0308\u00dfchen');
  assert.equal((await hashes.check('G\u00e4nsef\u00fc\u00dfchen', stored)).ok, true);
});

test('a stored hash that is damaged or would cost too much is an error and not a login', async () => {
  const hashes = new PasswordHashes();
  for (const stored of ['', 'x', '$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8'])
    await assert.rejects(hashes.check(PASSWORD, stored), /cannot be read/);
});

test('what a new password must be', () => {
  assert.equal(passwordFault(PASSWORD, 'alice'), undefined);
  assert.match(passwordFault('short', 'alice') ?? '', /at least 12 characters/);
  assert.match(passwordFault('aaaaaaaaaaaaaaaa', 'alice') ?? '', /different characters/);
  assert.match(passwordFault('x'.repeat(2000), 'alice') ?? '', /at most 1024/);
  assert.match(passwordFault('my name is Alice!', 'alice') ?? '', /name of the account/);
});
