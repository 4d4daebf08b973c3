/**
 * Whether a signature on a certificate, a revocation list or an OCSP answer is good, and whether a public key is
 * strong enough to be believed. The arithmetic is node:crypto's; which algorithms, parameters and key sizes count is
 * decided here: RSA from 2048 bits, EC on P-256, P-384 and P-521, Ed25519, Ed448, ML-DSA; SHA-1, MD5 and DSA never.
 * RFC 5280 §4.1.1.2; RFC 4055 (RSA, RSA-PSS), RFC 5758 and RFC 5480 (ECDSA), RFC 8410 (EdDSA), RFC 9881 (ML-DSA). Pure.
 */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type AlgorithmIdentifier, type Certificate, parseAlgorithm, readWholeBits, sameBytes } from './certificate.ts';
import { childrenOf, DerError, type DerNode, expectTag, readDer, readIntegerBytes, readOid, Tag } from './der.ts';

/** `bad`: does not verify, or signature, parameters or key are malformed. `weak`, `unsupported`: not even tried. */
export type SignatureVerdict = 'good' | 'bad' | 'weak' | 'unsupported';

/** What a SubjectPublicKeyInfo holds. */
export type PublicKeyFacts =
  | { readonly kind: 'rsa'; readonly bits: number }
  | { readonly kind: 'rsa-pss'; readonly bits: number; readonly restriction: PssParameters | undefined }
  | { readonly kind: 'ec' | 'ed25519' | 'ed448' | 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87' }
  | { readonly kind: 'weak' | 'unsupported' | 'malformed'; readonly why: string };

type PssParameters = { readonly hash: string; readonly saltBytes: number };

const MIN_RSA_BITS = 2048;
// RSA verification grows with the square of the modulus: beyond this a client could buy our time with its own keys.
const MAX_RSA_BITS = 8192;
const MAX_RSA_EXPONENT_OCTETS = 8;
const MAX_KEY_BYTES = 16 * 1024;

const RSA = '1.2.840.113549.1.1.1';
const RSA_PSS = '1.2.840.113549.1.1.10';
const MGF1 = '1.2.840.113549.1.1.8';
const EC = '1.2.840.10045.2.1';

/** RFC 5480 §2.1.1.1: octets of a coordinate. */
const CURVE_OCTETS: ReadonlyMap<string, number> = new Map([
  ['1.2.840.10045.3.1.7', 32],
  ['1.3.132.0.34', 48],
  ['1.3.132.0.35', 66],
]);

const PLAIN_KEYS: ReadonlyMap<
  string,
  { kind: 'ed25519' | 'ed448' | 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87'; octets: number }
> = new Map([
  ['1.3.101.112', { kind: 'ed25519', octets: 32 }],
  ['1.3.101.113', { kind: 'ed448', octets: 57 }],
  ['2.16.840.1.101.3.4.3.17', { kind: 'ml-dsa-44', octets: 1312 }],
  ['2.16.840.1.101.3.4.3.18', { kind: 'ml-dsa-65', octets: 1952 }],
  ['2.16.840.1.101.3.4.3.19', { kind: 'ml-dsa-87', octets: 2592 }],
]);

const HASHES: ReadonlyMap<string, { name: string; weak: boolean }> = new Map([
  ['2.16.840.1.101.3.4.2.1', { name: 'sha256', weak: false }],
  ['2.16.840.1.101.3.4.2.2', { name: 'sha384', weak: false }],
  ['2.16.840.1.101.3.4.2.3', { name: 'sha512', weak: false }],
  ['1.3.14.3.2.26', { name: 'sha1', weak: true }],
]);

type Scheme = { readonly key: 'rsa' | 'ec'; readonly hash: string; readonly weak?: true };

const SCHEMES: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  ['1.2.840.113549.1.1.14', { key: 'rsa', hash: 'sha224' }],
  ['1.2.840.113549.1.1.11', { key: 'rsa', hash: 'sha256' }],
  ['1.2.840.113549.1.1.12', { key: 'rsa', hash: 'sha384' }],
  ['1.2.840.113549.1.1.13', { key: 'rsa', hash: 'sha512' }],
  ['1.2.840.113549.1.1.2', { key: 'rsa', hash: 'md2', weak: true }],
  ['1.2.840.113549.1.1.3', { key: 'rsa', hash: 'md4', weak: true }],
  ['1.2.840.113549.1.1.4', { key: 'rsa', hash: 'md5', weak: true }],
  ['1.2.840.113549.1.1.5', { key: 'rsa', hash: 'sha1', weak: true }],
  ['1.3.14.3.2.29', { key: 'rsa', hash: 'sha1', weak: true }],
  ['1.2.840.10045.4.3.1', { key: 'ec', hash: 'sha224' }],
  ['1.2.840.10045.4.3.2', { key: 'ec', hash: 'sha256' }],
  ['1.2.840.10045.4.3.3', { key: 'ec', hash: 'sha384' }],
  ['1.2.840.10045.4.3.4', { key: 'ec', hash: 'sha512' }],
  ['1.2.840.10045.4.1', { key: 'ec', hash: 'sha1', weak: true }],
]);

