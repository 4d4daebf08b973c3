/** Every token finds the right entry, in whichever directory; what comes near is not found. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TOKENS } from '../../src/ldap/tokens.ts';
import { cardWithUnits, NEGATIVE_VALUES } from '../support/piv.ts';
import { ask, type Cards, type Peer } from './peer.ts';

const ALICE = { answer: 'yes', value: { user: 'alice', by: 'ldap.queries.card' } };

export function tokenSuite(peer: () => Peer, cards: () => Cards): void {
  const tokens = TOKENS.certificate.filter((token) => !token.startsWith('t') && token !== 'sid');
  describe('every token of a PIV-shaped certificate finds its entry and no other', () => {
    for (const token of tokens) {
      test(`{${token}}`, async () => {
        assert.ok(cards().values[token] !== undefined);
        assert.deepEqual(
          await ask(peer(), cards().alice, { filter: `(${peer().attribute}=${token} {${token}})` }),
          ALICE,
        );
      });
    }
    for (const token of Object.keys(NEGATIVE_VALUES)) {
      test(`{${token}} of a negative serial number`, async () => {
        const answer = await ask(peer(), cards().negative, { filter: `(${peer().attribute}=${token} {${token}})` });
        assert.equal(answer.answer === 'yes' && answer.value.user, 'negative');
      });
    }
    test('several tokens at once', async () => {
      const { attribute } = peer();
      const filter = `(&(${attribute}=cn {cn})(${attribute}=sn {sn})(|(${attribute}=ou {ou})(${attribute}=email {email})))`;
      assert.deepEqual(await ask(peer(), cards().alice, { filter }), ALICE);
    });
    test('one value of an entry is enough, but it must be whole', async () => {
      const { attribute } = peer();
      const not = { answer: 'no', why: 'no entry' };
      assert.deepEqual(await ask(peer(), cards().alice, { filter: `(${attribute}=cn {edipi})` }), not);
      assert.deepEqual(await ask(peer(), cards().alice, { filter: `(${attribute}={cn})` }), not);
    });
  });
  test('sixteen organizational units are asked about, seventeen do not match', async () => {
    const filter = `(|(${peer().attribute}=ou {ou})(${peer().attribute}=unit {ou}))`;
    const sixteen = await ask(peer(), cardWithUnits(cards().authority, 16), { filter });
    assert.equal(sixteen.answer === 'yes' && sixteen.value.user, 'unit');
    assert.deepEqual(await ask(peer(), cardWithUnits(cards().authority, 17), { filter }), {
      answer: 'no',
      why: 'certificate: there are more than 16 values of {ou}',
    });
  });
  test('an entry that two people share finds nobody', async () => {
    const filter = `(|(${peer().attribute}=cn {cn})(${peer().attribute}=shared {c}))`;
    assert.deepEqual(await ask(peer(), cards().alice, { filter }), { answer: 'no', why: 'several entries' });
  });
}
