/**
 * NIST's Public Key Interoperability Test Suite over the validator: path building, path validation and revocation, each
 * test of sections 4.1 to 4.16 with the initial settings and the result that the document states. Each test sees every
 * authority and every revocation list of the suite at once, as a gateway with many sources would; the anchor is PKITS'.
 */
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { test } from 'node:test';
import type { CrlConfig } from '../../src/config/schema.ts';
import { type Certificate, parseCertificate } from '../../src/tls/certificate.ts';
import { findPaths, type TriedChain } from '../../src/tls/certificate-path.ts';
import { loadBundle } from '../../src/tls/crl-issuer.ts';
import { childrenOf, encodingOf, readDer } from '../../src/tls/der.ts';
import { explainChain } from '../../src/tls/path-explanation.ts';
import type { ValidatedPath } from '../../src/tls/path-validation.ts';
import { checkRevocation, type CrlList, type CrlSet } from '../../src/tls/revocation.ts';
import { buildTrustStore } from '../../src/tls/trust-store.ts';
import { pem, seq } from './certificate-writer.ts';
import { PKITS_CASES, type PkitsCase, type PkitsResult, TESTS_PER_SECTION } from './pkits-cases.ts';
import { ANCHOR, pkitsCertificates, pkitsLists } from './pkits-vectors.ts';

const NOW_MS = Date.UTC(2026, 10, 24);
const certificates = pkitsCertificates();
const ends = new Set(PKITS_CASES.map(({ target }) => target));
const authorities = [...certificates].filter(([name]) => !ends.has(name)).map(([, bytes]) => pem(bytes));
const trustStore = buildTrustStore(authorities);

const settings: CrlConfig = {
  checkInbound: true,
  checkOutbound: false,
  checkWebInterface: false,
  whenNoSource: 'refuse',
  sources: {},
};

function der(name: string): Uint8Array {
  const bytes = certificates.get(name);
  assert.ok(bytes, `no PKITS certificate ${name}`);
  return bytes;
}

function loadLists(): CrlSet {
  const lists = [...pkitsLists()].flatMap(([source, bytes]): CrlList[] =>
    loadBundle({ bytes, type: 'asn1', authorities: trustStore, nowMs: NOW_MS }).lists.map(({ crl }) => ({
      ...crl,
      source,
    })),
  );
  return { generation: 1, lists, sources: [] };
}

const crls = loadLists();

type Outcome = { readonly result: PkitsResult; readonly why: string; readonly path?: ValidatedPath };

/** The best that any valid path gives, as a session decides it. */
function judge({ target, settings: policies }: PkitsCase): Outcome {
  const search = findPaths({ leaf: der(target), trustStore, nowMs: NOW_MS, purpose: 'any', policies });
  let refused: Outcome | undefined;
  for (const path of search) {
    const verdict = checkRevocation({ path: path.certificates, crls, settings, nowMs: NOW_MS });
    if (verdict.status === 'good') return { result: 'valid', why: '', path };
    refused ??= { result: verdict.status === 'revoked' ? 'revoked' : 'unknown', why: verdict.words, path };
  }
  if (refused !== undefined) return refused;
  const { fault, detail } = search.failure();
  return { result: fault, why: detail };
}

test('the explanation of every chain has a check that failed exactly where the chain is no valid path', () => {
  let chains = 0;
  for (const { target, settings: policies } of PKITS_CASES) {
    const tried: TriedChain[] = [];
    const rules = { nowMs: NOW_MS, purpose: 'any', policies } as const;
    const onChain = (chain: TriedChain): void => void tried.push(chain);
    for (const _path of findPaths({ leaf: der(target), trustStore, ...rules, onChain }));
    for (const chain of tried) {
      const explained = explainChain(chain, rules);
      const checks = [...explained.certificates.flatMap((each) => each.checks), explained.policies];
      const failed = checks.filter(({ outcome }) => outcome === 'failed');
      assert.equal(failed.length === 0, explained.valid, `${target}: ${JSON.stringify(failed)}`);
      chains += 1;
    }
  }
  assert.ok(chains >= 240, `only ${chains} chains`);
});

let ran = 0;

