/**
 * Distinguished names as certificates and revocation lists carry them: parsed, compared and rendered.
 * `key` makes the comparison of RFC 5280 §7.1 a string comparison: attribute values of the directory string types are
 * prepared by RFC 4518 (case, white space, compatibility forms), all others count octet by octet.
 * RFC 5280 §4.1.2.4, §7.1; RFC 4514; RFC 4518. Pure.
 */
import { childrenOf, contentOf, DerError, type DerNode, encodingOf, expectTag, readOid, Tag } from './der.ts';

/** `bytes` are the content octets of the value; `text` is undefined where it is no string or not a well-formed one. */
export type Attribute = {
  readonly oid: string;
  readonly tag: number;
  readonly text: string | undefined;
  readonly bytes: Uint8Array;
};

export type Name = {
  readonly der: Uint8Array;
  /** Equal keys = same name by RFC 5280 §7.1. */
  readonly key: string;
  /** As encoded: the most specific RDN is the last one. */
  readonly rdns: readonly (readonly Attribute[])[];
  /** RFC 4514 form, most specific RDN first; made when first asked for. Later stages know a name as this. */
  readonly rfc4514: string;
};

const MAX_RDNS = 64;
const MAX_ATTRIBUTES_PER_RDN = 16;

/** Throws DerError. */
export function parseName(node: DerNode): Name {
  expectTag(node, Tag.sequence, 'name');
  const rdns = childrenOf(node, MAX_RDNS).map(parseRdn);
  let rendered: string | undefined;
  return {
    der: encodingOf(node),
    key: nameKey(rdns),
    rdns,
    get rfc4514() {
      rendered ??= render(rdns);
      return rendered;
    },
  };
}

/** One RelativeDistinguishedName: a SET of at least one attribute. Throws DerError. */
function parseRdn(node: DerNode): readonly Attribute[] {
  expectTag(node, Tag.set, 'relative distinguished name');
  return parseRdnContent(node);
}

/** The attributes of an RDN whose tag was replaced by an implicit one (nameRelativeToCRLIssuer). Throws DerError. */
export function parseRdnContent(node: DerNode): readonly Attribute[] {
  const attributes = childrenOf(node, MAX_ATTRIBUTES_PER_RDN).map(parseAttribute);
  if (attributes.length === 0) throw new DerError('empty relative distinguished name');
  return attributes;
}

/** `prefix` with one more RDN at its end (RFC 5280 §4.2.1.13, nameRelativeToCRLIssuer): the key of the whole name. */
export const keyWithRdn = (prefix: Name, rdn: readonly Attribute[]): string => nameKey([...prefix.rdns, rdn]);

function parseAttribute(node: DerNode): Attribute {
  const parts = childrenOf(expectTag(node, Tag.sequence, 'attribute'), 2);
  const [type, value] = parts;
  if (type === undefined || value === undefined) throw new DerError('attribute: unexpected or missing element');
  const bytes = contentOf(value);
  return { oid: readOid(type), tag: value.tag, text: decodeString(value.tag, bytes), bytes };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Text of an ASN.1 string; undefined for other types and malformed encodings.
 * Deviates: X.680 §41.4 (PrintableString) allows fewer characters because authorities put `@`, `_` and `*` there.
 */
export function decodeString(tag: number, bytes: Uint8Array): string | undefined {
  switch (tag) {
    case Tag.utf8String:
      return isAscii(bytes) ? latin1(bytes) : decodeUtf8(bytes);
    case Tag.printableString:
    case Tag.ia5String:
    case Tag.visibleString:
    case Tag.numericString:
      return isAscii(bytes) ? latin1(bytes) : undefined;
    case Tag.t61String:
      return latin1(bytes);
    case Tag.bmpString:
      return decodeWide(bytes, 2);
    case Tag.universalString:
      return decodeWide(bytes, 4);
    default:
      return undefined;
  }
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) > 0x7f) return false;
  return true;
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** BMPString (two octets, no surrogates) and UniversalString (four octets). */
function decodeWide(bytes: Uint8Array, width: 2 | 4): string | undefined {
  if (bytes.length % width !== 0) return undefined;
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += width) {
    let point = 0;
    for (let i = 0; i < width; i++) point = point * 256 + (bytes[at + i] as number);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined;
    parts.push(String.fromCodePoint(point));
  }
  return parts.join('');
}

