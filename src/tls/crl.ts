/**
 * A revocation list as facts: issuer, dates, numbers, scope and the table of what it revokes. Nothing here verifies its
 * signature (`crl-issuer.ts`) or says what it means for a certificate (`revocation.ts`).
 * A list with a critical extension that is not understood is refused, because what it says cannot be known.
 * RFC 5280 §5.1, §5.2. Pure; throws DerError only.
 */
import {
  type AlgorithmIdentifier,
  type Extension,
  parseAlgorithm,
  parseExtensions,
  readWholeBits,
  sameBytes,
} from './certificate.ts';
import { ExtensionId, parseAuthorityKeyId, parseDistributionPoints } from './certificate-extensions.ts';
import { addressesOf } from './crl-points.ts';
import { readEntries, readUnsigned } from './crl-entries.ts';
import type { RevokedTable } from './crl-index.ts';
import { type CrlScope, parseScope, WHOLE_SCOPE } from './crl-scope.ts';
import {
  childrenOf,
  DerError,
  type DerNode,
  encodingOf,
  expectTag,
  readDer,
  readIntegerBytes,
  readTimeMs,
  Tag,
} from './der.ts';
import { type Name, parseName, renderName } from './distinguished-name.ts';

/** What a list says, structured-cloneable; its table is shared memory. */
export type CrlFacts = {
  /** RFC 4514 form, for people. */
  readonly issuer: string;
  /** `Name.key` of the issuer. */
  readonly issuerKey: string;
  readonly thisUpdateMs: number;
  /** Absent: the list does not say, and so it is never current (RFC 5280 §5.1.2.5 asks for it). */
  readonly nextUpdateMs?: number;
  readonly crlNumber?: bigint;
  /** Of a delta list: the number of the complete list it starts from (RFC 5280 §5.2.4). */
  readonly baseCrlNumber?: bigint;
  /** Lower-case hexadecimal. */
  readonly authorityKeyId?: string;
  /** Addresses of its deltas, by distribution point (RFC 5280 §5.2.6). */
  readonly freshest?: readonly (readonly string[])[];
  readonly scope: CrlScope;
  /** The encoded scope: lists with different ones speak about different things. */
  readonly scopeId: string;
  readonly table: RevokedTable;
  /** Keys of names; entries of indirect lists count from 1 into it. */
  readonly certificateIssuers: readonly string[];
};

/** What the signature was made over, for `crl-issuer.ts`. Views on the DER. */
export type SignedCrl = {
  readonly facts: CrlFacts;
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
};

const CrlExtension = {
  crlNumber: '2.5.29.20',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
} as const;

/** Understood, or without any meaning for the question whether a certificate is revoked. */
const KNOWN: ReadonlySet<string> = new Set([
  ...Object.values(CrlExtension),
  ExtensionId.authorityKeyIdentifier,
  ExtensionId.issuerAltName,
  ExtensionId.freshestCrl,
  ExtensionId.authorityInfoAccess,
]);

