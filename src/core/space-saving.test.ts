/** The most frequent of many, in bounded memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpaceSaving } from './space-saving.ts';

test('while all fit, counts are exact', () => {
  const table = new SpaceSaving<string>(3);
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) table.count(key, () => `value of ${key}`);
  assert.deepEqual(
    table.top(2).map(({ key, count, atMostTooMany, value }) => [key, count, atMostTooMany, value]),
    [
      ['a', 3, 0, 'value of a'],
      ['b', 2, 0, 'value of b'],
    ],
  );
});

test('whatever comes: the table is bounded, no count is too low, and the error says how much it may be too high', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 400 }), (keys) => {
      const table = new SpaceSaving<undefined>(8);
      const truth = new Map<string, number>();
      for (const key of keys.map(String)) {
        table.count(key, () => undefined);
        truth.set(key, (truth.get(key) ?? 0) + 1);
      }
      const top = table.top(1000);
      assert.ok(top.length <= 8);
      for (const { key, count, atMostTooMany } of top) {
        const exact = truth.get(key) ?? 0;
        assert.ok(count >= exact && count - atMostTooMany <= exact, `${key}: ${count}, in truth ${exact}`);
      }
      for (const [key, exact] of truth) if (exact > keys.length / 8) assert.ok(table.get(key) !== undefined, key);
    }),
  );
});
