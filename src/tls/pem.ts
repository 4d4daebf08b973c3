/**
 * PEM text to DER: every block with a wanted label, in order. Text between blocks and blocks with other labels are
 * skipped, as bundles carry comments and keys; a wanted block must be flawless.
 * RFC 7468. Pure; throws DerError only.
 */
import { DerError } from './der.ts';

const MAX_BLOCKS = 10_000;
const MAX_LABEL_LENGTH = 64;
const BEGIN = '-----BEGIN ';
const DASHES = '-----';

/** `label`: the words after BEGIN, or a pattern for them. No block at all gives an empty list. Throws DerError. */
export function decodePem(text: string | Uint8Array, label: RegExp | string): Uint8Array[] {
  const pem =
    typeof text === 'string' ? text : Buffer.from(text.buffer, text.byteOffset, text.length).toString('latin1');
  const blocks: Uint8Array[] = [];
  for (let begin = nextBegin(pem, 0), count = 0; begin !== -1; count++) {
    if (count >= MAX_BLOCKS) throw new DerError('PEM: too many blocks');
    const name = labelAt(pem, begin);
    const bodyStart = begin + BEGIN.length + name.length + DASHES.length;
    const footer = `${DASHES}END ${name}${DASHES}`;
    const end = pem.indexOf(footer, bodyStart);
    if (end === -1) throw new DerError('PEM: block without its END line');
    if (typeof label === 'string' ? name === label : label.test(name))
      blocks.push(decodeBody(pem.slice(bodyStart, end)));
    begin = nextBegin(pem, end + footer.length);
  }
  return blocks;
}

/** A BEGIN counts at the start of a line only (RFC 7468 §3). */
function nextBegin(pem: string, from: number): number {
  for (let at = pem.indexOf(BEGIN, from); at !== -1; at = pem.indexOf(BEGIN, at + 1)) {
    const before = pem[at - 1];
    // A byte order mark read as Latin-1 or as UTF-16 ends like this.
    if (before === undefined || before === '\n' || before === '\r' || before === '\u00bf' || before === '\ufeff')
      return at;
  }
  return -1;
}

function labelAt(pem: string, begin: number): string {
  const start = begin + BEGIN.length;
  const name = pem.slice(start, start + MAX_LABEL_LENGTH).split(DASHES, 1)[0] as string;
  if (!/^[A-Z0-9 .]+$/.test(name) || pem.slice(start + name.length, start + name.length + DASHES.length) !== DASHES) {
    throw new DerError('PEM: BEGIN line malformed');
  }
  return name;
}

function decodeBody(body: string): Uint8Array {
  if (/[^A-Za-z0-9+/=\s]/.test(body)) throw new DerError('PEM: not base64');
  const base64 = body.replace(/\s+/g, '');
  const padding = base64.indexOf('=');
  const padded = padding === -1 ? 0 : base64.length - padding;
  if (base64.length === 0 || base64.length % 4 !== 0 || !/^={0,2}$/.test(base64.slice(base64.length - padded)))
    throw new DerError('PEM: not base64');
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== (base64.length / 4) * 3 - padded) throw new DerError('PEM: not base64');
  return bytes;
}