/**
 * `tbs`: the octets that were signed; `spki`: the issuer's SubjectPublicKeyInfo. Never throws.
 * What was learned about a key is kept as long as the `spki` object lives, so hand in the same object again.
 */
export function verifySignature(
  tbs: Uint8Array,
  algorithm: AlgorithmIdentifier,
  signature: Uint8Array,
  spki: Uint8Array,
): SignatureVerdict {
  return check({ tbs, algorithm, signature, spki }, 'refuse');
}

/**
 * Whether a certificate is signed with its own key. Nothing is believed because of this signature (an anchor is
 * believed because the administrator listed it), so the SHA-1 of many old roots does not matter here; their key does.
 */
export function verifySelfSignature(certificate: Certificate): SignatureVerdict {
  const { tbs, signatureAlgorithm: algorithm, signature, spki } = certificate;
  return check({ tbs, algorithm, signature, spki }, 'accept');
}

type Signed = {
  readonly tbs: Uint8Array;
  readonly algorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
  readonly spki: Uint8Array;
};

function check({ tbs, algorithm, signature, spki }: Signed, weakHashes: 'refuse' | 'accept'): SignatureVerdict {
  try {
    const key = publicKeyFacts(spki);
    if (key.kind === 'weak' || key.kind === 'unsupported') return key.kind;
    if (key.kind === 'malformed') return 'bad';
    const scheme = SCHEMES.get(algorithm.oid);
    if (scheme !== undefined) {
      if (scheme.weak && weakHashes === 'refuse') return 'weak';
      if (scheme.key !== key.kind || !parametersFit(scheme.key, algorithm.parameters)) return 'bad';
      return verdictOf(verify(scheme.hash, tbs, keyObject(spki), signature));
    }
    if (algorithm.oid === RSA_PSS) return verifyPss(tbs, algorithm, signature, spki);
    const plain = PLAIN_KEYS.get(algorithm.oid);
    if (plain === undefined) return 'unsupported';
    // RFC 8410 §3, RFC 9881 §2: parameters MUST be absent.
    if (plain.kind !== key.kind || algorithm.parameters !== undefined) return 'bad';
    return verdictOf(verify(null, tbs, keyObject(spki), signature));
  } catch {
    return 'bad';
  }
}

const verdictOf = (verifies: boolean): SignatureVerdict => (verifies ? 'good' : 'bad');

/** RFC 4055 §5: NULL, and absent MUST be accepted too. RFC 5758 §3.2: ECDSA has none. */
const parametersFit = (key: 'rsa' | 'ec', parameters: Uint8Array | undefined): boolean =>
  parameters === undefined || (key === 'rsa' && sameBytes(parameters, NULL));

const NULL = Uint8Array.of(5, 0);

