import assert from 'node:assert/strict';
import { test } from 'node:test';
import { no, unknown, yes } from '../core/verdict.ts';
import { QueryCache } from './query-cache.ts';

const MINUTE_MS = 60_000;

test('a hit counts until its time is over', () => {
  const cache = new QueryCache<string>({ ttlMs: 15 * MINUTE_MS, maxEntries: 10 });
  cache.put('k', yes('alice'), 1000);
  assert.deepEqual(cache.get('k', 1000 + 15 * MINUTE_MS - 1), yes('alice'));
  assert.equal(cache.get('k', 1000 + 15 * MINUTE_MS), undefined);
  assert.equal(cache.size, 0);
});
test('a miss counts for a minute at most', () => {
  const cache = new QueryCache<string>({ ttlMs: 15 * MINUTE_MS, maxEntries: 10 });
  cache.put('k', no('no entry'), 0);
  assert.deepEqual(cache.get('k', MINUTE_MS - 1), no('no entry'));
  assert.equal(cache.get('k', MINUTE_MS), undefined);
  const short = new QueryCache<string>({ ttlMs: 1000, maxEntries: 10 });
  short.put('k', no('no entry'), 0);
  assert.equal(short.get('k', 1000), undefined);
});
test('unknown is never kept, and does not end what is', () => {
  const cache = new QueryCache<string>({ ttlMs: 1000, maxEntries: 10 });
  cache.put('k', unknown('down'), 0);
  assert.equal(cache.get('k', 1), undefined);
  cache.put('k', yes('alice'), 0);
  cache.put('k', unknown('down'), 1);
  assert.deepEqual(cache.get('k', 2), yes('alice'));
});
test('a time of 0 s and a size of 0 keep nothing', () => {
  for (const settings of [
    { ttlMs: 0, maxEntries: 10 },
    { ttlMs: 1000, maxEntries: 0 },
  ]) {
    const cache = new QueryCache<string>(settings);
    cache.put('k', yes('alice'), 0);
    assert.equal(cache.get('k', 0), undefined);
  }
});
test('the least recently used answer goes first', () => {
  const cache = new QueryCache<string>({ ttlMs: 1000, maxEntries: 2 });
  cache.put('a', yes('1'), 0);
  cache.put('b', yes('2'), 0);
  cache.get('a', 1);
  cache.put('c', yes('3'), 1);
  assert.equal(cache.get('b', 2), undefined);
  assert.deepEqual(cache.get('a', 2), yes('1'));
  assert.equal(cache.size, 2);
});
test('a clock that is set back does not lengthen the time', () => {
  const cache = new QueryCache<string>({ ttlMs: 1000, maxEntries: 2 });
  cache.put('a', yes('1'), 10_000);
  assert.equal(cache.get('a', 9999), undefined);
});
