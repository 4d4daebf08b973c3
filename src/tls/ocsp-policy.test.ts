import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authority,
  client,
  extendedKeyUsage,
  extension,
  generalName,
  name,
  oid,
  seq,
} from '../../test/pkits/certificate-writer.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import type { OcspAnswer } from './ocsp.ts';
import { type OcspRules, type OcspSay, type OcspStanding, ocspSays, respondersOf } from './ocsp-policy.ts';
import { isFresh, type OcspAttempt, ResponderHealth, standingOf, succeed } from './ocsp-standing.ts';

const NOW = Date.UTC(2026, 10, 24, 12, 0, 0);
const HOUR = 3_600_000;

const ca = authority(name('O=Example', 'CN=Issuing CA'));
const access = (...urls: readonly string[]): Buffer =>
  extension('1.3.6.1.5.5.7.1.1', seq(...urls.map((url) => seq(oid('1.3.6.1.5.5.7.48.1'), generalName.uri(url)))));
const card = (...urls: readonly string[]): Certificate =>
  parseCertificate(
    client(ca, { extensions: [extendedKeyUsage('1.3.6.1.5.5.7.3.2'), ...(urls.length > 0 ? [access(...urls)] : [])] })
      .der,
  );

const rules = (changes: Partial<OcspRules> = {}): OcspRules => ({
  rule: 'smtpAuthProfiles.cac.ocsp',
  mode: 'require',
  timeout: 5000,
  hash: 'sha1',
  nonce: 'optional',
  maxAge: HOUR,
  ...changes,
});

const ANSWER: OcspAnswer = {
  status: 'good',
  thisUpdateMs: NOW - HOUR,
  nextUpdateMs: NOW + HOUR,
  producedAtMs: NOW - HOUR,
  countsUntilMs: NOW + HOUR,
  signer: { kind: 'issuer', name: 'CN=Issuing CA' },
  nonce: 'matched',
};
const answered = (changes: Partial<OcspAnswer> = {}): OcspStanding => ({
  kind: 'answer',
  responder: 'http://ocsp.test/',
  answer: { ...ANSWER, ...changes },
  askAgainMs: NOW + HOUR,
});
const none = (cause: 'no-responder' | 'unauthorized' | 'unavailable'): OcspStanding => ({
  kind: 'none',
  cause,
  why: 'because',
  askAgainMs: NOW,
});

const STANDINGS = {
  good: answered(),
  revoked: answered({ status: 'revoked', revoked: { atMs: NOW - HOUR, reason: 'keyCompromise' } }),
  unknown: answered({ status: 'unknown' }),
  late: answered({ countsUntilMs: NOW - 1 }),
  unavailable: none('unavailable'),
  noResponder: none('no-responder'),
  unauthorized: none('unauthorized'),
  notAsked: undefined,
} as const;
type Case = keyof typeof STANDINGS;

/** What is known, and what each choice makes of it: `prefer` and `require` as they are, then with their keys. */
const TABLE: readonly (readonly [Partial<OcspRules>, Partial<Record<Case, OcspSay['say']>>])[] = [
  [
    { mode: 'prefer' },
    { good: 'good', revoked: 'revoked', unknown: 'lists', late: 'lists', unavailable: 'lists', noResponder: 'lists', unauthorized: 'lists', notAsked: 'lists' },
  ],
  [
    { mode: 'require' },
    { good: 'good', revoked: 'revoked', unknown: 'refused', late: 'unchecked', unavailable: 'unchecked', noResponder: 'refused', unauthorized: 'refused', notAsked: 'unchecked' },
  ],
  [{ mode: 'prefer', whenUnavailable: 'defer' }, { unavailable: 'unchecked', unknown: 'lists' }],
  [{ mode: 'prefer', whenNoResponder: 'refuse' }, { noResponder: 'refused', unavailable: 'lists' }],
  [{ whenUnavailable: 'refuse' }, { unavailable: 'refused', late: 'refused', good: 'good' }],
  [{ whenUnavailable: 'crl' }, { unavailable: 'lists', unknown: 'refused', revoked: 'revoked' }],
  [{ whenUnavailable: 'accept' }, { unavailable: 'good', unknown: 'refused', noResponder: 'refused', revoked: 'revoked' }],
  [{ whenNoResponder: 'crl' }, { noResponder: 'lists', unavailable: 'unchecked', unauthorized: 'unchecked' }],
  [{ whenNoResponder: 'crl', whenUnavailable: 'refuse' }, { noResponder: 'lists', unauthorized: 'refused' }],
  [{ whenNoResponder: 'crl', whenUnavailable: 'accept' }, { unavailable: 'good', unauthorized: 'lists' }],
  [{ whenNoResponder: 'refuse', whenUnavailable: 'accept' }, { unauthorized: 'refused' }],
]; // biome-ignore format: a table

for (const [choice, expected] of TABLE) {
  test(`what an answer or its lack means with ${JSON.stringify(choice)}`, () => {
    for (const [each, say] of Object.entries(expected)) {
      const facts = {
        certificate: card(),
        index: 0,
        standing: STANDINGS[each as Case],
        rules: rules(choice),
        nowMs: NOW,
      };
      assert.equal(ocspSays(facts).say, say, each);
    }
  });
}

