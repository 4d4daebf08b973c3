/**
 * Certificates that the gateway's administrator asks a CA for, or signs himself: key, certificate request, self-signed
 * certificate. For servers; nothing here decides whom to trust.
 * AsyncOS: certconfig, Network > Certificates. RFC 2986 (PKCS #10), RFC 5280 §4.2. Pure but for key generation; time and
 * serial number are handed in.
 */
import 'reflect-metadata';
import { createPublicKey, generateKeyPairSync, type KeyObject, type webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { parseIp } from '../core/network.ts';
import { pem } from './certificate-issuance.ts';

export const KEY_TYPES = ['p256', 'p384', 'rsa2048', 'rsa3072', 'rsa4096', 'ed25519'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

export type Wanted = {
  /** Host names and addresses; the first is the common name. */
  readonly names: readonly string[];
  readonly organization?: string | undefined;
  readonly unit?: string | undefined;
  readonly locality?: string | undefined;
  readonly state?: string | undefined;
  /** Two letters. */
  readonly country?: string | undefined;
};

export type Lifetime = { readonly serialHex: string; readonly notBeforeMs: number; readonly notAfterMs: number };

export function newKey(type: KeyType): KeyObject {
  if (type === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  if (type === 'p256' || type === 'p384')
    return generateKeyPairSync('ec', { namedCurve: type === 'p256' ? 'P-256' : 'P-384' }).privateKey;
  return generateKeyPairSync('rsa', { modulusLength: Number(type.slice(3)) }).privateKey;
}

/** Why `key` cannot sign a request here; undefined where it can. */
export function keyFault(key: KeyObject): string | undefined {
  return algorithmOf(key) === undefined
    ? 'the key must be RSA of at least 2048 bits, EC on P-256 or P-384, or Ed25519'
    : undefined;
}

/** PEM. */
export async function certificateRequest(wanted: Wanted, key: KeyObject): Promise<string> {
  const { keys, signingAlgorithm } = signerOf(key);
  const extensions = extensionsOf(wanted);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: nameOf(wanted),
    keys,
    signingAlgorithm,
    extensions,
  });
  return pem('CERTIFICATE REQUEST', request.rawData);
}

/** PEM. */
export async function selfSignedCertificate(wanted: Wanted, key: KeyObject, lifetime: Lifetime): Promise<string> {
  const { keys, signingAlgorithm } = signerOf(key);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: lifetime.serialHex,
    name: nameOf(wanted),
    notBefore: new Date(lifetime.notBeforeMs),
    notAfter: new Date(lifetime.notAfterMs),
    keys,
    signingAlgorithm,
    extensions: [...extensionsOf(wanted), await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)],
  });
  return pem('CERTIFICATE', certificate.rawData);
}

/** Least specific first, as X.500 orders a name. */
function nameOf({ names, organization, unit, locality, state, country }: Wanted): x509.JsonName {
  const parts = [
    ['C', country],
    ['ST', state],
    ['L', locality],
    ['O', organization],
    ['OU', unit],
    ['CN', names[0]],
  ] as const;
  return parts.flatMap(([type, value]) => (value === undefined ? [] : [{ [type]: [value] }]));
}

function extensionsOf({ names }: Wanted): x509.Extension[] {
  const { digitalSignature } = x509.KeyUsageFlags;
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension(
      names.map((value) => ({ type: parseIp(value) === undefined ? ('dns' as const) : ('ip' as const), value })),
    ),
  ];
}

type Algorithm = { readonly generate: object; readonly sign: object };

function algorithmOf(key: KeyObject): Algorithm | undefined {
  const { asymmetricKeyType, asymmetricKeyDetails = {} } = key;
  const { modulusLength = 0, namedCurve } = asymmetricKeyDetails;
  if (asymmetricKeyType === 'ed25519') return { generate: { name: 'Ed25519' }, sign: { name: 'Ed25519' } };
  if (asymmetricKeyType === 'rsa' && modulusLength >= 2048) {
    const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    return { generate: rsa, sign: rsa };
  }
  if (asymmetricKeyType !== 'ec') return undefined;
  if (namedCurve === 'prime256v1') return ecdsa('P-256', 'SHA-256');
  return namedCurve === 'secp384r1' ? ecdsa('P-384', 'SHA-384') : undefined;
}

const ecdsa = (namedCurve: string, hash: string): Algorithm => ({
  generate: { name: 'ECDSA', namedCurve },
  sign: { name: 'ECDSA', namedCurve, hash },
});

/** Only for keys without a `keyFault`. */
function signerOf(key: KeyObject) {
  const algorithm = algorithmOf(key);
  if (algorithm === undefined) throw new TypeError('the key cannot sign a request');
  const generate = algorithm.generate as webcrypto.Algorithm;
  return {
    keys: {
      privateKey: key.toCryptoKey(generate, true, ['sign']),
      publicKey: createPublicKey(key).toCryptoKey(generate, true, ['verify']),
    },
    signingAlgorithm: algorithm.sign as never,
  };
}
