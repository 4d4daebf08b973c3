/** What is suspended, by whom, and what is left when somebody resumes a part of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  listenerMark,
  NOTHING_SUSPENDED,
  parseStanding,
  resumeListeners,
  SuspensionFlags,
  suspendListeners,
  systemStatus,
  withDelivery,
} from './suspension.ts';

const alice = { sinceMs: 1000, by: 'alice', reason: 'maintenance' };
const bob = { sinceMs: 2000, by: 'bob' };
const BOTH = ['mx', 'submission'];

test('a listener that is suspended already keeps who did it first', () => {
  const first = suspendListeners(NOTHING_SUSPENDED, ['mx'], alice);
  assert.deepEqual(listenerMark(suspendListeners(first, ['mx', 'submission'], bob), 'mx'), alice);
  const all = suspendListeners(first, 'all', bob);
  assert.deepEqual(suspendListeners(all, 'all', alice).everyListener, bob);
});

test('all means listeners that come later, and resuming one of them leaves the others suspended', () => {
  const all = suspendListeners(NOTHING_SUSPENDED, 'all', alice);
  assert.deepEqual(listenerMark(all, 'comes later'), alice);
  const rest = resumeListeners(all, ['mx'], BOTH);
  assert.deepEqual([listenerMark(rest, 'mx'), listenerMark(rest, 'submission')], [undefined, alice]);
  assert.deepEqual(resumeListeners(rest, 'all', BOTH), NOTHING_SUSPENDED);
});

test('a listener with the name of something that every object has is not suspended by that', () => {
  assert.equal(listenerMark(NOTHING_SUSPENDED, 'constructor'), undefined);
  assert.deepEqual(listenerMark(suspendListeners(NOTHING_SUSPENDED, ['toString'], bob), 'toString'), bob);
});

test('the system status says what is suspended', () => {
  const receiving = suspendListeners(NOTHING_SUSPENDED, 'all', alice);
  const cases = [
    [NOTHING_SUSPENDED, 'Online'],
    [receiving, 'Receiving suspended'],
    [suspendListeners(NOTHING_SUSPENDED, ['mx'], bob), 'Receiving suspended on mx'],
    [withDelivery(NOTHING_SUSPENDED, bob), 'Delivery suspended'],
    [withDelivery(receiving, bob), 'Offline (receiving and delivery suspended)'],
    [
      withDelivery(suspendListeners(NOTHING_SUSPENDED, ['mx'], bob), bob),
      'Receiving suspended on mx; Delivery suspended',
    ],
    [{ ...NOTHING_SUSPENDED, workQueue: bob }, 'Work queue paused'],
    [withDelivery(withDelivery(NOTHING_SUSPENDED, bob), undefined), 'Online'],
  ] as const;
  for (const [standing, words] of cases) assert.equal(systemStatus(standing, BOTH), words);
});

test('what is kept comes back, and nothing kept is nothing suspended', () => {
  const standing = withDelivery(suspendListeners(NOTHING_SUSPENDED, ['mx'], alice), bob);
  assert.deepEqual(parseStanding(JSON.stringify(standing)), standing);
  const all = suspendListeners(NOTHING_SUSPENDED, 'all', alice);
  assert.deepEqual(parseStanding(JSON.stringify(all)), all);
  assert.deepEqual(parseStanding(undefined), NOTHING_SUSPENDED);
});

test('the flags show it in memory that threads share', () => {
  const flags = SuspensionFlags.create(4);
  const seen = new SuspensionFlags(flags.buffer);
  const slots = { mx: 0, submission: 3 };
  flags.show(withDelivery(suspendListeners(NOTHING_SUSPENDED, ['submission'], alice), bob), slots);
  assert.deepEqual([seen.listener(0), seen.listener(3), seen.delivery], [false, true, true]);
  flags.show(NOTHING_SUSPENDED, slots);
  assert.deepEqual([seen.listener(0), seen.listener(3), seen.delivery], [false, false, false]);
});
