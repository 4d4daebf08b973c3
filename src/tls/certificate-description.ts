/**
 * A certificate in words for an administrator: what it says about itself, field by field. Nothing here is judged but the
 * dates and the key; text from the certificate is escaped where it is printed.
 * RFC 5280 §4.1, §4.2. Pure: the time is handed in.
 */
import { inDays } from '../core/counted.ts';
import { DAY_MS } from '../core/duration.ts';
import { formatIp } from '../core/network.ts';
import { spacedTime } from '../core/time-text.ts';
import { type Certificate, isSelfIssued } from './certificate.ts';
import { ExtensionId, type GeneralName, KeyUsage } from './certificate-extensions.ts';
import { renderName } from './distinguished-name.ts';
import { PURPOSE_OIDS } from './key-purpose.ts';
import { publicKeyFacts, verifySelfSignature } from './signature.ts';

export type Field = { readonly name: string; readonly values: readonly string[] };

/** Fields that have no value are left out. */
export function describeCertificate(certificate: Certificate, nowMs: number): Field[] {
  const { basicConstraints, keyUsage, extendedKeyUsage, subjectKeyId, authorityKeyId } = certificate;
  const fields: readonly (readonly [name: string, values: readonly string[] | undefined])[] = [
    ['subject', [renderName(certificate.subject)]],
    ['issuer', [renderName(certificate.issuer) + (isSelfSigned(certificate) ? ' (self-signed)' : '')]],
    ['serial number', [certificate.serialHex]],
    ['valid', validity(certificate, nowMs)],
    ['version', certificate.version === 3 ? undefined : [String(certificate.version)]],
    ['key', [keyWords(certificate.spki)]],
    ['signature', [signatureWords(certificate)]],
    ['basic constraints', basicConstraints && [basicWords(basicConstraints)]],
    ['key usage', keyUsage === undefined ? undefined : namesOfBits(keyUsage)],
    ['extended key usage', extendedKeyUsage?.map(purposeWords)],
    ['alternative names', certificate.subjectAltNames.map(nameWords)],
    ['policies', certificate.policies],
    ['policy mappings', certificate.policyMappings?.map((pair) => `${pair.issuerDomain} to ${pair.subjectDomain}`)],
    ['permitted names', certificate.nameConstraints?.permitted.map(nameWords)],
    ['excluded names', certificate.nameConstraints?.excluded.map(nameWords)],
    [
      'revocation lists',
      certificate.crlDistributionPoints?.flatMap(({ name }) => (name?.fullName ?? []).map(nameWords)),
    ],
    ['authority information', certificate.authorityInfoAccess?.map(accessWords)],
    ['subject key id', subjectKeyId && [hex(subjectKeyId)]],
    ['authority key id', authorityKeyId?.keyId && [hex(authorityKeyId.keyId)]],
    ['other extensions', otherExtensions(certificate)],
  ];
  return fields.flatMap(([name, values = []]) => (values.length === 0 ? [] : [{ name, values }]));
}

const PURPOSES: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  [PURPOSE_OIDS.clientAuth]: 'clientAuth',
  '1.3.6.1.5.5.7.3.3': 'codeSigning',
  '1.3.6.1.5.5.7.3.4': 'emailProtection',
  '1.3.6.1.5.5.7.3.8': 'timeStamping',
  '1.3.6.1.5.5.7.3.9': 'OCSPSigning',
  [PURPOSE_OIDS.smartCardLogon]: 'smartCardLogon',
  '2.5.29.37.0': 'anyExtendedKeyUsage',
};

const SIGNATURES: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.4': 'RSA with MD5 (refused)',
  '1.2.840.113549.1.1.5': 'RSA with SHA-1 (refused)',
  '1.2.840.113549.1.1.10': 'RSA-PSS',
  '1.2.840.113549.1.1.11': 'RSA with SHA-256',
  '1.2.840.113549.1.1.12': 'RSA with SHA-384',
  '1.2.840.113549.1.1.13': 'RSA with SHA-512',
  '1.2.840.10045.4.1': 'ECDSA with SHA-1 (refused)',
  '1.2.840.10045.4.3.2': 'ECDSA with SHA-256',
  '1.2.840.10045.4.3.3': 'ECDSA with SHA-384',
  '1.2.840.10045.4.3.4': 'ECDSA with SHA-512',
  '1.3.101.112': 'Ed25519',
  '1.3.101.113': 'Ed448',
  '2.16.840.1.101.3.4.3.17': 'ML-DSA-44',
  '2.16.840.1.101.3.4.3.18': 'ML-DSA-65',
  '2.16.840.1.101.3.4.3.19': 'ML-DSA-87',
};

