/** How {t} compares with GeneralizedTime. Entries write the time in UTC, with a fraction, or in another zone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { card, cardAuthority } from '../support/piv.ts';
import { ask, NOW_MS, type Peer } from './peer.ts';

/** Of the entry `uid`, against now or another time. */
export async function isMatched(peer: Peer, uid: string, assertion: string, nowMs = NOW_MS): Promise<boolean> {
  const any = card({ issuer: cardAuthority() });
  const filter = `(&(${peer.userIdAttribute}=${uid})${assertion})`;
  const answer = await ask(peer, any, { filter, nowMs });
  assert.notEqual(answer.answer, 'unknown');
  return answer.answer === 'yes';
}

/**
 * alice: a second later than now, in UTC; negative: a second ago; mallory: half a second later, with a fraction; unit:
 * half an hour ago, in a zone whose clock shows a later time.
 */
export function timeSuite(peer: () => Peer, comparesAs: 'time' | 'text'): void {
  const rows: readonly [what: string, uid: string, later: boolean][] = [
    ['a later time', 'alice', true],
    ['an earlier time', 'negative', false],
    ['a later time with a fraction', 'mallory', comparesAs === 'time'],
    ['an earlier time in another zone', 'unit', comparesAs === 'text'],
  ];
  for (const [what, uid, later] of rows) {
    test(`{t} against ${what}, compared as ${comparesAs}: >= is ${later}, <= is ${!later}`, async () => {
      assert.equal(await isMatched(peer(), uid, '(cacemergency>={t})'), later);
      assert.equal(await isMatched(peer(), uid, '(cacemergency<={t})'), !later);
    });
  }
  test('{t} of the very second matches both ways', async () => {
    for (const operator of ['>=', '<=', '='])
      assert.equal(await isMatched(peer(), 'alice', `(cacemergency${operator}{t})`, NOW_MS + 1000), true, operator);
  });
}
