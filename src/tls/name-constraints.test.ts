import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  certificate,
  ecKeys,
  generalName,
  name,
  nameConstraints,
  oid,
  subjectAltName,
  tlv,
  utf8,
} from '../../test/pkits/certificate-writer.ts';
import { parseCertificate } from './certificate.ts';
import { checkNameConstraints } from './name-constraints.ts';

const keys = ecKeys();
const { email, dns, uri, ip, upn, other, registered, directory } = generalName;

const constraintsOf = (permitted: readonly Uint8Array[], excluded: readonly Uint8Array[] = []) => {
  const { der } = certificate({ keys, extensions: [nameConstraints(permitted, excluded)] });
  const found = parseCertificate(der).nameConstraints;
  assert.ok(found);
  return found;
};

const check = (
  names: readonly Uint8Array[],
  permitted: readonly Uint8Array[],
  excluded: readonly Uint8Array[] = [],
  subject = name('CN=x'),
) =>
  checkNameConstraints(
    parseCertificate(
      certificate({
        keys,
        subject,
        issuerName: name('CN=ca'),
        extensions: names.length === 0 ? [] : [subjectAltName(...names)],
      }).der,
    ),
    [constraintsOf(permitted, excluded)],
  ) === undefined;

const TABLE: readonly (readonly [string, Uint8Array, Uint8Array, boolean])[] = [
  ['a DNS constraint holds the host itself', dns('example.test'), dns('example.test'), true],
  ['a DNS constraint holds hosts below it, in any case', dns('A.B.Example.TEST'), dns('example.test'), true],
  ['a DNS constraint ends at a label', dns('badexample.test'), dns('example.test'), false],
  ['a DNS constraint with a dot holds hosts below only', dns('example.test'), dns('.example.test'), false],
  ['an empty DNS constraint holds all', dns('a.test'), dns(''), true],
  ['a DNS name with the root dot is the same name', dns('a.example.test.'), dns('example.test'), true],
  ['an address constraint of a mailbox holds that mailbox', email('a@example.test'), email('a@EXAMPLE.test'), true],
  ['the local part is compared exactly', email('A@example.test'), email('a@example.test'), false],
  ['an address constraint of a host holds its mailboxes', email('a@example.test'), email('example.test'), true],
  [
    'an address constraint of a host does not hold hosts below',
    email('a@b.example.test'),
    email('example.test'),
    false,
  ],
  ['an address constraint of a domain holds hosts below', email('a@b.example.test'), email('.example.test'), true],
  [
    'an address constraint of a domain does not hold the domain',
    email('a@example.test'),
    email('.example.test'),
    false,
  ],
  ['an address with two at-signs is no address', email('a@evil.test@example.test'), email('example.test'), false],
  ['a quoted local part may have an at-sign', email('"a@b"@example.test'), email('example.test'), true],
  ['an address without a host is no address', email('a'), email('example.test'), false],
  ['a URI constraint holds its host', uri('spiffe://example.test/a'), uri('example.test'), true],
  ['a URI constraint looks behind user and port', uri('https://u:p@example.test:8443/'), uri('example.test'), true],
  ['a URI constraint is not fooled by a user part', uri('https://example.test@evil.test/'), uri('example.test'), false],
  [
    'a URI constraint is not fooled by a backslash',
    uri('https://evil.test\\@example.test/'),
    uri('example.test'),
    false,
  ],
  ['a URI constraint of a domain holds hosts below', uri('ftp://a.example.test'), uri('.example.test'), true],
  ['a URI without a host is outside', uri('urn:example:test'), uri('example.test'), false],
  ['a URI with an address for a host is outside', uri('http://127.0.0.1/'), uri('127.0.0.1'), false],
  ['an IP constraint is an address and a mask', ip(10, 1, 2, 3), ip(10, 1, 0, 0, 255, 255, 0, 0), true],
  ['an IP address beyond the mask is outside', ip(10, 2, 2, 3), ip(10, 1, 0, 0, 255, 255, 0, 0), false],
  ['an IPv6 address is outside an IPv4 constraint', ip(...Array(16).fill(0)), ip(0, 0, 0, 0, 0, 0, 0, 0), false],
  ['an IP address of five octets is outside', ip(10, 1, 2, 3, 4), ip(0, 0, 0, 0, 0, 0, 0, 0), false],
  ['a UPN constraint holds the users of its domain', upn('Alice@Example.test'), upn('example.test'), true],
  ['a UPN constraint may begin with an at-sign', upn('alice@example.test'), upn('@example.test'), true],
  ['a UPN of a domain below is outside', upn('alice@a.example.test'), upn('@example.test'), false],
  ['an address constraint may begin with an at-sign', email('a@example.test'), email('@example.test'), true],
  ['a UPN of a domain below is held by a dot', upn('alice@a.example.test'), upn('.example.test'), true],
  ['a directory name is held by its beginning', directory(name('O=A', 'CN=b')), directory(name('O=a')), true],
];

for (const [title, subject, base, inside] of TABLE) {
  test(title, () => {
    const isDirectory = base[0] === 0xa4;
    const own = isDirectory ? name('O=a', 'CN=x') : name('CN=x');
    assert.equal(check([subject], [base], [], own), inside);
    if (inside) assert.equal(check([subject], [], [base], own), false, 'as an excluded subtree');
  });
}

