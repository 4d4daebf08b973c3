/**
 * The certificate extensions that path validation, revocation and identity use, from their DER to typed facts.
 * Whatever is recognised is parsed strictly; what is not recognised is the caller's matter (RFC 5280 §4.2: refuse it
 * where it is critical). Also the building blocks that revocation lists share: general names, distribution points.
 * RFC 5280 §4.2. Pure; throws DerError only.
 */
import {
  childrenOf,
  contentOf,
  DerError,
  type DerNode,
  encodingOf,
  expectTag,
  oidFromContent,
  readBoolean,
  readDer,
  readIntegerBytes,
  readNode,
  readOid,
  Tag,
} from './der.ts';
import { type Attribute, decodeString, type Name, parseName, parseRdnContent } from './distinguished-name.ts';

/** Object identifiers of the extensions. */
export const ExtensionId = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  issuerAltName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  freshestCrl: '2.5.29.46',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  /** MS-WCCE §2.2.2.7.7.4. */
  securityIdentifier: '1.3.6.1.4.1.311.25.2',
} as const;

export const ANY_POLICY = '2.5.29.32.0';

/** Bit numbers of KeyUsage (RFC 5280 §4.2.1.3) as masks of `Certificate.keyUsage`. */
export const KeyUsage = {
  digitalSignature: 1 << 0,
  nonRepudiation: 1 << 1,
  keyEncipherment: 1 << 2,
  dataEncipherment: 1 << 3,
  keyAgreement: 1 << 4,
  keyCertSign: 1 << 5,
  cRLSign: 1 << 6,
  encipherOnly: 1 << 7,
  decipherOnly: 1 << 8,
} as const;

/** `malformed`: a name whose form is known and whose octets are not printable ASCII; it satisfies no constraint. */
export type GeneralName =
  /** `value`: DER of the value; `text`: what it says where it is a string. */
  | {
      readonly kind: 'otherName';
      readonly typeId: string;
      readonly value: Uint8Array;
      readonly text: string | undefined;
    }
  | { readonly kind: 'rfc822Name' | 'dNSName' | 'uri'; readonly text: string }
  | { readonly kind: 'malformed'; readonly form: 'rfc822Name' | 'dNSName' | 'uri'; readonly bytes: Uint8Array }
  | { readonly kind: 'directoryName'; readonly name: Name }
  | { readonly kind: 'iPAddress'; readonly bytes: Uint8Array }
  | { readonly kind: 'registeredID'; readonly oid: string }
  | { readonly kind: 'x400Address' | 'ediPartyName'; readonly der: Uint8Array };

export type AuthorityKeyId = {
  readonly keyId?: Uint8Array;
  readonly issuer?: readonly GeneralName[];
  /** Content octets. */
  readonly serial?: Uint8Array;
};

export type BasicConstraints = { readonly ca: boolean; readonly pathLength?: number };

/** `base` as a constraint: an address with its mask for iPAddress. */
export type NameConstraints = {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
};

export type PolicyMapping = { readonly issuerDomain: string; readonly subjectDomain: string };
export type PolicyConstraints = { readonly requireExplicitPolicy?: number; readonly inhibitPolicyMapping?: number };

/** Exactly one of the two. `relativeName` is an RDN to put behind the CRL issuer's name. */
export type DistributionPointName = {
  readonly fullName?: readonly GeneralName[];
  readonly relativeName?: readonly Attribute[];
};

export type DistributionPoint = {
  readonly name?: DistributionPointName;
  /** ReasonFlags, bit n as `1 << n` (RFC 5280 §4.2.1.13); absent = all reasons. */
  readonly reasons?: number;
  readonly crlIssuer?: readonly GeneralName[];
};

export type AuthorityInfoAccess = { readonly method: string; readonly location: GeneralName };

const MAX_GENERAL_NAMES = 1000;
const MAX_SUBTREES = 5000;
const MAX_POLICIES = 256;
const MAX_DISTRIBUTION_POINTS = 64;

export function parseGeneralNames(node: DerNode, max = MAX_GENERAL_NAMES): GeneralName[] {
  const names = childrenOf(node, max).map(parseGeneralName);
  if (names.length === 0) throw new DerError('general names: empty');
  return names;
}

