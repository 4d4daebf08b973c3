/**
 * Mailbox and Path of the SMTP envelope: parse, print, compare. AsyncOS "SMTP Address Parsing: Strict": a blank after the
 * colon and an underscore in a domain are tolerated (the blank by the command parser), a source route is stripped.
 * RFC 5321 §4.1.2, §4.1.3, §4.5.3.1; RFC 6531 §3.3 for addresses in UTF-8. Pure.
 */
import { domainToASCII } from 'node:url';
import { parseIp } from './network.ts';

export type Path = {
  /** Canonical: local part quoted only where it must be, then `@` and the domain as given. '' is the null path. */
  readonly address: string;
  /** Without quotes: what `"a\ b"` means. */
  readonly localPart: string;
  /** As given; '' where the address has none (`<postmaster>`). */
  readonly domain: string;
  /** Needs SMTPUTF8 (RFC 6531). */
  readonly utf8: boolean;
};

export type PathScan =
  | { readonly ok: true; readonly path: Path /** Index of the first character after the path. */; readonly end: number }
  | { readonly ok: false; readonly why: string };

const MAX_PATH_OCTETS = 256; // RFC 5321 §4.5.3.1.3, with brackets
const MAX_DOMAIN_OCTETS = 255; // RFC 5321 §4.5.3.1.2
const MAX_SOURCE_ROUTE = 2048;

const NULL_PATH: Path = { address: '', localPart: '', domain: '', utf8: false };

/** The ordinary case in one match: a dot-atom at a host name. */
const ORDINARY = /<([\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*)@([A-Za-z0-9_](?:[\w.-]*[A-Za-z0-9_])?)>/y;
const DOT_ATOM = /^[\w!#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-]+(?:\.[\w!#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-]+)*$/u;
/**
 * Deviates: leading, trailing and doubled dots pass because AsyncOS takes dots in a local part as ordinary characters
 * and such mailboxes exist; they are printed quoted, which is their correct spelling.
 */
const UNQUOTED = /[\w!#$%&'*+/=?^`{|}~.\u0080-\u{10ffff}-]+/uy;
const QUOTED = /"((?:[^"\\]|\\[ -~])*)"/uy;
const DOMAIN = /[A-Za-z0-9_.\u0080-\u{10ffff}-]+/uy;
const LITERAL = /\[([!-Z^-~]*)\]/y;
const ROUTE = /@[^\s:<>"]+(?:,@[^\s:<>"]+)*:/y;
/** Control characters of both sets, line and paragraph separators, blanks other than space, the byte order mark. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]/;

const scanAt = (pattern: RegExp, text: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at;
  return pattern.exec(text);
};

const failure = (why: string): PathScan => ({ ok: false, why });

/** Reads `<…>` from `start` on. The text must hold no lone surrogates (the command parser decodes strictly). */
export function scanPath(text: string, start = 0): PathScan {
  const ordinary = scanAt(ORDINARY, text, start);
  if (ordinary !== null) {
    const [all, localPart = '', domain = ''] = ordinary;
    const address = all.slice(1, -1);
    return checked({ address, localPart, domain, utf8: false }, start + all.length);
  }
  if (text[start] !== '<') return failure('must be in angle brackets');
  if (text[start + 1] === '>') return { ok: true, path: NULL_PATH, end: start + 2 };
  // RFC 5321 appendix C: a source route is ignored.
  const route = text[start + 1] === '@' ? scanAt(ROUTE, text, start + 1) : undefined;
  if (route === null || (route !== undefined && route[0].length > MAX_SOURCE_ROUTE))
    return failure('malformed source route');
  const scan = scanMailbox(text, start + 1 + (route?.[0].length ?? 0));
  if (!scan.ok) return scan;
  return text[scan.end] === '>' ? { ...scan, end: scan.end + 1 } : failure('malformed address');
}

