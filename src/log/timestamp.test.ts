import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isoTime, mailLogTime } from './timestamp.ts';

test('a mail log line begins with weekday, month, day, time and year', () => {
  assert.equal(mailLogTime(Date.UTC(2026, 10, 24, 13, 31, 0), 0), 'Tue Nov 24 13:31:00 2026');
  assert.equal(mailLogTime(Date.UTC(2024, 1, 29, 23, 59, 59), 0), 'Thu Feb 29 23:59:59 2024');
  assert.equal(mailLogTime(Date.UTC(2026, 0, 5, 1, 2, 3), 0), 'Mon Jan 05 01:02:03 2026');
});

test('the zone moves the date', () => {
  const at = Date.UTC(2026, 11, 31, 23, 30, 0);
  assert.equal(mailLogTime(at, 60), 'Fri Jan 01 00:30:00 2027');
  assert.equal(mailLogTime(at, -1440), 'Wed Dec 30 23:30:00 2026');
});

test('dates are those of the platform', () => {
  fc.assert(
    fc.property(fc.integer({ min: -2_000_000_000_000, max: 32_000_000_000_000 }), (at) => {
      assert.equal(isoTime(at), new Date(at).toISOString());
    }),
    { numRuns: 2000, seed: 7 },
  );
});
