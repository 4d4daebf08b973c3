import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  authority,
  basicConstraints,
  certificate,
  client,
  extension,
  generalName,
  type Issuer,
  integer,
  keyUsage,
  name,
  oid,
  pem,
  seq,
  tlv,
} from '../../test/pkits/certificate-writer.ts';
import { cpuMs } from '../../test/support/cpu-time.ts';
import { type Climb, issuersAmong, missingIssuers, readIssuerFile } from './aia.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import { buildTrustStore } from './trust-store.ts';

const HOST = 'aia.example.test';
const CA_ISSUERS = '1.3.6.1.5.5.7.48.2';
const OCSP = '1.3.6.1.5.5.7.48.1';
const url = (file: string): string => `http://${HOST}/${file}`;

const access = (...entries: readonly (readonly [method: string, location: Uint8Array])[]): Buffer =>
  extension('1.3.6.1.5.5.7.1.1', seq(...entries.map(([method, location]) => seq(oid(method), location))));
const issuersAt = (...urls: readonly string[]): Buffer =>
  access(...urls.map((each) => [CA_ISSUERS, generalName.uri(each)] as const));

const ca = (subject: string, issuer: Issuer | undefined, ...more: readonly Uint8Array[]): Issuer =>
  certificate({
    subject: name('O=Example', subject),
    ...(issuer === undefined ? {} : { issuer }),
    extensions: [basicConstraints(true), keyUsage(1 << 5), ...more],
  });
const leafOf = (issuer: Issuer, ...more: readonly Uint8Array[]): Certificate =>
  parseCertificate(client(issuer, { extensions: [keyUsage(1), ...more] }).der);

const root = authority(name('O=Example', 'CN=Root'));
const upper = ca('CN=Upper', root, issuersAt(url('root.der')));
const lower = ca('CN=Lower', upper, issuersAt(url('upper.der')));
const leaf = leafOf(lower, issuersAt(url('lower.der')));

const climb = (changes: Partial<Climb> & { readonly files?: readonly string[] } = {}): string[] =>
  missingIssuers({
    leaf,
    known: [],
    trustStore: buildTrustStore(changes.files ?? [pem(root.der)]),
    allowHosts: [HOST],
    ...changes,
  });
const known = (...issuers: readonly Issuer[]): Certificate[] => issuers.map(({ der }) => parseCertificate(der));

describe('which addresses are worth asking', () => {
  test('the one where the way up ends: level by level, and none once an anchor is reached', () => {
    assert.deepEqual(climb(), [url('lower.der')]);
    assert.deepEqual(climb({ known: known(lower) }), [url('upper.der')]);
    assert.deepEqual(climb({ known: known(lower, upper) }), []);
    assert.deepEqual(climb({ files: [pem(root.der), pem(upper.der)], known: known(lower) }), []);
  });

  test('a certificate of the issuer’s name with another key is not the issuer', () => {
    const forged = ca('CN=Lower', root);
    assert.deepEqual(climb({ known: known(forged) }), [url('lower.der')]);
    assert.deepEqual(climb({ known: known(forged, lower) }), [url('upper.der')]);
    assert.deepEqual(climb({ files: [pem(authority(name('O=Example', 'CN=Lower')).der)] }), [url('lower.der')]);
  });

  test('only http and https on allowed hosts, of caIssuers, two of a certificate, each once', () => {
    const addresses = [
      url('one.der'),
      'http://elsewhere.example.test/two.der',
      'ldap://aia.example.test/cn=CA?cACertificate',
      'file:///etc/passwd',
      'http://user:secret@aia.example.test/three.der',
      'http://aia.example.test:8080/four.der',
      url('one.der'),
      `https://${HOST}/five.der`,
      url('six.der'),
    ];
    assert.deepEqual(climb({ leaf: leafOf(lower, issuersAt(...addresses)) }), [url('one.der')]);
    const other = [url('one.der'), `https://${HOST}/five.der`, url('six.der')];
    assert.deepEqual(climb({ leaf: leafOf(lower, issuersAt(...other)) }), other.slice(0, 2));
    assert.deepEqual(climb({ allowHosts: [] }), []);
    const responder = access([OCSP, generalName.uri(url('ocsp'))], [CA_ISSUERS, generalName.directory(root.subject)]);
    assert.deepEqual(climb({ leaf: leafOf(lower, responder) }), []);
    assert.deepEqual(climb({ leaf: leafOf(lower) }), []);
  });

  test('certificates that have signed each other end the climb, and a crowd of issuers does not', () => {
    const [a, b] = [ca('CN=A', undefined), ca('CN=B', undefined)];
    const aByB = certificate({ subject: a.subject, keys: a.keys, issuer: b, extensions: [issuersAt(url('b.der'))] });
    const bByA = certificate({ subject: b.subject, keys: b.keys, issuer: a, extensions: [issuersAt(url('a.der'))] });
    const low = leafOf(a, issuersAt(url('a-by-b.der')));
    assert.deepEqual(climb({ leaf: low, known: known(aByB, bByA) }), []);
    const crowd = Array.from({ length: 60 }, () => ca('CN=Lower', root, issuersAt(url('crowd.der'))));
    const from = cpuMs();
    assert.deepEqual(climb({ known: known(...crowd) }), [url('lower.der')]);
    assert.ok(cpuMs() - from < 2000);
  });
});