function scanMailbox(text: string, start: number): PathScan {
  const quoted = text[start] === '"';
  const local = scanAt(quoted ? QUOTED : UNQUOTED, text, start);
  if (local === null) return failure('malformed local part');
  const localPart = quoted ? (local[1] ?? '').replace(/\\(.)/gu, '$1') : local[0];
  if (UNPRINTABLE.test(localPart.replaceAll(' ', ''))) return failure('unprintable character in the local part');
  const at = start + local[0].length;
  if (text[at] !== '@') return checked(pathOf(localPart, ''), at);
  const literal = text[at + 1] === '[';
  const domain = scanAt(literal ? LITERAL : DOMAIN, text, at + 1);
  if (domain === null) return failure(literal ? 'malformed address literal' : 'malformed domain');
  const why = literal ? faultOfLiteral(domain[1] ?? '') : faultOfDomain(domain[0]);
  return why === undefined ? checked(pathOf(localPart, domain[0]), at + 1 + domain[0].length) : failure(why);
}

function checked(path: Path, end: number): PathScan {
  const octets = path.utf8 ? Buffer.byteLength(path.address) : path.address.length;
  // Deviates: no limit of 64 for the local part, because VERP and SRS senders exceed it and RFC 5321 §4.5.3.1 asks for none.
  if (octets + 2 > MAX_PATH_OCTETS) return failure('too long');
  if (path.utf8 || path.domain === '' || path.domain.startsWith('[')) return { ok: true, path, end };
  const why = faultOfDomain(path.domain);
  return why === undefined ? { ok: true, path, end } : failure(why);
}

/** RFC 5321 §4.1.3. Deviates: general address literals are refused, as AsyncOS does by default, because nothing knows them. */
function faultOfLiteral(inside: string): string | undefined {
  const v6 = /^IPv6:(.*)$/i.exec(inside);
  const ip = v6 === null ? (inside.includes(':') ? undefined : parseIp(inside)) : parseIp(v6[1] ?? '');
  const good = ip !== undefined && (v6 === null || ((v6[1] ?? '').includes(':') && !inside.includes('%')));
  return good ? undefined : 'unknown address literal';
}

function faultOfDomain(domain: string): string | undefined {
  if (domain.length > MAX_DOMAIN_OCTETS) return 'domain too long';
  const ascii = isAscii(domain) ? domain : UNPRINTABLE.test(domain) ? '' : domainToASCII(domain);
  if (ascii.length > MAX_DOMAIN_OCTETS) return 'domain too long';
  for (const label of ascii.split('.')) {
    if (label === '' || label.length > 63 || label.startsWith('-') || label.endsWith('-')) return 'malformed domain';
  }
  return undefined;
}

/** ASCII without control characters matters here only for length and form: 0x80 and above needs SMTPUTF8. */
const isAscii = (text: string): boolean => !/[\u0080-\uffff]/.test(text);

function pathOf(localPart: string, domain: string): Path {
  const address = printAddress(localPart, domain);
  return { address, localPart, domain, utf8: !isAscii(address) };
}

/** The canonical spelling; `printAddress('a b', 'x.org')` is `"a b"@x.org`. */
export function printAddress(localPart: string, domain: string): string {
  const local = DOT_ATOM.test(localPart) ? localPart : `"${localPart.replace(/["\\]/g, '\\$&')}"`;
  return domain === '' ? local : `${local}@${domain}`;
}

/** The same address at another domain: how a default domain is added. */
export const withDomain = (path: Path, domain: string): Path => pathOf(path.localPart, domain);

/** A mailbox without brackets, as configuration and directory write it. */
export function parseMailbox(text: string): Path | undefined {
  const scan = text === '' ? failure('empty') : scanPath(`<${text}>`);
  return scan.ok && scan.end === text.length + 2 && !text.startsWith('@') ? scan.path : undefined;
}

/** What two spellings of a domain have in common: lower case, A-labels, one form per address literal. */
export function domainKey(domain: string): string {
  if (domain.startsWith('[')) {
    const ip = parseIp(domain.slice(1, -1).replace(/^IPv6:/i, ''));
    return ip === undefined ? domain.toLowerCase() : `[${ip.version}:${ip.value.toString(16)}]`;
  }
  return isAscii(domain) ? domain.toLowerCase() : domainToASCII(domain) || domain.toLowerCase();
}
