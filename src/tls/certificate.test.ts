import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  attribute,
  basicConstraints,
  certificate,
  ecKeys,
  extension,
  generalName,
  integer,
  keyUsage,
  name,
  nameConstraints,
  oid,
  pem,
  policies,
  policyMappings,
  rdn,
  seq,
  subjectAltName,
  tlv,
  TRUE,
  utf8,
} from '../../test/pkits/certificate-writer.ts';
import { cpuMs } from '../../test/support/cpu-time.ts';
import { parseCertificate } from './certificate.ts';
import { DerError, readDer } from './der.ts';

const keys = ecKeys();
const refused = (der: Uint8Array, why: RegExp): void =>
  assert.throws(
    () => parseCertificate(der),
    (error) => error instanceof DerError && why.test(error.message),
  );

test('a serial number is spelled as openssl x509 -serial prints it', () => {
  const serials = [
    [0],
    [1],
    [0x10, 0x01],
    [0, 0xff],
    [0xff],
    [0x80],
    [0xff, 0x00],
    [0x80, 0x00],
    [0x7f, 0, 0, 1],
    [0, 0x80],
  ];
  for (const serial of serials) {
    const { der } = certificate({ serial, keys });
    const printed = execFileSync('openssl', ['x509', '-noout', '-serial'], { input: pem(der), encoding: 'utf8' });
    assert.equal(`serial=${parseCertificate(der).serialHex}`, printed.trim(), serial.join(' '));
  }
});

test('zero is 00 and minus one is -01', () => {
  assert.equal(parseCertificate(certificate({ serial: [0], keys }).der).serialHex, '00');
  assert.equal(parseCertificate(certificate({ serial: [0xff], keys }).der).serialHex, '-01');
});

test('the algorithm outside must be the one that was signed', () => {
  refused(certificate({ keys, outerAlgorithm: seq(oid('1.2.840.10045.4.3.3')) }).der, /algorithms differ/);
  refused(certificate({ keys, outerAlgorithm: seq(oid('1.2.840.10045.4.3.2'), tlv(5)) }).der, /algorithms differ/);
});

test('an extension that comes twice is refused', () => {
  refused(certificate({ keys, extensions: [keyUsage(1), keyUsage(1)] }).der, /twice/);
});

test('extensions below version 3 are refused', () => {
  refused(certificate({ keys, version: 1, extensions: [keyUsage(1)] }).der, /version/);
  refused(certificate({ keys, version: 2, extensions: [keyUsage(1)] }).der, /version/);
});

test('octets after the certificate are refused', () => {
  refused(Buffer.concat([certificate({ keys }).der, Buffer.from([0])]), /trailing/);
});

test('an empty issuer is refused, an empty subject is not', () => {
  refused(certificate({ keys, issuerName: name() }).der, /issuer empty/);
  assert.equal(
    parseCertificate(certificate({ keys, subject: name(), issuerName: name('CN=ca') }).der).subject.rfc4514,
    '',
  );
});

test('a serial number that is not minimal or longer than 64 octets is refused', () => {
  refused(certificate({ keys, serial: [0, 1] }).der, /minimal/);
  refused(certificate({ keys, serial: Array.from({ length: 65 }, () => 1) }).der, /too long/);
});

test('cA FALSE and critical FALSE may be written out', () => {
  const FALSE = tlv(1, Buffer.from([0]));
  const constraints = seq(oid('2.5.29.19'), FALSE, tlv(4, seq(FALSE)));
  assert.deepEqual(parseCertificate(certificate({ keys, extensions: [constraints] }).der).basicConstraints, {
    ca: false,
  });
});

test('known extensions that are malformed make the certificate malformed', () => {
  const bad: readonly (readonly [string, Uint8Array])[] = [
    ['2.5.29.15', tlv(3, Buffer.from([8, 1]))],
    ['2.5.29.15', tlv(3, Buffer.from([1, 1]))],
    ['2.5.29.17', seq()],
    ['2.5.29.19', seq(TRUE, integer(0xff))],
    ['2.5.29.30', seq()],
    ['2.5.29.31', seq()],
    ['2.5.29.32', seq(seq(oid('1.2.3')), seq(oid('1.2.3')))],
    ['2.5.29.36', seq()],
    ['2.5.29.37', seq()],
    ['2.5.29.54', integer(0x80)],
  ];
  for (const [id, value] of bad) refused(certificate({ keys, extensions: [extension(id, value)] }).der, /./);
});

