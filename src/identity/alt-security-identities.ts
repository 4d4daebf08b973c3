/**
 * How Active Directory writes whose a certificate is: the strong forms of altSecurityIdentities, and the SID that its
 * certification authority puts into certificates. The weak forms (subject, issuer with subject, rfc822Name) do not
 * exist here: whoever gets a certificate with the right name would be taken for its owner.
 * MS-PKCA §3.1.5.2.1.3, MS-WCCE §2.2.2.7.7.4, KB5014754; names as CertNameToStr writes them (CERT_X500_NAME_STR).
 * Where tools are known to differ, a form has several values; each of them means the same certificate or key. Pure.
 */
import { createHash } from 'node:crypto';
import type { Certificate } from '../tls/certificate.ts';
import type { Attribute, Name } from '../tls/distinguished-name.ts';

/** `X509:<I>issuer<SR>serial`: issuer in the order of the certificate, octets of the serial number in reverse. */
export function issuerAndSerial({ issuer, serial }: Certificate): string[] {
  return issuerNames(issuer).flatMap((name) => reversedSerials(serial).map((octets) => `X509:<I>${name}<SR>${octets}`));
}

/** `X509:<SKI>key identifier`, of the certificate's extension. */
export const subjectKeyIdentifier = (certificate: Certificate): string[] =>
  keyIdentifier(certificate).map((id) => `X509:<SKI>${id}`);

/**
 * `X509:<SHA1-PUKEY>hash`. MS-PKCA says hash of the public key, which Samba takes as its bits and CryptoAPI as the
 * SubjectPublicKeyInfo; Microsoft's own tools write the hash of the whole certificate. To make another certificate of
 * any of these hashes would take a second preimage of SHA-1, which nobody can find.
 */
export function sha1PublicKey({ der, publicKeyBits, spki }: Certificate): string[] {
  const hashed = publicKeyBits === undefined ? [der, spki] : [der, publicKeyBits, spki];
  return hashed.map((octets) => `X509:<SHA1-PUKEY>${sha1(octets)}`);
}

/** Upper-case hexadecimal; none where the extension is absent. */
export const keyIdentifier = ({ subjectKeyId }: Certificate): string[] =>
  subjectKeyId === undefined || subjectKeyId.length === 0 ? [] : [upperHex(subjectKeyId)];

const SID_URI = 'tag:microsoft.com,2022-09-14:sid:';
const SID = /^S-1-\d{1,15}(?:-\d{1,10}){1,15}$/;

/** Of the SID extension, and of the URI in subjectAltName that stands for it. */
export function securityIdentifiers({ objectSids, subjectAltNames }: Certificate): string[] {
  const fromUris = subjectAltNames.flatMap((name) =>
    name.kind === 'uri' && name.text.startsWith(SID_URI) ? [name.text.slice(SID_URI.length)] : [],
  );
  return [...objectSids, ...fromUris].filter((sid) => SID.test(sid));
}

/** Without the octet that only says that the number is positive, as CryptoAPI keeps it, and with it, as others do. */
function reversedSerials(content: Uint8Array): string[] {
  const whole = upperHex(content.toReversed());
  return content.length > 1 && content[0] === 0 ? [whole.slice(0, -2), whole] : [whole];
}

/** CertNameToStr knows these; any other type is `OID.` and the dotted OID. */
const KEYS: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.4', 'SN'],
  ['2.5.4.5', 'SERIALNUMBER'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'S'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.12', 'T'],
  ['2.5.4.13', 'Description'],
  ['2.5.4.17', 'PostalCode'],
  ['2.5.4.18', 'POBox'],
  ['2.5.4.20', 'Phone'],
  ['2.5.4.24', 'X21Address'],
  ['2.5.4.42', 'G'],
  ['2.5.4.43', 'I'],
  ['2.5.4.46', 'dnQualifier'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['1.2.840.113549.1.9.1', 'E'],
]);

/** Between the values of one RDN: CertNameToStr, with its flag NO_PLUS (as PIV guides show it), SSSD. */
const BETWEEN_VALUES = [' + ', ' ', '+'];

/** With values quoted where CertNameToStr quotes them, and without. */
function issuerNames({ rdns }: Name): string[] {
  const betweens = rdns.some((rdn) => rdn.length > 1) ? BETWEEN_VALUES : [''];
  const names = betweens.flatMap((between) =>
    [quoted, (text: string) => text].map((write) =>
      rdns.map((rdn) => rdn.map((each) => attributeText(each, write)).join(between)).join(','),
    ),
  );
  return [...new Set(names)];
}

function attributeText({ oid, text, bytes }: Attribute, write: (text: string) => string): string {
  return `${KEYS.get(oid) ?? `OID.${oid}`}=${text === undefined ? `#${upperHex(bytes)}` : write(text)}`;
}

const quoted = (text: string): string =>
  text === '' || /^\s|\s$|[,+="\n<>#;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

const upperHex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex').toUpperCase();
const sha1 = (octets: Uint8Array): string => createHash('sha1').update(octets).digest('hex').toUpperCase();
