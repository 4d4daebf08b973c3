/**
 * Walks `revokedCertificates` of a revocation list straight into a table: two passes over the octets (count, then
 * fill), no object per entry. An entry that says something critical which is not understood makes the whole list
 * unusable, because what it revokes cannot be known.
 * RFC 5280 §5.1.2.6, §5.3. Pure; throws DerError only.
 */
import { parseGeneralNames } from './certificate-extensions.ts';
import { MAX_SERIAL_OCTETS, minimalStart, type RevokedTable, RevokedTableBuilder } from './crl-index.ts';
import { contentOf, DerError, type DerNode, readNode, Tag } from './der.ts';

export type Entries = {
  readonly table: RevokedTable;
  /** Keys of the names that certificateIssuer entries name; `RevokedTable.issuers` counts from 1 into it. */
  readonly certificateIssuers: readonly string[];
};

// The table keeps 16 bits for it.
const MAX_CERTIFICATE_ISSUERS = 65_535;
const MAX_ENTRY_EXTENSIONS = 32;

/** One TLV at a time, read into its own fields instead of into a new object. The rules of `readNode` in der.ts. */
class Cursor {
  readonly bytes: Uint8Array;
  tag = 0;
  contentStart = 0;
  end = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  read(at: number, limit: number): void {
    const { bytes } = this;
    if (at + 2 > limit) throw new DerError('truncated');
    this.tag = bytes[at] as number;
    if ((this.tag & 0x1f) === 0x1f) throw new DerError('multi-byte tag');
    let length = bytes[at + 1] as number;
    let contentStart = at + 2;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      // An entry longer than 64 KiB is no honest one.
      if (octets === 0 || octets > 2 || contentStart + octets > limit) throw new DerError('length out of bounds');
      length =
        octets === 1
          ? (bytes[contentStart] as number)
          : (bytes[contentStart] as number) * 256 + (bytes[contentStart + 1] as number);
      if (length < (octets === 1 ? 0x80 : 0x100)) throw new DerError('length not minimal');
      contentStart += octets;
    }
    this.contentStart = contentStart;
    this.end = contentStart + length;
    if (this.end > limit) throw new DerError('length out of bounds');
  }

  expect(tag: number, at: number, limit: number): void {
    this.read(at, limit);
    if (this.tag !== tag) throw new DerError('revoked certificate: unexpected element');
  }
}

/** `list` is the SEQUENCE OF revoked certificates; undefined = nothing is revoked. `indirect` as the list's scope says. */
export function readEntries(list: DerNode | undefined, indirect: boolean): Entries {
  if (list === undefined) {
    const table = new RevokedTableBuilder(new Uint32Array(MAX_SERIAL_OCTETS + 1), indirect).finish();
    return { table, certificateIssuers: [] };
  }
  const builder = new RevokedTableBuilder(countWidths(list), indirect);
  const cursor = new Cursor(list.bytes);
  const fields = new EntryReader(indirect);
  for (let at = list.contentStart; at < list.end; ) {
    cursor.expect(Tag.sequence, at, list.end);
    const entryEnd = cursor.end;
    cursor.expect(Tag.integer, cursor.contentStart, entryEnd);
    const serialEnd = cursor.end;
    const serialStart = minimalStart(list.bytes, cursor.contentStart, serialEnd);
    fields.readRest(cursor, serialEnd, entryEnd);
    builder.add(list.bytes, serialStart, serialEnd, fields);
    at = entryEnd;
  }
  return { table: builder.finish(), certificateIssuers: fields.certificateIssuers };
}

function countWidths(list: DerNode): Uint32Array {
  const widths = new Uint32Array(MAX_SERIAL_OCTETS + 1);
  const cursor = new Cursor(list.bytes);
  for (let at = list.contentStart; at < list.end; ) {
    cursor.expect(Tag.sequence, at, list.end);
    const entryEnd = cursor.end;
    cursor.expect(Tag.integer, cursor.contentStart, entryEnd);
    const width = cursor.end - minimalStart(list.bytes, cursor.contentStart, cursor.end);
    if (width < 1 || width > MAX_SERIAL_OCTETS) throw new DerError('serial number too long or empty');
    widths[width] = (widths[width] as number) + 1;
    at = entryEnd;
  }
  return widths;
}

/** What follows the serial of an entry. It is reused for each; certificateIssuer stays in force until the next one. */
class EntryReader {
  readonly #indirect: boolean;
  readonly #indexes = new Map<string, number>();
  readonly certificateIssuers: string[] = [];
  reason = 0;
  dateSeconds = 0;
  issuer = 0;

  constructor(indirect: boolean) {
    this.#indirect = indirect;
  }

  readRest(cursor: Cursor, start: number, end: number): void {
    cursor.read(start, end);
    if (cursor.tag !== Tag.utcTime && cursor.tag !== Tag.generalizedTime) throw new DerError('revocation date missing');
    this.dateSeconds = secondsOf(cursor);
    this.reason = 0;
    if (cursor.end === end) return;
    cursor.expect(Tag.sequence, cursor.end, end);
    if (cursor.end !== end) throw new DerError('revoked certificate: unexpected element');
    let count = 0;
    for (let at = cursor.contentStart; at < end; at = cursor.end) {
      if (++count > MAX_ENTRY_EXTENSIONS) throw new DerError('too many entry extensions');
      cursor.expect(Tag.sequence, at, end);
      const extensionEnd = cursor.end;
      this.#readExtension(cursor, cursor.contentStart, extensionEnd);
      if (cursor.end !== extensionEnd) throw new DerError('entry extension malformed');
    }
  }

