import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoginRecordLimit } from './login-record-limit.ts';

test('a thousand failed logins at once are recorded, then one each second, which says how many were passed over', () => {
  const limit = new LoginRecordLimit();
  const recorded = Array.from({ length: 1500 }, () => limit.next(5000)).filter((each) => each !== undefined);
  assert.deepEqual([recorded.length, Math.max(...recorded)], [1000, 0]);
  assert.equal(limit.next(5500), undefined);
  assert.equal(limit.next(6000), 501);
  assert.equal(limit.next(6001), undefined);
  assert.equal(limit.next(7001), 1);
});

test('after a quiet time there is room for a thousand again, and no more; a clock that goes back gives none', () => {
  const limit = new LoginRecordLimit();
  for (let i = 0; i < 1000; i++) limit.next(0);
  const later = Array.from({ length: 1500 }, () => limit.next(10_000_000)).filter((each) => each !== undefined);
  assert.equal(later.length, 1000);
  assert.equal(limit.next(0), undefined);
});