function parseGeneralName(node: DerNode): GeneralName {
  switch (node.tag) {
    case Tag.context(0, true): {
      const [typeId, value, rest] = childrenOf(node, 3);
      if (typeId === undefined || value === undefined || rest !== undefined || value.tag !== Tag.context(0, true)) {
        throw new DerError('otherName malformed');
      }
      const inner = readNode(value.bytes, value.contentStart, value.end);
      if (inner.end !== value.end) throw new DerError('otherName malformed');
      const text = decodeString(inner.tag, contentOf(inner));
      return { kind: 'otherName', typeId: readOid(typeId), value: encodingOf(inner), text };
    }
    case Tag.context(1):
      return textName('rfc822Name', contentOf(node));
    case Tag.context(2):
      return textName('dNSName', contentOf(node));
    case Tag.context(3, true):
      return { kind: 'x400Address', der: encodingOf(node) };
    case Tag.context(4, true): {
      const inner = readNode(node.bytes, node.contentStart, node.end);
      if (inner.end !== node.end) throw new DerError('directoryName malformed');
      return { kind: 'directoryName', name: parseName(inner) };
    }
    case Tag.context(5, true):
      return { kind: 'ediPartyName', der: encodingOf(node) };
    case Tag.context(6):
      return textName('uri', contentOf(node));
    case Tag.context(7):
      return { kind: 'iPAddress', bytes: contentOf(node) };
    case Tag.context(8):
      return { kind: 'registeredID', oid: oidFromContent(contentOf(node)) };
    default:
      throw new DerError('general name: unknown form');
  }
}

