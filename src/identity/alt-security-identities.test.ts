import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  attribute,
  certificate,
  ecKeys,
  extension,
  generalName,
  type Issuer,
  name,
  oid,
  rdn,
  seq,
  subjectAltName,
  tlv,
  utf8,
  type Wish,
} from '../../test/pkits/certificate-writer.ts';
import { parseCertificate } from '../tls/certificate.ts';
import { certificateToken } from './certificate-fields.ts';

const keys = ecKeys();
const token = (wish: Wish, wanted: string) =>
  certificateToken(parseCertificate(certificate({ keys, ...wish }).der), wanted);

const issuedBy = (...rdns: readonly (string | Uint8Array)[]): Pick<Wish, 'issuer'> => ({
  issuer: { subject: name(...rdns), keys, der: Buffer.alloc(0) } satisfies Issuer,
});
const identities = (wish: Wish): readonly string[] => token(wish, 'altsec:issuerAndSerial') ?? [];

describe('issuer and serial number', () => {
  test('as Microsoft documents it: DC=com first, octets of the number in reverse', () => {
    const wish = { ...issuedBy('DC=com', 'DC=contoso', 'CN=CONTOSO-DC-CA') };
    const serial = [0x2b, 0x00, 0x00, 0x00, 0x00, 0x11, 0xac, 0x00, 0x00, 0x00, 0x12];
    assert.deepEqual(identities({ ...wish, serial }), [
      'X509:<I>DC=com,DC=contoso,CN=CONTOSO-DC-CA<SR>12000000AC11000000002B',
    ]);
  });
  test('the octet that makes a number positive is left out, and put in for tools that keep it', () => {
    assert.deepEqual(identities({ ...issuedBy('CN=CA'), serial: [0x00, 0x80, 0xff, 0x01] }), [
      'X509:<I>CN=CA<SR>01FF80',
      'X509:<I>CN=CA<SR>01FF8000',
    ]);
  });
  test('zero, and a negative number in two’s complement', () => {
    assert.deepEqual(identities({ ...issuedBy('CN=CA'), serial: [0] }), ['X509:<I>CN=CA<SR>00']);
    assert.deepEqual(identities({ ...issuedBy('CN=CA'), serial: [0xff, 0x00] }), ['X509:<I>CN=CA<SR>00FF']);
  });
  test('attributes have the names of CertNameToStr', () => {
    const issuer = ['C=US', 'ST=Ohio', 'L=Dayton', 'O=Example', 'OU=PKI', 'E=ca@example.test', 'CN=CA'];
    const [identity] = identities({ ...issuedBy(...issuer) });
    assert.equal(identity, 'X509:<I>C=US,S=Ohio,L=Dayton,O=Example,OU=PKI,E=ca@example.test,CN=CA<SR>01');
    const odd = [
      rdn(attribute('0.9.2342.19200300.100.1.1', utf8('x'))),
      rdn(attribute('1.2.3', tlv(0x01, Buffer.from([255])))),
    ];
    assert.deepEqual(identities(issuedBy(...odd)), ['X509:<I>OID.0.9.2342.19200300.100.1.1=x,OID.1.2.3=#FF<SR>01']);
  });
  test('values with special characters are quoted, and not quoted', () => {
    assert.deepEqual(identities(issuedBy('O=Example, Inc.', rdn(attribute('CN', utf8('The "best" CA'))))), [
      'X509:<I>O="Example, Inc.",CN="The ""best"" CA"<SR>01',
      'X509:<I>O=Example, Inc.,CN=The "best" CA<SR>01',
    ]);
    for (const special of ['a+b', 'a=b', 'a<b', 'a>b', 'a#b', 'a;b', ' a', 'a ', 'a\nb'])
      assert.ok(
        identities(issuedBy(rdn(attribute('CN', utf8(special))))).includes(`X509:<I>CN="${special}"<SR>01`),
        special,
      );
  });
  test('a multi-valued RDN is written as each of the known tools does', () => {
    assert.deepEqual(identities(issuedBy('O=x', 'CN=CA+OU=PKI')), [
      'X509:<I>O=x,CN=CA + OU=PKI<SR>01',
      'X509:<I>O=x,CN=CA OU=PKI<SR>01',
      'X509:<I>O=x,CN=CA+OU=PKI<SR>01',
    ]);
  });
  test('all spellings at once are not more values than an assertion may have', () => {
    const wish = { ...issuedBy('O=a, b', 'CN=CA+OU=PKI'), serial: [0, 0x80], extensions: [keyId('A1')] };
    assert.equal(identities(wish).length, 12);
    assert.equal(token(wish, 'altsec')?.length, 16);
  });
});

const keyId = (hex: string): Buffer => extension('2.5.29.14', tlv(0x04, Buffer.from(hex, 'hex')));

