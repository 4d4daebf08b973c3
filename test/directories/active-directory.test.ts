/** Certificates and times against a real Active Directory, by Samba. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { MappingRule } from '../../src/config/schema.ts';
import { AD_ACCOUNT, AD_BASE, SambaAd } from '../support/samba-ad.ts';
import { certify, person } from './domain.ts';
import {
  ask,
  type Cards,
  certificateLine,
  ldifOf,
  makeCards,
  NEGATIVE_VALUES,
  NOW_MS,
  nearValues,
  type Peer,
  textLine,
  valueLines,
} from './peer.ts';
import { isMatched } from './time-suite.ts';
import { tokenSuite } from './token-suite.ts';

const DISABLED = '(userAccountControl:1.2.840.113556.1.4.803:=2)';
let peer: Peer;
let cards: Cards;
let samba: SambaAd;

const NEVER = '9223372036854775807';
const fileTime = (ms: number): string => String((BigInt(ms) + 11_644_473_600_000n) * 10_000n);

const NORMAL = 0x220;
const SWITCHED_OFF = 0x222;

before(async () => {
  samba = await SambaAd.start(certify);
  samba.add(ldifOf([person('alice', NORMAL, fileTime(NOW_MS + 1000))]));
  cards = makeCards(samba.sidOf('alice'));
  const { alice, negative, values } = cards;
  samba.modify(
    `dn: CN=alice,CN=Users,${AD_BASE}\nchangetype: modify\n${[
      ['url', ...valueLines('url', values)],
      ['altSecurityIdentities', ...altSecurityIdentities(values)],
      ['userCertificate', certificateLine('userCertificate', negative), certificateLine('userCertificate', alice)],
      ['userPrincipalName', 'userPrincipalName: alice@ad.example.test'],
    ]
      .map(([attribute, ...lines]) => `replace: ${attribute}\n${lines.join('\n')}\n-\n`)
      .join('')}`,
  );
  const near = nearValues(values);
  samba.add(
    ldifOf([
      person('mallory', NORMAL, NEVER, ...valueLines('url', near), ...altSecurityIdentities(near), 'url: shared US'),
      person('negative', SWITCHED_OFF, fileTime(NOW_MS), ...valueLines('url', NEGATIVE_VALUES), ...NEGATIVE_IDENTITY),
      person('unit', NORMAL, '0', 'url: unit unit 15'),
    ]),
  );
  peer = {
    server: { hosts: [samba.url], baseDn: AD_BASE, bind: { dn: AD_ACCOUNT.dn } },
    password: AD_ACCOUNT.password,
    userIdAttribute: 'sAMAccountName',
    attribute: 'url',
  };
});

const altSecurityIdentities = (values: Readonly<Record<string, string>>): string[] =>
  ['altsec:issuerAndSerial', 'altsec:ski', 'altsec:sha1PublicKey'].map((token) =>
    textLine('altSecurityIdentities', values[token] ?? ''),
  );
const NEGATIVE_IDENTITY = [textLine('altSecurityIdentities', NEGATIVE_VALUES['altsec:issuerAndSerial'] ?? '')];

tokenSuite(
  () => peer,
  () => cards,
);

describe('mapping rules', () => {
  const RULES: readonly MappingRule[] = ['issuerAndSerial', 'ski', 'sha1PublicKey', 'sid', 'userCertificate'];
  for (const rule of RULES) {
    test(`${rule} finds the account`, async () => {
      const answer = await ask(peer, cards.alice, { mapping: [rule] });
      assert.deepEqual(answer, { answer: 'yes', value: { user: 'alice', by: `ldap.queries.card ${rule}` } });
    });
  }
  test('all together find one account', async () => {
    const answer = await ask(peer, cards.alice, { mapping: [...RULES, 'filter'], filter: '(url=upn {upn})' });
    const by = `ldap.queries.card ${RULES.join(', ')}, filter`;
    assert.deepEqual(answer, { answer: 'yes', value: { user: 'alice', by } });
  });
  test('a negative serial number is found in two’s complement', async () => {
    const answer = await ask(peer, cards.negative, { mapping: ['issuerAndSerial'] });
    assert.equal(answer.answer === 'yes' && answer.value.user, 'negative');
  });
  test('two rules that find two accounts find nobody', async () => {
    // The card with the negative number is mapped to one account, and held by another.
    const answer = await ask(peer, cards.negative, { mapping: ['issuerAndSerial', 'userCertificate'] });
    assert.deepEqual(answer, { answer: 'no', why: 'several entries' });
  });
  test('another certificate of the same person is not found by any strong rule', async () => {
    // The key identifier is what the authority writes, and this one writes the same for every card.
    const strong = RULES.filter((rule) => rule !== 'ski' && rule !== 'issuerAndSerial');
    assert.deepEqual(await ask(peer, makeCards().alice, { mapping: strong }), { answer: 'no', why: 'no entry' });
  });
  test('{altsec} in a filter asks for all strong forms at once', async () => {
    const filter = '(&(objectClass=user)(altSecurityIdentities={altsec}))';
    assert.equal((await ask(peer, cards.alice, { filter })).answer, 'yes');
  });
  test('{sid} finds the account in the global form of its name', async () => {
    assert.equal((await ask(peer, cards.alice, { filter: '(objectSid={sid})' })).answer, 'yes');
  });
  test('the condition leaves out accounts that are switched off or have expired', async () => {
    const condition = `(&(!${DISABLED})(|(accountExpires=0)(accountExpires>={t:filetime})))`;
    const mapping = ['issuerAndSerial'] as const;
    assert.equal((await ask(peer, cards.alice, { mapping, condition })).answer, 'yes');
    const later = await ask(peer, cards.alice, { mapping, condition, nowMs: NOW_MS + 2000 });
    assert.deepEqual(later, { answer: 'no', why: 'no entry' });
    assert.deepEqual(await ask(peer, cards.negative, { mapping, condition }), { answer: 'no', why: 'no entry' });
  });
  test('userCertificate is compared with the entry that a filter finds', async () => {
    const compareCertificate = true;
    const filter = '(url=upn {upn})';
    assert.equal((await ask(peer, cards.alice, { filter, compareCertificate })).answer, 'yes');
    const renewed = makeCards();
    assert.deepEqual(await ask(peer, renewed.alice, { filter, compareCertificate }), { answer: 'no', why: 'no entry' });
  });
});

describe('times', () => {
  const far = Date.UTC(2099, 0, 1);
  const past = Date.UTC(2001, 0, 1);
  test('{t:filetime} compares with accountExpires, a number: never is later than anything', async () => {
    assert.equal(await isMatched(peer, 'alice', '(accountExpires>={t:filetime})'), true);
    assert.equal(await isMatched(peer, 'alice', '(accountExpires>={t:filetime})', NOW_MS + 1000), true);
    assert.equal(await isMatched(peer, 'alice', '(accountExpires>={t:filetime})', NOW_MS + 1001), false);
    assert.equal(await isMatched(peer, 'mallory', '(accountExpires>={t:filetime})', far), true);
    assert.equal(await isMatched(peer, 'unit', '(accountExpires>={t:filetime})'), false);
    assert.equal(await isMatched(peer, 'unit', '(accountExpires=0)'), true);
  });
  test('{t:ad} compares with whenChanged and whenCreated, which are GeneralizedTime', async () => {
    for (const attribute of ['whenChanged', 'whenCreated']) {
      assert.equal(await isMatched(peer, 'alice', `(${attribute}>={t:ad})`, past), true);
      assert.equal(await isMatched(peer, 'alice', `(${attribute}<={t:ad})`, past), false);
      assert.equal(await isMatched(peer, 'alice', `(${attribute}>={t:ad})`, far), false);
      assert.equal(await isMatched(peer, 'alice', `(${attribute}<={t:ad})`, far), true);
    }
  });
  test('{t}, without a fraction, is misread by Samba: the reason why check warns and {t:ad} exists', async () => {
    assert.equal(await isMatched(peer, 'alice', '(whenChanged>={t})', far), true);
    assert.equal(await isMatched(peer, 'alice', '(whenChanged<={t})', far), false);
  });
});

test('the bind is refused or the server is down: every rule is unknown', async () => {
  const wrong = { ...peer, password: 'wrong' };
  assert.equal((await ask(wrong, cards.alice, { mapping: ['ski'] })).answer, 'unknown');
  await samba.stop();
  assert.equal((await ask(peer, cards.alice, { mapping: ['ski', 'userCertificate'] })).answer, 'unknown');
});
