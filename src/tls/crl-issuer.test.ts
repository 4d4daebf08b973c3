import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeCertificate, makeCrl, newAuthority, tlv, toPem } from '../../test/support/crl-maker.ts';
import { loadBundle } from './crl-issuer.ts';
import { buildTrustStore, type TrustStore } from './trust-store.ts';

const NOW_MS = Date.UTC(2026, 10, 24);
const HOUR_MS = 3_600_000;
const root = newAuthority('Root CA');
const rootCert = makeCertificate({ subject: root, issuer: root, serial: 1, ca: true });
const store = (...ders: readonly Uint8Array[]): TrustStore =>
  buildTrustStore(ders.map((der) => toPem('CERTIFICATE', der)));
const authorities = store(rootCert);
const entries = [{ serial: '1006', reason: 1 }];

const LOADS: readonly (readonly [title: string, bytes: () => Uint8Array, expected: RegExp])[] = [
  [
    'from an issuer in no authorities file',
    () => makeCrl({ issuer: newAuthority('Nobody'), thisUpdateMs: NOW_MS }),
    /in no certificateAuthorities file/,
  ],
  [
    'signed with another key',
    () => makeCrl({ issuer: { ...newAuthority('x'), commonName: 'Root CA' }, thisUpdateMs: NOW_MS }),
    /does not verify/,
  ],
  ['from the future', () => makeCrl({ issuer: root, thisUpdateMs: NOW_MS + HOUR_MS }), /from the future/],
  ['that is a web page', () => Buffer.from('<!DOCTYPE html><html></html>'), /web page/],
  ['that is empty', () => new Uint8Array(0), /empty/],
  ['that is PEM', () => Buffer.from(toPem('X509 CRL', makeCrl({ issuer: root, thisUpdateMs: NOW_MS }))), /type: pem/],
  ['with a changed octet', () => tamper(makeCrl({ issuer: root, thisUpdateMs: NOW_MS, entries })), /does not verify/],
];

function tamper(der: Buffer): Buffer {
  const at = der.indexOf(Buffer.from('02021006', 'hex'));
  der[at + 3] = 0x07;
  return der;
}

for (const [title, bytes, expected] of LOADS) {
  test(`a list ${title} is not loaded`, () => {
    const { lists, faults } = loadBundle({ bytes: bytes(), type: 'asn1', authorities, nowMs: NOW_MS });
    assert.equal(lists.length, 0);
    assert.match(faults.join('; '), expected);
  });
}

test('a list of a certificate without cRLSign is not loaded', () => {
  const noSigner = newAuthority('No Signer');
  const trust = store(
    rootCert,
    makeCertificate({ subject: noSigner, issuer: root, serial: 9, ca: true, keyUsage: 0x04 }),
  );
  const { lists, faults } = loadBundle({
    bytes: makeCrl({ issuer: noSigner, thisUpdateMs: NOW_MS }),
    type: 'asn1',
    authorities: trust,
    nowMs: NOW_MS,
  });
  assert.equal(lists.length, 0);
  assert.match(faults.join(), /may not sign revocation lists/);
});

test('a PEM bundle counts list by list', () => {
  const good = toPem('X509 CRL', makeCrl({ issuer: root, thisUpdateMs: NOW_MS }));
  const bad = toPem('X509 CRL', tlv(0x30));
  const cut = good.slice(0, good.length / 2);
  const { lists, faults } = loadBundle({
    bytes: Buffer.from(`text before\n${bad}${good}${cut}`),
    type: 'pem',
    authorities,
    nowMs: NOW_MS,
  });
  assert.equal(lists.length, 1);
  assert.equal(faults.length, 2);
});

test('lists of authorities that are not ours are no fault beside lists that are', () => {
  const ours = makeCrl({ issuer: root, thisUpdateMs: NOW_MS });
  const foreignList = makeCrl({ issuer: newAuthority('Nobody'), thisUpdateMs: NOW_MS });
  const { lists, faults } = loadBundle({
    bytes: Buffer.concat([foreignList, ours]),
    type: 'asn1',
    authorities,
    nowMs: NOW_MS,
  });
  assert.equal(lists.length, 1);
  assert.deepEqual(faults, []);
});

test('a list whose signer has expired is not loaded', () => {
  const old = newAuthority('Old CA');
  const oldCert = makeCertificate({ subject: old, issuer: old, serial: 1, ca: true, validMs: [0, NOW_MS - HOUR_MS] });
  const bytes = makeCrl({ issuer: old, thisUpdateMs: NOW_MS - 2 * HOUR_MS });
  const { lists, faults } = loadBundle({ bytes, type: 'asn1', authorities: store(oldCert), nowMs: NOW_MS });
  assert.equal(lists.length, 0);
  assert.match(faults.join(), /leads to no anchor or is not valid now/);
});

test('a signer that is listed but leads to no anchor signs no list that is loaded', () => {
  const lone = newAuthority('Lone CA');
  const loneCert = makeCertificate({ subject: lone, issuer: newAuthority('Unknown'), serial: 2, ca: true });
  const bytes = makeCrl({ issuer: lone, thisUpdateMs: NOW_MS });
  const { lists, faults } = loadBundle({ bytes, type: 'asn1', authorities: store(rootCert, loneCert), nowMs: NOW_MS });
  assert.equal(lists.length, 0);
  assert.match(faults.join(), /leads to no anchor/);
});
