/**
 * An OCSP request for one certificate, and the CertID that names it. Certificates are named by hashes of their issuer's
 * name and key: SHA-1 is what every responder knows, and here it only names, it protects nothing.
 * RFC 6960 §4.1; RFC 5019 §2.1.1 and its successor RFC 9919 (SHA-256); RFC 9654 (nonce). Pure: the nonce is handed in.
 */
import { createHash } from 'node:crypto';
import { type Certificate, readWholeBits, sameBytes } from './certificate.ts';
import { childrenOf, expectTag, readDer, Tag } from './der.ts';

export type CertIdHash = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** CertID: `serial` are the content octets of the INTEGER. */
export type CertId = {
  readonly hash: CertIdHash;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  readonly serial: Uint8Array;
};

export type OcspQuestion = {
  readonly certificate: Certificate;
  /** The certificate above it on the path. */
  readonly issuer: Certificate;
};

/** RFC 9654 §2.1: a client sends at least 32 octets; a responder takes up to 128. */
export const NONCE_OCTETS = 32;

export const OcspId = {
  basicResponse: '1.3.6.1.5.5.7.48.1.1',
  nonce: '1.3.6.1.5.5.7.48.1.2',
  crlReference: '1.3.6.1.5.5.7.48.1.3',
  noCheck: '1.3.6.1.5.5.7.48.1.5',
  archiveCutoff: '1.3.6.1.5.5.7.48.1.6',
  extendedRevoke: '1.3.6.1.5.5.7.48.1.9',
  /** Access method of authorityInfoAccess. */
  responder: '1.3.6.1.5.5.7.48.1',
} as const;

/** Content octets of the object identifiers that this file writes. */
const HASH_OID: Readonly<Record<CertIdHash, string>> = {
  sha1: '2b0e03021a',
  sha256: '608648016503040201',
  sha384: '608648016503040202',
  sha512: '608648016503040203',
};
const NONCE_OID = '2b0601050507300102';

/** OCSPRequest in DER: one Request, unsigned, without a requestor's name. */
export function encodeOcspRequest(
  { certificate, issuer }: OcspQuestion,
  hash: CertIdHash,
  nonce?: Uint8Array,
): Uint8Array {
  const request = sequence(encodeCertId(certIdOf({ certificate, issuer }, hash)));
  const extensions =
    nonce === undefined
      ? []
      : [
          tlv(
            0xa2,
            sequence(sequence(tlv(Tag.oid, hex(NONCE_OID)), tlv(Tag.octetString, tlv(Tag.octetString, nonce)))),
          ),
        ];
  return sequence(sequence(sequence(request), ...extensions));
}

/** RFC 6960 §4.1.1: the name as the certificate has it, the key without tag, length and unused bits. */
export const certIdOf = ({ certificate, issuer }: OcspQuestion, hash: CertIdHash): CertId => ({
  hash,
  issuerNameHash: createHash(hash).update(certificate.issuer.der).digest(),
  issuerKeyHash: keyHash(issuer, hash),
  serial: certificate.serial,
});

/** Of the bits of the public key; as SHA-1 it is also how a responder names itself byKey. Throws DerError. */
export function keyHash({ spki }: Certificate, hash: CertIdHash): Uint8Array {
  const [, bits] = childrenOf(expectTag(readDer(spki), Tag.sequence, 'public key'), 3);
  return createHash(hash)
    .update(readWholeBits(expectTag(bits, Tag.bitString, 'public key')))
    .digest();
}

export const sameCertId = (a: CertId, b: CertId): boolean =>
  a.hash === b.hash &&
  sameBytes(a.serial, b.serial) &&
  sameBytes(a.issuerNameHash, b.issuerNameHash) &&
  sameBytes(a.issuerKeyHash, b.issuerKeyHash);

const encodeCertId = ({ hash, issuerNameHash, issuerKeyHash, serial }: CertId): Uint8Array =>
  sequence(
    sequence(tlv(Tag.oid, hex(HASH_OID[hash])), tlv(Tag.null)),
    tlv(Tag.octetString, issuerNameHash),
    tlv(Tag.octetString, issuerKeyHash),
    tlv(Tag.integer, serial),
  );

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');
const sequence = (...parts: readonly Uint8Array[]): Uint8Array => tlv(Tag.sequence, ...parts);

/** A request is a few hundred octets: two length octets are enough. */
function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const { length } = content;
  const octets = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...octets), content]);
}
