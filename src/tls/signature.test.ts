import assert from 'node:assert/strict';
import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import { certificate, ecKeys, integer, oid, seq, tlv, type Wish } from '../../test/pkits/certificate-writer.ts';
import { parseCertificate } from './certificate.ts';
import { publicKeyFacts, type SignatureVerdict, verifySelfSignature, verifySignature } from './signature.ts';

const NULL = tlv(5);
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const smallRsa = generateKeyPairSync('rsa', { modulusLength: 1024 });

function verdict(wish: Wish): SignatureVerdict {
  const { tbs, signatureAlgorithm, signature, spki } = parseCertificate(certificate(wish).der);
  return verifySignature(tbs, signatureAlgorithm, signature, spki);
}

const rsaWith = (id: string, hash: string): Wish => ({
  keys: rsa,
  algorithm: seq(oid(id), NULL),
  signWith: (tbs, key) => sign(hash, tbs, key),
});

const SHA256_ID = '2.16.840.1.101.3.4.2.1';
const SHA512_ID = '2.16.840.1.101.3.4.2.3';
const hashId = (id: string): Buffer => seq(oid(id), NULL);
const mgf1 = (id: string): Buffer => seq(oid('1.2.840.113549.1.1.8'), hashId(id));

function pssAlgorithm(hash: Uint8Array, mask: Uint8Array, salt: number, trailer?: number): Buffer {
  const fields = [tlv(0xa0, hash), tlv(0xa1, mask), tlv(0xa2, integer(salt))];
  if (trailer !== undefined) fields.push(tlv(0xa3, integer(trailer)));
  return seq(oid('1.2.840.113549.1.1.10'), seq(...fields));
}

const pss =
  (saltLength: number, hash = 'sha256') =>
  (tbs: Uint8Array, key: KeyObject): Uint8Array =>
    sign(hash, tbs, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });

test('RSA with SHA-256, SHA-384 and SHA-512 is good', () => {
  assert.equal(verdict(rsaWith('1.2.840.113549.1.1.11', 'sha256')), 'good');
  assert.equal(verdict(rsaWith('1.2.840.113549.1.1.12', 'sha384')), 'good');
  assert.equal(verdict(rsaWith('1.2.840.113549.1.1.13', 'sha512')), 'good');
});

test('SHA-1 and MD5 are weak, even where the signature verifies', () => {
  assert.equal(verdict(rsaWith('1.2.840.113549.1.1.5', 'sha1')), 'weak');
  assert.equal(verdict(rsaWith('1.2.840.113549.1.1.4', 'md5')), 'weak');
  assert.equal(
    verdict({ algorithm: seq(oid('1.2.840.10045.4.1')), signWith: (tbs, key) => sign('sha1', tbs, key) }),
    'weak',
  );
});

test('the SHA-1 of a root that signs itself does not matter, its key does', () => {
  const old = rsaWith('1.2.840.113549.1.1.5', 'sha1');
  assert.equal(verifySelfSignature(parseCertificate(certificate(old).der)), 'good');
  assert.equal(verifySelfSignature(parseCertificate(certificate({ ...old, keys: smallRsa }).der)), 'weak');
});

test('RSA keys below 2048 bits are weak, and of exponent 1', () => {
  assert.equal(verdict({ ...rsaWith('1.2.840.113549.1.1.11', 'sha256'), keys: smallRsa }), 'weak');
  assert.match(JSON.stringify(publicKeyFacts(smallRsa.publicKey.export({ type: 'spki', format: 'der' }))), /1024 bits/);
  const modulus = tlv(2, Buffer.concat([Buffer.from([0]), Buffer.alloc(256, 0xc1)]));
  const spki = seq(seq(oid('1.2.840.113549.1.1.1'), NULL), tlv(3, Buffer.from([0]), seq(modulus, integer(1))));
  assert.equal(publicKeyFacts(spki).kind, 'weak');
});

test('RSA keys above 8192 bits are unsupported: verifying them would cost too much', () => {
  const modulus = tlv(2, Buffer.concat([Buffer.from([0]), Buffer.alloc(2048, 0xc1)]));
  const spki = seq(seq(oid('1.2.840.113549.1.1.1'), NULL), tlv(3, Buffer.from([0]), seq(modulus, integer(1, 0, 1))));
  assert.equal(publicKeyFacts(spki).kind, 'unsupported');
});

test('RSA-PSS is good with the hash for both, whatever the salt', () => {
  const algorithm = pssAlgorithm(hashId(SHA256_ID), mgf1(SHA256_ID), 32);
  assert.equal(verdict({ keys: rsa, algorithm, signWith: pss(32) }), 'good');
  const longer = pssAlgorithm(hashId(SHA512_ID), mgf1(SHA512_ID), 64, 1);
  assert.equal(verdict({ keys: rsa, algorithm: longer, signWith: pss(64, 'sha512') }), 'good');
});

test('RSA-PSS parameters are checked', () => {
  const sha1 = '1.3.14.3.2.26';
  const as = (algorithm: Uint8Array, salt = 32): SignatureVerdict =>
    verdict({ keys: rsa, algorithm, signWith: pss(salt) });
  assert.equal(as(pssAlgorithm(hashId(SHA256_ID), mgf1(SHA256_ID), 20)), 'bad');
  assert.equal(as(pssAlgorithm(hashId(sha1), mgf1(sha1), 20)), 'weak');
  assert.equal(as(seq(oid('1.2.840.113549.1.1.10'), seq())), 'weak');
  assert.equal(as(seq(oid('1.2.840.113549.1.1.10'))), 'weak');
  assert.equal(as(pssAlgorithm(hashId(SHA256_ID), mgf1(SHA512_ID), 32)), 'unsupported');
  assert.equal(as(pssAlgorithm(hashId(SHA256_ID), mgf1(SHA256_ID), 32, 2)), 'unsupported');
});

