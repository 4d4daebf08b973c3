/**
 * The values that a client certificate gives to the tokens of an LDAP filter (`{cn}`, `{sn}`, …), and how a log names
 * it. A field that is absent, empty or not well encoded gives no value: the query is then not sent.
 * Certificate query of AsyncOS; RFC 4514 (names), RFC 5280 §4.1.2, §4.2.1.6; UPN as Microsoft defines it, FASC-N by
 * SCEPACS 2.3 as FIPS 201 uses it. Pure.
 */
import { createHash } from 'node:crypto';
import type { CertificateNames } from '../log/mail-event.ts';
import type { Certificate } from '../tls/certificate.ts';
import {
  issuerAndSerial,
  keyIdentifier,
  securityIdentifiers,
  sha1PublicKey,
  subjectKeyIdentifier,
} from './alt-security-identities.ts';

type Reader = (certificate: Certificate) => readonly string[];

const ALT_SECURITY_FORMS: readonly Reader[] = [issuerAndSerial, subjectKeyIdentifier, sha1PublicKey];

/** Every certificate token, without its braces. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['cn', commonNames],
  ['o', subject('2.5.4.10')],
  ['ou', subject('2.5.4.11')],
  ['c', subject('2.5.4.6')],
  ['l', subject('2.5.4.7')],
  ['st', subject('2.5.4.8')],
  ['e', subject('1.2.840.113549.1.9.1')],
  ['sn', ({ serialHex }) => [serialHex]],
  ['sn:dec', ({ serial }) => [decimal(serial)]],
  ['sn:lower', ({ serialHex }) => [serialHex.toLowerCase()]],
  ['sn:colon', ({ serialHex }) => [spell(serialHex, (octets) => octets.join(':'))]],
  ['sn:reversed', ({ serialHex }) => [spell(serialHex, (octets) => octets.toReversed().join(''))]],
  ['dn', (certificate) => [certificate.subject.rfc4514]],
  ['issuer', (certificate) => [certificate.issuer.rfc4514]],
  ['upn', userPrincipalNames],
  ['email', alternative('rfc822Name')],
  ['dns', alternative('dNSName')],
  ['uri', alternative('uri')],
  ['fascn', (certificate) => agencySmartCredentialNumbers(certificate).map(upperHex)],
  ['fascn:digits', (certificate) => agencySmartCredentialNumbers(certificate).flatMap(fascnDigits)],
  ['edipi', (certificate) => commonNames(certificate).flatMap(edipi)],
  ['sha256', ({ der }) => [sha256(der)]],
  ['spki', ({ spki }) => [sha256(spki)]],
  ['ski', keyIdentifier],
  ['sid', securityIdentifiers],
  ['altsec', (certificate) => ALT_SECURITY_FORMS.flatMap((form) => form(certificate))],
  ['altsec:issuerAndSerial', issuerAndSerial],
  ['altsec:ski', subjectKeyIdentifier],
  ['altsec:sha1PublicKey', sha1PublicKey],
]);

/** Names of all certificate tokens, without braces. */
export const CERTIFICATE_TOKENS: readonly string[] = [...READERS.keys()];

/**
 * The values of a token (named without its braces), each once, most specific first; undefined where the certificate
 * has none or the token is no certificate token.
 */
export function certificateToken(certificate: Certificate, token: string): readonly string[] | undefined {
  const values = READERS.get(token)?.(certificate).filter((value) => value !== '') ?? [];
  return values.length === 0 ? undefined : [...new Set(values)];
}

/** As logs name a certificate. */
export const certificateNames = ({ subject: { rfc4514 }, issuer, serialHex }: Certificate): CertificateNames => ({
  subject: rfc4514,
  issuer: issuer.rfc4514,
  serial: serialHex,
});

/** All values of a subject attribute, from the most specific RDN on. */
function subject(oid: string): Reader {
  return (certificate) => certificate.subject.rdns.toReversed().flatMap((rdn) => textsOf(rdn, oid));
}