/** CertificateList. Throws DerError. Linear in the size of the list. */
export function parseCrl(der: Uint8Array): SignedCrl {
  const [tbs, algorithm, signature, rest] = childrenOf(expectTag(readDer(der), Tag.sequence, 'revocation list'), 4);
  expectTag(tbs, Tag.sequence, 'tbsCertList');
  expectTag(algorithm, Tag.sequence, 'signatureAlgorithm');
  if (rest !== undefined) throw new DerError('revocation list: unexpected element');
  const fields = childrenOf(tbs as DerNode, 8);
  const version = fields[0]?.tag === Tag.integer ? readIntegerBytes(fields.shift() as DerNode) : undefined;
  // RFC 5280 §5.1.2.1: version 2, or the field is absent.
  if (version !== undefined && (version.length !== 1 || version[0] !== 1)) throw new DerError('version unknown');
  const inner = expectTag(fields.shift(), Tag.sequence, 'signature');
  // RFC 5280 §5.1.1.2: the algorithm outside MUST be the one that was signed.
  if (!sameBytes(encodingOf(inner), encodingOf(algorithm as DerNode)))
    throw new DerError('signature algorithms differ');
  const issuer = parseName(expectTag(fields.shift(), Tag.sequence, 'issuer'));
  // RFC 5280 §5.1.2.3
  if (issuer.rdns.length === 0) throw new DerError('issuer empty');
  const thisUpdate = fields.shift();
  if (thisUpdate === undefined) throw new DerError('thisUpdate missing');
  const nextUpdateMs = isTime(fields[0]) ? readTimeMs(fields.shift() as DerNode) : undefined;
  const revoked = fields[0]?.tag === Tag.sequence ? fields.shift() : undefined;
  const extensions = fields[0]?.tag === Tag.context(0, true) ? parseExtensions(fields.shift() as DerNode) : NONE;
  if (fields.length > 0 || (extensions.size > 0 && version === undefined))
    throw new DerError('tbsCertList: unexpected element');
  return {
    facts: {
      issuer: renderName(issuer),
      issuerKey: issuer.key,
      thisUpdateMs: readTimeMs(thisUpdate),
      ...(nextUpdateMs === undefined ? {} : { nextUpdateMs }),
      ...readExtensions(extensions, issuer, revoked),
    },
    tbs: encodingOf(tbs as DerNode),
    signatureAlgorithm: parseAlgorithm(algorithm as DerNode),
    signature: readWholeBits(expectTag(signature, Tag.bitString, 'signature')),
  };
}

const NONE: ReadonlyMap<string, Extension> = new Map();
const isTime = (node: DerNode | undefined): boolean => node?.tag === Tag.utcTime || node?.tag === Tag.generalizedTime;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

type ExtensionFacts = Omit<CrlFacts, 'issuer' | 'issuerKey' | 'thisUpdateMs' | 'nextUpdateMs'>;

function readExtensions(
  extensions: ReadonlyMap<string, Extension>,
  issuer: Name,
  revoked: DerNode | undefined,
): ExtensionFacts {
  for (const { oid, critical } of extensions.values()) {
    // RFC 5280 §5.2: with an unknown critical extension the list MUST NOT be used.
    if (critical && !KNOWN.has(oid)) throw new DerError(`unknown critical extension ${oid}`);
  }
  const valueOf = (oid: string): Uint8Array | undefined => extensions.get(oid)?.value;
  const number = valueOf(CrlExtension.crlNumber);
  const base = valueOf(CrlExtension.deltaCrlIndicator);
  const point = valueOf(CrlExtension.issuingDistributionPoint);
  const authority = valueOf(ExtensionId.authorityKeyIdentifier);
  const keyId = authority === undefined ? undefined : parseAuthorityKeyId(authority).keyId;
  const freshest = valueOf(ExtensionId.freshestCrl);
  const scope = point === undefined ? WHOLE_SCOPE : parseScope(point, issuer);
  return {
    ...(number === undefined ? {} : { crlNumber: readUnsigned(readDer(number)) }),
    ...(base === undefined ? {} : { baseCrlNumber: readUnsigned(readDer(base)) }),
    ...(keyId === undefined ? {} : { authorityKeyId: hex(keyId) }),
    ...(freshest === undefined ? {} : { freshest: addressesOf(parseDistributionPoints(freshest)) }),
    scope,
    scopeId: point === undefined ? '' : hex(point),
    ...readEntries(revoked, scope.indirect),
  };
}

/**
 * Above 0 where `a` is newer than `b`: by CRL number where both have one (RFC 5280 §5.2.3), else, and between equal
 * numbers, by thisUpdate.
 */
export function compareFreshness(a: CrlFacts, b: CrlFacts): number {
  if (a.crlNumber !== undefined && b.crlNumber !== undefined && a.crlNumber !== b.crlNumber) {
    return a.crlNumber > b.crlNumber ? 1 : -1;
  }
  return a.thisUpdateMs - b.thisUpdateMs;
}
