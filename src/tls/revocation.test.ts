import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Authority,
  type CrlRequest,
  crlIssuerField,
  distributionPoint,
  makeCertificate,
  makeCrl,
  newAuthority,
  Scope,
} from '../../test/support/crl-maker.ts';
import {
  above,
  cardOf,
  crlSettings,
  HOUR_MS,
  issuing,
  issuingCert,
  type ListWish,
  listed as loaded,
  NOW_MS,
  root,
  rootCert,
  sourceOf as source,
  storeOf as store,
} from '../../test/support/two-authorities.ts';
import type { CrlConfig } from '../config/schema.ts';
import type { Certificate } from './certificate.ts';
import { loadBundle } from './crl-issuer.ts';
import { checkRevocation, type CrlList, type RevocationVerdict } from './revocation.ts';

const signer = newAuthority('CRL Signer');
/** Another key with the name of the issuing CA. */
const rolledOver = newAuthority('Issuing CA');

const signerCert = makeCertificate({ subject: signer, issuer: root, serial: 3, ca: true, keyUsage: 0x02 });
const rolledOverCert = makeCertificate({ subject: rolledOver, issuer: root, serial: 4, ca: true });
const authorities = store(rootCert, issuingCert, signerCert, rolledOverCert);
const listed = (wish: ListWish, from = 'cac'): CrlList => loaded(wish, { source: from, authorities });

const GOOD = cardOf(0x1001);
const REVOKED = cardOf(0x1006);

const entries = [{ serial: '1006', reason: 1, atMs: NOW_MS - 5 * HOUR_MS }];
const EXPIRED = { thisUpdateMs: NOW_MS - 3 * HOUR_MS, nextUpdateMs: NOW_MS - HOUR_MS };
const ofRoot = listed({ issuer: root });
const ofIssuing = listed({ issuer: issuing, entries });
const ofIssuingLate = listed({ issuer: issuing, entries, ...EXPIRED });

type Question = {
  readonly leaf?: Certificate;
  readonly lists: readonly CrlList[];
  readonly settings?: Partial<CrlConfig>;
  readonly never?: readonly string[];
  readonly nowMs?: number;
};

function ask({ leaf = GOOD, lists, settings = {}, never = [], nowMs = NOW_MS }: Question): RevocationVerdict {
  const config = crlSettings({ sources: { cac: source() }, ...settings });
  const sources = Object.keys(config.sources).map((name) => ({ name, everGood: !never.includes(name) }));
  return checkRevocation({ path: [leaf, ...above], crls: { generation: 1, lists, sources }, settings: config, nowMs });
}

/** `good`, `revoked:keyCompromise`, or the rule that refused. */
function told(question: Question): string {
  const verdict = ask(question);
  if (verdict.status === 'revoked') return `revoked:${verdict.reason}`;
  return verdict.status === 'good' ? 'good' : verdict.rule;
}

const both = [ofRoot, ofIssuing];
const accepting = { whenNoSource: 'accept' } as const;

