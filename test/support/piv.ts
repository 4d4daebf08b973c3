/**
 * A PIV-shaped card, written octet by octet so that it has what real authorities do and openssl would not: several
 * OUs, a multi-valued RDN, all five string types beyond ASCII, UPN and FASC-N, serial numbers with a leading zero octet
 * and negative ones. `VALUES` says what its tokens are, as a person reads them off the certificate. Pure but for keys.
 */
import {
  attribute,
  authority,
  client,
  ecKeys,
  extendedKeyUsage,
  extension,
  generalName,
  type Issuer,
  keyUsage,
  name,
  oid,
  rdn,
  seq,
  subjectAltName,
  tlv,
  utf8,
} from '../pkits/certificate-writer.ts';

const t61 = (text: string): Buffer => tlv(0x14, Buffer.from(text, 'latin1'));
const bmp = (text: string): Buffer => tlv(0x1e, Buffer.from(text, 'utf16le').swap16());
const universal = (text: string): Buffer =>
  tlv(0x1c, Buffer.concat([...text].map((each) => Buffer.from([0, 0, 0, each.codePointAt(0) ?? 0])))); // below U+0100
const printable = (text: string): Buffer => tlv(0x13, Buffer.from(text, 'latin1'));
const ia5 = (text: string): Buffer => tlv(0x16, Buffer.from(text, 'latin1'));

const FASC_N_DIGITS = '70001234002110000000012345670001';

/** SCEPACS 2.3: 40 characters of four bits, lowest first, and one of odd parity. The last one, a checksum, is not computed. */
export function fascn(digits: string): Buffer {
  const [agency, system, credential, series, issue, person] = [
    ...[
      [0, 4],
      [4, 8],
      [8, 14],
      [14, 15],
      [15, 16],
      [16, 32],
    ].map(([from, to]) => digits.slice(from, to)),
  ];
  const symbols = `S${agency}F${system}F${credential}F${series}F${issue}F${person}E0`.split('');
  const bits = symbols.map((symbol) => {
    const value = ({ S: 11, F: 13, E: 15 } as Record<string, number>)[symbol] ?? Number(symbol);
    const low = [0, 1, 2, 3].map((bit) => (value >> bit) & 1);
    return low.join('') + (low.reduce((sum, bit) => sum + bit, 1) % 2);
  });
  return Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2)));
}

/** The authority's name needs quotes in Active Directory, escapes in RFC 4514, and has an attribute without short name. */
export const cardAuthority = (): Issuer =>
  authority(
    name(
      rdn(attribute('C', printable('US'))),
      rdn(attribute('O', utf8('Example, Inc.'))),
      'OU=PKI',
      rdn(attribute('E', ia5('ca@example.test'))),
      'CN=Card CA',
    ),
  );

/** MS-WCCE §2.2.2.7.7.4. */
const sidExtension = (sid: string): Buffer =>
  extension(
    '1.3.6.1.4.1.311.25.2',
    seq(tlv(0xa0, oid('1.3.6.1.4.1.311.25.2.1'), tlv(0xa0, tlv(0x04, Buffer.from(sid))))),
  );

const subject = name(
  rdn(attribute('C', printable('US'))),
  rdn(attribute('ST', t61('Québec'))),
  rdn(attribute('L', universal('Zürich'))),
  rdn(attribute('O', bmp('Größe & Söhne'))),
  'OU=DoD',
  rdn(attribute('OU', t61('Café'))),
  'OU=PKI',
  rdn(attribute('E', ia5('alice@example.test'))),
  rdn(attribute('CN', utf8('ADAMS.ALÍCE.A.1000000001')), attribute('0.9.2342.19200300.100.1.1', utf8('70001234'))),
);

export type CardWish = {
  readonly issuer: Issuer;
  /** Content octets. */
  readonly serial?: readonly number[];
  readonly sid?: string;
  readonly subject?: Uint8Array;
};

const LEADING_ZERO = [0x00, 0xab, 0xcd, 0xef] as const;
export const NEGATIVE = [0xff, 0x00] as const;
const KEY_ID = 'DF2F4B04462A5ABA81FEC3A42E3B94BEB8F2E087';

export function card({ issuer, serial = LEADING_ZERO, sid, subject: other }: CardWish): Issuer {
  return client(issuer, {
    subject: other ?? subject,
    keys: ecKeys(),
    serial,
    extensions: [
      extendedKeyUsage('1.3.6.1.5.5.7.3.2'),
      keyUsage(1),
      extension('2.5.29.14', tlv(0x04, Buffer.from(KEY_ID, 'hex'))),
      ...(sid === undefined ? [] : [sidExtension(sid)]),
      subjectAltName(
        generalName.upn('1000000001@mil'),
        generalName.other('2.16.840.1.101.3.6.6', tlv(0x04, fascn(FASC_N_DIGITS))),
        generalName.email('alice@example.test'),
        generalName.email('alice.adams@example.test'),
        generalName.dns('alice.example.test'),
        generalName.uri('spiffe://example.test/people/alice'),
      ),
    ],
  });
}

/** A card with this many organizational units. */
export const cardWithUnits = (issuer: Issuer, units: number): Issuer =>
  card({ issuer, subject: name(...Array.from({ length: units }, (_, i) => `OU=unit ${i}`), 'CN=MANY') });

/** By token: one of the values. Those of the serial number are of LEADING_ZERO. */
export const VALUES: Readonly<Record<string, string>> = {
  cn: 'ADAMS.ALÍCE.A.1000000001',
  sn: 'ABCDEF',
  'sn:dec': '11259375',
  'sn:lower': 'abcdef',
  'sn:colon': 'AB:CD:EF',
  'sn:reversed': 'EFCDAB',
  o: 'Größe & Söhne',
  ou: 'Café',
  c: 'US',
  l: 'Zürich',
  st: 'Québec',
  e: 'alice@example.test',
  dn: 'CN=ADAMS.ALÍCE.A.1000000001+UID=70001234,1.2.840.113549.1.9.1=alice@example.test,OU=PKI,OU=Café,OU=DoD,O=Größe & Söhne,L=Zürich,ST=Québec,C=US',
  issuer: 'CN=Card CA,1.2.840.113549.1.9.1=ca@example.test,OU=PKI,O=Example\\, Inc.,C=US',
  upn: '1000000001@mil',
  email: 'alice.adams@example.test',
  dns: 'alice.example.test',
  uri: 'spiffe://example.test/people/alice',
  fascn: fascn(FASC_N_DIGITS).toString('hex').toUpperCase(),
  'fascn:digits': FASC_N_DIGITS,
  edipi: '1000000001',
  ski: KEY_ID,
  'altsec:issuerAndSerial': 'X509:<I>C=US,O="Example, Inc.",OU=PKI,E=ca@example.test,CN=Card CA<SR>EFCDAB',
  'altsec:ski': `X509:<SKI>${KEY_ID}`,
};

/** Of the serial number NEGATIVE. */
export const NEGATIVE_VALUES: Readonly<Record<string, string>> = {
  sn: '-0100',
  'sn:dec': '-256',
  'sn:lower': '-0100',
  'sn:colon': '-01:00',
  'sn:reversed': '-0001',
  'altsec:issuerAndSerial': 'X509:<I>C=US,O="Example, Inc.",OU=PKI,E=ca@example.test,CN=Card CA<SR>00FF',
};
