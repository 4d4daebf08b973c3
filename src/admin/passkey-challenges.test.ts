import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHALLENGE_MS, PasskeyChallenges } from './passkey-challenges.ts';

const challenge = (owner: string) => ({ owner, account: undefined, value: new Uint8Array(32) });

test('a challenge is taken once, and not after its time', () => {
  const challenges = new PasskeyChallenges();
  challenges.add('a', challenge('x'), 0);
  challenges.add('b', challenge('x'), 0);
  assert.ok(challenges.take('a', CHALLENGE_MS - 1) !== undefined);
  assert.equal(challenges.take('a', CHALLENGE_MS - 1), undefined);
  assert.equal(challenges.take('b', CHALLENGE_MS), undefined);
});

test('one owner has ten at a time, the oldest goes first', () => {
  const challenges = new PasskeyChallenges();
  challenges.add('other', challenge('y'), 0);
  for (let i = 0; i < 12; i++) challenges.add(`${i}`, challenge('x'), i);
  assert.deepEqual(
    [0, 1, 2, 11].map((i) => challenges.take(`${i}`, 12) !== undefined),
    [false, false, true, true],
  );
  assert.ok(challenges.take('other', 12) !== undefined);
});

test('all owners together have two thousand at a time', () => {
  const challenges = new PasskeyChallenges();
  for (let i = 0; i < 2001; i++) challenges.add(`${i}`, challenge(`owner ${i}`), 0);
  assert.equal(challenges.take('0', 1), undefined);
  assert.ok(challenges.take('1', 1) !== undefined);
});
