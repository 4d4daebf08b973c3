/** Certificates and times against a real 389 Directory Server. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { Directory389, DS_ACCOUNT, DS_BASE } from '../support/directory-389.ts';
import { ask, type Cards, makeCards, type Peer } from './peer.ts';
import { peopleLdif } from './people.ts';
import { timeSuite } from './time-suite.ts';
import { tokenSuite } from './token-suite.ts';

const RECIPES = join(import.meta.dirname, '..', 'contract', 'recipes');
let peer: Peer;
let cards: Cards;
let directory: Directory389;

before(async () => {
  cards = makeCards();
  directory = await Directory389.start([join(RECIPES, 'cac.schema'), join(import.meta.dirname, 'mapping.schema')]);
  directory.add(peopleLdif(cards));
  peer = {
    server: { hosts: [directory.url], baseDn: DS_BASE, bind: { dn: DS_ACCOUNT.dn } },
    password: DS_ACCOUNT.password,
    userIdAttribute: 'uid',
    attribute: 'description',
  };
});

tokenSuite(
  () => peer,
  () => cards,
);
timeSuite(() => peer, 'text');

describe('userCertificate', () => {
  test('finds the entry that holds the certificate, octet by octet', async () => {
    for (const each of [cards.alice, cards.negative]) {
      const answer = await ask(peer, each, { mapping: ['userCertificate'] });
      assert.deepEqual(answer, { answer: 'yes', value: { user: 'alice', by: 'ldap.queries.card userCertificate' } });
    }
    const other = makeCards();
    assert.deepEqual(await ask(peer, other.alice, { mapping: ['userCertificate'] }), { answer: 'no', why: 'no entry' });
  });
  test('is compared with the entry that a filter finds', async () => {
    const compareCertificate = true;
    const filter = '(description=cn {cn})';
    assert.equal((await ask(peer, cards.alice, { filter, compareCertificate })).answer, 'yes');
    const renewed = makeCards();
    assert.deepEqual(await ask(peer, renewed.alice, { filter, compareCertificate }), { answer: 'no', why: 'no entry' });
  });
});

test('altSecurityIdentities is found where it is kept', async () => {
  const answer = await ask(peer, cards.alice, { mapping: ['issuerAndSerial', 'userCertificate'] });
  const by = 'ldap.queries.card issuerAndSerial, userCertificate';
  assert.deepEqual(answer, { answer: 'yes', value: { user: 'alice', by } });
});

test('a directory that is down leaves every rule unknown', async () => {
  await directory.stop();
  assert.equal((await ask(peer, cards.alice, { mapping: ['issuerAndSerial', 'userCertificate'] })).answer, 'unknown');
});
