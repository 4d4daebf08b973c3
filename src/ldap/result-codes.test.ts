import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ldapError, meaningOfBind, meaningOfSearch } from './result-codes.ts';

const ALL = Array.from({ length: 256 }, (_, code) => code);

test('only success, the size limit and "no such object" answer a search', () => {
  assert.deepEqual(
    ALL.filter((code) => meaningOfSearch(code) !== 'unanswered'),
    [0, 4, 32],
  );
});
test('only a few codes say that a password is wrong', () => {
  assert.deepEqual(
    ALL.filter((code) => meaningOfBind(code) === 'wrong'),
    [32, 48, 49],
  );
  assert.deepEqual(
    ALL.filter((code) => meaningOfBind(code) === 'right'),
    [0],
  );
});
test('an error is printed as AsyncOS prints it', () => {
  assert.equal(ldapError(49), 'LDAP Error "invalidCredentials" [0x31]');
  assert.equal(ldapError(200), 'LDAP Error "unknown" [0xc8]');
});
