import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import {
  authority,
  basicConstraints,
  certificate,
  client,
  extendedKeyUsage,
  extension,
  generalName,
  keyUsage,
  name,
  nameConstraints,
  oid,
  policies,
  seq,
  subjectAltName,
  tlv,
  utf8,
  type Wish,
} from '../../test/pkits/certificate-writer.ts';
import { parseCertificate } from './certificate.ts';
import { describeCertificate } from './certificate-description.ts';

const NOW_MS = Date.UTC(2026, 10, 25);
const root = authority(name('O=Example', 'CN=Root'));
const describe = (wish: Wish, nowMs = NOW_MS): Record<string, readonly string[]> => {
  const fields = describeCertificate(parseCertificate(certificate(wish).der), nowMs);
  return Object.fromEntries(fields.map((field) => [field.name, field.values]));
};

test('a card is described with its names, purposes, policies and where its lists are', () => {
  const point = seq(seq(tlv(0xa0, tlv(0xa0, generalName.uri('http://pki.example.test/a.crl')))));
  const access = seq(seq(oid('1.3.6.1.5.5.7.48.1'), generalName.uri('http://ocsp.example.test')));
  const card = client(root, {
    serial: [0x10, 0x01],
    extensions: [
      keyUsage(0b11),
      extendedKeyUsage('1.3.6.1.5.5.7.3.2', '1.3.6.1.4.1.311.20.2.2', '1.2.3'),
      subjectAltName(
        generalName.upn('alice@example.test'),
        generalName.email('a@example.test'),
        generalName.ip(192, 0, 2, 1),
      ),
      policies('2.16.840.1.101.3.2.1.3.13'),
      extension('2.5.29.31', point),
      extension('1.3.6.1.5.5.7.1.1', access),
      extension('1.2.3.4', utf8('x'), true),
    ],
  });
  const fields = Object.fromEntries(
    describeCertificate(parseCertificate(card.der), NOW_MS).map((field) => [field.name, field.values]),
  );
  assert.deepEqual(fields, {
    subject: ['CN=ADAMS.ALICE.A.1000000001,O=Example'],
    issuer: ['CN=Root,O=Example'],
    'serial number': ['1001'],
    valid: ['2020-01-01 00:00:00Z to 2040-01-01 00:00:00Z (4785 days left)'],
    key: ['EC P-256'],
    signature: ['ECDSA with SHA-256'],
    'key usage': ['digitalSignature', 'nonRepudiation'],
    'extended key usage': ['clientAuth', 'smartCardLogon', '1.2.3'],
    'alternative names': ['UPN alice@example.test', 'email a@example.test', 'IP 192.0.2.1'],
    policies: ['2.16.840.1.101.3.2.1.3.13'],
    'revocation lists': ['URI http://pki.example.test/a.crl'],
    'authority information': ['OCSP at URI http://ocsp.example.test'],
    'other extensions': ['1.2.3.4 (critical: refused)'],
  });
});

test('an authority is described with what it may issue', () => {
  const fields = describe({
    extensions: [
      basicConstraints(true, 0),
      keyUsage(1 << 5),
      nameConstraints(
        [generalName.email('example.test'), generalName.ip(10, 0, 0, 0, 255, 0, 0, 0)],
        [generalName.dns('bad.example.test')],
      ),
    ],
  });
  assert.deepEqual(fields['basic constraints'], ['authority, path length 0']);
  assert.deepEqual(fields['key usage'], ['keyCertSign']);
  assert.deepEqual(fields['permitted names'], ['email example.test', 'IP 10.0.0.0 mask 255.0.0.0']);
  assert.deepEqual(fields['excluded names'], ['DNS bad.example.test']);
  assert.deepEqual(fields['issuer'], ['CN=test (self-signed)']);
});

test('what is refused for its key, signature or dates is told', () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const fields = describe({ keys: weak, algorithm: seq(oid('1.2.840.113549.1.1.5'), tlv(5)) });
  assert.deepEqual(fields['key'], ['RSA key of 1024 bits (refused)']);
  assert.deepEqual(fields['signature'], ['RSA with SHA-1 (refused)']);
  assert.match(describe({ notAfter: '261120000000Z' })['valid']?.[0] ?? '', /\(expired 5 days ago\)/);
  assert.match(describe({ notBefore: '261127000000Z' })['valid']?.[0] ?? '', /\(not yet valid, in 2 days\)/);
});

test('keys of every kind are named', () => {
  const key = (keys: Wish['keys']): string | undefined =>
    describe({ ...(keys === undefined ? {} : { keys }), signWith: () => Buffer.alloc(64) })['key']?.[0];
  assert.equal(key(generateKeyPairSync('rsa', { modulusLength: 2048 })), 'RSA 2048 bits');
  assert.equal(key(generateKeyPairSync('ec', { namedCurve: 'P-384' })), 'EC P-384');
  assert.equal(key(generateKeyPairSync('ec', { namedCurve: 'P-521' })), 'EC P-521');
  assert.equal(key(generateKeyPairSync('ed25519')), 'ed25519');
  assert.equal(key(generateKeyPairSync('ml-dsa-65' as 'ed25519')), 'ml-dsa-65');
});
