import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import {
  authority,
  basicConstraints,
  certificate,
  client,
  extendedKeyUsage,
  extension,
  generalName,
  type Issuer,
  keyUsage,
  name,
  nameConstraints,
  oid,
  pem,
  policies,
  seq,
  subjectAltName,
  tlv,
  utf8,
} from '../../test/pkits/certificate-writer.ts';
import { type CertificatePathRequest, createSignatureCache, findPaths } from './certificate-path.ts';
import { pathRulesOf } from './path-rules.ts';
import type { ValidatedPath } from './path-validation.ts';
import { buildTrustStore, type TrustStore } from './trust-store.ts';

const NOW_MS = Date.UTC(2026, 10, 24);
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const SMART_CARD_LOGON = '1.3.6.1.4.1.311.20.2.2';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const PROFILE = { extendedKeyUsage: ['clientAuth', 'none'], inhibitPolicyMapping: false, inhibitAnyPolicy: false };
const CA = [basicConstraints(true), keyUsage(1 << 5)];

const root = authority(name('O=Example', 'CN=Root'));
const issuing = authority(name('O=Example', 'CN=Issuing'), { issuer: root });
const alice = client(issuing);

const store = (...issuers: readonly Issuer[]): TrustStore => buildTrustStore(issuers.map(({ der }) => pem(der)));
const both = store(root, issuing);

const request = (
  leaf: Issuer,
  trustStore = both,
  more: Partial<CertificatePathRequest> = {},
): CertificatePathRequest => ({
  leaf: leaf.der,
  trustStore,
  nowMs: NOW_MS,
  ...more,
});

const pathsOf = (...args: Parameters<typeof request>): ValidatedPath[] => [...findPaths(request(...args))];
const explainFailure = (wanted: CertificatePathRequest) => {
  const search = findPaths(wanted);
  assert.deepEqual([...search], []);
  return search.failure();
};
const fault = (...args: Parameters<typeof request>): string => explainFailure(request(...args)).fault;
const names = (path: ValidatedPath | undefined): string[] | undefined =>
  path?.certificates.map(({ subject }) => subject.rfc4514.split(',')[0] as string);

test("the client's own certificate is enough when the intermediates are in the store", () => {
  assert.deepEqual(names(pathsOf(alice)[0]), ['CN=ADAMS.ALICE.A.1000000001', 'CN=Issuing', 'CN=Root']);
});

test('a chain that the client sends is used, in any order and with strangers in it', () => {
  const sub = authority(name('CN=Sub'), { issuer: issuing });
  const leaf = client(sub);
  const presented = () => [Buffer.from('junk'), authority(name('CN=Stranger')).der, issuing.der, leaf.der, sub.der];
  assert.equal(pathsOf(leaf, store(root), { presented }).length, 1);
  assert.equal(fault(leaf, store(root)), 'not-trusted');
});

test('what the client presented is not asked for while the store has a valid path', () => {
  const presented = (): never => assert.fail('asked for');
  const [path] = findPaths(request(alice, both, { presented }));
  assert.ok(path);
});

test('a root that the client presents is no anchor', () => {
  const foreign = authority(name('CN=Foreign'));
  assert.equal(fault(client(foreign), both, { presented: () => [foreign.der] }), 'not-trusted');
});

test("an authority with an anchor's name and another key is not trusted", () => {
  const impostor = authority(name('O=Example', 'CN=Root'));
  const leaf = client(impostor);
  assert.equal(fault(leaf, store(root), { presented: () => [impostor.der] }), 'not-trusted');
  assert.match(explainFailure(request(leaf, store(root))).detail, /signature does not verify/);
});

test('a self-signed certificate of a stranger is not trusted', () => {
  assert.equal(fault(certificate({ subject: name('CN=me') })), 'not-trusted');
});

test('a self-signed certificate that is listed is trusted for itself, and may not issue', () => {
  const self = certificate({ subject: name('CN=me'), extensions: [keyUsage(1), extendedKeyUsage(CLIENT_AUTH)] });
  assert.deepEqual(names(pathsOf(self, store(self))[0]), ['CN=me']);
  assert.equal(fault(client(self), store(self)), 'authority-not-allowed');
});

test('an intermediate whose own issuer is missing makes a broken chain', () => {
  assert.equal(fault(alice, store(issuing)), 'broken-chain');
});

test('dates: the second of notAfter still counts, the one after it does not', () => {
  const leaf = client(issuing, { notBefore: '260101000000Z', notAfter: '261231235959Z' });
  const at = (nowMs: number) => ({ nowMs });
  assert.equal(pathsOf(leaf, both, at(Date.UTC(2026, 11, 31, 23, 59, 59))).length, 1);
  assert.equal(pathsOf(leaf, both, at(Date.UTC(2026, 0, 1))).length, 1);
  assert.equal(fault(leaf, both, at(Date.UTC(2027, 0, 1))), 'expired');
  assert.equal(fault(leaf, both, at(Date.UTC(2025, 11, 31))), 'not-yet-valid');
  assert.equal(explainFailure(request(leaf, both, at(Date.UTC(2027, 0, 1)))).reason, 'client certificate expired');
});