function verifyPss(
  tbs: Uint8Array,
  algorithm: AlgorithmIdentifier,
  signature: Uint8Array,
  spki: Uint8Array,
): SignatureVerdict {
  const key = publicKeyFacts(spki);
  if (key.kind !== 'rsa' && key.kind !== 'rsa-pss') return 'bad';
  if (algorithm.parameters === undefined) return 'weak';
  const parameters = parsePss(algorithm.parameters);
  if (parameters === 'weak' || parameters === 'unsupported') return parameters;
  const restriction = key.kind === 'rsa-pss' ? key.restriction : undefined;
  // RFC 4055 §3.3: hash as the key says, salt not shorter.
  if (restriction !== undefined) {
    if (restriction.hash !== parameters.hash || parameters.saltBytes < restriction.saltBytes) return 'bad';
  }
  const options = { key: keyObject(spki), padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: parameters.saltBytes };
  return verdictOf(verify(parameters.hash, tbs, options, signature));
}

/** RSASSA-PSS-params (RFC 4055 §3.1). Absent fields mean SHA-1, which is weak. Throws DerError. */
function parsePss(der: Uint8Array): PssParameters | 'weak' | 'unsupported' {
  const fields = new Map<number, DerNode>();
  let previous = -1;
  for (const field of childrenOf(expectTag(readDer(der), Tag.sequence, 'RSASSA-PSS-params'), 4)) {
    const number = field.tag & 0x1f;
    if (field.tag !== Tag.context(number, true) || number <= previous)
      throw new DerError('RSASSA-PSS-params malformed');
    previous = number;
    fields.set(number, onlyChild(field));
  }
  const [hashNode, maskNode, saltNode, trailerNode] = [fields.get(0), fields.get(1), fields.get(2), fields.get(3)];
  if (hashNode === undefined || maskNode === undefined) return 'weak';
  const hash = HASHES.get(hashOid(parseAlgorithm(hashNode)));
  const mask = parseAlgorithm(maskNode);
  if (hash === undefined || mask.oid !== MGF1 || mask.parameters === undefined) return 'unsupported';
  const maskHash = HASHES.get(hashOid(parseAlgorithm(readDer(mask.parameters))));
  if (hash.weak || maskHash?.weak) return 'weak';
  if (maskHash !== hash) return 'unsupported';
  // RFC 4055 §3.1: the trailer field is 1.
  if (trailerNode !== undefined && !sameBytes(readIntegerBytes(trailerNode), Uint8Array.of(1))) return 'unsupported';
  const salt = saltNode === undefined ? Uint8Array.of(20) : readIntegerBytes(saltNode);
  if (salt.length !== 1 || (salt[0] as number) > 64) return 'unsupported';
  return { hash: hash.name, saltBytes: salt[0] as number };
}

function hashOid({ oid, parameters }: AlgorithmIdentifier): string {
  // RFC 4055 §2.1: NULL, and absent MUST be accepted too.
  if (parameters !== undefined && !sameBytes(parameters, NULL)) throw new DerError('hash algorithm malformed');
  return oid;
}

function onlyChild(wrapper: DerNode): DerNode {
  const [child, rest] = childrenOf(wrapper, 2);
  if (child === undefined || rest !== undefined) throw new DerError('exactly one element expected');
  return child;
}

// Both are found by the identity of the octets' object and go away with it.
const knownFacts = new WeakMap<Uint8Array, PublicKeyFacts>();
const knownKeys = new WeakMap<Uint8Array, KeyObject>();

function keyObject(spki: Uint8Array): KeyObject {
  let key = knownKeys.get(spki);
  if (key === undefined) {
    key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    knownKeys.set(spki, key);
  }
  return key;
}

/** What kind of key it is and whether it is strong enough. Never throws. */
export function publicKeyFacts(spki: Uint8Array): PublicKeyFacts {
  let facts = knownFacts.get(spki);
  if (facts === undefined) {
    try {
      facts = readKey(spki);
    } catch {
      facts = { kind: 'malformed', why: 'public key malformed' };
    }
    knownFacts.set(spki, facts);
  }
  return facts;
}