test('key usage bits are counted from the left', () => {
  assert.equal(parseCertificate(certificate({ keys, extensions: [keyUsage(0b100001)] }).der).keyUsage, 0b100001);
});

test('a name with octets that are no printable ASCII is kept apart as malformed', () => {
  const names = subjectAltName(generalName.dns('good.example'), tlv(0x82, Buffer.from('bad\0.example')));
  const { subjectAltNames } = parseCertificate(certificate({ keys, extensions: [names] }).der);
  assert.deepEqual(
    subjectAltNames.map(({ kind }) => kind),
    ['dNSName', 'malformed'],
  );
});

const rich = certificate({
  keys,
  subject: name('O=Example', 'OU=a+CN=b', rdn(attribute('CN', tlv(0x1e, Buffer.from('00410042', 'hex'))))),
  extensions: [
    basicConstraints(true, 3),
    keyUsage(0x21),
    subjectAltName(
      generalName.upn('a@example.test'),
      generalName.ip(127, 0, 0, 1),
      generalName.directory(name('CN=x')),
    ),
    nameConstraints([generalName.dns('example.test')], [generalName.email('.example.test')]),
    policies('1.2.3', '2.5.29.32.0'),
    policyMappings(['1.2.3', '1.2.4']),
    extension('2.5.29.36', seq(tlv(0x80, Buffer.from([0])), tlv(0x81, Buffer.from([1])))),
    extension('2.5.29.31', seq(seq(tlv(0xa0, tlv(0xa0, generalName.uri('http://127.0.0.1/a.crl')))))),
    extension('2.5.29.35', seq(tlv(0x80, Buffer.from('0102', 'hex')))),
    extension('1.3.6.1.5.5.7.1.1', seq(seq(oid('1.3.6.1.5.5.7.48.1'), generalName.uri('http://127.0.0.1/ocsp')))),
    extension('1.2.3.4', utf8('private')),
  ],
}).der;

const onlyDerError = (read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): void => {
  try {
    read(bytes);
  } catch (error) {
    assert.ok(error instanceof DerError, String(error));
  }
};

test('random octets make the readers throw DerError and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      onlyDerError(readDer, bytes);
      onlyDerError(parseCertificate, bytes);
    }),
    { numRuns: 500, seed: 1 },
  );
});

test('a certificate with changed octets is read or refused with DerError, in bounded time', () => {
  parseCertificate(rich);
  const started = cpuMs();
  const change = fc.tuple(fc.nat(rich.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(rich.length), (changes, cut) => {
      const bytes = Uint8Array.from(rich);
      for (const [at, octet] of changes) bytes[at] = octet;
      onlyDerError(parseCertificate, bytes);
      onlyDerError(parseCertificate, bytes.subarray(0, cut));
    }),
    { numRuns: 3000, seed: 2 },
  );
  assert.ok(cpuMs() - started < 20_000);
});

test('every single octet of a certificate may be wrong', () => {
  for (let at = 0; at < rich.length; at++) {
    for (const octet of [0, 0x30, 0x7f, 0x80, 0xff]) {
      const bytes = Uint8Array.from(rich);
      bytes[at] = octet;
      onlyDerError(parseCertificate, bytes);
    }
  }
});

test('lists as long as the size limit allows are refused or read quickly', () => {
  const many = (count: number, one: Uint8Array): Uint8Array => seq(...Array.from({ length: count }, () => one));
  const started = cpuMs();
  onlyDerError(
    parseCertificate,
    certificate({ keys, extensions: [extension('2.5.29.17', many(9000, generalName.dns('a')))] }).der,
  );
  onlyDerError(
    parseCertificate,
    certificate({ keys, extensions: [extension('2.5.29.37', many(9000, oid('1.2.3')))] }).der,
  );
  onlyDerError(parseCertificate, certificate({ keys, subject: many(5000, rdn(attribute('CN', utf8('a')))) }).der);
  refused(certificate({ keys, extensions: [extension('1.2.3', tlv(4, Buffer.alloc(200_000)))] }).der, /too long/);
  assert.ok(cpuMs() - started < 2000);
});

test('a certificate of another implementation is read', () => {
  const subject = ['-subj', '/O=Example/CN=me', '-days', '3'];
  const args = ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-keyout', '/dev/null', ...subject, '-outform', 'DER'];
  const parsed = parseCertificate(execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] }));
  assert.equal(parsed.subject.rfc4514, 'CN=me,O=Example');
  assert.equal(parsed.version, 3);
  assert.equal(parsed.signatureAlgorithm.oid, '1.3.101.112');
});
