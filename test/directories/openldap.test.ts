/** Certificates and times against a real OpenLDAP. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { join } from 'node:path';
import { GATEWAY_ACCOUNT, Slapd } from '../support/slapd.ts';
import { ask, type Cards, makeCards, type Peer } from './peer.ts';
import { peopleLdif } from './people.ts';
import { timeSuite } from './time-suite.ts';
import { tokenSuite } from './token-suite.ts';

const BASE = 'dc=example,dc=test';
let peer: Peer;
let cards: Cards;
let slapd: Slapd;

before(async () => {
  cards = makeCards();
  slapd = await Slapd.start({
    ldif: peopleLdif(cards),
    settings: [`include ${join(import.meta.dirname, 'mapping.schema')}`],
  });
  peer = {
    server: { hosts: [slapd.url], baseDn: BASE },
    password: GATEWAY_ACCOUNT.password,
    userIdAttribute: 'uid',
    attribute: 'description',
  };
});

tokenSuite(
  () => peer,
  () => cards,
);
timeSuite(() => peer, 'time');

describe('userCertificate', () => {
  test('finds the entry by issuer and serial number, and compares', async () => {
    const answer = await ask(peer, cards.alice, { mapping: ['userCertificate'] });
    assert.deepEqual(answer, { answer: 'yes', value: { user: 'alice', by: 'ldap.queries.card userCertificate' } });
    const other = makeCards();
    assert.deepEqual(await ask(peer, other.alice, { mapping: ['userCertificate'] }), { answer: 'no', why: 'no entry' });
  });
  test('a negative serial number too', async () => {
    const answer = await ask(peer, cards.negative, { mapping: ['userCertificate'] });
    assert.equal(answer.answer === 'yes' && answer.value.user, 'alice');
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
  await slapd.stop();
  assert.equal((await ask(peer, cards.alice, { mapping: ['issuerAndSerial', 'userCertificate'] })).answer, 'unknown');
});
