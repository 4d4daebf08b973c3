/** Leases and the cursor of claims. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DueKey, Leases } from './leases.ts';

const holder = (owner: string, client = 1, untilMs = 1000): { owner: string; client: number; untilMs: number } => ({
  owner,
  client,
  untilMs,
});

function taken(...keys: readonly DueKey[]): Leases {
  const leases = new Leases();
  for (const key of keys) {
    leases.take(key, holder('a'));
    leases.walkedTo(key);
  }
  return leases;
}

test('the cursor stands at the last recipient that was claimed', () => {
  assert.deepEqual(taken([5, 1, 0], [5, 1, 1], [9, 2, 0]).cursor, [9, 2, 0]);
});

test('what becomes free before the cursor moves it back, what comes after does not', () => {
  const leases = taken([5, 1, 0], [9, 2, 0]);
  leases.placed([20, 3, 0]);
  assert.deepEqual(leases.cursor, [9, 2, 0]);
  assert.ok(leases.release('a', 1, 0));
  assert.deepEqual(leases.cursor, [5, 1, -1]);
});

test('a lease ends at its time and not before', () => {
  const leases = taken([5, 1, 0]);
  leases.expire(999);
  assert.ok(leases.has(1, 0));
  leases.expire(1000);
  assert.ok(!leases.has(1, 0));
});

test('after some leases ran out the others still do', () => {
  const leases = new Leases();
  leases.take([1, 1, 0], holder('a', 1, 100));
  leases.take([2, 2, 0], holder('a', 1, 200));
  leases.expire(150);
  assert.deepEqual([leases.has(1, 0), leases.has(2, 0)], [false, true]);
  leases.expire(200);
  assert.equal(leases.size, 0);
});

test('a client that is gone loses its leases, others with the same owner keep theirs', () => {
  const leases = new Leases();
  leases.take([1, 1, 0], holder('delivery', 1));
  leases.take([2, 2, 0], holder('delivery', 2));
  assert.equal(leases.releaseClient(1), 1);
  assert.deepEqual([leases.has(1, 0), leases.has(2, 0)], [false, true]);
});
