import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CrlRequest, Scope } from '../../test/support/crl-maker.ts';
import {
  above,
  cardOf,
  crlSettings,
  HOUR_MS,
  issuing,
  listed,
  NOW_MS,
  root,
  sourceOf,
} from '../../test/support/two-authorities.ts';
import { checkRevocation, type CrlList, type RevocationInput } from './revocation.ts';
import { type ExplainedList, explainRevocation } from './revocation-explanation.ts';

const path = [cardOf(0x1006), ...above];
const ofRoot = listed({ issuer: root });
const LATE = { thisUpdateMs: NOW_MS - 3 * HOUR_MS, nextUpdateMs: NOW_MS - HOUR_MS };
const revoked = [{ serial: '1006', reason: 1, atMs: NOW_MS - 5 * HOUR_MS }];
const held = [{ serial: '1006', reason: 6, atMs: NOW_MS - 5 * HOUR_MS }];
const released = [{ serial: '1006', reason: 8 }];
const complete = (changes: Partial<CrlRequest> = {}): CrlList => listed({ issuer: issuing, number: 5, ...changes });
const delta = (changes: Partial<CrlRequest> = {}): CrlList =>
  listed({ issuer: issuing, number: 7, base: 5, ...changes });

const input = (lists: readonly CrlList[], checkInbound = true): RevocationInput => ({
  path,
  crls: { generation: 1, lists, sources: [{ name: 'cac', everGood: true }] },
  settings: crlSettings({ checkInbound, sources: { cac: sourceOf() } }),
  nowMs: NOW_MS,
});

const shown = ({ verdict, says }: Pick<ExplainedList, 'verdict' | 'says'>): string => `${verdict}: ${says}`;

/** What is said of each list of the leaf's issuer, and in all. */
const TABLE: readonly (readonly [
  title: string,
  lists: readonly CrlList[],
  said: readonly RegExp[],
  verdict: string,
])[] = [
  ['a list that does not name it', [complete()], [/^good: does not list it$/], 'good'],
  [
    'a list that names it, with reason and date',
    [complete({ entries: revoked })],
    [/^revoked: lists it: keyCompromise, since 2026-11-23T19:00:00\.000Z$/],
    'revoked',
  ],
  [
    'a list that is late',
    [complete(LATE)],
    [/^expired: .*nextUpdate and grace are over \(whenExpired: refuse\)$/],
    'refused',
  ],
  [
    'an older copy beside a newer one',
    [complete({ number: 4, thisUpdateMs: NOW_MS - 2 * HOUR_MS, entries: revoked }), complete()],
    [/^not-used: a fresher list/, /^good: does not list it$/],
    'good',
  ],
  [
    'a list for authorities alone',
    [complete({ scope: Scope.of(Scope.onlyCa) })],
    [/^not-used: its scope does not cover this certificate: ca certificates only$/],
    'refused',
  ],
  [
    'a delta that is current, of a list that is late',
    [complete(LATE), delta()],
    [/^good: does not list it, and its delta is current$/, /^good: does not list it$/],
    'good',
  ],
  [
    'a hold that the delta takes away',
    [complete({ entries: held }), delta({ entries: released })],
    [/^good: lists it: certificateHold, .* and its delta releases it$/, /^good: releases it: removeFromCRL/],
    'good',
  ],
  [
    'a delta that would take a hold away and does not fit',
    [complete({ entries: held }), delta({ base: 6, entries: released })],
    [/^revoked: lists it: certificateHold/, /^not-used: would release it, but does not fit/],
    'revoked',
  ],
  [
    'a delta that revokes since',
    [complete(), delta({ entries: revoked })],
    [/^good: does not list it$/, /^revoked: lists it: keyCompromise/],
    'revoked',
  ],
  ['no list at all', [], [], 'refused'],
];

for (const [title, lists, said, verdict] of TABLE) {
  test(`${title} is told`, () => {
    const asked = input([ofRoot, ...lists]);
    const [ofLeaf, ofAuthority, ...more] = explainRevocation(asked);
    assert.ok(ofLeaf !== undefined && ofAuthority !== undefined);
    assert.deepEqual(more, []);
    assert.equal(ofLeaf.lists.length, said.length);
    for (const [i, expected] of said.entries()) assert.match(shown(ofLeaf.lists[i] as ExplainedList), expected);
    assert.equal(ofLeaf.verdict, verdict);
    assert.equal(ofAuthority.verdict, 'good');
    // In all it is what a session hears.
    assert.equal(checkRevocation(asked).status, verdict);
  });
}

test('numbers, base, times and the count of entries are those of the list', () => {
  const [ofLeaf] = explainRevocation(input([ofRoot, complete({ entries: revoked }), delta()]));
  const [whole, change] = ofLeaf?.lists ?? [];
  assert.deepEqual(
    [whole?.number, whole?.base, whole?.entries, whole?.nextUpdateMs],
    ['5', undefined, 1, NOW_MS + HOUR_MS],
  );
  assert.deepEqual([change?.number, change?.base, change?.entries], ['7', '5', 0]);
});

test('where revocation is not checked it says by which switch', () => {
  for (const each of explainRevocation(input([ofRoot], false)))
    assert.deepEqual(each, {
      lists: [],
      verdict: 'not-checked',
      says: 'revocation is not checked',
      rule: 'crl.checkInbound',
    });
});

test('a list from the future counts for nothing', () => {
  const future = { thisUpdateMs: NOW_MS + HOUR_MS, nextUpdateMs: NOW_MS + 2 * HOUR_MS, entries: revoked };
  const ahead = listed({ issuer: issuing, number: 9, ...future }, { nowMs: NOW_MS + HOUR_MS });
  const [ofLeaf] = explainRevocation(input([ofRoot, complete(), ahead]));
  assert.deepEqual(ofLeaf?.lists.map(shown), ['good: does not list it', 'not-used: it is from the future']);
});
