/** Envelope addresses: what is read, how it is printed, what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { domainKey, parseMailbox, printAddress, scanPath, withDomain } from './address.ts';

const GOOD: readonly (readonly [title: string, text: string, address: string, utf8?: boolean])[] = [
  ['an ordinary address', '<a.b+c@example.com>', 'a.b+c@example.com'],
  ['the null path', '<>', ''],
  ['an address without a domain', '<postmaster>', 'postmaster'],
  ['a source route, which is stripped', '<@one.example,@two.example:a@b.example>', 'a@b.example'],
  ['a quoted local part that needs its quotes', '<"a b"@example.com>', '"a b"@example.com'],
  ['a quoted local part that does not', '<"a.b"@example.com>', 'a.b@example.com'],
  ['an escaped quote', '<"a\\"b"@example.com>', '"a\\"b"@example.com'],
  ['a quoted local part with @ and >', '<"a@b>c"@example.com>', '"a@b>c"@example.com'],
  ['doubled dots, printed in quotes', '<a..b@example.com>', '"a..b"@example.com'],
  ['a dot before the @', '<a.@example.com>', '"a."@example.com'],
  ['an empty quoted local part', '<""@example.com>', '""@example.com'],
  ['an underscore in the domain', '<a@b_c.example>', 'a@b_c.example'],
  ['an IPv4 literal', '<a@[192.0.2.1]>', 'a@[192.0.2.1]'],
  ['an IPv6 literal', '<a@[IPv6:2001:db8::1]>', 'a@[IPv6:2001:db8::1]'],
  ['a one-label domain', '<a@localhost>', 'a@localhost'],
  ['case, which is kept', '<Anna.B@Example.COM>', 'Anna.B@Example.COM'],
  ['a local part in UTF-8', '<j\u00f6rg@example.com>', 'j\u00f6rg@example.com', true],
  ['a domain in UTF-8', '<a@b\u00fccher.example>', 'a@b\u00fccher.example', true],
  ['a local part of 64 octets', `<${'x'.repeat(64)}@example.com>`, `${'x'.repeat(64)}@example.com`],
  ['a VERP sender longer than 64', `<${'x'.repeat(120)}@example.com>`, `${'x'.repeat(120)}@example.com`],
];

for (const [title, text, address, utf8 = false] of GOOD) {
  test(`is read: ${title}`, () => {
    const scan = scanPath(text);
    assert.ok(scan.ok, scan.ok ? '' : scan.why);
    assert.equal(scan.path.address, address);
    assert.equal(scan.path.utf8, utf8);
    assert.equal(scan.end, text.length);
  });
}

const BAD: readonly (readonly [title: string, text: string])[] = [
  ['an address without brackets', 'a@b.example'],
  ['an open bracket', '<a@b.example'],
  ['nested brackets', '<<a@b.example>>'],
  ['a blank in the local part', '<a b@c.example>'],
  ['a blank after the address', '<a@b.example >'],
  ['a control character', '<a\u0001@b.example>'],
  ['NUL in a quoted local part', '<"a\u0000b"@c.example>'],
  ['an escaped control character', '<"a\\\u0001"@c.example>'],
  ['a line separator', '<"a\u2028b"@c.example>'],
  ['a byte order mark', '<a\ufeffb@c.example>'],
  ['a no-break space', '<a\u00a0b@c.example>'],
  ['an unclosed quote', '<"a@b.example>'],
  ['an empty domain', '<a@>'],
  ['an empty local part', '<@b.example>'],
  ['a trailing dot', '<a@b.example.>'],
  ['a leading dot', '<a@.b.example>'],
  ['doubled dots in the domain', '<a@b..example>'],
  ['a label that begins with a hyphen', '<a@-b.example>'],
  ['a label of 64 octets', `<a@${'b'.repeat(64)}.example>`],
  ['an unknown address literal', '<a@[x400:c=de]>'],
  ['an IPv6 literal without its tag', '<a@[2001:db8::1]>'],
  ['an IPv4 literal out of range', '<a@[192.0.2.256]>'],
  ['a path longer than 256 octets', `<${'x'.repeat(245)}@example.com>`],
  ['two addresses', '<a@b.example,c@d.example>'],
  ['a malformed source route', '<@one.example:>'],
  ['an empty source route', '<@:a@b>'],
];

for (const [title, text] of BAD) {
  test(`is refused: ${title}`, () => assert.ok(!scanPath(text).ok));
}

test('a scan stops behind the bracket', () => {
  const scan = scanPath('FROM:<a@b.example> SIZE=1', 5);
  assert.ok(scan.ok);
  assert.equal(scan.end, 18);
});

test('a mailbox is an address without brackets, and nothing else', () => {
  assert.equal(parseMailbox('a@b.example')?.address, 'a@b.example');
  assert.equal(parseMailbox('user')?.domain, '');
  for (const text of ['', '<a@b.example>', 'a@b> ', '@r:a@b', 'a@b>x'])
    assert.equal(parseMailbox(text), undefined, text);
});

test('a default domain is added to the meaning, not to the text', () => {
  assert.equal(
    withDomain({ address: '"a b"', localPart: 'a b', domain: '', utf8: false }, 'x.org').address,
    '"a b"@x.org',
  );
  assert.equal(printAddress('a"b\\', 'x.org'), '"a\\"b\\\\"@x.org');
});

test('domains are compared without case, as A-labels, and literals by address', () => {
  assert.equal(domainKey('B\u00dcCHER.example'), domainKey('xn--bcher-kva.Example'));
  assert.equal(domainKey('[IPv6:2001:DB8:0::1]'), domainKey('[IPv6:2001:db8::1]'));
  assert.equal(domainKey('[192.0.2.1]'), domainKey('[IPv6:::ffff:192.0.2.1]'));
});
