/** Duplicate suppression, second by second: the clock is handed in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RaisedAlert } from '../core/alert.ts';
import { AlertSuppression } from './alert-suppression.ts';

const alert = (key = 'k', text = key): RaisedAlert => ({ class: 'system', severity: 'warning', key, text, count: 1 });
const SECOND = 1000;

/** When messages leave while the same alert is raised once a second, in seconds. */
function sentAt(initialWaitMs: number, maxWaitMs: number, seconds: number): number[] {
  const suppression = new AlertSuppression({ initialWaitMs, maxWaitMs });
  const sent: number[] = [];
  for (let now = 0; now <= seconds; now++) {
    for (const _ of suppression.due(now * SECOND)) sent.push(now);
    if (suppression.raise(alert(), now * SECOND) !== undefined) sent.push(now);
  }
  return sent;
}

test('the first alert leaves at once, then each wait is the initial wait and twice the last: 5, 15, 35, 75, 155 s', () => {
  assert.deepEqual(sentAt(5000, 3_600_000, 300), [0, 5, 20, 55, 130, 285]);
});

test('no wait is longer than the longest one', () => {
  assert.deepEqual(sentAt(5000, 20_000, 100), [0, 5, 20, 40, 60, 80, 100]);
});

test('an initial wait of 0 sends every one', () => {
  assert.deepEqual(sentAt(0, 3_600_000, 4), [0, 1, 2, 3, 4]);
});

test('the next message says how often the alert was raised meanwhile, and has the words of the last', () => {
  const suppression = new AlertSuppression({ initialWaitMs: 5000, maxWaitMs: 60_000 });
  assert.deepEqual(suppression.raise(alert('k', 'first'), 0)?.raised, 1);
  assert.equal(suppression.raise({ ...alert('k', 'second'), count: 3 }, 1000), undefined);
  assert.equal(suppression.raise(alert('k', 'third'), 4999), undefined);
  assert.equal(suppression.nextMs, 5000);
  assert.deepEqual(suppression.due(4999), []);
  const { count: _, ...third } = alert('k', 'third');
  assert.deepEqual(suppression.due(5000), [{ alert: third, raised: 4, sinceMs: 0 }]);
  assert.deepEqual(suppression.due(5000), []);
});

test('a wait without a duplicate ends the series: the next alert leaves at once, and its wait is the initial one', () => {
  const suppression = new AlertSuppression({ initialWaitMs: 5000, maxWaitMs: 60_000 });
  suppression.raise(alert(), 0);
  suppression.raise(alert(), 1000);
  assert.equal(suppression.due(5000).length, 1);
  assert.equal(suppression.nextMs, 20_000);
  assert.deepEqual(suppression.due(20_000), []);
  assert.equal(suppression.nextMs, undefined);
  assert.equal(suppression.raise(alert(), 21_000)?.raised, 1);
  assert.equal(suppression.nextMs, 26_000);
});

test('other news is not held back', () => {
  const suppression = new AlertSuppression({ initialWaitMs: 5000, maxWaitMs: 60_000 });
  assert.ok(suppression.raise(alert('a'), 0));
  assert.ok(suppression.raise(alert('b'), 0));
  assert.equal(suppression.raise(alert('a'), 0), undefined);
});

test('however many kinds there are, the newest thousand are remembered', () => {
  const suppression = new AlertSuppression({ initialWaitMs: 5000, maxWaitMs: 60_000 });
  for (let i = 0; i <= 1000; i++) assert.ok(suppression.raise(alert(`k${i}`), 0));
  assert.equal(suppression.raise(alert('k1000'), 1), undefined);
  assert.ok(suppression.raise(alert('k0'), 1), 'the oldest was forgotten');
});

test('shorter waits of a new configuration count at once', () => {
  const suppression = new AlertSuppression({ initialWaitMs: 300_000, maxWaitMs: 3_600_000 });
  suppression.raise(alert(), 0);
  suppression.settings = { initialWaitMs: 1000, maxWaitMs: 2000 };
  assert.equal(suppression.nextMs, 2000);
});
