import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { no, unknown, yes } from '../core/verdict.ts';
import {
  asksForCertificate,
  type CertificateStanding,
  decideIdentity,
  type IdentityFacts,
  needsOwner,
} from './identity-verdict.ts';

const names = { subject: 'CN=ADAMS.ALICE.A.1000000001', issuer: 'CN=Issuing', serial: '1001' };
const NONE: CertificateStanding = { kind: 'none' };
const REVOKED: CertificateStanding = { kind: 'invalid', reason: 'client certificate revoked', rule: 'crl', names };
const OWNED: CertificateStanding = { kind: 'valid', names, owner: yes({ user: 'alice', by: 'ldap.queries.card' }) };
const UNOWNED: CertificateStanding = { kind: 'valid', names, owner: no('no entry') };
const DIRECTORY_DOWN: CertificateStanding = { kind: 'valid', names, owner: unknown('no host answers') };
const ON_ITS_WAY: CertificateStanding = {
  kind: 'unchecked',
  lacks: 'revocation',
  reason: 'no revocation list',
  rule: 'crl',
  names,
};

const NO_ISSUER: CertificateStanding = { ...ON_ITS_WAY, lacks: 'issuer', reason: 'no issuer', rule: 'aia' };

const facts = (
  verify: boolean,
  tls: IdentityFacts['tls'],
  smtpAuth: IdentityFacts['smtpAuth'] = 'required',
): IdentityFacts => ({ verify, tls, smtpAuth });

/** The truth table of the contract, a row a certificate: [verify + tls required, verify + tls preferred, verify off]. */
const TABLE: readonly [string, CertificateStanding, string, string, string][] = [
  ['none given', NONE, 'refused', 'anonymous', 'anonymous'],
  ['invalid', REVOKED, 'refused', 'refused', 'anonymous'],
  ['valid, exactly one entry', OWNED, 'identity', 'identity', 'identity'],
  ['valid, no entry or several', UNOWNED, 'refused', 'refused', 'anonymous'],
  ['valid path, revocation not known yet', ON_ITS_WAY, 'deferred', 'deferred', 'deferred'],
  ['an issuer that cannot be fetched now', NO_ISSUER, 'deferred', 'deferred', 'deferred'],
  ['valid, directory unavailable', DIRECTORY_DOWN, 'deferred', 'deferred', 'deferred'],
];

describe('the truth table of client certificates', () => {
  for (const [title, standing, required, preferred, off] of TABLE) {
    test(`${title}, verify on, tls required: ${required}`, () =>
      assert.equal(decideIdentity(facts(true, 'required'), standing).kind, required));
    test(`${title}, verify on, tls preferred: ${preferred}`, () =>
      assert.equal(decideIdentity(facts(true, 'preferred'), standing).kind, preferred));
    test(`${title}, verify off: ${off}`, () =>
      assert.equal(decideIdentity(facts(false, 'required'), standing).kind, off));
  }

  test('a refusal says the reason in words with 554 5.7.1', () => {
    const verdict = decideIdentity(facts(true, 'required'), REVOKED);
    assert.ok(verdict.kind === 'refused');
    assert.deepEqual(verdict.reply, { code: 554, status: '5.7.1', lines: ['client certificate revoked'] });
  });

  test('what is not known yet is said with 454 4.7.0 and what it is', () => {
    for (const [standing, words] of [
      [ON_ITS_WAY, /not known yet whether the client certificate is revoked/],
      [NO_ISSUER, /an issuer of the client certificate cannot be fetched now/],
    ] as const) {
      const verdict = decideIdentity(facts(true, 'required'), standing);
      assert.ok(verdict.kind === 'deferred');
      assert.equal(`${verdict.reply.code} ${verdict.reply.status}`, '454 4.7.0');
      assert.match(verdict.reply.lines.join(), words);
    }
  });

  test('with smtpAuth off a certificate gives no identity', () => {
    assert.equal(decideIdentity(facts(true, 'required', 'off'), OWNED).kind, 'anonymous');
  });

  test('a certificate is asked for when verify is on or the profile is of type certificate', () => {
    assert.equal(asksForCertificate(true, undefined), true);
    assert.equal(asksForCertificate(false, 'certificate'), true);
    assert.equal(asksForCertificate(false, 'ldap'), false);
    assert.equal(asksForCertificate(false, undefined), false);
  });

  test('the directory is left alone where its answer could change nothing', () => {
    assert.equal(needsOwner(facts(false, 'preferred', 'off')), false);
    assert.equal(needsOwner(facts(true, 'preferred', 'off')), true);
    assert.equal(needsOwner(facts(false, 'preferred', 'preferred')), true);
  });
});
