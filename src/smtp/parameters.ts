/**
 * The parameters of MAIL and RCPT: each known, each once, each well formed. RFC 5321 §4.1.1.11; SIZE RFC 1870 §4,
 * BODY RFC 6152 §3, SMTPUTF8 RFC 6531 §3.4, AUTH RFC 4954 §5, RET ENVID NOTIFY ORCPT RFC 3461 §4. Pure.
 */
import { R, type Reply } from '../core/reply.ts';

export type MailParameters = {
  /** Declared size in octets. */
  readonly size?: number;
  readonly body: '7BIT' | '8BITMIME';
  readonly smtpUtf8: boolean;
  /** Checked for form only: we are trusted by no one to say who submitted a message first (RFC 4954 §5). */
  readonly auth?: string;
  readonly ret?: 'FULL' | 'HDRS';
  readonly envid?: string;
};
export type RcptParameters = { readonly notify?: string; readonly orcpt?: string };

export const NO_MAIL_PARAMETERS: MailParameters = { body: '7BIT', smtpUtf8: false };
export const NO_RCPT_PARAMETERS: RcptParameters = {};

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reply: Reply };

const KEYWORD = /^[A-Za-z0-9][A-Za-z0-9-]*$/;
/** RFC 3461 §4: printable characters but `+` and `=`, or `+` and two upper-case hexadecimal digits. */
const XTEXT = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/;
/** RFC 3461 §4.2, RFC 6533 §3: an address type, then xtext or UTF-8 with `\x{…}`. */
const ORCPT = /^([A-Za-z0-9-]+);((?:[!-*,-<>-~\u00a1-\u{10ffff}]|\+[0-9A-F]{2})+)$/u;
const NOTIFY = /^(?:NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY)){0,2})$/;

type Pair = readonly [keyword: string, value: string | undefined];

/** `KEYWORD[=value] …`; a value's own `=` is no error here, its form is checked with the keyword. */
function pairsOf(text: string): Parsed<Pair[]> {
  const pairs: Pair[] = [];
  const seen = new Set<string>();
  for (const word of text.split(' ')) {
    if (word === '') continue;
    const equals = word.indexOf('=');
    const keyword = (equals < 0 ? word : word.slice(0, equals)).toUpperCase();
    if (!KEYWORD.test(keyword)) return { ok: false, reply: R.syntax('malformed parameter') };
    if (seen.has(keyword)) return { ok: false, reply: R.syntax(`parameter ${keyword} given twice`) };
    seen.add(keyword);
    pairs.push([keyword, equals < 0 ? undefined : word.slice(equals + 1)]);
  }
  return { ok: true, value: pairs };
}

/** A field's new value, `false` for a malformed one, undefined for a keyword that nobody knows. */
type Reader<T> = (value: string | undefined) => Partial<T> | false;

function parse<T extends object>(text: string, start: T, readers: Readonly<Record<string, Reader<T>>>): Parsed<T> {
  const pairs = pairsOf(text);
  if (!pairs.ok) return pairs;
  let parameters = start;
  for (const [keyword, value] of pairs.value) {
    const reader = Object.hasOwn(readers, keyword) ? readers[keyword] : undefined;
    if (reader === undefined) return { ok: false, reply: R.badParameter(keyword) };
    const field = reader(value);
    if (field === false) return { ok: false, reply: R.syntax(`malformed value of ${keyword}`) };
    parameters = { ...parameters, ...field };
  }
  return { ok: true, value: parameters };
}

const MAIL_READERS: Readonly<Record<string, Reader<MailParameters>>> = {
  // RFC 1870 §3: up to 20 digits; beyond 2^53 every such size is too big anyway.
  SIZE: (value) => value !== undefined && /^\d{1,20}$/.test(value) && { size: Number(value) },
  BODY: (value) => {
    const body = value?.toUpperCase();
    return body === '7BIT' || body === '8BITMIME' ? { body } : false;
  },
  SMTPUTF8: (value) => value === undefined && { smtpUtf8: true },
  AUTH: (value) => value !== undefined && value.length <= 500 && isAuthValue(value) && { auth: value },
  RET: (value) => {
    const ret = value?.toUpperCase();
    return ret === 'FULL' || ret === 'HDRS' ? { ret } : false;
  },
  // RFC 3461 §4.4: at most 100 characters.
  ENVID: (value) => value !== undefined && value !== '' && value.length <= 100 && XTEXT.test(value) && { envid: value },
};

const isAuthValue = (value: string): boolean => value === '<>' || (value !== '' && XTEXT.test(value));

const RCPT_READERS: Readonly<Record<string, Reader<RcptParameters>>> = {
  NOTIFY: (value) => {
    const notify = value?.toUpperCase();
    return notify !== undefined && NOTIFY.test(notify) && isSet(notify.split(',')) && { notify };
  },
  // RFC 3461 §4.2: at most 500 characters.
  ORCPT: (value) => value !== undefined && value.length <= 500 && ORCPT.test(value) && { orcpt: value },
};

const isSet = (values: readonly string[]): boolean => new Set(values).size === values.length;

/** Parameters of MAIL FROM; `ok: false` says the reply: 555 for one that nobody knows, 501 for a malformed one. */
export const parseMailParameters = (text: string): Parsed<MailParameters> =>
  parse(text, NO_MAIL_PARAMETERS, MAIL_READERS);

/** Those of RCPT TO likewise. */
export const parseRcptParameters = (text: string): Parsed<RcptParameters> =>
  parse(text, NO_RCPT_PARAMETERS, RCPT_READERS);