const TABLE: readonly (readonly [title: string, question: Question, expected: string])[] = [
  ['a certificate that no list names is good', { lists: both }, 'good'],
  ['a certificate that its list names is revoked', { lists: both, leaf: REVOKED }, 'revoked:keyCompromise'],
  ['without checkInbound nothing is checked', { lists: [], settings: { checkInbound: false } }, 'good'],
  ['without any list the path is refused', { lists: [] }, 'crl.whenNoSource'],
  ['every certificate below the anchor needs a list', { lists: [ofIssuing] }, 'crl.whenNoSource'],
  ['a missing list hides no revocation', { lists: [ofIssuing], leaf: REVOKED }, 'revoked:keyCompromise'],
  ['whenNoSource accept lets pass what no list speaks about', { lists: [], settings: accepting }, 'good'],
  [
    'whenNoSource accept lets no revoked certificate pass',
    { lists: [ofIssuing], leaf: REVOKED, settings: accepting },
    'revoked:keyCompromise',
  ],
  [
    'a source without a copy yet must say accept too',
    { lists: [], settings: accepting, never: ['cac'] },
    'crl.sources.cac.whenUnavailable',
  ],
  [
    'whenUnavailable accept and whenNoSource accept together let pass',
    { lists: [], never: ['cac'], settings: { ...accepting, sources: { cac: source({ whenUnavailable: 'accept' }) } } },
    'good',
  ],
  [
    'whenUnavailable accept alone is not enough',
    { lists: [], never: ['cac'], settings: { sources: { cac: source({ whenUnavailable: 'accept' }) } } },
    'crl.whenNoSource',
  ],
  [
    'a disabled source need not have had a copy',
    { lists: [], never: ['cac'], settings: { ...accepting, sources: { cac: source({ enabled: false }) } } },
    'good',
  ],
  ['an expired list clears nobody', { lists: [ofRoot, ofIssuingLate] }, 'crl.sources.cac.whenExpired'],
  ['an expired list still revokes', { lists: [ofRoot, ofIssuingLate], leaf: REVOKED }, 'revoked:keyCompromise'],
  [
    'whenNoSource says nothing about an expired list',
    { lists: [ofRoot, ofIssuingLate], settings: accepting },
    'crl.sources.cac.whenExpired',
  ],
  [
    'whenExpired accept lets an expired list clear',
    { lists: [ofRoot, ofIssuingLate], settings: { sources: { cac: source({ whenExpired: 'accept' }) } } },
    'good',
  ],
  [
    'within its grace an expired list counts',
    { lists: [ofRoot, ofIssuingLate], settings: { sources: { cac: source({ grace: HOUR_MS }) } } },
    'good',
  ],
  [
    'after its grace an expired list does not count',
    { lists: [ofRoot, ofIssuingLate], settings: { sources: { cac: source({ grace: HOUR_MS - 1 }) } } },
    'crl.sources.cac.whenExpired',
  ],
  ['a list counts to the end of its nextUpdate', { lists: both, nowMs: NOW_MS + HOUR_MS }, 'good'],
  [
    'a list without nextUpdate never counts',
    { lists: [ofRoot, listedWithoutNextUpdate()] },
    'crl.sources.cac.whenExpired',
  ],
];

function listedWithoutNextUpdate(): CrlList {
  const { nextUpdateMs: _, ...list } = listed({ issuer: issuing });
  return list;
}

for (const [title, question, expected] of TABLE) test(title, () => assert.equal(told(question), expected));

test('a refusal names the issuer whose list is missing, a revocation its reason and time', () => {
  const refused = ask({ lists: [ofIssuing] });
  assert.match('words' in refused ? refused.words : '', /no revocation list of CN=Root CA/);
  const revoked = ask({ lists: both, leaf: REVOKED });
  assert.deepEqual(revoked, {
    status: 'revoked',
    index: 0,
    reason: 'keyCompromise',
    atMs: NOW_MS - 5 * HOUR_MS,
    rule: 'crl.sources.cac',
    words: 'client certificate revoked',
  });
});

test('a revoked authority revokes what it has issued', () => {
  const verdict = ask({ lists: [listed({ issuer: root, entries: [{ serial: '02' }] }), ofIssuing] });
  assert.equal(verdict.status === 'revoked' && verdict.index, 1);
  assert.match(
    'words' in verdict ? verdict.words : '',
    /^client certificate revoked \(its authority CN=Issuing CA is\)$/,
  );
});

test('of several sources the freshest complete list counts', () => {
  const older = listed({ issuer: issuing, number: 1, entries: [{ serial: '1001', reason: 6 }] }, 'a');
  const newer = listed({ issuer: issuing, number: 2 }, 'b');
  assert.equal(told({ lists: [ofRoot, older, newer] }), 'good');
  assert.equal(told({ lists: [ofRoot, newer, older] }), 'good');
  assert.equal(told({ lists: [ofRoot, older] }), 'revoked:certificateHold');
});

test('the same list from two sources counts if one of them lets it', () => {
  const settings = { sources: { a: source(), b: source({ whenExpired: 'accept' }) } };
  assert.equal(
    told({
      lists: [ofRoot, { ...ofIssuingLate, source: 'a' }, { ...ofIssuingLate, source: 'b' }],
      settings: { sources: { ...settings.sources, cac: source() } },
    }),
    'good',
  );
});

const complete = listed({ issuer: issuing, number: 5, entries: [{ serial: '1006', reason: 6 }] });
const delta = (changes: Partial<CrlRequest>): CrlList => listed({ issuer: issuing, number: 7, base: 5, ...changes });

test('a delta adds a revocation to the complete list', () => {
  assert.equal(
    told({ lists: [ofRoot, complete, delta({ entries: [{ serial: '1001', reason: 4 }] })] }),
    'revoked:superseded',
  );
});

test('a delta takes a hold away, and no other reason', () => {
  const released = delta({ entries: [{ serial: '1006', reason: 8 }] });
  assert.equal(told({ lists: [ofRoot, complete, released], leaf: REVOKED }), 'good');
  const compromised = listed({ issuer: issuing, number: 5, entries });
  assert.equal(told({ lists: [ofRoot, compromised, released], leaf: REVOKED }), 'revoked:keyCompromise');
});