/** The algorithm that the issuer has signed with. */
export const signatureWords = ({ signatureAlgorithm: { oid } }: Certificate): string => SIGNATURES[oid] ?? oid;

/** An extended key usage. */
export const purposeWords = (oid: string): string => PURPOSES[oid] ?? oid;

const isSelfSigned = (certificate: Certificate): boolean =>
  isSelfIssued(certificate) && verifySelfSignature(certificate) === 'good';

function validity({ notBeforeMs, notAfterMs }: Certificate, nowMs: number): string[] {
  const days = (ms: number): string => inDays(Math.floor(ms / DAY_MS));
  const standing =
    nowMs < notBeforeMs
      ? `not yet valid, in ${days(notBeforeMs - nowMs)}`
      : nowMs > notAfterMs
        ? `expired ${days(nowMs - notAfterMs)} ago`
        : `${days(notAfterMs - nowMs)} left`;
  return [`${spacedTime(notBeforeMs)} to ${spacedTime(notAfterMs)} (${standing})`];
}

const CURVES: Readonly<Record<string, string>> = { 91: 'P-256', 120: 'P-384', 158: 'P-521' };

/** Kind and size of a public key, SubjectPublicKeyInfo in DER. */
export function keyWords(spki: Uint8Array): string {
  const facts = publicKeyFacts(spki);
  if ('why' in facts) return `${facts.why} (refused)`;
  if (facts.kind === 'rsa' || facts.kind === 'rsa-pss') return `${facts.kind.toUpperCase()} ${facts.bits} bits`;
  // The length of the encoding tells the three curves apart: nothing else is accepted.
  return facts.kind === 'ec' ? `EC ${CURVES[spki.length] ?? ''}`.trim() : facts.kind;
}

export const basicWords = ({ ca, pathLength }: { ca: boolean; pathLength?: number }): string =>
  ca ? `authority${pathLength === undefined ? '' : `, path length ${pathLength}`}` : 'no authority';

/** Of a key usage. */
export const namesOfBits = (mask: number): string[] =>
  Object.entries(KeyUsage).flatMap(([name, bit]) => ((mask & bit) === 0 ? [] : [name]));

const FORMS = { rfc822Name: 'email', dNSName: 'DNS', uri: 'URI' } as const;
const OTHER_NAMES: Readonly<Record<string, string>> = {
  '1.3.6.1.4.1.311.20.2.3': 'UPN',
  '2.16.840.1.101.3.6.6': 'FASC-N',
  '1.3.6.1.5.5.7.8.9': 'SmtpUTF8Mailbox',
};

function nameWords(name: GeneralName): string {
  switch (name.kind) {
    case 'rfc822Name':
    case 'dNSName':
    case 'uri':
      return `${FORMS[name.kind]} ${name.text}`;
    case 'malformed':
      return `${FORMS[name.form]} (malformed) ${hex(name.bytes)}`;
    case 'directoryName':
      return `directory name ${renderName(name.name)}`;
    case 'iPAddress':
      return `IP ${addressWords(name.bytes)}`;
    case 'registeredID':
      return `registered id ${name.oid}`;
    case 'otherName':
      return `${OTHER_NAMES[name.typeId] ?? `other name ${name.typeId}`} ${name.text ?? hex(name.value)}`;
    case 'x400Address':
    case 'ediPartyName':
      return `${name.kind} ${hex(name.der)}`;
  }
}

/** An address, or in name constraints an address and its mask. */
function addressWords(bytes: Uint8Array): string {
  const text = (part: Uint8Array): string =>
    formatIp({ version: part.length === 4 ? 4 : 6, value: BigInt(`0x${hex(part)}`) });
  if (bytes.length === 4 || bytes.length === 16) return text(bytes);
  if (bytes.length !== 8 && bytes.length !== 32) return hex(bytes);
  return `${text(bytes.subarray(0, bytes.length / 2))} mask ${text(bytes.subarray(bytes.length / 2))}`;
}

const METHODS: Readonly<Record<string, string>> = { '1.3.6.1.5.5.7.48.1': 'OCSP', '1.3.6.1.5.5.7.48.2': 'issuer' };

const accessWords = ({ method, location }: { method: string; location: GeneralName }): string =>
  `${METHODS[method] ?? method} at ${nameWords(location)}`;

const KNOWN: ReadonlySet<string> = new Set(Object.values(ExtensionId));

const otherExtensions = ({ extensions }: Certificate): string[] =>
  [...extensions.values()].flatMap(({ oid, critical }) =>
    KNOWN.has(oid) ? [] : [critical ? `${oid} (critical: refused)` : oid],
  );

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase();
