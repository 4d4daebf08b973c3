/**
 * A root and the issuing authority below it with lists of theirs, for tests of what lists and answers mean for a card.
 * Effects: key generation.
 */
import assert from 'node:assert/strict';
import type { CrlConfig, CrlSourceConfig } from '../../src/config/schema.ts';
import { type Certificate, parseCertificate } from '../../src/tls/certificate.ts';
import { loadBundle } from '../../src/tls/crl-issuer.ts';
import type { CrlList } from '../../src/tls/revocation.ts';
import { buildTrustStore, type TrustStore } from '../../src/tls/trust-store.ts';
import { type Authority, type CrlRequest, makeCertificate, makeCrl, newAuthority, toPem } from './crl-maker.ts';

export const NOW_MS = Date.UTC(2026, 10, 24);
export const HOUR_MS = 3_600_000;

export const root = newAuthority('Root CA');
export const issuing = newAuthority('Issuing CA');
const user = newAuthority('user');

export const rootCert = makeCertificate({ subject: root, issuer: root, serial: 1, ca: true });
export const issuingCert = makeCertificate({ subject: issuing, issuer: root, serial: 2, ca: true });
/** What stands above a card on its path. */
export const above: readonly Certificate[] = [parseCertificate(issuingCert), parseCertificate(rootCert)];
export const cardOf = (serial: number, ...extensions: readonly Uint8Array[]): Certificate =>
  parseCertificate(makeCertificate({ subject: user, issuer: issuing, serial, ca: false, extensions }));

export const storeOf = (...ders: readonly Uint8Array[]): TrustStore =>
  buildTrustStore(ders.map((der) => toPem('CERTIFICATE', der)));
const BOTH = storeOf(rootCert, issuingCert);

export type ListWish = Partial<CrlRequest> & { readonly issuer: Authority };
type Loading = { readonly source?: string; readonly authorities?: TrustStore; readonly nowMs?: number };

/** One list, an hour old and good for another one, under its source; a list that is not good fails the test. */
export function listed(wish: ListWish, { source = 'cac', authorities = BOTH, nowMs = NOW_MS }: Loading = {}): CrlList {
  const bytes = makeCrl({ thisUpdateMs: NOW_MS - HOUR_MS, nextUpdateMs: NOW_MS + HOUR_MS, ...wish });
  const { lists, faults } = loadBundle({ bytes, type: 'asn1', authorities, nowMs });
  assert.deepEqual(faults, []);
  const [loaded] = lists;
  assert.ok(loaded);
  return { ...loaded.crl, source };
}

export const sourceOf = (changes: Partial<CrlSourceConfig> = {}): CrlSourceConfig => ({
  type: 'pem',
  primaryUrl: 'file://x',
  schedule: 'manual',
  enabled: true,
  whenUnavailable: 'refuse',
  whenExpired: 'refuse',
  grace: 0,
  maxSize: 1e6,
  timeout: 1000,
  ...changes,
});

/** The `crl` section, checking clients strictly by no source. */
export const crlSettings = (changes: Partial<CrlConfig> = {}): CrlConfig => ({
  checkInbound: true,
  checkOutbound: false,
  checkWebInterface: false,
  whenNoSource: 'refuse',
  sources: {},
  ...changes,
});