const COMMON_NAME = '2.5.4.3';

/** Of the most specific RDN that has one. */
function commonNames(certificate: Certificate): readonly string[] {
  const rdn = certificate.subject.rdns.findLast((each) => each.some(({ oid }) => oid === COMMON_NAME));
  return rdn === undefined ? [] : textsOf(rdn, COMMON_NAME);
}

type Rdn = Certificate['subject']['rdns'][number];

const textsOf = (rdn: Rdn, wanted: string): string[] =>
  rdn.flatMap(({ oid, text }) => (oid === wanted && text !== undefined ? [text] : []));

function alternative(kind: 'rfc822Name' | 'dNSName' | 'uri'): Reader {
  return ({ subjectAltNames }) => subjectAltNames.flatMap((name) => (name.kind === kind ? [name.text] : []));
}

const UPN = '1.3.6.1.4.1.311.20.2.3';
const FASC_N = '2.16.840.1.101.3.6.6';

function userPrincipalNames({ subjectAltNames }: Certificate): readonly string[] {
  return subjectAltNames.flatMap((name) =>
    name.kind === 'otherName' && name.typeId === UPN && name.text !== undefined ? [name.text] : [],
  );
}

const FASC_N_OCTETS = 25;

/** An OCTET STRING of exactly 25 octets. */
function agencySmartCredentialNumbers({ subjectAltNames }: Certificate): readonly Uint8Array[] {
  return subjectAltNames.flatMap((name) => {
    if (name.kind !== 'otherName' || name.typeId !== FASC_N) return [];
    const { value } = name;
    const wellFormed = value.length === 2 + FASC_N_OCTETS && value[0] === 0x04 && value[1] === FASC_N_OCTETS;
    return wellFormed ? [value.subarray(2)] : [];
  });
}

// SCEPACS 2.3: start, agency, system, credential, series, issue, then person, organization and association, end, LRC.
const FASC_N_LAYOUT = /^S(\d{4})F(\d{4})F(\d{6})F(\d)F(\d)F(\d{16})E.$/s;
const FASC_N_SYMBOLS = '0123456789?S?F?E';

/** The 32 digits: 40 characters of four bits, lowest first, and one of odd parity. Damaged ones give no value. */
function fascnDigits(octets: Uint8Array): readonly string[] {
  const bits = Array.from(octets, (octet) => octet.toString(2).padStart(8, '0')).join('');
  let characters = '';
  for (let at = 0; at < bits.length; at += 5) {
    const group = bits.slice(at, at + 5);
    const ones = group.replaceAll('0', '').length;
    const isChecksum = at === bits.length - 5;
    // The last character is a checksum over the others; its parity may be even.
    if (ones % 2 === 0 && !isChecksum) return [];
    characters += isChecksum ? '.' : FASC_N_SYMBOLS[Number.parseInt(reverse(group.slice(0, 4)), 2)];
  }
  const fields = FASC_N_LAYOUT.exec(characters);
  return fields === null ? [] : [fields.slice(1).join('')];
}

const reverse = (text: string): string => text.split('').reverse().join('');

/** The ten digits after the last dot of a DoD common name (LAST.FIRST.MIDDLE.1234567890). */
function edipi(commonName: string): readonly string[] {
  const digits = /\.(\d{10})$/.exec(commonName)?.[1];
  return digits === undefined ? [] : [digits];
}

/** A serial number written by its octets; the sign of a negative one stays in front. */
function spell(serialHex: string, write: (octets: readonly string[]) => string): string {
  const sign = serialHex.startsWith('-') ? '-' : '';
  return sign + write(serialHex.slice(sign.length).match(/../g) ?? []);
}

function decimal(serial: Uint8Array): string {
  return BigInt.asIntN(serial.length * 8, BigInt(`0x${Buffer.from(serial).toString('hex')}`)).toString();
}

const upperHex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex').toUpperCase();
const sha256 = (octets: Uint8Array): string => createHash('sha256').update(octets).digest('hex');
