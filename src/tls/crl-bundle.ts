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
const BEGIN = /-----BEGIN (X509 CRL|CRL)-----/g;

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

function splitPem(bytes: Uint8Array): Bundle {
  const lists: Uint8Array[] = [];
  const faults: string[] = [];
  const text = textOf(bytes);
  for (const begin of text.matchAll(BEGIN)) {
    if (lists.length + faults.length >= MAX_LISTS)
      return { lists, faults: [...faults, `more than ${MAX_LISTS} lists in one file`] };
    const start = begin.index + begin[0].length;
    const end = text.indexOf(`-----END ${begin[1]}-----`, start);
    const nextBegin = text.indexOf('-----BEGIN ', start);
    if (end < 0 || (nextBegin >= 0 && nextBegin < end)) {
      faults.push('a PEM list is cut off: its END line is missing');
      continue;
    }
    const body = text.slice(start, end);
    if (BASE64.test(body)) lists.push(Buffer.from(body, 'base64'));
    else faults.push('a PEM list is not base64');
  }
  if (lists.length + faults.length > 0) return { lists, faults };
  const der = bytes[0] === Tag.sequence ? ': it looks like ASN.1 (type: asn1)' : '';
  return { lists, faults: [`no "BEGIN X509 CRL" in the file${der}`] };
}

// One class in a loop: linear, whatever the file holds.
const BASE64 = /^[A-Za-z0-9+/=\s]+$/;

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
