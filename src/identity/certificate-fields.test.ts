import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import {
  attribute,
  certificate,
  ecKeys,
  generalName,
  name,
  rdn,
  subjectAltName,
  tlv,
  utf8,
  type Wish,
} from '../../test/pkits/certificate-writer.ts';
import { card, cardAuthority, fascn, NEGATIVE, NEGATIVE_VALUES, VALUES } from '../../test/support/piv.ts';
import { parseCertificate } from '../tls/certificate.ts';
import { CERTIFICATE_TOKENS, certificateNames, certificateToken } from './certificate-fields.ts';

const keys = ecKeys();
const token = (wish: Wish, wanted: string) =>
  certificateToken(parseCertificate(certificate({ keys, ...wish }).der), wanted);
const serial = (...octets: number[]): Wish => ({ serial: octets });

test('cn is of the most specific RDN that has one', () => {
  assert.deepEqual(token({ subject: name('CN=outer', 'OU=x', 'CN=inner', 'OU=y') }, 'cn'), ['inner']);
  assert.deepEqual(token({ subject: name('CN=outer', 'CN=a+OU=z+CN=b') }, 'cn'), ['a', 'b']);
});

test('a common name that is badly encoded or empty gives no value, not that of another RDN', () => {
  const bad = rdn(attribute('CN', tlv(0x0c, Buffer.from([0xff]))));
  assert.equal(token({ subject: name('CN=outer', bad) }, 'cn'), undefined);
  assert.equal(token({ subject: name('CN=') }, 'cn'), undefined);
  assert.equal(token({ subject: name('O=x') }, 'cn'), undefined);
});

test('subject fields give every value once, the most specific first', () => {
  const subject = name('C=US', 'ST=Ohio', 'L=Dayton', 'O=Gov', 'OU=DoD', 'OU=PKI', 'OU=DoD', 'E=a@example.test');
  assert.deepEqual(token({ subject }, 'ou'), ['DoD', 'PKI']);
  assert.deepEqual(
    ['c', 'st', 'l', 'o', 'e'].map((each) => token({ subject }, each)),
    [['US'], ['Ohio'], ['Dayton'], ['Gov'], ['a@example.test']],
  );
  assert.equal(token({ subject: name('CN=x') }, 'ou'), undefined);
});

test('values keep case, blanks and characters that filters treat specially', () => {
  assert.deepEqual(token({ subject: name('CN= x)(uid=*') }, 'cn'), [' x)(uid=*']);
});

const SERIALS: readonly (readonly [number[], string, string, string, string, string])[] = [
  [[0], '00', '0', '00', '00', '00'],
  [[0x10, 0x01], '1001', '4097', '1001', '10:01', '0110'],
  [[0, 0xab, 0xcd, 0xef], 'ABCDEF', '11259375', 'abcdef', 'AB:CD:EF', 'EFCDAB'],
  [[0xff], '-01', '-1', '-01', '-01', '-01'],
  [[0xff, 0x00], '-0100', '-256', '-0100', '-01:00', '-0001'],
  [[0x80], '-80', '-128', '-80', '-80', '-80'],
];

for (const [octets, sn, dec, lower, colon, reversed] of SERIALS) {
  test(`the serial number ${sn} in its spellings`, () => {
    const spellings = ['sn', 'sn:dec', 'sn:lower', 'sn:colon', 'sn:reversed'].map(
      (each) => token(serial(...octets), each)?.[0],
    );
    assert.deepEqual(spellings, [sn, dec, lower, colon, reversed]);
  });
}

test('dn and issuer are RFC 4514 names', () => {
  const issuer = { subject: name('O=CA, Inc.'), keys, der: Buffer.alloc(0) };
  const wish = { subject: name('O=Example', 'CN=Alice'), issuer };
  assert.deepEqual(token(wish, 'dn'), ['CN=Alice,O=Example']);
  assert.deepEqual(token(wish, 'issuer'), ['O=CA\\, Inc.']);
  assert.equal(token({ subject: name(), issuer }, 'dn'), undefined);
});

