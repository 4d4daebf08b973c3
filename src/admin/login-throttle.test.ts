/** Lock-out after failed logins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountKey, addressKey, LoginThrottle } from './login-throttle.ts';

const SETTINGS = { maxFailures: 3, lockMs: 60_000 };
const KEYS = [accountKey('alice'), addressKey('192.0.2.1')];

test('after so many failures in a row the account is locked, for the lock time, from any address', () => {
  const throttle = new LoginThrottle();
  for (let i = 0; i < 3; i++) assert.equal(throttle.attempt(KEYS, 1000 + i, SETTINGS).allowed, true);
  assert.deepEqual(throttle.attempt(KEYS, 1010, SETTINGS), { allowed: false, untilMs: 61_002, first: true });
  const elsewhere = [accountKey('alice'), addressKey('198.51.100.9')];
  assert.deepEqual(throttle.attempt(elsewhere, 1011, SETTINGS), { allowed: false, untilMs: 61_002, first: false });
  assert.equal(throttle.lockedUntilMs(accountKey('alice'), 61_001), 61_002);
  assert.equal(throttle.attempt(KEYS, 61_002, SETTINGS).allowed, true);
});

test('a good login forgets the failures before it', () => {
  const throttle = new LoginThrottle();
  for (let i = 0; i < 10; i++) {
    assert.equal(throttle.attempt(KEYS, i, SETTINGS).allowed, true);
    assert.equal(throttle.attempt(KEYS, i, SETTINGS).allowed, true);
    throttle.succeeded(KEYS);
  }
});

test('failures long ago do not count', () => {
  const throttle = new LoginThrottle();
  for (let i = 0; i < 10; i++) assert.equal(throttle.attempt(KEYS, i * 60_001, SETTINGS).allowed, true);
});

test('attempts that run at the same time count before their result is known', () => {
  const throttle = new LoginThrottle();
  const answers = Array.from({ length: 10 }, () => throttle.attempt(KEYS, 5, SETTINGS).allowed);
  assert.equal(answers.filter(Boolean).length, 3);
});

test('an address that tries many names is locked after four times as many failures', () => {
  const throttle = new LoginThrottle();
  const attempt = (i: number): boolean =>
    throttle.attempt([accountKey(`user${i}`), addressKey('192.0.2.1')], i, SETTINGS).allowed;
  const allowed = Array.from({ length: 20 }, (_, i) => attempt(i)).filter(Boolean).length;
  assert.equal(allowed, 12);
  assert.equal(throttle.lockedUntilMs(addressKey('192.0.2.1'), 20), 60_011);
});

test('an IPv6 address counts as its network', () => {
  assert.equal(addressKey('2001:db8:1:2:3:4:5:6'), addressKey('2001:db8:1:2::1'));
  assert.notEqual(addressKey('2001:db8:1:3::1'), addressKey('2001:db8:1:2::1'));
  assert.notEqual(addressKey('192.0.2.1'), addressKey('192.0.2.2'));
});

test('an administrator can unlock an account', () => {
  const throttle = new LoginThrottle();
  for (let i = 0; i < 4; i++) throttle.attempt(KEYS, 1, SETTINGS);
  assert.equal(throttle.forget([accountKey('alice')], 2), true);
  assert.equal(throttle.attempt(KEYS, 3, SETTINGS).allowed, true);
  assert.equal(throttle.forget([accountKey('nobody')], 2), false);
});

test('memory is bounded: the one that failed longest ago is forgotten first', () => {
  const throttle = new LoginThrottle();
  for (let i = 0; i < 3; i++) throttle.attempt(KEYS, 1, SETTINGS);
  for (let i = 0; i < 20_001; i++) throttle.attempt([accountKey(`user${i}`)], 2, SETTINGS);
  assert.equal(throttle.lockedUntilMs(accountKey('alice'), 3), undefined);
  assert.equal(throttle.attempt([accountKey('user20000')], 3, SETTINGS).allowed, true);
});

test('who has an account does not get more guesses at others from his address by signing in between', () => {
  const throttle = new LoginThrottle();
  const address = addressKey('192.0.2.1');
  let guesses = 0;
  for (let i = 0; i < 100; i++) {
    if (throttle.attempt([accountKey(`victim${i}`), address], i, SETTINGS).allowed) guesses++;
    if (throttle.attempt([accountKey('mine'), address], i, SETTINGS).allowed)
      throttle.succeeded([accountKey('mine'), address]);
  }
  assert.equal(guesses, 12);
});
