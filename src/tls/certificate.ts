/**
 * An X.509 certificate as facts: what RFC 5280 §4.1 says a certificate holds, read strictly from DER. Whether it is to
 * be believed is decided elsewhere (`certificate-path.ts`); nothing here verifies a signature.
 * Everything is a view on the DER handed in, which must not change afterwards.
 * RFC 5280 §4.1, §4.2. Pure; throws DerError only.
 */
import {
  type AuthorityInfoAccess,
  type AuthorityKeyId,
  type BasicConstraints,
  type DistributionPoint,
  ExtensionId,
  type GeneralName,
  type NameConstraints,
  type PolicyConstraints,
  type PolicyMapping,
  parseAuthorityInfoAccess,
  parseAuthorityKeyId,
  parseBasicConstraints,
  parseCertificatePolicies,
  parseDistributionPoints,
  parseExtendedKeyUsage,
  parseInhibitAnyPolicy,
  parseKeyUsage,
  parseNameConstraints,
  parsePolicyConstraints,
  parsePolicyMappings,
  parseSubjectAltName,
  parseSubjectKeyId,
  readObjectSids,
} from './certificate-extensions.ts';
import {
  childrenOf,
  contentOf,
  DerError,
  type DerNode,
  encodingOf,
  expectTag,
  readBoolean,
  readDer,
  readIntegerBytes,
  readOid,
  readTimeMs,
  Tag,
} from './der.ts';
import { type Name, parseName } from './distinguished-name.ts';

export type { GeneralName } from './certificate-extensions.ts';

/** `parameters` is the whole TLV, undefined where absent. */
export type AlgorithmIdentifier = { readonly oid: string; readonly parameters: Uint8Array | undefined };

/** `value` is what the OCTET STRING holds. */
export type Extension = { readonly oid: string; readonly critical: boolean; readonly value: Uint8Array };

export type Certificate = {
  readonly der: Uint8Array;
  /** The TBSCertificate as it was signed. */
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  /** The bits of the signature, whole octets. */
  readonly signature: Uint8Array;
  readonly version: 1 | 2 | 3;
  /** Content octets of the INTEGER. */
  readonly serial: Uint8Array;
  /** As `openssl x509 -serial` prints it. */
  readonly serialHex: string;
  readonly issuer: Name;
  readonly subject: Name;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SubjectPublicKeyInfo, the whole TLV. */
  readonly spki: Uint8Array;
  /** The bits of the public key, whole octets, without its algorithm; undefined where they cannot be read. */
  readonly publicKeyBits: Uint8Array | undefined;
  readonly extensions: ReadonlyMap<string, Extension>;
  readonly subjectKeyId: Uint8Array | undefined;
  readonly authorityKeyId: AuthorityKeyId | undefined;
  readonly basicConstraints: BasicConstraints | undefined;
  /** Masks of `KeyUsage` in certificate-extensions.ts. */
  readonly keyUsage: number | undefined;
  readonly extendedKeyUsage: readonly string[] | undefined;
  /** Empty where the extension is absent. */
  readonly subjectAltNames: readonly GeneralName[];
  readonly nameConstraints: NameConstraints | undefined;
  readonly policies: readonly string[] | undefined;
  readonly policyMappings: readonly PolicyMapping[] | undefined;
  readonly policyConstraints: PolicyConstraints | undefined;
  /** SkipCerts. */
  readonly inhibitAnyPolicy: number | undefined;
  readonly crlDistributionPoints: readonly DistributionPoint[] | undefined;
  readonly freshestCrl: readonly DistributionPoint[] | undefined;
  readonly authorityInfoAccess: readonly AuthorityInfoAccess[] | undefined;
  /** What Active Directory's authority says whose account it is; empty where the extension is absent or malformed. */
  readonly objectSids: readonly string[];
};

/** Longer ones are refused: the largest honest ones are a few kilobytes. */
export const MAX_CERTIFICATE_BYTES = 128 * 1024;
const MAX_EXTENSIONS = 100;
const MAX_SERIAL_OCTETS = 64;
const NO_EXTENSIONS: ReadonlyMap<string, Extension> = new Map();

