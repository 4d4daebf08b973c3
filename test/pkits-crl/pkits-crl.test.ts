/**
 * NIST's Public Key Interoperability Test Suite, the parts about revocation: 4.4 (basic), 4.5 (self-issued
 * certificates, key rollover), 4.7 (cRLSign), 4.14 (distribution points, indirect lists), 4.15 (delta lists). Each test
 * sees every list and every authority of the suite at once, as a gateway with many sources would.
 * Vectors: Debian package python3-cryptography-vectors. The certificate's file name says what must come out.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { CrlConfig } from '../../src/config/schema.ts';
import { type Certificate, parseCertificate } from '../../src/tls/certificate.ts';
import { findPaths } from '../../src/tls/certificate-path.ts';
import { loadBundle } from '../../src/tls/crl-issuer.ts';
import { checkRevocation, type CrlList, type CrlSet, type RevocationVerdict } from '../../src/tls/revocation.ts';
import { buildTrustStore, type TrustStore } from '../../src/tls/trust-store.ts';

const FOLDER = '/usr/lib/python3/dist-packages/cryptography_vectors/x509/PKITS_data';
const NOW_MS = Date.UTC(2026, 10, 24);

/** Sections by the names of their end certificates, and how many tests each has. */
const SECTIONS: readonly (readonly [section: string, tests: number, name: RegExp])[] = [
  [
    '4.4 basic certificate revocation',
    21,
    /^(In)?[Vv]alid(MissingCRL|Revoked|BadCRL|WrongCRL|TwoCRLs|UnknownCRL|OldCRL|pre2000CRL|GeneralizedTimeCRL|NegativeSerial|LongSerial|Separate)/,
  ],
  ['4.5 self-issued certificates', 8, /BasicSelfIssued/],
  ['4.7 key usage cRLSign', 2, /NotCriticalcRLSign|keyUsageCriticalcRLSign/],
  ['4.14 distribution points', 35, /[dD]istributionPoint|onlyContains|onlySomeReasons|IDPwithindirectCRL|cRLIssuer/],
  ['4.15 delta lists', 10, /deltaCRL/],
];

const settings: CrlConfig = {
  checkInbound: true,
  checkOutbound: false,
  checkWebInterface: false,
  whenNoSource: 'refuse',
  sources: {},
};

const files = (folder: string): string[] => readdirSync(path.join(FOLDER, folder)).sort();
const read = (folder: string, file: string): Uint8Array => readFileSync(path.join(FOLDER, folder, file));
const pem = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;
const isEnd = (file: string): boolean => /Test\d+(EE)?\.crt$/.test(file);

function load(): { trustStore: TrustStore; crls: CrlSet; ends: string[] } {
  assert.ok(existsSync(FOLDER), 'the vectors are missing: apt-get install python3-cryptography-vectors');
  const all = files('certs');
  const authorities = all.filter((file) => !isEnd(file)).map((file) => pem(read('certs', file)));
  const trustStore = buildTrustStore(authorities);
  const lists = files('crls').flatMap((file): CrlList[] =>
    loadBundle({ bytes: read('crls', file), type: 'asn1', authorities: trustStore, nowMs: NOW_MS }).lists.map(
      ({ crl }) => ({
        ...crl,
        source: file.replace('.crl', ''),
      }),
    ),
  );
  return { trustStore, crls: { generation: 1, lists, sources: [] }, ends: all.filter(isEnd) };
}

const { trustStore, crls, ends } = load();

/** The best that any valid path gives; undefined = there is no path. */
function judge(leaf: Certificate): RevocationVerdict | undefined {
  const verdicts: RevocationVerdict[] = [];
  for (const { certificates } of findPaths({ leaf, trustStore, nowMs: NOW_MS, purpose: 'any' })) {
    verdicts.push(checkRevocation({ path: certificates, crls, settings, nowMs: NOW_MS }));
  }
  return verdicts.find(({ status }) => status === 'good') ?? verdicts[0];
}

for (const [section, count, name] of SECTIONS) {
  const chosen = ends.filter((file) => name.test(file));
  test(`${section} has ${count} tests`, () => assert.equal(chosen.length, count));
  for (const file of chosen) {
    const valid = file.startsWith('Valid');
    test(`${section}: ${file.replace(/(EE)?\.crt$/, '')} is ${valid ? 'accepted' : 'refused'}`, () => {
      const verdict = judge(parseCertificate(read('certs', file)));
      assert.equal(verdict?.status === 'good', valid, JSON.stringify(verdict));
    });
  }
}