test('a form that is not constrained is free', () => {
  assert.ok(check([dns('a.test'), email('a@b.test')], [ip(10, 0, 0, 0, 255, 0, 0, 0)]));
});

test('one name outside is enough', () => {
  assert.ok(!check([dns('a.example.test'), dns('a.evil.test')], [dns('example.test')]));
});

test('the subject is a directory name', () => {
  assert.ok(!check([], [directory(name('O=Example'))], [], name('O=Other', 'CN=x')));
  assert.ok(check([], [directory(name('O=Example'))], [], name('O=example', 'CN=x')));
  assert.ok(!check([], [directory(name('O=Example'))], [], name('O=Example2', 'CN=x')));
  assert.ok(check([], [directory(name('O=Example'))], [], name()));
});

test('emailAddress in the subject counts, also beside a subjectAltName', () => {
  const subject = name('CN=x', 'E=a@evil.test');
  assert.ok(!check([], [email('example.test')], [], subject));
  assert.ok(!check([email('a@example.test')], [email('example.test')], [], subject));
});

test('SmtpUTF8Mailbox is held to the constraints on mail addresses', () => {
  const mailbox = (text: string) => other('1.3.6.1.5.5.7.8.9', utf8(text));
  assert.ok(check([mailbox('é@example.test')], [email('example.test')]));
  assert.ok(!check([mailbox('é@evil.test')], [email('example.test')]));
  assert.ok(!check([mailbox('a@exämple.test')], [], [email('xn--exmple-cua.test')]));
});

test('what cannot be compared is outside every permitted and inside every excluded subtree', () => {
  const strange = other('1.2.3', utf8('a'));
  assert.ok(!check([strange], [other('1.2.3', utf8('a'))]));
  assert.ok(!check([strange], [], [other('1.2.3', utf8('b'))]));
  assert.ok(check([strange], [other('1.2.4', utf8('a'))]));
  assert.ok(!check([registered('1.2.3')], [], [registered('1.2.4')]));
  assert.ok(!check([tlv(0x82, Buffer.from('a\0.test'))], [], [dns('other.test')]));
  assert.ok(!check([other('1.3.6.1.4.1.311.20.2.3', oid('1.2.3'))], [upn('example.test')]));
});

test('a constraint that is no host, domain or mailbox holds nothing where permitted and everything where excluded', () => {
  const pairs: readonly (readonly [Uint8Array, readonly Uint8Array[]])[] = [
    [email('a@example.test'), [email(''), email('a@'), email('exa mple.test'), email('a@b@example.test'), email('.')]],
    [uri('https://example.test/'), [uri(''), uri('https://example.test/'), uri('exa_mple.test:443')]],
    [dns('a.example.test'), [dns('example test'), dns('*.example.test'), dns('..')]],
    [upn('alice@example.test'), [upn(''), upn('a@b@c'), other('1.3.6.1.4.1.311.20.2.3', oid('1.2.3'))]],
  ];
  for (const [subject, bases] of pairs) {
    for (const base of bases) {
      const words = Buffer.from(base).toString('latin1');
      assert.ok(!check([subject], [base]), `${words} permitted`);
      assert.ok(!check([subject], [], [base]), `${words} excluded`);
    }
  }
});

test('a name with a blank that a directory would overlook cannot slip past an excluded one', () => {
  for (const text of [' root@example.test', 'root @example.test', 'root@example.test '])
    assert.ok(!check([email(text)], [], [email('root@example.test')]), text);
  for (const text of [' example.test', 'example.test ', 'example..test', '*.*.example.test'])
    assert.ok(!check([dns(text)], [], [dns('example.test')]), text);
  assert.ok(!check([upn(' root@example.test')], [], [upn('root@example.test')]));
});

test('an excluded host excludes the wildcard that would cover it', () => {
  assert.ok(!check([dns('*.example.test')], [], [dns('secret.example.test')]));
  assert.ok(check([dns('*.example.test')], [], [dns('secret.example.org')]));
});

test('an excluded mailbox is excluded whatever its case', () => {
  assert.ok(!check([email('ROOT@example.test')], [], [email('root@example.test')]));
});

test('every authority above must agree', () => {
  const leaf = parseCertificate(certificate({ keys, extensions: [subjectAltName(dns('a.b.test'))] }).der);
  assert.equal(checkNameConstraints(leaf, [constraintsOf([dns('test')]), constraintsOf([dns('b.test')])]), undefined);
  assert.match(
    checkNameConstraints(leaf, [constraintsOf([dns('test')]), constraintsOf([dns('c.test')])]) ?? '',
    /permitted/,
  );
});

test('few names that are very long are too many as well', () => {
  const long = `${'a.'.repeat(20_000)}test`;
  const subtrees = Array.from({ length: 2000 }, (_, i) => dns(`s${i}.test`));
  const leaf = parseCertificate(certificate({ keys, extensions: [subjectAltName(dns(long))] }).der);
  assert.match(checkNameConstraints(leaf, [constraintsOf([], subtrees)]) ?? '', /too many/);
});

test('too many comparisons are refused', () => {
  const names = Array.from({ length: 900 }, (_, i) => dns(`h${i}.test`));
  const subtrees = Array.from({ length: 900 }, (_, i) => dns(`s${i}.test`));
  const leaf = parseCertificate(certificate({ keys, extensions: [subjectAltName(...names)] }).der);
  assert.match(checkNameConstraints(leaf, [constraintsOf([], subtrees)]) ?? '', /too many/);
});
