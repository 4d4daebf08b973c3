/** How the owner of a certificate is found by the certificate itself, the same in every directory that keeps it as RFC 4523 says. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ask, type Cards, makeCards, type Peer } from './peer.ts';

const NOBODY = { answer: 'no', why: 'no entry' };

/** `stop`: the directory is not needed any more. */
export function ownerSuite(peer: () => Peer, cards: () => Cards, stop: () => Promise<unknown>): void {
  describe('userCertificate', () => {
    test('finds the entry that holds the certificate, octet by octet, with a negative serial number too', async () => {
      for (const each of [cards().alice, cards().negative]) {
        const answer = await ask(peer(), each, { mapping: ['userCertificate'] });
        assert.deepEqual(answer, { answer: 'yes', value: { user: 'alice', by: 'ldap.queries.card userCertificate' } });
      }
      assert.deepEqual(await ask(peer(), makeCards().alice, { mapping: ['userCertificate'] }), NOBODY);
    });
    test('is compared with the entry that a filter finds', async () => {
      const compareCertificate = true;
      const filter = '(description=cn {cn})';
      assert.equal((await ask(peer(), cards().alice, { filter, compareCertificate })).answer, 'yes');
      assert.deepEqual(await ask(peer(), makeCards().alice, { filter, compareCertificate }), NOBODY);
    });
  });

  test('altSecurityIdentities is found where it is kept', async () => {
    const answer = await ask(peer(), cards().alice, { mapping: ['issuerAndSerial', 'userCertificate'] });
    const by = 'ldap.queries.card issuerAndSerial, userCertificate';
    assert.deepEqual(answer, { answer: 'yes', value: { user: 'alice', by } });
  });

  test('a directory that is down leaves every rule unknown', async () => {
    await stop();
    const answer = await ask(peer(), cards().alice, { mapping: ['issuerAndSerial', 'userCertificate'] });
    assert.equal(answer.answer, 'unknown');
  });
}
