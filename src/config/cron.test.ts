import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cronFault, nextCronMs } from './cron.ts';

test('five fields, or six with seconds, make a cron expression', () => {
  for (const good of ['30 3 * * *', '*/15 * * * *', '0 0 29 2 *', '*/10 * * * * *', '0 3 * * MON-FRI']) {
    assert.equal(cronFault(good), undefined, good);
  }
});

test('an expression that cannot be understood or never comes true is a fault', () => {
  for (const bad of [
    '',
    '@hourly',
    '* * * *',
    '61 * * * *',
    '0 0 30 2 *',
    '* * * * * * *',
    'a b c d e',
    '1 '.repeat(200),
  ]) {
    assert.notEqual(cronFault(bad), undefined, bad);
  }
});

test('the next time is after the one given, on the local clock', () => {
  const at = new Date(2026, 10, 24, 3, 30, 0).getTime();
  assert.equal(nextCronMs('30 3 * * *', at), new Date(2026, 10, 25, 3, 30, 0).getTime());
  assert.equal(nextCronMs('*/10 * * * * *', at + 1), at + 10_000);
  assert.equal(nextCronMs('0 0 30 2 *', at), undefined);
  assert.equal(nextCronMs('nonsense', at), undefined);
});