test('an expired authority validates nothing, be it intermediate or anchor', () => {
  const oldRoot = authority(name('CN=Old root'), { notAfter: '250101000000Z' });
  assert.equal(store(oldRoot).anchors.length, 1);
  assert.equal(fault(client(oldRoot), store(oldRoot)), 'authority-expired');
  const oldIssuing = authority(name('CN=Old'), { issuer: root, notAfter: '250101000000Z' });
  assert.equal(fault(client(oldIssuing), store(root, oldIssuing)), 'authority-expired');
  const early = authority(name('CN=Early'), { issuer: root, notBefore: '300101000000Z' });
  assert.equal(fault(client(early), store(root, early)), 'authority-not-yet-valid');
});

test('an expired certificate of a stranger is not trusted rather than expired', () => {
  assert.equal(fault(client(authority(name('CN=Foreign')), { notAfter: '250101000000Z' })), 'not-trusted');
});

test('after a renewal the authority certificate that is still valid is used', () => {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const old = authority(name('CN=Issuing'), { issuer: root, keys, notAfter: '250101000000Z' });
  const renewed = authority(name('CN=Issuing'), { issuer: root, keys, serial: [9] });
  assert.equal(pathsOf(client(renewed), store(root, old, renewed)).length, 1);
});

test('purpose: clientAuth must be allowed where extended key usage is present', () => {
  const purposes = (...extensions: Buffer[]): string | number => {
    const leaf = client(issuing, { extensions });
    return pathsOf(leaf).length || fault(leaf);
  };
  assert.equal(purposes(), 1);
  assert.equal(purposes(extendedKeyUsage(SERVER_AUTH)), 'wrong-purpose');
  assert.equal(purposes(extendedKeyUsage(SERVER_AUTH, CLIENT_AUTH)), 1);
  assert.equal(purposes(extendedKeyUsage('2.5.29.37.0')), 1);
  assert.equal(purposes(keyUsage(1 << 2)), 'wrong-purpose');
  assert.equal(purposes(keyUsage(1 << 4)), 1);
  assert.equal(purposes(keyUsage(1 << 5)), 'wrong-purpose');
});

test('purpose: a profile may also ask for the extension, for smart-card logon, for another purpose, or for none', () => {
  const plain = client(issuing, { extensions: [] });
  const card = client(issuing, { extensions: [extendedKeyUsage(SMART_CARD_LOGON)] });
  const signer = client(issuing, { extensions: [extendedKeyUsage('1.3.6.1.5.5.7.3.4')] });
  const anything = client(issuing, { extensions: [extendedKeyUsage('2.5.29.37.0')] });
  const table: [string[], string[]][] = [
    [
      ['clientAuth', 'none'],
      ['valid', 'wrong-purpose', 'wrong-purpose', 'valid', 'valid'],
    ],
    [['clientAuth'], ['wrong-purpose', 'wrong-purpose', 'wrong-purpose', 'valid', 'valid']],
    [['smartCardLogon'], ['wrong-purpose', 'valid', 'wrong-purpose', 'valid', 'wrong-purpose']],
    [
      ['clientAuth', 'smartCardLogon', 'none'],
      ['valid', 'valid', 'wrong-purpose', 'valid', 'valid'],
    ],
    [['1.3.6.1.5.5.7.3.4'], ['wrong-purpose', 'wrong-purpose', 'valid', 'valid', 'wrong-purpose']],
    [['none'], ['valid', 'wrong-purpose', 'wrong-purpose', 'wrong-purpose', 'wrong-purpose']],
    [['any'], ['valid', 'valid', 'valid', 'valid', 'valid']],
  ];
  for (const [words, expected] of table) {
    const { purpose } = pathRulesOf({ ...PROFILE, extendedKeyUsage: words });
    const outcomes = [plain, card, signer, anything, alice].map((leaf) =>
      pathsOf(leaf, both, { purpose }).length > 0 ? 'valid' : fault(leaf, both, { purpose }),
    );
    assert.deepEqual(outcomes, expected, words.join(', '));
  }
  // Key usage is looked at whatever the extended key usage may be.
  const { purpose } = pathRulesOf({ ...PROFILE, extendedKeyUsage: ['any'] });
  assert.equal(fault(client(issuing, { extensions: [keyUsage(1 << 2)] }), both, { purpose }), 'wrong-purpose');
});

