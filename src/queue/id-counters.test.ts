/** ICID, MID and DCID. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COUNTER_BLOCK, createCounters, nextId, nextReservation, peekCounters } from './id-counters.ts';

test('each counter counts on its own', () => {
  const shared = createCounters({ icid: 1, mid: 10, dcid: 100 });
  assert.deepEqual(
    [nextId(shared, 'icid'), nextId(shared, 'icid'), nextId(shared, 'mid'), nextId(shared, 'dcid')],
    [1, 2, 10, 100],
  );
  assert.deepEqual(peekCounters(shared), { icid: 3, mid: 11, dcid: 101 });
});

test('a counter goes beyond 32 bits', () => {
  const shared = createCounters({ icid: 2 ** 32, mid: 2 ** 45, dcid: 1 });
  assert.equal(nextId(shared, 'icid'), 2 ** 32);
  assert.equal(nextId(shared, 'mid') + 1, Number(peekCounters(shared).mid));
});

test('a new block is set aside for all when one counter has used half of its own', () => {
  const reserved = { icid: COUNTER_BLOCK, mid: COUNTER_BLOCK, dcid: COUNTER_BLOCK };
  const half = COUNTER_BLOCK / 2;
  assert.equal(nextReservation({ icid: half - 1, mid: 1, dcid: 1 }, reserved), undefined);
  assert.deepEqual(nextReservation({ icid: half, mid: 1, dcid: 1 }, reserved), {
    icid: half + COUNTER_BLOCK,
    mid: 1 + COUNTER_BLOCK,
    dcid: 1 + COUNTER_BLOCK,
  });
});
