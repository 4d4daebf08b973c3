import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Authority, makeCertificate, newAuthority } from '../../test/support/crl-maker.ts';
import {
  above,
  crlSettings,
  HOUR_MS as HOUR,
  issuing,
  listed,
  NOW_MS as NOW,
  root,
} from '../../test/support/two-authorities.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import type { OcspAnswer } from './ocsp.ts';
import type { OcspRules, OcspStanding } from './ocsp-policy.ts';
import { checkRevocation, type CrlList, type RevocationVerdict } from './revocation.ts';

const below = (serial: number): Buffer =>
  makeCertificate({ subject: newAuthority(`card ${serial}`), issuer: issuing, serial, ca: false });
const leaf = parseCertificate(below(0x1001));
const path = [leaf, ...above];
const delegate = below(0x2001);

const listOf = (issuer: Authority, ...serials: readonly string[]): CrlList =>
  listed({ issuer, entries: serials.map((serial) => ({ serial, reason: 1 })) });
const ROOT_LIST = listOf(root);
const ISSUING_LIST = listOf(issuing);

const answered = (status: OcspAnswer['status'], unchecked?: Uint8Array): OcspStanding => ({
  kind: 'answer',
  responder: 'http://ocsp.test/',
  askAgainMs: NOW + HOUR,
  answer: {
    status,
    thisUpdateMs: NOW,
    producedAtMs: NOW,
    countsUntilMs: NOW + HOUR,
    signer: { kind: 'issuer', name: 'CN=Issuing CA' },
    nonce: 'matched',
    ...(status === 'revoked' ? { revoked: { atMs: NOW - HOUR, reason: 'keyCompromise' } } : {}),
    ...(unchecked === undefined ? {} : { unchecked }),
  },
});
const DOWN: OcspStanding = { kind: 'none', cause: 'unavailable', why: 'down', askAgainMs: NOW };
const NOBODY: OcspStanding = { kind: 'none', cause: 'no-responder', why: 'none named', askAgainMs: NOW };

type Question = {
  readonly lists?: readonly CrlList[];
  readonly useLists?: boolean;
  readonly of: OcspStanding;
  readonly ofAuthority?: OcspStanding;
  readonly rules?: Partial<OcspRules>;
};

function ask({
  lists = [],
  useLists = true,
  of,
  ofAuthority = answered('good'),
  rules = {},
}: Question): RevocationVerdict {
  const standing = ({ certificate }: { certificate: Certificate }): OcspStanding =>
    certificate === leaf ? of : ofAuthority;
  return checkRevocation({
    path,
    nowMs: NOW,
    crls: { generation: 1, lists, sources: [] },
    settings: crlSettings({ checkInbound: useLists }),
    ocsp: {
      standing,
      rules: {
        rule: 'ocsp',
        mode: 'require',
        timeout: 1000,
        hash: 'sha1',
        nonce: 'off',
        maxAge: HOUR,
        ...rules,
      },
    },
  });
}

const GOOD = answered('good');
const TABLE: readonly (readonly [title: string, question: Question, expected: RevocationVerdict['status']])[] = [
  ['an answer is enough without any list', { of: GOOD }, 'good'],
  ['an answer is enough where lists are not used', { of: GOOD, useLists: false }, 'good'],
  ['an answer that says revoked counts against a good list', { of: answered('revoked'), lists: [ROOT_LIST, ISSUING_LIST] }, 'revoked'],
  ['a list that says revoked counts against a good answer', { of: GOOD, lists: [listOf(issuing, '1001')] }, 'revoked'],
  ['a list that says revoked counts while the responder is down', { of: DOWN, lists: [listOf(issuing, '1001')], rules: { whenUnavailable: 'accept' } }, 'revoked'],
  ['a revoked authority counts, whoever says it', { of: GOOD, ofAuthority: answered('revoked') }, 'revoked'],
  ['a revoked authority counts by its list', { of: GOOD, lists: [listOf(root, '02')] }, 'revoked'],
  ['each certificate by what speaks for it: answer for the card, list for the authority', { of: GOOD, ofAuthority: NOBODY, lists: [ROOT_LIST], rules: { whenNoResponder: 'crl' } }, 'good'],
  ['an authority that nobody speaks for refuses', { of: GOOD, ofAuthority: NOBODY }, 'refused'],
  ['a responder that is down leaves it open', { of: DOWN, lists: [ROOT_LIST, ISSUING_LIST] }, 'unchecked'],
  ['what is refused for good wins over what is open', { of: DOWN, ofAuthority: NOBODY }, 'refused'],
  ['revoked wins over what is open', { of: DOWN, ofAuthority: answered('revoked') }, 'revoked'],
  ['with prefer the lists decide while it is down', { of: DOWN, ofAuthority: DOWN, lists: [ROOT_LIST, ISSUING_LIST], rules: { mode: 'prefer' } }, 'good'],
  ['with prefer, down and without lists, nobody comes in', { of: DOWN, ofAuthority: DOWN, rules: { mode: 'prefer' } }, 'refused'],
  ['lists that are not used let nobody in', { of: DOWN, useLists: false, rules: { mode: 'prefer' } }, 'refused'],
  ['a delegate without nocheck counts with a list that clears it', { of: answered('good', delegate), lists: [ISSUING_LIST] }, 'good'],
  ['a delegate without nocheck counts for nothing without a list', { of: answered('good', delegate) }, 'unchecked'],
  ['a delegate that is revoked counts for nothing', { of: answered('good', delegate), lists: [listOf(issuing, '2001')] }, 'unchecked'],
  ['not even what it says is revoked', { of: answered('revoked', delegate), lists: [listOf(issuing, '2001')], rules: { whenUnavailable: 'crl' }, ofAuthority: GOOD }, 'good'],
]; // biome-ignore format: a table

for (const [title, question, expected] of TABLE) {
  test(`${title}: ${expected}`, () => assert.equal(ask(question).status, expected));
}

test('what the lists lack is asked for only where the lists decide', () => {
  const unknownOf = (question: Question): readonly Certificate[] => {
    const verdict = ask(question);
    assert.ok(verdict.status !== 'revoked');
    return verdict.unknown;
  };
  assert.deepEqual(unknownOf({ of: GOOD }), []);
  assert.deepEqual(unknownOf({ of: DOWN, rules: { mode: 'prefer' } }), [leaf]);
  assert.equal(unknownOf({ of: answered('good', delegate) })[0]?.serialHex, '2001');
});