for (const each of PKITS_CASES) {
  const { number, target, expected, policies } = each;
  test(`PKITS ${number} ${target} is ${expected === 'valid' ? 'valid' : `refused: ${expected}`}`, () => {
    const { result, why, path } = judge(each);
    assert.equal(result, expected, why);
    // The names of the files say what the document states; only the refusal of DSA departs from it.
    if (/^(In)?[Vv]alid/.test(target) && !/^4\.(1\.[45]$|8|10|12\.3)/.test(number))
      assert.equal(result === 'valid', target.startsWith('Valid'));
    if (policies !== undefined) assert.deepEqual([...(path?.policies ?? [])].sort(), [...policies].sort());
    ran += 1;
  });
}

test('all 224 tests of PKITS 4.1 to 4.16 were run, with all of their 249 subparts', () => {
  const tests = (section: string): number => {
    const numbers = PKITS_CASES.map(({ number }) => number.split('.').slice(0, 3).join('.'));
    return new Set(numbers.filter((number) => number.startsWith(`${section}.`))).size;
  };
  for (const [section, count] of Object.entries(TESTS_PER_SECTION)) assert.equal(tests(section), count, section);
  assert.equal(
    Object.values(TESTS_PER_SECTION).reduce((sum, count) => sum + count, 0),
    224,
  );
  assert.equal(new Set(PKITS_CASES.map(({ number }) => number)).size, 249);
  assert.equal(ran, 249);
});

test('every certificate of the suite is an end certificate of a test or was read as an authority, but for one damaged', () => {
  const read = trustStore.anchors.length + trustStore.intermediates.length;
  assert.equal(trustStore.anchors[0]?.subject.rfc4514, 'CN=Trust Anchor,O=Test Certificates 2011,C=US');
  assert.equal(trustStore.anchors.length, 1);
  // The signature of BadSignedCACert (4.1.2) is damaged in its first octet.
  assert.deepEqual(trustStore.problems, ['a certificate cannot be read: bit string: not whole octets']);
  assert.equal(read + 1 + ends.size, certificates.size);
});

/** The DSA key of `holder` with the parameters of `owner`: RFC 3279 §2.3.2 lets a key inherit them. */
function withParametersOf(holder: Certificate, owner: Certificate): Buffer {
  const [algorithm] = childrenOf(readDer(owner.spki));
  const [, key] = childrenOf(readDer(holder.spki));
  assert.ok(algorithm && key);
  return seq(encodingOf(algorithm), encodingOf(key));
}

test('PKITS 4.1.4 and 4.1.5 lack nothing but an algorithm that is accepted: the same octets verify with DSA and SHA-1', () => {
  const [authority, heir] = ['DSACACert', 'DSAParametersInheritedCACert'].map((name) => parseCertificate(der(name)));
  assert.ok(authority && heir);
  const verifies = ({ tbs, signature }: Certificate, spki: Uint8Array): boolean =>
    verify('sha1', tbs, { key: Buffer.from(spki), format: 'der', type: 'spki' }, signature);
  const own = withParametersOf(authority, authority);
  assert.equal(verifies(parseCertificate(der('ValidDSASignaturesTest4EE')), own), true);
  assert.equal(verifies(heir, own), true);
  assert.equal(
    verifies(parseCertificate(der('ValidDSAParameterInheritanceTest5EE')), withParametersOf(heir, authority)),
    true,
  );
  assert.equal(verifies({ ...heir, tbs: authority.tbs }, own), false);
});

test('a client that presents the intermediates needs only the anchor in the trust store', () => {
  const anchorOnly = buildTrustStore([pem(der(ANCHOR))]);
  const names = ['subCA4Cert', 'CACert', 'subsubCA41Cert', 'subsubsubCA41XCert'];
  const chain = names.map((name) => der(`pathLenConstraint6${name}`));
  const leaf = der('ValidpathLenConstraintTest13EE');
  const request = { leaf, trustStore: anchorOnly, nowMs: NOW_MS, purpose: 'any' } as const;
  assert.equal([...findPaths({ ...request, presented: () => chain })].length, 1);
  assert.equal([...findPaths({ ...request, presented: () => chain.slice(1) })].length, 0);
  assert.equal([...findPaths(request)].length, 0);
});