/** Undefined: malformed. */
export function readCertificate(der: Uint8Array): Certificate | undefined {
  try {
    return parseCertificate(der);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** Throws DerError only. Bounded in size; duplicate extensions and trailing bytes are refused. */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE_BYTES) throw new DerError('certificate too long');
  const [tbs, algorithm, signature, rest] = childrenOf(expectTag(readDer(der), Tag.sequence, 'certificate'), 4);
  if (rest !== undefined) throw new DerError('certificate: unexpected element');
  expectTag(tbs, Tag.sequence, 'tbsCertificate');
  expectTag(algorithm, Tag.sequence, 'signatureAlgorithm');
  const fields = readTbs(tbs as DerNode);
  // RFC 5280 §4.1.1.2: the algorithm outside MUST be the one that was signed.
  if (!sameBytes(encodingOf(algorithm as DerNode), encodingOf(fields.algorithm))) {
    throw new DerError('signature algorithms differ');
  }
  const extensions = fields.extensions === undefined ? NO_EXTENSIONS : parseExtensions(fields.extensions);
  return {
    der,
    tbs: encodingOf(tbs as DerNode),
    signatureAlgorithm: parseAlgorithm(algorithm as DerNode),
    signature: readWholeBits(expectTag(signature, Tag.bitString, 'signature')),
    version: fields.version,
    serial: fields.serial,
    serialHex: integerHex(fields.serial),
    issuer: fields.issuer,
    subject: fields.subject,
    notBeforeMs: fields.notBeforeMs,
    notAfterMs: fields.notAfterMs,
    spki: fields.spki,
    publicKeyBits: readPublicKeyBits(fields.spki),
    extensions,
    ...readKnownExtensions(extensions),
  };
}

type TbsFields = Pick<
  Certificate,
  'version' | 'serial' | 'issuer' | 'subject' | 'notBeforeMs' | 'notAfterMs' | 'spki'
> & {
  readonly algorithm: DerNode;
  readonly extensions: DerNode | undefined;
};

/** RFC 5280 §4.1.2. */
function readTbs(tbs: DerNode): TbsFields {
  const rest = childrenOf(tbs, 12);
  const version = rest[0]?.tag === Tag.context(0, true) ? readVersion(rest.shift() as DerNode) : 1;
  const [serialNode, algorithm, issuerNode, validity, subjectNode, spki, ...optional] = rest;
  const serial = readIntegerBytes(expectTag(serialNode, Tag.integer, 'serial number'));
  if (serial.length > MAX_SERIAL_OCTETS) throw new DerError('serial number too long');
  const issuer = parseName(expectTag(issuerNode, Tag.sequence, 'issuer'));
  // RFC 5280 §4.1.2.4: the issuer MUST NOT be empty.
  if (issuer.rdns.length === 0) throw new DerError('issuer empty');
  const [notBefore, notAfter, more] = childrenOf(expectTag(validity, Tag.sequence, 'validity'), 3);
  if (notBefore === undefined || notAfter === undefined || more !== undefined) throw new DerError('validity malformed');
  return {
    version,
    serial,
    algorithm: expectTag(algorithm, Tag.sequence, 'signature'),
    issuer,
    notBeforeMs: readTimeMs(notBefore),
    notAfterMs: readTimeMs(notAfter),
    subject: parseName(expectTag(subjectNode, Tag.sequence, 'subject')),
    spki: encodingOf(expectTag(spki, Tag.sequence, 'subjectPublicKeyInfo')),
    extensions: readOptionalFields(version, optional),
  };
}

/** Deviates: X.690 §11.5 forbids to encode the default, version 1; old certificates do and it says the same. */
function readVersion(wrapper: DerNode): 1 | 2 | 3 {
  const [node, rest] = childrenOf(wrapper, 2);
  const value = readIntegerBytes(expectTag(node, Tag.integer, 'version'));
  if (rest !== undefined || value.length !== 1 || (value[0] as number) > 2) throw new DerError('version unknown');
  return ((value[0] as number) + 1) as 1 | 2 | 3;
}

/** issuerUniqueID [1], subjectUniqueID [2], extensions [3]: in this order, each at most once. */
function readOptionalFields(version: 1 | 2 | 3, fields: readonly DerNode[]): DerNode | undefined {
  let previous = 0;
  let extensions: DerNode | undefined;
  for (const field of fields) {
    const number = field.tag & 0x1f;
    if (number <= previous) throw new DerError('tbsCertificate: elements out of order');
    previous = number;
    if (field.tag === Tag.context(3, true)) extensions = field;
    else if (field.tag !== Tag.context(1) && field.tag !== Tag.context(2))
      throw new DerError('tbsCertificate: unknown element');
    // RFC 5280 §4.1.2.8, §4.1.2.9: unique identifiers from version 2, extensions in version 3 only.
    if (version === 1 || (number === 3 && version !== 3)) throw new DerError('version too low for its fields');
  }
  return extensions;
}

/** The Extensions inside an explicit tag, of a certificate or a revocation list. Throws DerError; duplicates are refused. */
export function parseExtensions(wrapper: DerNode): ReadonlyMap<string, Extension> {
  const [list, rest] = childrenOf(wrapper, 2);
  if (rest !== undefined) throw new DerError('extensions malformed');
  return parseExtensionList(expectTag(list, Tag.sequence, 'extensions'));
}

/** The SEQUENCE of extensions itself (CRL entries). Throws DerError; duplicates are refused. */
function parseExtensionList(list: DerNode): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>();
  for (const node of childrenOf(list, MAX_EXTENSIONS)) {
    const extension = parseExtension(node);
    // RFC 5280 §4.2: not more than one instance of an extension.
    if (extensions.has(extension.oid)) throw new DerError('extension given twice');
    extensions.set(extension.oid, extension);
  }
  if (extensions.size === 0) throw new DerError('extensions: empty');
  return extensions;
}

