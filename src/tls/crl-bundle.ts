/**
 * From a download to the revocation lists in it: PEM ("X509 CRL", several in one file, RFC 7468 §8) or ASN.1 (DER,
 * one behind the other). What is no list is said in words that help an administrator (a log-in page, a cut-off file).
 * Pure.
 */
import { DerError, readNode, Tag } from './der.ts';

export type Bundle = {
  readonly lists: readonly Uint8Array[];
  /** What is wrong with the rest of the file. */
  readonly faults: readonly string[];
};

const MAX_LISTS = 1000;
const BEGIN = '-----BEGIN ';
const LABELS = ['X509 CRL', 'CRL'];

/** The lists are views of `bytes`, which a PEM file is decoded into: it must not be read again. */
export function splitBundle(bytes: Uint8Array, type: 'pem' | 'asn1'): Bundle {
  if (bytes.length === 0) return { lists: [], faults: ['the file is empty'] };
  if (looksLikeHtml(bytes)) return { lists: [], faults: ['the file is a web page, not a revocation list'] };
  return type === 'pem' ? splitPem(bytes) : splitDer(bytes);
}

function looksLikeHtml(bytes: Uint8Array): boolean {
  const start = textOf(bytes.subarray(0, 256)).trimStart().toLowerCase();
  return (
    start.startsWith('<!doctype') || start.startsWith('<html') || start.startsWith('<?xml') || start.startsWith('<head')
  );
}

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

/** Octet by octet and in place: a list of a million entries has 65 MB of PEM, and text would double that. */
function splitPem(bytes: Uint8Array): Bundle {
  const lists: Uint8Array[] = [];
  const faults: string[] = [];
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let begin = file.indexOf(BEGIN); begin >= 0; ) {
    const next = file.indexOf(BEGIN, begin + BEGIN.length);
    const label = LABELS.find((each) => file.indexOf(`${each}-----`, begin + BEGIN.length) === begin + BEGIN.length);
    if (label !== undefined) {
      if (lists.length + faults.length >= MAX_LISTS)
        return { lists, faults: [...faults, `more than ${MAX_LISTS} lists in one file`] };
      const block = file.subarray(begin + BEGIN.length + label.length + 5, next < 0 ? file.length : next);
      const end = block.indexOf(`-----END ${label}-----`);
      const list = end < 0 ? undefined : decodeInPlace(block.subarray(0, end));
      if (list !== undefined) lists.push(list);
      else faults.push(end < 0 ? 'a PEM list is cut off: its END line is missing' : 'a PEM list is not base64');
    }
    begin = next;
  }
  if (lists.length + faults.length > 0) return { lists, faults };
  const der = bytes[0] === Tag.sequence ? ': it looks like ASN.1 (type: asn1)' : '';
  return { lists, faults: [`no "BEGIN X509 CRL" in the file${der}`] };
}

const PAD = 64;
const BLANK = 65;
const OTHER = 255;
/** Value of each octet in base64 (RFC 4648 §4), padding, blank or neither. */
const BASE64 = new Uint8Array(256).fill(OTHER);
for (const [value, character] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/='].entries())
  BASE64[character.charCodeAt(0)] = value;
for (const blank of ' \t\r\n') BASE64[blank.charCodeAt(0)] = BLANK;

/** Base64 becomes its octets at the start of the same memory; undefined where it is none. */
function decodeInPlace(text: Uint8Array): Uint8Array | undefined {
  let to = 0;
  let bits = 0;
  let filled = 0;
  let padding = 0;
  for (let at = 0; at < text.length; at++) {
    const value = BASE64[text[at] as number] as number;
    if (value === BLANK) continue;
    if (value === PAD) {
      padding += 1;
      continue;
    }
    if (value === OTHER || padding > 0) return undefined;
    bits = (bits << 6) | value;
    filled += 6;
    if (filled >= 8) {
      filled -= 8;
      text[to++] = (bits >> filled) & 0xff;
    }
    bits &= 0xffff;
  }
  return padding > 2 || to === 0 ? undefined : text.subarray(0, to);
}

function splitDer(bytes: Uint8Array): Bundle {
  const lists: Uint8Array[] = [];
  try {
    for (let at = 0; at < bytes.length; ) {
      if (lists.length >= MAX_LISTS) return { lists, faults: [`more than ${MAX_LISTS} lists in one file`] };
      const node = readNode(bytes, at);
      if (node.tag !== Tag.sequence) throw new DerError('not a SEQUENCE');
      lists.push(bytes.subarray(at, node.end));
      at = node.end;
    }
    return { lists, faults: [] };
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    const pem = textOf(bytes.subarray(0, 4096)).includes('-----BEGIN ') ? ': it looks like PEM (type: pem)' : '';
    return { lists, faults: [`the file is no ASN.1 list or is cut off (${error.message})${pem}`] };
  }
}
