import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ageOf, nextAgeMs } from './crl-age.ts';
import { nextAttemptMs, nextRunMs, renewalMs, scheduleWords } from './crl-schedule.ts';

const HOUR_MS = 3_600_000;
const NOON_MS = new Date(2026, 10, 24, 12, 0, 0).getTime();

test('every counts from the last attempt', () => {
  assert.equal(nextRunMs({ every: 900_000 }, NOON_MS), NOON_MS + 900_000);
});

test('daily and cron go by local time', () => {
  assert.equal(nextRunMs({ daily: '13:30' }, NOON_MS), NOON_MS + 1.5 * HOUR_MS);
  assert.equal(nextRunMs({ daily: '11:00' }, NOON_MS), new Date(2026, 10, 25, 11, 0, 0).getTime());
  assert.equal(nextRunMs({ cron: '15 * * * *' }, NOON_MS), NOON_MS + 900_000);
});

test('manual never runs by itself', () => {
  assert.equal(nextRunMs('manual', NOON_MS), undefined);
  assert.equal(nextAttemptMs('manual', NOON_MS, 3), undefined);
});

test('a failed fetch is tried again after 30 s, then later and later, never later than the schedule says', () => {
  const daily = { every: 24 * HOUR_MS };
  const waits = [0, 1, 2, 3, 10].map((failures) => (nextAttemptMs(daily, NOON_MS, failures) ?? 0) - NOON_MS);
  assert.deepEqual(waits, [24 * HOUR_MS, 30_000, 60_000, 120_000, 900_000]);
  assert.equal(nextAttemptMs({ every: 5000 }, NOON_MS, 4), NOON_MS + 5000);
});

test('a list is renewed in the last tenth of its life, at most ten minutes before its end, and at its end', () => {
  const list = { thisUpdateMs: NOON_MS, nextUpdateMs: NOON_MS + 24 * HOUR_MS };
  const short = { thisUpdateMs: NOON_MS, nextUpdateMs: NOON_MS + HOUR_MS };
  const early = list.nextUpdateMs - 10 * 60_000;
  assert.equal(renewalMs([list], NOON_MS), early);
  assert.equal(renewalMs([list, short], NOON_MS), short.nextUpdateMs - 6 * 60_000);
  assert.equal(renewalMs([list], early), list.nextUpdateMs);
  assert.equal(renewalMs([list], list.nextUpdateMs), undefined);
  assert.equal(renewalMs([{ thisUpdateMs: NOON_MS }], NOON_MS), undefined);
});

test('a schedule is shown as it is written', () => {
  assert.deepEqual(
    [{ every: 900_000 }, { daily: '03:30' }, { cron: '30 3 * * *' }, 'manual' as const].map(scheduleWords),
    ['every 15m', 'daily 03:30', 'cron 30 3 * * *', 'manual'],
  );
});

test('a list is expiring in the last tenth of its life, at most a day before its end', () => {
  const short = { thisUpdateMs: 0, nextUpdateMs: 10 * HOUR_MS };
  assert.deepEqual(
    [0, 9 * HOUR_MS - 1, 9 * HOUR_MS, 10 * HOUR_MS, 10 * HOUR_MS + 1].map((now) => ageOf(short, {}, now)),
    ['fresh', 'fresh', 'expiring', 'expiring', 'expired'],
  );
  assert.equal(nextAgeMs(short, {}, 0), 9 * HOUR_MS);
  assert.equal(nextAgeMs(short, {}, 9 * HOUR_MS), 10 * HOUR_MS + 1);
  assert.equal(nextAgeMs(short, {}, 11 * HOUR_MS), undefined);
  const long = { thisUpdateMs: 0, nextUpdateMs: 1000 * HOUR_MS };
  assert.equal(nextAgeMs(long, {}, 0), 976 * HOUR_MS);
});

test('where the source says when to alert, that counts', () => {
  const list = { thisUpdateMs: 0, nextUpdateMs: 100 * HOUR_MS };
  const rule = { alertBefore: 72 * HOUR_MS };
  assert.deepEqual(
    [28 * HOUR_MS - 1, 28 * HOUR_MS, 100 * HOUR_MS, 100 * HOUR_MS + 1].map((now) => ageOf(list, rule, now)),
    ['fresh', 'expiring', 'expiring', 'expired'],
  );
  assert.equal(nextAgeMs(list, rule, 0), 28 * HOUR_MS);
  assert.equal(nextAgeMs(list, { alertBefore: 0 }, 0), 100 * HOUR_MS);
  assert.equal(ageOf(list, { alertBefore: 200 * HOUR_MS }, 0), 'expiring');
});

test('a list without nextUpdate counts as expired', () => {
  assert.equal(ageOf({ thisUpdateMs: 0 }, {}, 1), 'expired');
});
