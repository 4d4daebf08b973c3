/** Who waits for whom before a commit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awaitsCompany, createUnderWay, LONGEST_WAIT_MS, UnderWay, underWayTogether } from './commit-company.ts';

test('a message that is alone waits for nobody', () => {
  assert.equal(awaitsCompany(1, 1), false);
  assert.equal(awaitsCompany(1, 0), false);
});

test('of many messages under way the first ones wait until half have arrived', () => {
  assert.equal(awaitsCompany(1, 2), false);
  assert.equal(awaitsCompany(1, 3), true);
  assert.equal(awaitsCompany(15, 32), true);
  assert.equal(awaitsCompany(16, 32), false);
});

test('senders that never finish delay others by a moment only', () => {
  assert.equal(awaitsCompany(1, 10_000), true);
  assert.ok(LONGEST_WAIT_MS <= 10);
});

test('the store counts what all threads have on their way, and waits for nobody where one thread has everything', () => {
  const memory = createUnderWay();
  const lanes = new Int32Array(memory);
  const [one, two] = [new UnderWay(memory, 1), new UnderWay(memory, 2)];
  one.begin();
  one.begin();
  assert.deepEqual([one.count, two.count, underWayTogether(lanes)], [2, 0, 0]);
  two.begin();
  assert.deepEqual([one.count, two.count, underWayTogether(lanes)], [2, 1, 3]);
  one.end();
  one.end();
  assert.equal(underWayTogether(lanes), 0);
});

test('what a thread that died had on its way is forgotten when its lane is used again', () => {
  const memory = createUnderWay();
  new UnderWay(memory, 1).begin();
  new UnderWay(memory, 2).begin();
  assert.equal(new UnderWay(memory, 1).count, 0);
  assert.equal(underWayTogether(new Int32Array(memory)), 0);
});

test('a lane that is not there is an error', () => {
  assert.throws(() => new UnderWay(createUnderWay(), 65), RangeError);
});