test('a delta that does not fit, or has expired, takes no hold away', () => {
  const remove = [{ serial: '1006', reason: 8 }];
  for (const unfit of [
    delta({ base: 6, entries: remove }),
    delta({ number: 5, base: 4, entries: remove }),
    delta({ ...EXPIRED, entries: remove }),
  ]) {
    assert.equal(told({ lists: [ofRoot, complete, unfit], leaf: REVOKED }), 'revoked:certificateHold');
  }
});

test('a current delta brings an expired complete list up to date', () => {
  const late = listed({ issuer: issuing, number: 5, ...EXPIRED });
  assert.equal(told({ lists: [ofRoot, late, delta({})] }), 'good');
  assert.equal(told({ lists: [ofRoot, late, delta({ base: 6 })] }), 'crl.sources.cac.whenExpired');
});

test('a delta alone clears nobody, and revokes', () => {
  assert.equal(told({ lists: [ofRoot, delta({})], settings: accepting }), 'crl.sources');
  assert.equal(told({ lists: [ofRoot, delta({ entries })], leaf: REVOKED }), 'revoked:keyCompromise');
});

test('a list for authorities only says nothing about a user', () => {
  assert.equal(told({ lists: [ofRoot, listed({ issuer: issuing, scope: Scope.of(Scope.onlyCa) })] }), 'crl.sources');
  assert.equal(told({ lists: [ofRoot, listed({ issuer: issuing, scope: Scope.of(Scope.onlyUser) })] }), 'good');
});

test('a partitioned list counts for the certificates of its distribution point', () => {
  const here = distributionPoint(Scope.uri('http://ca.test/1.crl'));
  const scope = Scope.of(Scope.uri('http://ca.test/1.crl'));
  assert.equal(told({ lists: [ofRoot, listed({ issuer: issuing, scope })], leaf: cardOf(0x2001, here) }), 'good');
  assert.equal(told({ lists: [ofRoot, listed({ issuer: issuing, scope })] }), 'crl.sources');
});

test('lists for some reasons add up, and one of them is not enough', () => {
  const compromise = listed({ issuer: issuing, scope: Scope.of(Scope.reasons(0x60)) });
  const others = listed({ issuer: issuing, scope: Scope.of(Scope.reasons(0x1f, 0x80)) });
  assert.equal(told({ lists: [ofRoot, compromise] }), 'crl.sources');
  assert.equal(told({ lists: [ofRoot, compromise, others] }), 'good');
});

const partitionName = (n: number): Uint8Array => Scope.uri(`http://ca.test/${n}.crl`);
const partitionScope = (n: number): Uint8Array => Scope.of(partitionName(n));
const byOther = cardOf(0x1007, distributionPoint(Scope.uri('http://ca.test/i.crl'), crlIssuerField('CRL Signer')));
const indirect = Scope.of(Scope.uri('http://ca.test/i.crl'), Scope.indirect);

test('an indirect list speaks for an issuer whose certificate names it', () => {
  const revoking = listed({
    issuer: signer,
    scope: indirect,
    entries: [{ serial: '1007', certificateIssuer: 'Issuing CA' }],
  });
  assert.equal(told({ lists: [ofRoot, revoking], leaf: byOther }), 'revoked:unspecified');
  assert.equal(told({ lists: [ofRoot, listed({ issuer: signer, scope: indirect })], leaf: byOther }), 'good');
});

test('the same serial of another issuer in an indirect list is not this certificate', () => {
  const list = listed({
    issuer: signer,
    scope: indirect,
    entries: [{ serial: '1007' }, { serial: '1007', certificateIssuer: 'Other CA' }],
  });
  assert.equal(told({ lists: [ofRoot, list], leaf: byOther }), 'good');
});

test('a list of another issuer counts only if it is indirect and the certificate names it', () => {
  assert.equal(told({ lists: [ofRoot, listed({ issuer: signer, scope: indirect })] }), 'crl.whenNoSource');
  const direct = Scope.of(Scope.uri('http://ca.test/i.crl'));
  assert.equal(told({ lists: [ofRoot, listed({ issuer: signer, scope: direct })], leaf: byOther }), 'crl.whenNoSource');
});

test('a revoked signer signs no list that counts', () => {
  const rootRevokesSigner = listed({ issuer: root, entries: [{ serial: '03' }] });
  assert.equal(
    told({ lists: [rootRevokesSigner, listed({ issuer: signer, scope: indirect })], leaf: byOther }),
    'crl.whenNoSource',
  );
});

