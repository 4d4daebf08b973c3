/** Events per hour, as AsyncOS reckons them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventRates, LOOK_EVERY_MS } from './event-rates.ts';

const MINUTE = 60_000;

/** Looks every 15 s from 0 to `untilMs`; `count` says what there is at a time. */
function looking(untilMs: number, count: (atMs: number) => number): EventRates {
  const rates = new EventRates(['received']);
  for (let atMs = 0; atMs <= untilMs; atMs += LOOK_EVERY_MS) rates.look({ received: count(atMs), other: 1 }, atMs);
  return rates;
}
const rate = (minute: number, fiveMinutes: number, fifteenMinutes: number) => ({
  received: { minute, fiveMinutes, fifteenMinutes },
});

test('a hundred messages in the last minute are 6,000, 1,200 and 400 an hour', () => {
  const rates = looking(60 * MINUTE, (atMs) => (atMs > 59 * MINUTE ? 100 : 0));
  assert.deepEqual(rates.rates({ received: 100 }, 60 * MINUTE), rate(6000, 1200, 400));
});

test('the same at the start, when there is less to look back on', () => {
  const rates = looking(MINUTE, () => 0);
  assert.deepEqual(rates.rates({ received: 100 }, MINUTE), rate(6000, 1200, 400));
  assert.deepEqual(new EventRates(['received']).rates({ received: 0 }, 0), rate(0, 0, 0));
});

test('a steady flow is the same in all columns, and what is over is forgotten', () => {
  const steady = looking(60 * MINUTE, (atMs) => atMs / 1000);
  assert.deepEqual(steady.rates({ received: 3600 }, 60 * MINUTE), rate(3600, 3600, 3600));
  assert.deepEqual(
    looking(60 * MINUTE, (atMs) => Math.min(atMs / 1000, 600)).rates({ received: 600 }, 60 * MINUTE),
    rate(0, 0, 0),
  );
});

test('a counter that begins anew, or a clock that is set back, is no negative rate', () => {
  const anew = looking(20 * MINUTE, () => 1000);
  assert.deepEqual(anew.rates({ received: 10 }, 20 * MINUTE), rate(0, 0, 0));
  anew.look({ received: 1000 }, 5 * MINUTE);
  assert.deepEqual(anew.rates({ received: 1100 }, 6 * MINUTE), rate(6000, 1200, 400));
});
