import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, waitsOf } from './waits.ts';

test('the longest wait and the one that 99 of 100 do not exceed', () => {
  const samples = Array.from({ length: 200 }, (_, i) => 200 - i);
  assert.deepEqual(waitsOf(samples, 3), { count: 200, p99Ms: 198, longestMs: 200, ownPauseMs: 3 });
  assert.deepEqual(waitsOf([7], 0), { count: 1, p99Ms: 7, longestMs: 7, ownPauseMs: 0 });
  assert.deepEqual(waitsOf([], 0), { count: 0, p99Ms: 0, longestMs: 0, ownPauseMs: 0 });
});

test('the median of odd and even numbers of values', () => {
  assert.equal(median([5, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([]), 0);
});