// The type definitions know neither the names of its options nor the kinds of key that are newer than they are.
const rsaPssKeys = (options: object): Required<Wish>['keys'] =>
  generateKeyPairSync('rsa-pss' as 'rsa', options as { modulusLength: number });

test('an RSA-PSS key is bound to its own parameters', () => {
  const options = { modulusLength: 2048, hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256', saltLength: 32 };
  const bound = rsaPssKeys(options);
  const fits = pssAlgorithm(hashId(SHA256_ID), mgf1(SHA256_ID), 32);
  assert.equal(verdict({ keys: bound, algorithm: fits, signWith: pss(32) }), 'good');
  const other = pssAlgorithm(hashId(SHA512_ID), mgf1(SHA512_ID), 64);
  assert.equal(verdict({ keys: bound, algorithm: other, signWith: () => Buffer.alloc(256) }), 'bad');
  assert.equal(verdict({ ...rsaWith('1.2.840.113549.1.1.11', 'sha256'), keys: bound, signWith: pss(32) }), 'bad');
});

test('ECDSA is good on P-256, P-384 and P-521 only', () => {
  const on = (namedCurve: string): SignatureVerdict => verdict({ keys: generateKeyPairSync('ec', { namedCurve }) });
  assert.deepEqual(['P-256', 'P-384', 'P-521', 'secp256k1', 'P-224'].map(on), [
    'good',
    'good',
    'good',
    'unsupported',
    'unsupported',
  ]);
});

test('a key with the curve written out is unsupported', () => {
  const explicit = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' });
  assert.equal(verdict({ keys: explicit }), 'unsupported');
});

test('Ed25519, Ed448 and ML-DSA are good', () => {
  const plain = (type: 'ed25519', id: string): SignatureVerdict =>
    verdict({ keys: generateKeyPairSync(type), algorithm: seq(oid(id)), signWith: (tbs, key) => sign(null, tbs, key) });
  assert.equal(plain('ed25519', '1.3.101.112'), 'good');
  assert.equal(plain('ed448' as 'ed25519', '1.3.101.113'), 'good');
  assert.equal(plain('ml-dsa-44' as 'ed25519', '2.16.840.1.101.3.4.3.17'), 'good');
  assert.equal(plain('ml-dsa-65' as 'ed25519', '2.16.840.1.101.3.4.3.18'), 'good');
});

test('algorithm parameters that do not belong there are bad', () => {
  const ed = generateKeyPairSync('ed25519');
  const signWith = (tbs: Uint8Array, key: KeyObject): Uint8Array => sign(null, tbs, key);
  assert.equal(verdict({ keys: ed, algorithm: seq(oid('1.3.101.112'), NULL), signWith }), 'bad');
  assert.equal(verdict({ algorithm: seq(oid('1.2.840.10045.4.3.2'), NULL) }), 'bad');
  assert.equal(
    verdict({
      ...rsaWith('1.2.840.113549.1.1.11', 'sha256'),
      algorithm: seq(oid('1.2.840.113549.1.1.11'), integer(1)),
    }),
    'bad',
  );
});

test('DSA is unsupported', () => {
  const dsa = generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 });
  assert.equal(verdict({ keys: dsa, algorithm: seq(oid('2.16.840.1.101.3.4.3.2')) }), 'unsupported');
});

test('a changed octet, another key or another algorithm makes a signature bad', () => {
  const made = parseCertificate(certificate({ keys: rsa, ...rsaWith('1.2.840.113549.1.1.11', 'sha256') }).der);
  const { tbs, signatureAlgorithm, signature, spki } = made;
  const changed = Uint8Array.from(tbs);
  changed[20] = (changed[20] as number) ^ 1;
  assert.equal(verifySignature(changed, signatureAlgorithm, signature, spki), 'bad');
  const other = ecKeys().publicKey.export({ type: 'spki', format: 'der' });
  assert.equal(verifySignature(tbs, signatureAlgorithm, signature, other), 'bad');
  assert.equal(verifySignature(tbs, { ...signatureAlgorithm, oid: '1.2.840.113549.1.1.12' }, signature, spki), 'bad');
  assert.equal(verifySignature(tbs, { ...signatureAlgorithm, oid: '1.2.3' }, signature, spki), 'unsupported');
  assert.equal(verifySignature(tbs, signatureAlgorithm, signature.subarray(1), spki), 'bad');
});

test('a public key that is no key is malformed and verifies nothing', () => {
  const point = Buffer.concat([Buffer.from([4]), createHash('sha512').update('no point on the curve').digest()]);
  const algorithm = seq(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7'));
  const offCurve = seq(algorithm, tlv(3, Buffer.from([0]), point));
  const { tbs, signatureAlgorithm, signature } = parseCertificate(certificate({}).der);
  for (const spki of [
    offCurve,
    seq(algorithm, tlv(3, Buffer.from([0]), point.subarray(1))),
    Buffer.from('xx'),
    seq(),
  ]) {
    assert.equal(verifySignature(tbs, signatureAlgorithm, signature, spki), 'bad');
  }
});
