import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitBundle } from './crl-bundle.ts';

const pem = (base64: string, label = 'X509 CRL'): string =>
  `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;
const split = (text: string) => splitBundle(Uint8Array.from(Buffer.from(text)), 'pem');
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

test('a PEM list is decoded to the octets that it stands for, whatever its line ends', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 4 }),
      fc.constantFrom('\n', '\r\n', '\n \t'),
      (lists, end) => {
        const text = lists.map((der) => pem(Buffer.from(der).toString('base64').replace(/.{64}/g, `$&${end}`)));
        const { lists: found, faults } = split(`Remarks before.\n${text.join('and between\n')}`);
        assert.deepEqual(faults, []);
        assert.deepEqual(found.map(hex), lists.map(hex));
      },
    ),
    { numRuns: 200, seed: 3 },
  );
});

test('the older label counts too, other blocks are passed over', () => {
  const { lists, faults } = split(pem('AAAA', 'CERTIFICATE') + pem('AQID', 'CRL'));
  assert.deepEqual(lists.map(hex), ['010203']);
  assert.deepEqual(faults, []);
});

const BAD: readonly (readonly [title: string, text: string, fault: RegExp])[] = [
  ['an END line that is missing', '-----BEGIN X509 CRL-----\nAQID\n', /cut off/],
  ['another block before its END line', `-----BEGIN X509 CRL-----\nAQID\n${pem('AQID', 'CERTIFICATE')}`, /cut off/],
  ['the END line of another label', '-----BEGIN X509 CRL-----\nAQID\n-----END CRL-----\n', /cut off/],
  ['a character that is no base64', pem('AQ*D'), /not base64/],
  ['octets after the padding', pem('AQ==AQID'), /not base64/],
  ['too much padding', pem('AQ==='), /not base64/],
  ['nothing inside', pem(''), /not base64/],
  ['no list at all', 'just text', /no "BEGIN X509 CRL"/],
  ['a web page', '<html><body>log in</body></html>', /a web page/],
  ['nothing', '', /empty/],
];
for (const [title, text, fault] of BAD) {
  test(`${title} is no list, and is said`, () => {
    const { lists, faults } = split(text);
    assert.deepEqual(lists, []);
    assert.match(faults.join('; '), fault);
  });
}

test('a bad list of a bundle does not cost the others', () => {
  const { lists, faults } = split(pem('AQID') + pem('A*') + pem('BAUG'));
  assert.deepEqual(lists.map(hex), ['010203', '040506']);
  assert.equal(faults.length, 1);
});

test('a thousand lists are enough', () => {
  const { lists, faults } = split(pem('AQID').repeat(1200));
  assert.equal(lists.length, 1000);
  assert.match(faults.join(), /more than 1000 lists/);
});
