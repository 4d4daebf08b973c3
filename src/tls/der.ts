/**
 * A DER reader for what attackers send: X.690 definite lengths only, minimal encodings, bounded depth. It copies
 * nothing; a node is a view on its input. It throws DerError and nothing else.
 * ITU-T X.690 §8, §10. Pure.
 */
export class DerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DerError';
  }
}

/** One TLV. `tag` is the identifier octet (class, constructed bit, number below 31). Offsets are into `bytes`. */
export type DerNode = {
  readonly bytes: Uint8Array;
  readonly tag: number;
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
};

export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  numericString: 0x12,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
  /** Context-specific: `context(0)` primitive, `context(0, true)` constructed. */
  context: (n: number, constructed = false): number => 0x80 | (constructed ? 0x20 : 0) | n,
} as const;

/** Reads the TLV at `offset`; it must end at or before `limit`. */
export function readNode(bytes: Uint8Array, offset: number, limit = bytes.length): DerNode {
  if (offset + 2 > limit) throw new DerError('truncated');
  const tag = bytes[offset] as number;
  if ((tag & 0x1f) === 0x1f) throw new DerError('multi-byte tag');
  let length = bytes[offset + 1] as number;
  let contentStart = offset + 2;
  if (length === 0x80) throw new DerError('indefinite length');
  if (length > 0x80) {
    const octets = length & 0x7f;
    if (octets > 4 || contentStart + octets > limit) throw new DerError('length out of bounds');
    if (bytes[contentStart] === 0) throw new DerError('length not minimal');
    length = 0;
    for (let i = 0; i < octets; i++) length = length * 256 + (bytes[contentStart + i] as number);
    if (length < 0x80) throw new DerError('length not minimal');
    contentStart += octets;
  }
  const end = contentStart + length;
  if (end > limit) throw new DerError('length out of bounds');
  return { bytes, tag, start: offset, contentStart, end };
}

/** The whole input as one TLV, nothing before or after it. */
export function readDer(bytes: Uint8Array): DerNode {
  const node = readNode(bytes, 0);
  if (node.end !== bytes.length) throw new DerError('trailing bytes');
  return node;
}

/** Throws DerError with `what` in its words. */
export function expectTag(node: DerNode | undefined, tag: number, what: string): DerNode {
  if (node === undefined || node.tag !== tag) throw new DerError(`${what}: unexpected or missing element`);
  return node;
}

/** The elements of a constructed node, at most `max`. */
export function childrenOf(node: DerNode, max = 10_000): DerNode[] {
  if ((node.tag & 0x20) === 0) throw new DerError('not constructed');
  const children: DerNode[] = [];
  for (let at = node.contentStart; at < node.end; ) {
    if (children.length >= max) throw new DerError('too many elements');
    const child = readNode(node.bytes, at, node.end);
    children.push(child);
    at = child.end;
  }
  return children;
}

/** A view, not a copy. */
export const contentOf = (node: DerNode): Uint8Array => node.bytes.subarray(node.contentStart, node.end);
/** Tag and length included; a view, not a copy. */
export const encodingOf = (node: DerNode): Uint8Array => node.bytes.subarray(node.start, node.end);

/** Dotted form of an OBJECT IDENTIFIER; arcs up to 2^53, wider ones as big integers. */
export function readOid(node: DerNode): string {
  expectTag(node, Tag.oid, 'object identifier');
  return oidFromContent(contentOf(node));
}

export function oidFromContent(content: Uint8Array): string {
  if (content.length === 0 || content.length > 128 || ((content[content.length - 1] as number) & 0x80) !== 0) {
    throw new DerError('object identifier malformed');
  }
  const arcs: bigint[] = [];
  let value = 0n;
  let fresh = true;
  for (const octet of content) {
    if (fresh && octet === 0x80) throw new DerError('object identifier not minimal');
    value = (value << 7n) | BigInt(octet & 0x7f);
    fresh = (octet & 0x80) === 0;
    if (!fresh) continue;
    if (arcs.length === 0) {
      const first = value < 40n ? 0n : value < 80n ? 1n : 2n;
      arcs.push(first, value - first * 40n);
    } else arcs.push(value);
    value = 0n;
  }
  return arcs.join('.');
}

/** Content octets of an INTEGER, checked to be minimal. */
export function readIntegerBytes(node: DerNode): Uint8Array {
  expectTag(node, Tag.integer, 'integer');
  const content = contentOf(node);
  if (content.length === 0) throw new DerError('empty integer');
  if (content.length > 1) {
    const [first, second] = content as unknown as [number, number];
    if ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)) throw new DerError('integer not minimal');
  }
  return content;
}

export function readBoolean(node: DerNode): boolean {
  const content = contentOf(expectTag(node, Tag.boolean, 'boolean'));
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw new DerError('boolean malformed');
  return content[0] === 0xff;
}

/** Milliseconds since 1970 of UTCTime or GeneralizedTime in the only forms RFC 5280 §4.1.2.5 allows (Z, with seconds). */
export function readTimeMs(node: DerNode): number {
  const text = String.fromCharCode(...contentOf(node).subarray(0, 20));
  const utc = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
  const generalized = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
  const match =
    node.tag === Tag.utcTime ? utc.exec(text) : node.tag === Tag.generalizedTime ? generalized.exec(text) : null;
  if (match === null) throw new DerError('time malformed');
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const fullYear = node.tag === Tag.utcTime ? year + (year < 50 ? 2000 : 1900) : year;
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59)
    throw new DerError('time malformed');
  const ms = Date.UTC(fullYear, month - 1, day, hour, minute, second);
  // Date.UTC rolls over 31 February and maps years below 100 to 1900: both are malformed here.
  if (fullYear < 100 || new Date(ms).getUTCDate() !== day) throw new DerError('time malformed');
  return ms;
}