function readKey(spki: Uint8Array): PublicKeyFacts {
  if (spki.length > MAX_KEY_BYTES) throw new DerError('public key too long');
  const [algorithmNode, bits, rest] = childrenOf(expectTag(readDer(spki), Tag.sequence, 'public key'), 3);
  if (algorithmNode === undefined || rest !== undefined) throw new DerError('public key malformed');
  const algorithm = parseAlgorithm(algorithmNode);
  const key = readWholeBits(expectTag(bits, Tag.bitString, 'public key'));
  if (algorithm.oid === RSA || algorithm.oid === RSA_PSS) return readRsaKey(algorithm, key);
  if (algorithm.oid === EC) return readEcKey(algorithm, key);
  const plain = PLAIN_KEYS.get(algorithm.oid);
  if (plain === undefined) return { kind: 'unsupported', why: `public key algorithm ${algorithm.oid}` };
  if (algorithm.parameters !== undefined || key.length !== plain.octets) throw new DerError('public key malformed');
  return { kind: plain.kind };
}

/** RFC 8017 §A.1.1, RFC 4055 §1.2. */
function readRsaKey(algorithm: AlgorithmIdentifier, key: Uint8Array): PublicKeyFacts {
  const [modulusNode, exponentNode, rest] = childrenOf(expectTag(readDer(key), Tag.sequence, 'RSA key'), 3);
  if (modulusNode === undefined || exponentNode === undefined || rest !== undefined) throw new DerError('RSA key');
  const bits = bitLength(readIntegerBytes(modulusNode));
  const exponent = readIntegerBytes(exponentNode);
  if (bits < MIN_RSA_BITS) return { kind: 'weak', why: `RSA key of ${bits} bits` };
  if (bits > MAX_RSA_BITS) return { kind: 'unsupported', why: `RSA key of ${bits} bits` };
  const last = exponent[exponent.length - 1] as number;
  if ((last & 1) === 0 || bitLength(exponent) < 2 || exponent.length > MAX_RSA_EXPONENT_OCTETS) {
    return { kind: 'weak', why: 'RSA exponent' };
  }
  if (algorithm.oid === RSA) {
    if (!parametersFit('rsa', algorithm.parameters)) throw new DerError('RSA key malformed');
    return { kind: 'rsa', bits };
  }
  const restriction = algorithm.parameters === undefined ? undefined : parsePss(algorithm.parameters);
  if (restriction === 'weak' || restriction === 'unsupported') return { kind: restriction, why: 'RSA-PSS parameters' };
  return { kind: 'rsa-pss', bits, restriction };
}

/** Of a positive INTEGER's content octets. */
function bitLength(content: Uint8Array): number {
  const first = content[0] as number;
  if ((first & 0x80) !== 0) throw new DerError('negative number');
  if (first !== 0) return content.length * 8 - Math.clz32(first) + 24;
  return content.length === 1 ? 0 : (content.length - 1) * 8;
}

function readEcKey(algorithm: AlgorithmIdentifier, point: Uint8Array): PublicKeyFacts {
  const parameters = algorithm.parameters === undefined ? undefined : readDer(algorithm.parameters);
  // RFC 5480 §2.1.1: implicit and specified curves MUST NOT be used.
  if (parameters?.tag !== Tag.oid) return { kind: 'unsupported', why: 'EC key without a named curve' };
  const oid = readOid(parameters);
  const octets = CURVE_OCTETS.get(oid);
  if (octets === undefined) return { kind: 'unsupported', why: `EC key on curve ${oid}` };
  const form = point[0];
  const wellFormed =
    form === 4 ? point.length === 1 + 2 * octets : (form === 2 || form === 3) && point.length === 1 + octets;
  if (!wellFormed) throw new DerError('EC point malformed');
  return { kind: 'ec' };
}
