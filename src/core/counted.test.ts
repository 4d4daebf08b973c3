import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted, inDays, lastDays, thereAre } from './counted.ts';

test('a noun agrees with its number, and a long number is grouped', () => {
  assert.deepEqual(
    [0, 1, 2, 1204, 1_234_567].map((count) => counted(count, 'client')),
    ['0 clients', '1 client', '2 clients', '1,204 clients', '1,234,567 clients'],
  );
  assert.equal(counted(2, 'entry', 'entries'), '2 entries');
  assert.deepEqual(
    [thereAre(1, 'route'), thereAre(2, 'route')],
    ['There is currently 1 route', 'There are currently 2 routes'],
  );
});

test('days', () => {
  assert.deepEqual(
    [inDays(1), inDays(3649), lastDays(1), lastDays(90)],
    ['1 day', '3649 days', 'the last day', 'the last 90 days'],
  );
});
