/** The retry schedule of the Default bounce profile: 60 s, doubling to an hour; 100 retries or three days. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decideAttempt, decideRetry, retryWaitMs } from './retry-schedule.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DEFAULT = { maxRetries: 100, maxTimeInQueue: 72 * HOUR_MS, initialWait: MINUTE_MS, maxWait: HOUR_MS };

test('the wait starts at the initial wait and doubles up to the maximum', () => {
  const minutes = [1, 2, 3, 4, 5, 6].map((attempts) => retryWaitMs(DEFAULT, attempts, 0) / MINUTE_MS);
  assert.deepEqual(minutes, [1, 2, 4, 8, 16, 32]);
  assert.equal(retryWaitMs(DEFAULT, 7, 0), 0.9 * HOUR_MS);
  assert.equal(retryWaitMs(DEFAULT, 1000, 0), 0.9 * HOUR_MS);
});

test('chance adds less than a tenth', () => {
  assert.equal(retryWaitMs(DEFAULT, 1, 0.5), 63_000);
  assert.equal(retryWaitMs(DEFAULT, 100, 0.5), 0.95 * HOUR_MS);
});

test('no wait is longer than the maximum, whatever the profile', () => {
  const wait = fc.integer({ min: 0, max: 1e9 });
  const attempts = fc.integer({ min: 1, max: 5000 });
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(wait, wait, attempts, random, (initialWait, maxWait, n, chance) => {
      const waitMs = retryWaitMs({ initialWait, maxWait }, n, chance);
      assert.ok(Number.isInteger(waitMs) && waitMs >= 0 && waitMs <= maxWait);
    }),
  );
});

test('a soft failure is retried until the retries are used up', () => {
  const facts = { nowMs: 1000, random: 0 };
  assert.deepEqual(decideRetry(DEFAULT, { ...facts, attempts: 1 }), { action: 'retry', nextAttemptMs: 61_000 });
  assert.equal(decideRetry(DEFAULT, { ...facts, attempts: 100 }).action, 'retry');
  assert.deepEqual(decideRetry(DEFAULT, { ...facts, attempts: 101 }), { action: 'give-up', why: 'retries' });
});

test('with no retries allowed the first soft failure is the last', () => {
  const decision = decideRetry({ ...DEFAULT, maxRetries: 0 }, { attempts: 1, nowMs: 0, random: 0 });
  assert.deepEqual(decision, { action: 'give-up', why: 'retries' });
});

test('queue time is checked right before an attempt and may be used up to the end', () => {
  const at = (nowMs: number, attempts = 3): unknown => decideAttempt(DEFAULT, { attempts, receivedMs: 0, nowMs });
  assert.deepEqual(at(72 * HOUR_MS), { action: 'attempt' });
  assert.deepEqual(at(72 * HOUR_MS + 1), { action: 'give-up', why: 'queue-time' });
});

test('the first attempt is made however late', () => {
  assert.deepEqual(decideAttempt(DEFAULT, { attempts: 0, receivedMs: 0, nowMs: 1e12 }), { action: 'attempt' });
});