function textName(form: 'rfc822Name' | 'dNSName' | 'uri', bytes: Uint8Array): GeneralName {
  for (let i = 0; i < bytes.length; i++) {
    const octet = bytes[i] as number;
    if (octet < 0x20 || octet > 0x7e) return { kind: 'malformed', form, bytes };
  }
  return { kind: form, text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1') };
}

/** RFC 5280 §4.2.1.1. */
export function parseAuthorityKeyId(value: Uint8Array): AuthorityKeyId {
  let result: AuthorityKeyId = {};
  for (const child of childrenInOrder(readDer(value), 3)) {
    if (child.tag === Tag.context(0)) result = { ...result, keyId: contentOf(child) };
    else if (child.tag === Tag.context(1, true)) result = { ...result, issuer: parseGeneralNames(child) };
    else if (child.tag === Tag.context(2)) result = { ...result, serial: contentOf(child) };
    else throw new DerError('authority key identifier malformed');
  }
  return result;
}

export const parseSubjectKeyId = (value: Uint8Array): Uint8Array =>
  contentOf(expectTag(readDer(value), Tag.octetString, 'subject key identifier'));

/** RFC 5280 §4.2.1.3. */
export function parseKeyUsage(value: Uint8Array): number {
  return parseBits(expectTag(readDer(value), Tag.bitString, 'key usage'));
}

/** A named bit list of at most 16 bits, of a BIT STRING or an implicitly tagged one: bit n as `1 << n`. */
export function parseBits(node: DerNode): number {
  const content = contentOf(node);
  const unused = content[0];
  if (unused === undefined || content.length > 3 || unused > 7 || (content.length === 1 && unused !== 0)) {
    throw new DerError('bit string malformed');
  }
  const last = content[content.length - 1] as number;
  if (content.length > 1 && (last & ((1 << unused) - 1)) !== 0) throw new DerError('bit string malformed');
  let bits = 0;
  for (let n = 0; n < (content.length - 1) * 8; n++) {
    if (((content[1 + (n >> 3)] as number) & (0x80 >> (n & 7))) !== 0) bits |= 1 << n;
  }
  return bits;
}

/**
 * RFC 5280 §4.2.1.9. Deviates: X.690 §11.5 forbids to encode the default `cA FALSE`, but authorities do it and it
 * says the same.
 */
export function parseBasicConstraints(value: Uint8Array): BasicConstraints {
  const children = childrenOf(expectTag(readDer(value), Tag.sequence, 'basic constraints'), 2);
  const first = children[0]?.tag === Tag.boolean ? children.shift() : undefined;
  const ca = first !== undefined && readBoolean(first);
  const length = children.shift();
  if (children.length > 0) throw new DerError('basic constraints malformed');
  return length === undefined ? { ca } : { ca, pathLength: readSmallInteger(readIntegerBytes(length)) };
}

/** A number that is never negative; whatever is above 2^31 is as good as 2^31, since paths are short. */
function readSmallInteger(content: Uint8Array): number {
  if (content.length === 0 || ((content[0] as number) & 0x80) !== 0) throw new DerError('negative number');
  let value = 0;
  for (const octet of content) value = Math.min(value * 256 + octet, 2 ** 31);
  return value;
}

/** RFC 5280 §4.2.1.12. */
export function parseExtendedKeyUsage(value: Uint8Array): string[] {
  const purposes = childrenOf(expectTag(readDer(value), Tag.sequence, 'extended key usage'), 64).map(readOid);
  if (purposes.length === 0) throw new DerError('extended key usage: empty');
  return purposes;
}

/** RFC 5280 §4.2.1.10. */
export function parseNameConstraints(value: Uint8Array): NameConstraints {
  let permitted: GeneralName[] = [];
  let excluded: GeneralName[] = [];
  const lists = childrenInOrder(readDer(value), 2);
  if (lists.length === 0) throw new DerError('name constraints: empty');
  for (const list of lists) {
    if (list.tag === Tag.context(0, true)) permitted = parseSubtrees(list);
    else if (list.tag === Tag.context(1, true)) excluded = parseSubtrees(list);
    else throw new DerError('name constraints malformed');
  }
  return { permitted, excluded };
}

function parseSubtrees(list: DerNode): GeneralName[] {
  const subtrees = childrenOf(list, MAX_SUBTREES).map((subtree) => {
    const [base, ...rest] = childrenOf(expectTag(subtree, Tag.sequence, 'general subtree'), 3);
    if (base === undefined) throw new DerError('general subtree malformed');
    // RFC 5280 §4.2.1.10: minimum is 0 and maximum absent in this profile; `minimum 0` written out says the same.
    for (const bound of rest) {
      if (bound.tag !== Tag.context(0) || contentOf(bound).length !== 1 || contentOf(bound)[0] !== 0) {
        throw new DerError('general subtree: minimum or maximum given');
      }
    }
    return parseGeneralName(base);
  });
  if (subtrees.length === 0) throw new DerError('name constraints: empty list');
  return subtrees;
}

/** RFC 5280 §4.2.1.4. Qualifiers say nothing to a machine and are not looked at. */
export function parseCertificatePolicies(value: Uint8Array): string[] {
  const policies = childrenOf(expectTag(readDer(value), Tag.sequence, 'certificate policies'), MAX_POLICIES).map(
    (information) => {
      const [id, qualifiers, rest] = childrenOf(expectTag(information, Tag.sequence, 'policy information'), 3);
      if (rest !== undefined) throw new DerError('policy information malformed');
      if (qualifiers !== undefined) expectTag(qualifiers, Tag.sequence, 'policy qualifiers');
      return readOid(expectTag(id, Tag.oid, 'policy identifier'));
    },
  );
  if (policies.length === 0) throw new DerError('certificate policies: empty');
  if (new Set(policies).size !== policies.length) throw new DerError('certificate policies: one given twice');
  return policies;
}

/** RFC 5280 §4.2.1.5. */
export function parsePolicyMappings(value: Uint8Array): PolicyMapping[] {
  const mappings = childrenOf(expectTag(readDer(value), Tag.sequence, 'policy mappings'), MAX_POLICIES).map((pair) => {
    const [issuer, subject, rest] = childrenOf(expectTag(pair, Tag.sequence, 'policy mapping'), 3);
    if (issuer === undefined || subject === undefined || rest !== undefined) throw new DerError('policy mapping');
    return { issuerDomain: readOid(issuer), subjectDomain: readOid(subject) };
  });
  if (mappings.length === 0) throw new DerError('policy mappings: empty');
  return mappings;
}

/** RFC 5280 §4.2.1.11. */
export function parsePolicyConstraints(value: Uint8Array): PolicyConstraints {
  let result: PolicyConstraints = {};
  const children = childrenInOrder(readDer(value), 2);
  if (children.length === 0) throw new DerError('policy constraints: empty');
  for (const child of children) {
    const skip = readSmallInteger(contentOf(child));
    if (child.tag === Tag.context(0)) result = { ...result, requireExplicitPolicy: skip };
    else if (child.tag === Tag.context(1)) result = { ...result, inhibitPolicyMapping: skip };
    else throw new DerError('policy constraints malformed');
  }
  return result;
}

/** RFC 5280 §4.2.1.14. */
export const parseInhibitAnyPolicy = (value: Uint8Array): number => readSmallInteger(readIntegerBytes(readDer(value)));

export const parseSubjectAltName = (value: Uint8Array): GeneralName[] =>
  parseGeneralNames(expectTag(readDer(value), Tag.sequence, 'alternative names'));

/** RFC 5280 §4.2.1.13; also freshestCRL, §4.2.1.15. */
export function parseDistributionPoints(value: Uint8Array): DistributionPoint[] {
  const list = expectTag(readDer(value), Tag.sequence, 'CRL distribution points');
  const points = childrenOf(list, MAX_DISTRIBUTION_POINTS).map(parseDistributionPoint);
  if (points.length === 0) throw new DerError('CRL distribution points: empty');
  return points;
}

function parseDistributionPoint(node: DerNode): DistributionPoint {
  let result: DistributionPoint = {};
  for (const child of childrenInOrder(node, 3)) {
    if (child.tag === Tag.context(0, true)) result = { ...result, name: parseDistributionPointName(child) };
    else if (child.tag === Tag.context(1)) result = { ...result, reasons: parseBits(child) };
    else if (child.tag === Tag.context(2, true)) result = { ...result, crlIssuer: parseGeneralNames(child) };
    else throw new DerError('distribution point malformed');
  }
  return result;
}

/** `wrapper` is the explicit [0] around the CHOICE; issuingDistributionPoint has the same form. */
export function parseDistributionPointName(wrapper: DerNode): DistributionPointName {
  const [choice, rest] = childrenOf(wrapper, 2);
  if (rest !== undefined) throw new DerError('distribution point name malformed');
  if (choice?.tag === Tag.context(0, true)) return { fullName: parseGeneralNames(choice) };
  if (choice?.tag === Tag.context(1, true)) return { relativeName: parseRdnContent(choice) };
  throw new DerError('distribution point name malformed');
}

/** RFC 5280 §4.2.2.1. */
export function parseAuthorityInfoAccess(value: Uint8Array): AuthorityInfoAccess[] {
  const list = expectTag(readDer(value), Tag.sequence, 'authority information access');
  return childrenOf(list, MAX_DISTRIBUTION_POINTS).map((description) => {
    const [method, location, rest] = childrenOf(expectTag(description, Tag.sequence, 'access description'), 3);
    if (method === undefined || location === undefined || rest !== undefined) throw new DerError('access description');
    return { method: readOid(method), location: parseGeneralName(location) };
  });
}

/** The context-tagged optional elements of a SEQUENCE: tag numbers must rise, so none comes twice. */
function childrenInOrder(node: DerNode, max: number): DerNode[] {
  const children = childrenOf(expectTag(node, Tag.sequence, 'sequence'), max);
  let previous = -1;
  for (const child of children) {
    const number = child.tag & 0x1f;
    if (number <= previous) throw new DerError('elements out of order');
    previous = number;
  }
  return children;
}

const OBJECT_SID = '1.3.6.1.4.1.311.25.2.1';

/** MS-WCCE §2.2.2.7.7.4: general names with the account's SID as text. It says nothing about the path: never throws. */
export function readObjectSids(value: Uint8Array): string[] {
  try {
    return parseSubjectAltName(value).flatMap((name) => {
      if (name.kind !== 'otherName' || name.typeId !== OBJECT_SID) return [];
      return [Buffer.from(contentOf(expectTag(readDer(name.value), Tag.octetString, 'SID'))).toString('latin1')];
    });
  } catch (error) {
    if (error instanceof DerError) return [];
    throw error;
  }
}