test('purpose: one purpose must be allowed from the anchor down to the leaf', () => {
  const limited = (...purposes: string[]) =>
    authority(name('CN=Limited'), { issuer: root, extensions: [...CA, extendedKeyUsage(...purposes)] });
  const { purpose } = pathRulesOf({ ...PROFILE, extendedKeyUsage: ['clientAuth', 'smartCardLogon', 'none'] });
  const outcome = (ca: Issuer, ...purposes: string[]): string => {
    const leaf = client(ca, { extensions: purposes.length > 0 ? [extendedKeyUsage(...purposes)] : [] });
    return pathsOf(leaf, store(root, ca), { purpose }).length > 0 ? 'valid' : fault(leaf, store(root, ca), { purpose });
  };
  const logon = limited(SMART_CARD_LOGON);
  assert.equal(outcome(logon, SMART_CARD_LOGON), 'valid');
  assert.equal(outcome(logon, CLIENT_AUTH, SMART_CARD_LOGON), 'valid');
  assert.equal(outcome(logon, CLIENT_AUTH), 'authority-purpose');
  assert.equal(outcome(logon), 'valid');
  assert.equal(outcome(limited('2.5.29.37.0'), CLIENT_AUTH), 'valid');
  assert.equal(outcome(limited('1.3.6.1.5.5.7.3.4')), 'authority-purpose');
});

test('purpose: the extended key usage of an authority limits what is below it', () => {
  const limited = authority(name('CN=TLS servers'), {
    issuer: root,
    extensions: [...CA, extendedKeyUsage(SERVER_AUTH)],
  });
  assert.equal(fault(client(limited), store(root, limited)), 'authority-purpose');
  assert.equal(pathsOf(client(limited), store(root, limited), { purpose: 'any' }).length, 1);
});

test('only an authority may issue', () => {
  for (const extensions of [[], [basicConstraints(false)], [basicConstraints(true), keyUsage(1)]]) {
    const fake = certificate({ subject: name('CN=Fake'), issuer: root, extensions });
    assert.equal(fault(client(fake), store(root), { presented: () => [fake.der] }), 'authority-not-allowed');
  }
  assert.equal(fault(client(alice), both, { presented: () => [alice.der] }), 'authority-not-allowed');
});

test('an anchor of version 1 may issue, an intermediate of version 1 may not', () => {
  const old = certificate({ subject: name('CN=Old'), version: 1 });
  assert.equal(pathsOf(client(old), store(old)).length, 1);
  const middle = certificate({ subject: name('CN=Middle'), issuer: root, version: 1 });
  assert.equal(fault(client(middle), store(root, middle)), 'authority-not-allowed');
});

test("the anchor's own path length and name constraints count", () => {
  const short = authority(name('CN=Short'), { extensions: [basicConstraints(true, 0), keyUsage(1 << 5)] });
  const below = authority(name('CN=Below'), { issuer: short });
  assert.equal(pathsOf(client(short), store(short)).length, 1);
  assert.equal(fault(client(below), store(short, below)), 'path-length');
  const bound = authority(name('CN=Bound'), {
    extensions: [...CA, nameConstraints([generalName.dns('example.test')])],
  });
  const inside = client(bound, { extensions: [subjectAltName(generalName.dns('a.example.test'))] });
  const outside = client(bound, { extensions: [subjectAltName(generalName.dns('a.example.org'))] });
  assert.equal(pathsOf(inside, store(bound)).length, 1);
  assert.equal(fault(outside, store(bound)), 'name-constraints');
});

test('an unknown critical extension refuses, wherever it is', () => {
  const unknown = extension('1.2.3.4', utf8('x'), true);
  assert.equal(fault(client(issuing, { extensions: [unknown] })), 'critical-extension');
  const middle = authority(name('CN=Middle'), { issuer: root, extensions: [...CA, unknown] });
  assert.equal(fault(client(middle), store(root, middle)), 'critical-extension');
  assert.equal(pathsOf(client(issuing, { extensions: [extension('1.2.3.4', utf8('x'))] })).length, 1);
});

test('weak keys and weak signatures are refused', () => {
  const keys = generateKeyPairSync('rsa', { modulusLength: 1024 });
  assert.equal(fault(client(issuing, { keys })), 'key-too-weak');
  const sha1 = {
    algorithm: seq(oid('1.2.840.10045.4.1')),
    signWith: (tbs: Uint8Array, key: KeyObject) => sign('sha1', tbs, key),
  };
  assert.equal(fault(client(issuing, sha1)), 'weak-signature');
  const weakRoot = authority(name('CN=Weak'), {
    keys,
    algorithm: seq(oid('1.2.840.113549.1.1.11'), tlv(5)),
  });
  assert.equal(
    fault(client(weakRoot, { algorithm: seq(oid('1.2.840.113549.1.1.11'), tlv(5)) }), store(weakRoot)),
    'weak-signature',
  );
  assert.match(store(weakRoot).warnings.join(), /1024 bits/);
});

