import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quotedPrintable } from './quoted-printable.ts';

const encode = (text: string): string => quotedPrintable(Buffer.from(text)).toString('latin1');

/** RFC 2045 §6.7 read backwards. */
const decode = (text: string): string =>
  Buffer.from(
    text
      .replace(/=\r\n/g, '')
      .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString();

test('text that is plain stays as it is', () => {
  assert.equal(encode('Subject: hello\r\n\r\ntwo\twords\r\n'), 'Subject: hello\r\n\r\ntwo\twords\r\n');
});

test('8-bit octets, the sign itself and a blank at the end of a line are encoded', () => {
  assert.equal(encode('Grüße = 1 \r\n\tx\t\r\n\u0000\r\n'), 'Gr=C3=BC=C3=9Fe =3D 1=20\r\n\tx=09\r\n=00\r\n');
});

test('no line has more than 76 characters, no octet is torn, and everything comes back', () => {
  for (let length = 60; length < 100; length++) {
    for (const text of ['x'.repeat(length), 'ü'.repeat(length), `${'x'.repeat(length)}ü${'y'.repeat(length)} \r\n`]) {
      const encoded = encode(text);
      for (const line of encoded.split('\r\n')) {
        assert.ok(line.length <= 76, line);
        assert.doesNotMatch(line, /=[0-9A-F]?$(?<!=)|=[0-9A-F]=$/);
      }
      assert.match(encoded, /^[\t\r\n -~]*$/);
      assert.equal(decode(encoded), text);
    }
  }
});