describe('key identifiers and hashes', () => {
  test('the subject key identifier is that of the extension', () => {
    const extensions = [keyId('c6f4e96c')];
    assert.deepEqual(token({ extensions }, 'ski'), ['C6F4E96C']);
    assert.deepEqual(token({ extensions }, 'altsec:ski'), ['X509:<SKI>C6F4E96C']);
    assert.equal(token({}, 'altsec:ski'), undefined);
  });
  test('SHA1-PUKEY is the hash of the certificate, of the key’s bits or of its SubjectPublicKeyInfo', () => {
    const { der } = certificate({ keys });
    const spki = keys.publicKey.export({ type: 'spki', format: 'der' });
    const hash = (octets: Uint8Array) =>
      `X509:<SHA1-PUKEY>${createHash('sha1').update(octets).digest('hex').toUpperCase()}`;
    assert.deepEqual(certificateToken(parseCertificate(der), 'altsec:sha1PublicKey'), [
      hash(der),
      hash(spki.subarray(-65)),
      hash(spki),
    ]);
  });
  // Certificate and values of Microsoft's Entra PowerShell module (Get-EntraUserCertificateUserIdsFromCertificate).
  test('a certificate of Microsoft’s gives the values that Microsoft’s tool gives', () => {
    const der = Buffer.from(MICROSOFT_CERTIFICATE, 'base64');
    const values = certificateToken(parseCertificate(der), 'altsec') ?? [];
    assert.ok(values.includes('X509:<SHA1-PUKEY>34BE02DCEE9ECDF8BC5C16595A73F1B201875FEA'));
    assert.ok(values.includes('X509:<SKI>C6F4E96CAAD84640361F9FB5F74F6308247CB8B4'));
    // Entra keeps the number as it is; Active Directory in reverse.
    const serial = '1E8C974144BF86964423FA6464082D8A';
    assert.ok(values.includes(`X509:<I>CN=Contoso<SR>${serial.match(/../g)?.reverse().join('')}`));
  });
});

const SID = 'S-1-5-21-1026122598-866541943-2654150858-1102';

/** MS-WCCE §2.2.2.7.7.4. */
const sidExtension = (sid: string): Buffer =>
  extension(
    '1.3.6.1.4.1.311.25.2',
    seq(tlv(0xa0, oid('1.3.6.1.4.1.311.25.2.1'), tlv(0xa0, tlv(0x04, Buffer.from(sid))))),
  );

describe('sid', () => {
  test('is that of the SID extension', () =>
    assert.deepEqual(token({ extensions: [sidExtension(SID)] }, 'sid'), [SID]));
  test('or of the URI that stands for it', () => {
    const uri = generalName.uri(`tag:microsoft.com,2022-09-14:sid:${SID}`);
    assert.deepEqual(token({ extensions: [subjectAltName(uri)] }, 'sid'), [SID]);
  });
  test('what is no SID gives no value', () => {
    const malformed = extension('1.3.6.1.4.1.311.25.2', seq(tlv(0x04, Buffer.from(SID))));
    for (const wish of [sidExtension('alice'), sidExtension(`${SID})(uid=*`), sidExtension('S-1-'), malformed])
      assert.equal(token({ extensions: [wish] }, 'sid'), undefined);
    assert.equal(token({ extensions: [subjectAltName(generalName.uri(`x${SID}`))] }, 'sid'), undefined);
  });
});

const MICROSOFT_CERTIFICATE =
  'MIIC3jCCAcagAwIBAgIQHoyXQUS/hpZEI/pkZAgtijANBgkqhkiG9w0BAQUFADASMRAwDgYDVQQDDAdDb250b3NvMB4XDTI1MDMyNTE1NDU1OFoXDTI2MDMyNTE2MDQzNlowcjETMBEGCgmSJomT8ixkARkWA2NvbTEXMBUGCgmSJomT8ixkARkWB2NvbnRvc28xFDASBgoJkiaJk/IsZAEZFgRjb3JwMRUwEwYDVQQLDAxVc2VyQWNjb3VudHMxFTATBgNVBAMMDENvbnRvc28gVXNlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDbRNBDrUoZ9JjsBkroyjzTe+Zag7TMU4WZFyvqtgctn6dQ/+zuk/hOg2xwU0JmooRDhwG+SS3dGGE1a1Uh9I4OjgZowgZcwDgYDVR0PAQH/BAQDAgeAMBMGA1UdJQQMMAoGCCsGAQUFBwMCMDAGA1UdEQQpMCegJQYKKwYBBAGCNxQCA6AXDBVjb250b3NvQG1pY3Jvc29mdC5jb20wHwYDVR0jBBgwFoAUrY5aFcJq36PMV50MNR4KIFfTSscwHQYDVR0OBBYEFMb06Wyq2EZANh+ftfdPYwgkfLi0MA0GCSqGSIb3DQEBBQUAA4IBAQBQ5ULQEJT0xvGt7b27dQGmYzMzW3V9JCS7qYeAxYefYV1cGuwP3ZHh++sGyah0fIQQCtM+9Fu+VmHdinJ0478cR/oD4luK67FNFJLk0Q3H3RDvesZa/JYQEbdEgRoaMJWCYqrpQNdCwIlBL+8CrHMyXfYxnYuFGJfdl8NmmLXok44Dqo7d9Zw6MFyxMDWx8C6QWJjZcls6UQggoawWKTll2V+tK+l7UwRRcpGmnVmnlyD6Vpo9exi+Axddi3a6WOQ5asn6il0sJVGicyZS658toQw0fj+UvZuD7rtegxuL/s/v3m3Sx1iEcIyB1HsdwZCJ5ZlxvbQvB/Sz5yU7Yo/Y';