test('a malformed certificate is malformed, and never an exception', () => {
  const search = findPaths({ leaf: Buffer.from('junk'), trustStore: both, nowMs: NOW_MS });
  assert.deepEqual([...search], []);
  assert.equal(search.failure().reason, 'client certificate malformed');
});

test('policies: one of those required must be valid for the path', () => {
  const [gold, silver, any] = ['1.2.3.1', '1.2.3.2', '2.5.29.32.0'];
  const required = (...requirePolicies: string[]) => pathRulesOf({ ...PROFILE, requirePolicies }).policies;
  const ca = authority(name('CN=Policy'), { issuer: root, extensions: [...CA, policies(any)] });
  const leaf = client(ca, { extensions: [policies(gold)] });
  const trust = store(root, ca);
  assert.deepEqual(pathsOf(leaf, trust, { policies: required(silver, gold) })[0]?.policies, [gold]);
  assert.equal(fault(leaf, trust, { policies: required(silver) }), 'policy');
  assert.equal(pathsOf(leaf, trust, { policies: required() }).length, 1);
  assert.equal(fault(alice, both, { policies: required(gold) }), 'policy');
});

test('a cross-certificate gives a second path, and a fault in one leaves the other', () => {
  const partner = authority(name('CN=Partner'));
  const cross = authority(issuing.subject as Buffer, { issuer: partner, keys: issuing.keys });
  assert.equal(pathsOf(alice, store(root, issuing, partner, cross)).length, 2);
  const expired = authority(issuing.subject as Buffer, {
    issuer: partner,
    keys: issuing.keys,
    notAfter: '250101000000Z',
  });
  assert.equal(pathsOf(alice, store(root, issuing, partner, expired)).length, 1);
});

test('authorities that certify each other in a ring end the search, not the program', () => {
  const [a, b] = [authority(name('CN=A')), authority(name('CN=B'))];
  const aByB = authority(name('CN=A'), { issuer: b, keys: a.keys });
  const bByA = authority(name('CN=B'), { issuer: a, keys: b.keys });
  assert.equal(fault(client(a), both, { presented: () => [aByB.der, bByA.der] }), 'not-trusted');
});

test('the work for chains that a client makes up is bounded', () => {
  const namesakes = Array.from({ length: 30 }, () => authority(name('CN=Loop')));
  const chain: Issuer[] = [authority(name('CN=Loop'))];
  for (let i = 0; i < 5; i++) chain.push(authority(name('CN=Loop'), { issuer: chain[i] as Issuer }));
  const leaf = client(chain[5] as Issuer);
  const presented = () => chain.map(({ der }) => der);
  assert.equal(fault(leaf, store(...namesakes), { presented }), 'too-complex');
  assert.equal(explainFailure(request(leaf, store(...namesakes), { presented })).detail, 'too many possible chains');
  assert.equal(fault(leaf, store(...namesakes.slice(0, 3)), { presented }), 'not-trusted');
});

test("the caller's own subtrees count beside those in certificates", () => {
  const leaf = client(issuing, { extensions: [subjectAltName(generalName.dns('a.example.test'))] });
  const permit = (text: string) => ({
    initialSubtrees: { permitted: [{ kind: 'dNSName', text } as const], excluded: [] },
  });
  assert.equal(pathsOf(leaf, both, permit('example.test')).length, 1);
  assert.equal(fault(leaf, both, permit('example.org')), 'name-constraints');
});

test('a chain of more than eight certificates below the anchor is too complex', () => {
  const chain: Issuer[] = [root];
  for (let i = 0; i < 8; i++) chain.push(authority(name(`CN=Level ${i}`), { issuer: chain[i] as Issuer }));
  assert.equal(pathsOf(client(chain[7] as Issuer), store(...chain)).length, 1);
  assert.equal(fault(client(chain[8] as Issuer), store(...chain)), 'too-complex');
});

test('the signature cache keeps good signatures only and stays within its bound', () => {
  const added: string[] = [];
  const kept = createSignatureCache(2);
  const signatures = { has: kept.has, add: (key: string) => kept.add((added.push(key), key)) };
  pathsOf(alice, both, { signatures });
  const afterFirst = added.length;
  assert.ok(afterFirst > 0);
  pathsOf(alice, both, { signatures });
  assert.equal(added.length, afterFirst);
  const forged = Buffer.from(alice.der);
  forged[forged.length - 3] = (forged[forged.length - 3] as number) ^ 1;
  assert.equal([...findPaths({ leaf: forged, trustStore: both, nowMs: NOW_MS, signatures })].length, 0);
  assert.equal(added.length, afterFirst);
  for (const key of ['a', 'b', 'c']) kept.add(key);
  assert.deepEqual(['a', 'b', 'c'].map(kept.has), [false, true, true]);
});