/** Deviates: X.690 §11.5 forbids to encode the default `critical FALSE`, but authorities do it and it says the same. */
function parseExtension(node: DerNode): Extension {
  const parts = childrenOf(expectTag(node, Tag.sequence, 'extension'), 3);
  const [id] = parts;
  const critical = parts.length === 3 ? readBoolean(parts[1] as DerNode) : false;
  const value = expectTag(parts[parts.length - 1], Tag.octetString, 'extension value');
  return { oid: readOid(expectTag(id, Tag.oid, 'extension id')), critical, value: contentOf(value) };
}

type KnownExtensions = Omit<
  Certificate,
  keyof TbsFields | 'der' | 'tbs' | 'signatureAlgorithm' | 'signature' | 'serialHex' | 'publicKeyBits'
>;

function readKnownExtensions(extensions: ReadonlyMap<string, Extension>): KnownExtensions {
  const read = <T>(oid: string, parse: (value: Uint8Array) => T): T | undefined => {
    const extension = extensions.get(oid);
    return extension === undefined ? undefined : parse(extension.value);
  };
  return {
    subjectKeyId: read(ExtensionId.subjectKeyIdentifier, parseSubjectKeyId),
    authorityKeyId: read(ExtensionId.authorityKeyIdentifier, parseAuthorityKeyId),
    basicConstraints: read(ExtensionId.basicConstraints, parseBasicConstraints),
    keyUsage: read(ExtensionId.keyUsage, parseKeyUsage),
    extendedKeyUsage: read(ExtensionId.extendedKeyUsage, parseExtendedKeyUsage),
    subjectAltNames: read(ExtensionId.subjectAltName, parseSubjectAltName) ?? [],
    nameConstraints: read(ExtensionId.nameConstraints, parseNameConstraints),
    policies: read(ExtensionId.certificatePolicies, parseCertificatePolicies),
    policyMappings: read(ExtensionId.policyMappings, parsePolicyMappings),
    policyConstraints: read(ExtensionId.policyConstraints, parsePolicyConstraints),
    inhibitAnyPolicy: read(ExtensionId.inhibitAnyPolicy, parseInhibitAnyPolicy),
    crlDistributionPoints: read(ExtensionId.crlDistributionPoints, parseDistributionPoints),
    freshestCrl: read(ExtensionId.freshestCrl, parseDistributionPoints),
    authorityInfoAccess: read(ExtensionId.authorityInfoAccess, parseAuthorityInfoAccess),
    objectSids: read(ExtensionId.securityIdentifier, readObjectSids) ?? [],
  };
}

/** Keys are judged where they are used (signature.ts); one that cannot be read has no bits. */
function readPublicKeyBits(spki: Uint8Array): Uint8Array | undefined {
  try {
    const [, bits] = childrenOf(readDer(spki), 2);
    return readWholeBits(expectTag(bits, Tag.bitString, 'public key'));
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** AlgorithmIdentifier (RFC 5280 §4.1.1.2). Throws DerError. */
export function parseAlgorithm(node: DerNode): AlgorithmIdentifier {
  const [oid, parameters, rest] = childrenOf(expectTag(node, Tag.sequence, 'algorithm'), 3);
  if (rest !== undefined) throw new DerError('algorithm malformed');
  return {
    oid: readOid(expectTag(oid, Tag.oid, 'algorithm')),
    parameters: parameters === undefined ? undefined : encodingOf(parameters),
  };
}

/** A BIT STRING of whole octets (signatures, keys). Throws DerError. */
export function readWholeBits(node: DerNode): Uint8Array {
  const content = contentOf(node);
  if (content.length < 1 || content[0] !== 0) throw new DerError('bit string: not whole octets');
  return content.subarray(1);
}

/**
 * Content octets of an INTEGER as `openssl x509 -serial` prints it: upper-case hexadecimal of the magnitude in whole
 * octets, `00` for zero, `-01` for minus one.
 */
function integerHex(content: Uint8Array): string {
  const negative = ((content[0] ?? 0) & 0x80) !== 0;
  if (!negative) {
    const magnitude = content.length > 1 && content[0] === 0 ? content.subarray(1) : content;
    return Buffer.from(magnitude).toString('hex').toUpperCase();
  }
  const magnitude = (1n << BigInt(content.length * 8)) - BigInt(`0x${Buffer.from(content).toString('hex')}`);
  const hex = magnitude.toString(16).toUpperCase();
  return `-${hex.length % 2 === 0 ? hex : `0${hex}`}`;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** RFC 5280 §6.1: issuer and subject are the same name. It says nothing about keys. */
export const isSelfIssued = (certificate: Certificate): boolean => certificate.issuer.key === certificate.subject.key;