test('a revocation names its responder, a refusal names whom it is about and the key that decided', () => {
  const facts = { certificate: card(), rules: rules(), nowMs: NOW };
  assert.deepEqual(ocspSays({ ...facts, index: 0, standing: STANDINGS.revoked }), {
    say: 'revoked',
    reason: 'keyCompromise',
    atMs: NOW - HOUR,
    rule: 'smtpAuthProfiles.cac.ocsp: http://ocsp.test/',
  });
  const refused = ocspSays({ ...facts, index: 1, standing: STANDINGS.noResponder });
  assert.ok(refused.say === 'refused');
  assert.match(refused.words, /no OCSP answer about its authority CN=ADAMS/);
  assert.equal(refused.rule, 'smtpAuthProfiles.cac.ocsp.whenNoResponder: because');
});

test('configured responders are asked before named ones, and only http on an allowed host is asked at all', () => {
  const named = [
    'http://ocsp.test/',
    'ldap://ocsp.test/',
    'http://elsewhere.test/',
    'http://u:p@ocsp.test/',
    'file:///etc/passwd',
  ];
  assert.deepEqual(respondersOf(card(...named), { allowHosts: ['ocsp.test'] }), ['http://ocsp.test/']);
  assert.deepEqual(respondersOf(card(...named), { responders: ['https://own.test/'] }), ['https://own.test/']);
  const both = { responders: ['http://own.test/'], allowHosts: ['ocsp.test'] };
  assert.deepEqual(respondersOf(card(...named), both), ['http://own.test/', 'http://ocsp.test/']);
  const many = Array.from({ length: 20 }, (_, i) => `http://ocsp.test/${i}`);
  assert.equal(respondersOf(card(...many), both).length, 4);
});

const attempt = (verdict: OcspAttempt['verdict']): OcspAttempt => ({ responder: 'http://ocsp.test/', verdict });
const says = (changes: Partial<OcspAnswer> = {}): OcspAttempt =>
  attempt({ ok: true, answer: { ...ANSWER, ...changes } });
const fails = (why: string, unauthorized = false): OcspAttempt => attempt({ ok: false, unauthorized, why });

test('of several responders the one that knows counts, then one that does not know, then none', () => {
  const standing = (...attempts: readonly OcspAttempt[]): OcspStanding => standingOf(attempts, HOUR, NOW);
  const status = (found: OcspStanding): string => (found.kind === 'answer' ? found.answer.status : found.cause);
  assert.equal(status(standing(fails('down'), says({ status: 'unknown' }), says())), 'good');
  assert.equal(status(standing(fails('down'), says({ status: 'unknown' }))), 'unknown');
  assert.equal(status(standing(fails('down'), fails('no', true))), 'unavailable');
  assert.equal(status(standing(fails('no', true))), 'unauthorized');
});

test('an answer is asked for anew after maxAge or its nextUpdate, an unknown after a minute, none after seconds', () => {
  const askAgain = (one: OcspAttempt, maxAgeMs = HOUR / 2): number => standingOf([one], maxAgeMs, NOW).askAgainMs - NOW;
  assert.equal(askAgain(says()), HOUR / 2);
  assert.equal(askAgain(says(), 10 * HOUR), HOUR);
  assert.equal(askAgain(says({ status: 'unknown' })), 60_000);
  assert.equal(askAgain(fails('down')), 5000);
});

test('an older answer, or none, does not take the place of one that still counts', () => {
  const before = answered({ status: 'revoked', thisUpdateMs: NOW - 1000 });
  for (const now of [answered({ thisUpdateMs: NOW - HOUR }), none('unavailable'), none('no-responder')]) {
    const kept = succeed(before, now, NOW);
    assert.ok(kept.kind === 'answer' && kept.answer.status === 'revoked');
    assert.equal(kept.askAgainMs, NOW + 5000);
  }
  const newer = answered({ thisUpdateMs: NOW });
  assert.equal(succeed(before, newer, NOW), newer);
  const over = answered({ countsUntilMs: NOW });
  assert.equal(succeed(over, STANDINGS.unavailable, NOW), STANDINGS.unavailable);
  assert.equal(succeed(undefined, newer, NOW), newer);
});

test('what is known is fresh until it is to be asked again', () => {
  assert.ok(isFresh(answered(), NOW + HOUR - 1));
  assert.ok(!isFresh(answered(), NOW + HOUR));
  assert.ok(!isFresh(undefined, NOW));
});

test('a responder that failed three times is left alone for five seconds, and is well after one answer', () => {
  const health = new ResponderHealth();
  const url = 'http://ocsp.test/a';
  for (let i = 0; i < 3; i++) {
    assert.ok(!health.isPaused(url, NOW));
    health.note(url, false, NOW);
  }
  assert.ok(health.isPaused('http://ocsp.test/b', NOW + 4999));
  assert.ok(!health.isPaused(url, NOW + 5000));
  assert.ok(!health.isPaused('http://other.test/', NOW));
  health.note(url, true, NOW);
  assert.ok(!health.isPaused(url, NOW));
});
