/** Which recipients an administrator means. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  LAST_MID,
  matcherOf,
  QUEUE_START,
  type QueueSelection,
  rangeOf,
  rangeOfToken,
  rangeToken,
} from './queue-selection.ts';

const bob = { mid: 5, rid: 1, address: 'Bob@Example.ORG', sender: 'alice@example.com' };
const CASES: readonly (readonly [selection: QueueSelection, recipient: typeof bob, selected: boolean])[] = [
  [{ by: 'all' }, bob, true],
  [{ by: 'host', host: 'example.org' }, bob, true],
  [{ by: 'host', host: 'EXAMPLE.org.' }, bob, true],
  [{ by: 'host', host: 'org' }, bob, false],
  [{ by: 'host', host: 'ple.org' }, bob, false],
  [{ by: 'host', host: 'xn--exmple-cua.org' }, { ...bob, address: 'bob@exämple.org' }, true],
  [{ by: 'host', host: 'exämple.org' }, { ...bob, address: 'bob@XN--EXMPLE-CUA.org' }, true],
  [{ by: 'sender', sender: 'Alice@Example.com' }, bob, true],
  [{ by: 'sender', sender: '' }, bob, false],
  [{ by: 'sender', sender: '' }, { ...bob, sender: '' }, true],
  [{ by: 'message', mid: 5 }, bob, true],
  [{ by: 'message', mid: 5, rid: 1 }, bob, true],
  [{ by: 'message', mid: 5, rid: 0 }, bob, false],
  [{ by: 'message', mid: 6 }, bob, false],
];

for (const [selection, recipient, selected] of CASES)
  test(`${JSON.stringify(selection)} ${selected ? 'means' : 'does not mean'} ${recipient.address} of ${recipient.sender}`, () => {
    assert.equal(matcherOf(selection)(recipient), selected);
  });

test('a selection by MID looks at that message alone, and goes on where it stopped', () => {
  const all = { after: QUEUE_START, upTo: 100 };
  assert.deepEqual(rangeOf({ by: 'message', mid: 7 }, all), { after: [7, -1], upTo: 7 });
  assert.deepEqual(rangeOf({ by: 'message', mid: 7, rid: 3 }, all), { after: [7, 2], upTo: 7 });
  assert.deepEqual(rangeOf({ by: 'message', mid: 7 }, { after: [7, 999], upTo: 100 }), { after: [7, 999], upTo: 7 });
  assert.deepEqual(rangeOf({ by: 'message', mid: 700 }, all), { after: [700, -1], upTo: 100 });
  assert.deepEqual(rangeOf({ by: 'all' }, all), all);
});

test('a place survives its way through a client, and nothing else is taken for one', () => {
  for (const range of [
    { after: [12, 3], upTo: 40 },
    { after: QUEUE_START, upTo: LAST_MID },
  ] as const)
    assert.deepEqual(rangeOfToken(rangeToken(range)), range);
  for (const bad of ['', '1.2', '1.2.3.4', '-1.2.3', '1.2.x', `${'9'.repeat(16)}.1.1`])
    assert.equal(rangeOfToken(bad), undefined);
});