const nameKey = (rdns: Name['rdns']): string => rdns.map(rdnKey).join('');

/** Equal keys = same RDN. Every part carries its length, so that no value can imitate a border. */
function rdnKey(rdn: readonly Attribute[]): string {
  const first = rdn[0];
  if (rdn.length === 1 && first !== undefined) return `(${attributeKey(first)})`;
  return `(${rdn.map(attributeKey).sort().join('')})`;
}

function attributeKey({ oid, tag, text, bytes }: Attribute): string {
  // RFC 5280 §7.1: which alphabet a TeletexString is in cannot be known, so only the octets count.
  const comparable = text !== undefined && tag !== Tag.t61String;
  const value = comparable ? prepare(text) : `${tag}#${Buffer.from(bytes).toString('hex')}`;
  return `${oid}${comparable ? '=' : '#'}${value.length}:${value};`;
}

// RFC 4518 §2.2: characters that are mapped to nothing, and those that are mapped to SPACE.
const MAPPED_TO_NOTHING =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the rule is about control characters
  /[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u06dd\u070f\u1806\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2063\u206a-\u206f\ufeff\ufff9-\ufffc\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]|\u034f|[\u180b-\u180d]|[\ufe00-\ufe0f]/gu;
const MAPPED_TO_SPACE = /[\t-\r\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/gu;
const PLAIN = /^[\x20-\x7e]*$/;

/** RFC 4518 for caseIgnoreMatch. RFC 5280 §7.1: case is folded, runs of white space are one, none at the ends. */
function prepare(text: string): string {
  if (PLAIN.test(text)) return (text.includes('  ') ? text.replace(/ {2,}/g, ' ') : text).trim().toLowerCase();
  const mapped = text.replace(MAPPED_TO_NOTHING, '').replace(MAPPED_TO_SPACE, ' ');
  // Upper case first: it unfolds what lower case alone would keep apart (ß and SS, final sigma).
  const folded = mapped.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
  return folded.replace(/ {2,}/g, ' ').replace(/^ | $/g, '');
}

/** RFC 4514 §3. */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.6', 'C'],
  ['2.5.4.9', 'STREET'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
]);

/**
 * RFC 4514 form, most specific RDN first. Deviates: RFC 4514 §2.4 wants `#hex` after every dotted OID; here a value
 * that is a string is written as text, because that is what a person and a directory filter can use.
 */
export const renderName = (name: Name): string => name.rfc4514;

const render = (rdns: Name['rdns']): string =>
  rdns
    .toReversed()
    .map((rdn) => rdn.map(renderAttribute).join('+'))
    .join(',');

function renderAttribute({ oid, tag, text, bytes }: Attribute): string {
  return `${SHORT_NAMES.get(oid) ?? oid}=${text === undefined ? renderBinary(tag, bytes) : escapeValue(text)}`;
}

// Control characters and those that reorder a line are hex pairs, which RFC 4514 §2.4 allows for every character.
const SPECIAL = /["+,;<>\\]|^[ #]| $/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not get out
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const escapeValue = (text: string): string =>
  text
    .replace(SPECIAL, '\\$&')
    .replace(UNPRINTABLE, (character) => Buffer.from(character).toString('hex').toUpperCase().replace(/../g, '\\$&'));

function renderBinary(tag: number, bytes: Uint8Array): string {
  const lengthOctets: number[] = [];
  for (let rest = bytes.length; rest > 0; rest = Math.floor(rest / 256)) lengthOctets.unshift(rest % 256);
  const length = bytes.length < 0x80 ? [bytes.length] : [0x80 | lengthOctets.length, ...lengthOctets];
  return `#${Buffer.from([tag, ...length]).toString('hex')}${Buffer.from(bytes).toString('hex')}`;
}
