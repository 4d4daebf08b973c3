/** The reading of a system call trace finds a 250 that left too early. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkOrder, countSyncs } from './system-calls.ts';

const DOT = 'read(20, "text\\r\\n.\\r\\n", 65536) = 9';
const OK = 'write(20, "250 2.0.0 queued as MID 1\\r\\n", 27) = 27';

const trace = (...lines: readonly string[]): string => lines.map((line, i) => line.replace(' ', ` ${i}.5 `)).join('\n');

test('a sync between the final dot and its 250 proves the order', () => {
  const text = trace(`7 ${DOT}`, '9 fdatasync(5) = 0', `7 ${OK}`);
  assert.deepEqual(checkOrder(text), { proven: 1, broken: 0 });
  assert.equal(countSyncs(text), 1);
});

test('a 250 before its sync, without one, or with one that began before the dot or failed, is found', () => {
  const early: readonly (readonly string[])[] = [
    [`7 ${DOT}`, `7 ${OK}`, '9 fdatasync(5) = 0'],
    ['9 fdatasync(5) = 0', `7 ${DOT}`, `7 ${OK}`],
    ['9 fdatasync(5 <unfinished ...>', `7 ${DOT}`, '9 <... fdatasync resumed>) = 0', `7 ${OK}`],
    [`7 ${DOT}`, '9 fdatasync(5 <unfinished ...>', `7 ${OK}`, '9 <... fdatasync resumed>) = 0'],
    [`7 ${DOT}`, '9 fdatasync(5) = -1 EIO (Input/output error)', `7 ${OK}`],
  ];
  for (const lines of early) {
    const { proven, broken } = checkOrder(trace(...lines));
    assert.deepEqual({ proven, broken }, { proven: 0, broken: 1 }, lines.join('\n'));
  }
});

test('replies to other commands and on other sockets are not taken for that 250', () => {
  const other = 'write(21, "250 2.1.0 ok\\r\\n", 14) = 14';
  assert.deepEqual(checkOrder(trace(`7 ${other}`, `7 ${DOT}`, `7 ${other}`, '9 fsync(5) = 0', `7 ${OK}`)), {
    proven: 1,
    broken: 0,
  });
});
