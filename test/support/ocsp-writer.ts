/**
 * OCSP responses octet by octet, for tests that need what no responder sends: wrong signers, wrong times, other nonces,
 * unknown extensions. Signed with SHA-256 and EC keys of certificate-writer.ts. Pure but for signing.
 */
import { createHash, sign } from 'node:crypto';
import { ECDSA_SHA256, extension, type Issuer, integer, oid, seq, tlv } from '../pkits/certificate-writer.ts';

export const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
export const noCheck = extension('1.3.6.1.5.5.7.48.1.5', Buffer.of(5, 0));
export const nonceExtension = (nonce: Uint8Array): Buffer => extension('1.3.6.1.5.5.7.48.1.2', tlv(4, nonce));

const HASH_OID = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1', md5: '1.2.840.113549.2.5' } as const;

const generalizedTime = (ms: number): Buffer =>
  tlv(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));

export type SingleWish = {
  /** Content octets. */
  readonly serial: readonly number[];
  /** Whose certificates the serial number is one of. */
  readonly issuer: Issuer;
  readonly hash?: keyof typeof HASH_OID;
  readonly status?: 'good' | 'unknown' | { readonly revokedAtMs: number; readonly reason?: number };
  readonly thisUpdateMs: number;
  readonly nextUpdateMs?: number;
  readonly extensions?: readonly Uint8Array[];
};

export type ResponseWish = {
  readonly singles: readonly SingleWish[];
  readonly signer: Issuer;
  readonly producedAtMs: number;
  readonly byKey?: boolean;
  /** Certificates sent along. */
  readonly certificates?: readonly Uint8Array[];
  readonly extensions?: readonly Uint8Array[];
  readonly signWith?: Issuer['keys']['privateKey'];
  readonly algorithm?: Uint8Array;
};

/** The bits of the key, as CertID and byKey hash them. */
const keyBits = ({ keys }: Issuer): Buffer => {
  const spki = keys.publicKey.export({ type: 'spki', format: 'der' });
  return spki.subarray(spki.length - 65);
};
const hashOf = (hash: string, bytes: Uint8Array): Buffer => createHash(hash).update(bytes).digest();

function single({
  serial,
  issuer,
  hash = 'sha1',
  status = 'good',
  thisUpdateMs,
  nextUpdateMs,
  extensions = [],
}: SingleWish): Buffer {
  const certId = seq(
    seq(oid(HASH_OID[hash]), Buffer.of(5, 0)),
    tlv(4, hashOf(hash, issuer.subject)),
    tlv(4, hashOf(hash, keyBits(issuer))),
    integer(...serial),
  );
  return seq(
    certId,
    statusOf(status),
    generalizedTime(thisUpdateMs),
    ...(nextUpdateMs === undefined ? [] : [tlv(0xa0, generalizedTime(nextUpdateMs))]),
    ...(extensions.length === 0 ? [] : [tlv(0xa1, seq(...extensions))]),
  );
}

function statusOf(status: NonNullable<SingleWish['status']>): Buffer {
  if (status === 'good') return tlv(0x80);
  if (status === 'unknown') return tlv(0x82);
  const reason = status.reason === undefined ? [] : [tlv(0xa0, tlv(0x0a, Buffer.of(status.reason)))];
  return tlv(0xa1, generalizedTime(status.revokedAtMs), ...reason);
}

export function ocspResponse(wish: ResponseWish): Buffer {
  const { singles, signer, producedAtMs, byKey = false, certificates = [], extensions = [] } = wish;
  const algorithm = wish.algorithm ?? ECDSA_SHA256;
  const tbs = seq(
    byKey ? tlv(0xa2, tlv(4, hashOf('sha1', keyBits(signer)))) : tlv(0xa1, signer.subject),
    generalizedTime(producedAtMs),
    seq(...singles.map(single)),
    ...(extensions.length === 0 ? [] : [tlv(0xa1, seq(...extensions))]),
  );
  const signature = sign('sha256', tbs, wish.signWith ?? signer.keys.privateKey);
  const basic = seq(
    tbs,
    algorithm,
    tlv(3, Buffer.of(0), signature),
    ...(certificates.length === 0 ? [] : [tlv(0xa0, seq(...certificates))]),
  );
  return seq(tlv(0x0a, Buffer.of(0)), tlv(0xa0, seq(oid('1.3.6.1.5.5.7.48.1.1'), tlv(4, basic))));
}

/** tryLater is 3, unauthorized 6. */
export const ocspError = (status: number): Buffer => seq(tlv(0x0a, Buffer.of(status)));