const SIGNED_DATA = oid('1.2.840.113549.1.7.2');
const signedData = (certificates: readonly Uint8Array[], type = SIGNED_DATA): Buffer =>
  seq(
    type,
    tlv(
      0xa0,
      seq(
        integer(1),
        tlv(0x31),
        seq(oid('1.2.840.113549.1.7.1')),
        ...(certificates.length === 0 ? [] : [tlv(0xa0, ...certificates)]),
        tlv(0x31),
      ),
    ),
  );
const found = (bytes: Uint8Array): string[] => {
  const file = readIssuerFile(bytes);
  return file.ok ? file.certificates.map((der) => Buffer.from(der).toString('base64')) : [file.why];
};
const base64 = ({ der }: Issuer): string => der.toString('base64');

describe('what is in the file', () => {
  const both = [base64(lower), base64(upper)];

  test('one certificate in DER, or several in PEM among other words and blocks', () => {
    assert.deepEqual(found(lower.der), [base64(lower)]);
    const text = `# issuers\n${pem(lower.der)}words\n${pem(Buffer.of(5, 0), 'X509 CRL')}${pem(upper.der)}`;
    assert.deepEqual(found(Buffer.from(text)), both);
  });

  test('PKCS#7 with certificates only, in DER and in PEM', () => {
    const bundle = signedData([lower.der, upper.der]);
    assert.deepEqual(found(bundle), both);
    assert.deepEqual(found(Buffer.from(pem(bundle, 'PKCS7'))), both);
    assert.deepEqual(found(Buffer.from(pem(bundle, 'CMS'))), both);
  });

  test('what is no certificate is left out, and a file without any says so', () => {
    assert.deepEqual(found(signedData([lower.der, seq(integer(1)), tlv(0xa1, Buffer.of(1)), upper.der])), both);
    const none = 'there is no certificate in the file';
    assert.deepEqual(found(signedData([])), [none]);
    assert.deepEqual(found(seq(integer(1))), [none]);
    assert.deepEqual(found(Buffer.from('<html>please log in</html>')), [none]);
    assert.deepEqual(found(Buffer.from(pem(lower.der, 'PRIVATE KEY'))), [none]);
    assert.deepEqual(found(Buffer.alloc(0)), [none]);
  });

  test('a file that is cut off, or of another content type, is malformed', () => {
    assert.match(found(lower.der.subarray(0, 100))[0] ?? '', /^the file is malformed: /);
    assert.match(found(Buffer.from(pem(lower.der).slice(0, 200)))[0] ?? '', /malformed: PEM: block without its END/);
    assert.match(found(signedData([lower.der], oid('1.2.840.113549.1.7.3')))[0] ?? '', /PKCS#7: not signed data/);
  });

  test('a crowd of certificates is refused, and what is read owns its memory', () => {
    const crowd = Array.from({ length: 101 }, () => pem(lower.der)).join('');
    assert.match(found(Buffer.from(crowd))[0] ?? '', /too many certificates/);
    assert.match(found(signedData(Array.from({ length: 101 }, () => lower.der)))[0] ?? '', /malformed/);
    const bytes = Uint8Array.from(lower.der);
    const file = readIssuerFile(bytes);
    bytes.fill(0);
    assert.deepEqual(file.ok && Buffer.from(file.certificates[0] as Uint8Array), lower.der);
  });

  test('property: whatever comes, it answers and does not throw', () => {
    const bundle = signedData([lower.der, upper.der]);
    fc.assert(
      fc.property(fc.nat(bundle.length - 1), fc.nat(255), fc.nat(bundle.length), (at, octet, length) => {
        const changed = Buffer.from(bundle.subarray(0, length));
        if (at < length) changed[at] = octet;
        assert.equal(typeof readIssuerFile(changed).ok, 'boolean');
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => typeof readIssuerFile(bytes).ok === 'boolean'));
  });
});

test('of what was fetched only possible issuers stay, each once, and none that is there already', () => {
  const self = leaf.der;
  const stranger = ca('CN=Stranger', root);
  const other = ca('CN=Lower', root);
  const fetched = [stranger.der, lower.der, self, upper.der, lower.der, other.der].map((der) => Uint8Array.from(der));
  const names = (below: readonly Certificate[]): string[] =>
    issuersAmong(fetched, below).map(({ der }) => Buffer.from(der).toString('base64'));
  assert.deepEqual(names([leaf]), [base64(lower), base64(other)]);
  assert.deepEqual(names([leaf, parseCertificate(lower.der)]), [base64(upper), base64(other)]);
});
