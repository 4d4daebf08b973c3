/** A line of the shell as words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shellWords } from './shell-words.ts';

for (const [line, expected] of [
  ['', []],
  ['  status  ', ['status']],
  ['commit --comment "TLS for all"', ['commit', '--comment', 'TLS for all']],
  ["a 'b \"c' d", ['a', 'b "c', 'd']],
  ['a\\ b "c\\"d"', ['a b', 'c"d']],
  ["set path ''", ['set', 'path', '']],
  ['a"b"c', ['abc']],
  ['"open', 'the quote " is not closed'],
  ['a\\', 'the line ends with a backslash'],
] as const) {
  test(`${JSON.stringify(line)} is read as ${JSON.stringify(expected)}`, () =>
    assert.deepEqual(shellWords(line), expected));
}