test('after a key rollover the list under the new key counts for certificates of the old one', () => {
  assert.equal(told({ lists: [ofRoot, listed({ issuer: rolledOver })] }), 'good');
  assert.equal(
    told({ lists: [ofRoot, listed({ issuer: rolledOver, entries })], leaf: REVOKED }),
    'revoked:keyCompromise',
  );
});

test('many lists of a signer that has to be cleared itself cost one look at it, not one for each way through them', () => {
  // Key rollover by self-issued certificates: the lists under the new keys also speak for the certificates of those keys.
  const keys = [rolledOver, newAuthority('Issuing CA')];
  const selfIssued = keys.map((subject, i) =>
    makeCertificate({ subject, issuer: issuing, serial: 0x30 + i, ca: true }),
  );
  const trusted = store(rootCert, issuingCert, ...selfIssued);
  let looks = 0;
  const partition = (issuer: Authority, n: number): CrlList => {
    const { signerPaths, ...list } = loaded({ issuer, scope: partitionScope(n) }, { authorities: trusted });
    return {
      ...list,
      get signerPaths() {
        looks += 1;
        return signerPaths;
      },
    };
  };
  const partitions = keys.flatMap((issuer) => Array.from({ length: 60 }, (_, n) => partition(issuer, n)));
  const leaf = cardOf(0x2001, distributionPoint(partitionName(7)));
  assert.equal(told({ lists: [ofRoot, ofIssuing, ...partitions], leaf }), 'good');
  assert.ok(looks < 20 * partitions.length, `${looks} looks at ${partitions.length} lists`);
});

test('a namesake under another anchor signs no list that counts', () => {
  const otherRoot = newAuthority('Other Root');
  const otherRootCert = makeCertificate({ subject: otherRoot, issuer: otherRoot, serial: 1, ca: true });
  const namesake = newAuthority('Issuing CA');
  const namesakeCert = makeCertificate({ subject: namesake, issuer: otherRoot, serial: 2, ca: true });
  const both = store(rootCert, issuingCert, otherRootCert, namesakeCert);
  assert.equal(told({ lists: [ofRoot, loaded({ issuer: namesake }, { authorities: both })] }), 'crl.whenNoSource');
});

test('a list of an intermediate that the client sends counts once its key has verified it', () => {
  const rootOnly = store(rootCert);
  const load = (issuer: Authority, serial: string) => {
    const der = makeCrl({
      issuer,
      thisUpdateMs: NOW_MS - HOUR_MS,
      nextUpdateMs: NOW_MS + HOUR_MS,
      entries: [{ serial }],
    });
    const { lists, foreign, faults } = loadBundle({ bytes: der, type: 'asn1', authorities: rootOnly, nowMs: NOW_MS });
    assert.equal(lists.length, 0);
    assert.match(faults.join(), /in no certificateAuthorities file/);
    return foreign.map(({ crl }) => ({ ...structuredClone(crl), source: 'cac' }));
  };
  const verdict = (foreign: ReturnType<typeof load>, leaf: Certificate): string => {
    const crls = { generation: 1, lists: [ofRoot], foreign, sources: [{ name: 'cac', everGood: true }] };
    const settings = crlSettings({ sources: { cac: source() } });
    return checkRevocation({ path: [leaf, ...above], crls, settings, nowMs: NOW_MS }).status;
  };
  assert.equal(verdict(load(issuing, '1006'), GOOD), 'good');
  assert.equal(verdict(load(issuing, '1006'), REVOKED), 'revoked');
  const forged = load({ ...newAuthority('x'), commonName: 'Issuing CA' }, '1001');
  assert.equal(verdict(forged, GOOD), 'refused');
  assert.equal(verdict([...forged, ...load(issuing, '1006')], GOOD), 'good');
});

test('a certificate that nothing speaks about is told as unknown, also where the settings let it pass', () => {
  const refused = ask({ lists: [ofRoot] });
  assert.deepEqual(refused.status === 'refused' && refused.unknown.map(({ serial }) => [...serial]), [[0x10, 0x01]]);
  const passed = ask({ lists: [ofRoot], settings: accepting });
  assert.deepEqual(passed.status === 'good' && passed.unknown.length, 1);
  const good = ask({ lists: both });
  assert.deepEqual(good.status === 'good' && good.unknown, []);
});

test('the snapshot can be sent to another thread', () => {
  const copy = structuredClone(ofIssuing);
  assert.equal(told({ lists: [ofRoot, copy], leaf: REVOKED }), 'revoked:keyCompromise');
});