  /** Leaves the cursor on the extension's value. */
  #readExtension(cursor: Cursor, start: number, end: number): void {
    cursor.expect(Tag.oid, start, end);
    const id = entryExtensionId(cursor);
    let critical = false;
    cursor.read(cursor.end, end);
    if (cursor.tag === Tag.boolean) {
      const value = cursor.bytes[cursor.contentStart];
      if (cursor.end - cursor.contentStart !== 1 || (value !== 0 && value !== 0xff))
        throw new DerError('boolean malformed');
      critical = value === 0xff;
      cursor.read(cursor.end, end);
    }
    if (cursor.tag !== Tag.octetString) throw new DerError('entry extension malformed');
    if (id === REASON_CODE) this.reason = readReason(cursor);
    else if (id === CERTIFICATE_ISSUER) this.issuer = this.#readIssuer(cursor);
    // RFC 5280 §5.3: with an unknown critical entry extension the list MUST NOT be used.
    else if (critical && id !== HOLD_INSTRUCTION && id !== INVALIDITY_DATE)
      throw new DerError('unknown critical entry extension');
  }

  /** RFC 5280 §5.3.3. */
  #readIssuer(cursor: Cursor): number {
    if (!this.#indirect) throw new DerError('certificate issuer in a list that is not indirect');
    const names = readNode(cursor.bytes, cursor.contentStart, cursor.end);
    if (names.tag !== Tag.sequence || names.end !== cursor.end) throw new DerError('certificate issuer malformed');
    const directory = parseGeneralNames(names).find((name) => name.kind === 'directoryName');
    if (directory === undefined) throw new DerError('certificate issuer without a directory name');
    const known = this.#indexes.get(directory.name.key);
    if (known !== undefined) return known;
    const index = this.certificateIssuers.push(directory.name.key);
    if (index > MAX_CERTIFICATE_ISSUERS) throw new DerError('too many certificate issuers');
    this.#indexes.set(directory.name.key, index);
    return index;
  }
}

// The last octet of 2.5.29.x.
const REASON_CODE = 21;
const HOLD_INSTRUCTION = 23;
const INVALIDITY_DATE = 24;
const CERTIFICATE_ISSUER = 29;

/** x of 2.5.29.x; 0 for every other identifier. */
function entryExtensionId({ bytes, contentStart, end }: Cursor): number {
  const certificateExtension =
    end - contentStart === 3 && bytes[contentStart] === 0x55 && bytes[contentStart + 1] === 0x1d;
  return certificateExtension ? (bytes[contentStart + 2] as number) : 0;
}

/** RFC 5280 §5.3.1: ENUMERATED of one octet. */
function readReason({ bytes, contentStart, end }: Cursor): number {
  const wellFormed =
    end - contentStart === 3 && bytes[contentStart] === Tag.enumerated && bytes[contentStart + 1] === 1;
  if (!wellFormed) throw new DerError('reason code malformed');
  return bytes[contentStart + 2] as number;
}

const MAX_SECONDS = 0xffff_ffff;

/**
 * Seconds since 1970. Deviates: a date that RFC 5280 §5.1.2.6 does not allow gives 0 instead of a fault, because an
 * entry revokes whatever its date says, and a list that is refused for it would let the others of the list in doubt.
 */
function secondsOf({ bytes, contentStart, end, tag }: Cursor): number {
  const long = tag === Tag.generalizedTime;
  if (end - contentStart !== (long ? 15 : 13) || bytes[end - 1] !== 0x5a) return 0;
  const pair = (at: number): number => ((bytes[at] as number) - 48) * 10 + (bytes[at + 1] as number) - 48;
  for (let at = contentStart; at < end - 1; at++) {
    if ((bytes[at] as number) < 48 || (bytes[at] as number) > 57) return 0;
  }
  const at = long ? contentStart + 2 : contentStart;
  const short = pair(at);
  const year = long ? pair(contentStart) * 100 + short : short + (short < 50 ? 2000 : 1900);
  const days = daysSince1970(year, pair(at + 2), pair(at + 4));
  const seconds = days * 86_400 + pair(at + 6) * 3600 + pair(at + 8) * 60 + pair(at + 10);
  return Math.max(0, Math.min(seconds, MAX_SECONDS));
}

/** Of the proleptic Gregorian calendar; March is the first month, so that the leap day comes last. */
function daysSince1970(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return (
    shifted * 365 +
    Math.floor(shifted / 4) -
    Math.floor(shifted / 100) +
    Math.floor(shifted / 400) +
    dayOfYear -
    719_468
  );
}

/** Content octets of an INTEGER that is not negative (CRL numbers). */
export function readUnsigned(node: DerNode): bigint {
  const content = contentOf(node);
  if (node.tag !== Tag.integer || content.length === 0 || content.length > MAX_SERIAL_OCTETS)
    throw new DerError('number malformed');
  if ((content[0] as number) >= 0x80) throw new DerError('negative number');
  return BigInt(`0x${Buffer.from(content).toString('hex')}`);
}
