import assert from 'node:assert/strict';
import { test } from 'node:test';
import { didYouMean, editDistance, listed, nearest } from './suggestion.ts';

test('the distance counts insertions, deletions, substitutions and swaps', () => {
  const rows: [string, string, number][] = [
    ['', '', 0],
    ['a', '', 1],
    ['abc', 'abc', 0],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
    ['trust', 'turst', 1],
  ];
  for (const [a, b, expected] of rows) {
    assert.equal(editDistance(a, b), expected, `${a} ${b}`);
    assert.equal(editDistance(b, a), expected, `${b} ${a}`);
  }
});

test('a word is suggested only when it is near', () => {
  assert.equal(nearest('smtpAuthProfil', ['smtpAuthProfile', 'smtpRoutes']), 'smtpAuthProfile');
  assert.equal(nearest('TLS', ['tls', 'hat']), 'tls');
  assert.equal(nearest('banana', ['tls', 'hat']), undefined);
  assert.equal(nearest('x'.repeat(101), ['x'.repeat(100)]), undefined);
  assert.equal(didYouMean('banana', []), '');
});

test('a list of names is bounded', () => {
  assert.equal(listed([]), 'none');
  assert.equal(listed(['a', 'b']), 'a, b');
  assert.match(listed(Array.from({ length: 45 }, (_, i) => `n${i}`)), /n39, and 5 more$/);
});