test('names of subjectAltName by their form', () => {
  const { upn, email, dns, uri, ip } = generalName;
  const names = [
    upn('1@mil'),
    email('a@x.test'),
    email('b@x.test'),
    dns('h.test'),
    uri('spiffe://x.test/a'),
    ip(127, 0, 0, 1),
  ];
  const wish = { extensions: [subjectAltName(...names)] };
  assert.deepEqual(
    ['upn', 'email', 'dns', 'uri'].map((each) => token(wish, each)),
    [['1@mil'], ['a@x.test', 'b@x.test'], ['h.test'], ['spiffe://x.test/a']],
  );
  assert.equal(token({}, 'upn'), undefined);
});

test('a name with control characters gives no value', () => {
  assert.equal(
    token({ extensions: [subjectAltName(tlv(0x81, Buffer.from('a@x.test\0.evil.test')))] }, 'email'),
    undefined,
  );
});

const DIGITS = '70001234002110000000012345670001';

const withFascn = (octets: Uint8Array): Wish => ({
  extensions: [subjectAltName(generalName.other('2.16.840.1.101.3.6.6', tlv(4, octets)))],
});

test('fascn is the 25 octets, fascn:digits the 32 digits', () => {
  const octets = fascn(DIGITS);
  assert.equal(octets.length, 25);
  assert.deepEqual(token(withFascn(octets), 'fascn'), [octets.toString('hex').toUpperCase()]);
  assert.deepEqual(token(withFascn(octets), 'fascn:digits'), [DIGITS]);
});

test('every token of a card with odd strings is what a person reads off it', () => {
  const issuer = cardAuthority();
  const parsed = parseCertificate(card({ issuer }).der);
  const negative = parseCertificate(card({ issuer, serial: NEGATIVE }).der);
  for (const [wanted, value] of Object.entries(VALUES))
    assert.ok(certificateToken(parsed, wanted)?.includes(value), wanted);
  for (const [wanted, value] of Object.entries(NEGATIVE_VALUES))
    assert.ok(certificateToken(negative, wanted)?.includes(value), wanted);
});

test('a FASC-N of another length gives no value, a damaged one no digits', () => {
  assert.equal(token(withFascn(Buffer.alloc(24)), 'fascn'), undefined);
  const damaged = fascn(DIGITS);
  damaged[5] = (damaged[5] as number) ^ 0x10;
  assert.equal(token(withFascn(damaged), 'fascn:digits'), undefined);
  assert.equal(token(withFascn(Buffer.alloc(25)), 'fascn:digits'), undefined);
});

test('edipi is exactly ten digits after the last dot of the common name', () => {
  const of = (cn: string) => token({ subject: name(rdn(attribute('CN', utf8(cn)))) }, 'edipi');
  assert.deepEqual(of('ADAMS.ALICE.A.1000000001'), ['1000000001']);
  for (const cn of [
    'ADAMS.ALICE.A.100000001',
    'ADAMS.ALICE.A.10000000011',
    '1000000001',
    'A.1000000001.',
    'A.1000000001\n',
    'A.١٢٣٤٥٦٧٨٩٠',
  ]) {
    assert.equal(of(cn), undefined, cn);
  }
});

test('sha256 and spki are hashes in lower case without colons', () => {
  const { der } = certificate({ keys });
  const parsed = parseCertificate(der);
  const printed = new X509Certificate(der).fingerprint256.replaceAll(':', '').toLowerCase();
  assert.deepEqual(certificateToken(parsed, 'sha256'), [printed]);
  const spki = createHash('sha256')
    .update(keys.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
  assert.deepEqual(certificateToken(parsed, 'spki'), [spki]);
});

test('every token of the contract is there, those of Active Directory, and no other', () => {
  const contract =
    'cn o ou c l st e sn sn:dec sn:lower sn:colon sn:reversed dn issuer upn email dns uri fascn fascn:digits edipi sha256 spki';
  const beyond = 'ski sid altsec altsec:issuerAndSerial altsec:ski altsec:sha1PublicKey';
  assert.deepEqual([...CERTIFICATE_TOKENS].sort(), `${contract} ${beyond}`.split(' ').sort());
  for (const other of ['u', 't', 'CN', 'sn:', 'constructor', '']) assert.equal(token({}, other), undefined);
});

test('a log names a certificate by subject, issuer and serial number', () => {
  const parsed = parseCertificate(certificate({ keys, subject: name('CN=a\r\nb'), serial: [0x10, 1] }).der);
  assert.deepEqual(certificateNames(parsed), { subject: 'CN=a\\0D\\0Ab', issuer: 'CN=a\\0D\\0Ab', serial: '1001' });
});
