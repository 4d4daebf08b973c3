import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Path } from '../config/configuration-store.ts';
import { signInChange } from './sign-in-changes.ts';

const TRUSTING = { admin: { clientCertificate: { trust: ['cac'], required: false } } } as never;

test('changes of admin, of the authorities that it trusts and of their revocation check decide who may sign in', () => {
  const found = (path: Path, config = TRUSTING) =>
    signInChange(
      [
        { path: ['hostname'], op: 'change' },
        { path, op: 'change' },
      ],
      config,
    );
  for (const path of [
    [],
    ['admin'],
    ['admin', 'maxFailedLogins'],
    ['certificateAuthorities'],
    ['certificateAuthorities', 'cac'],
    ['certificateAuthorities', 'cac', 'pem'],
    ['crl', 'checkWebInterface'],
  ])
    assert.deepEqual(found(path), path);
  for (const path of [
    ['certificateAuthorities', 'other', 'pem'],
    ['crl', 'sources', 'cac'],
    ['listeners', 'admin'],
    ['certificates', 'cac'],
  ])
    assert.equal(found(path), undefined, path.join('.'));
  assert.equal(found(['certificateAuthorities', 'cac'], {} as never), undefined);
});

test('a revocation section that comes or goes as a whole decides it where it checks administrators', () => {
  const found = (crl: { checkWebInterface?: boolean }, op: 'add' | 'remove') =>
    signInChange([{ path: ['crl'], op, ...(op === 'add' ? { after: crl } : { before: crl }) }], TRUSTING);
  for (const op of ['add', 'remove'] as const) {
    assert.deepEqual(found({ checkWebInterface: true }, op), ['crl']);
    assert.equal(found({ checkWebInterface: false }, op), undefined);
    assert.equal(found({}, op), undefined);
  }
});
