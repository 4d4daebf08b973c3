/** Who waits for whom before a commit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awaitsCompany, LONGEST_WAIT_MS } from './commit-company.ts';

test('a message that is alone waits for nobody', () => {
  assert.equal(awaitsCompany(1, 1), false);
  assert.equal(awaitsCompany(1, 0), false);
});

test('of many messages under way the first ones wait until half have arrived', () => {
  assert.equal(awaitsCompany(1, 2), false);
  assert.equal(awaitsCompany(1, 3), true);
  assert.equal(awaitsCompany(15, 32), true);
  assert.equal(awaitsCompany(16, 32), false);
});

test('senders that never finish delay others by a moment only', () => {
  assert.equal(awaitsCompany(1, 10_000), true);
  assert.ok(LONGEST_WAIT_MS <= 10);
});
