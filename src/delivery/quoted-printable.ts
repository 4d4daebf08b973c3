/**
 * Octets as quoted-printable text, for parts of a notification that every host must be able to take (RFC 2045 §6.7).
 * Line ends are CRLF and stay. Pure.
 */
const MAX_LINE_CHARACTERS = 76;
/** What must not stand for itself: controls and 8-bit octets, the sign itself, a blank at the end of a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is encoded
const ENCODED = /[\u0000-\u0008\u000a-\u001f=\u007f-\u00ff]|[\t ]$/g;

export const quotedPrintable = (octets: Buffer): Buffer =>
  Buffer.from(octets.toString('latin1').split('\r\n').map(encodedLine).join('\r\n'), 'latin1');

function encodedLine(line: string): string {
  let rest = line.replace(ENCODED, (octet) => `=${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
  const pieces: string[] = [];
  while (rest.length > MAX_LINE_CHARACTERS) {
    // An octet's three characters stay together.
    const sign = rest.lastIndexOf('=', MAX_LINE_CHARACTERS - 2);
    const end = sign > MAX_LINE_CHARACTERS - 4 ? sign : MAX_LINE_CHARACTERS - 1;
    pieces.push(`${rest.slice(0, end)}=`);
    rest = rest.slice(end);
  }
  return [...pieces, rest].join('\r\n');
}
