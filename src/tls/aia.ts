/**
 * Issuers that neither the client nor the administrator has given, as certificates name them: which addresses are worth
 * asking, and which certificates are in what comes back. Nothing here trusts anything: what is found only joins what the
 * client sent, and path validation decides.
 * RFC 5280 §4.2.2.1 (caIssuers); RFC 4158 §3.5; RFC 5652 §5.1 (certs-only CMS). Pure; never throws for what it is given.
 */
import { type AllowedHosts, isAllowedUrl } from '../core/allowed-hosts.ts';
import {
  type Certificate,
  MAX_CERTIFICATE_BYTES,
  parseCertificate,
  readCertificate,
  sameBytes,
} from './certificate.ts';
import { childrenOf, DerError, type DerNode, encodingOf, expectTag, readDer, readOid, Tag } from './der.ts';
import { decodePem } from './pem.ts';
import { verifySignature } from './signature.ts';
import { CERTIFICATE_LABEL, type TrustStore } from './trust-store.ts';

export const MAX_ISSUER_FILE_BYTES = 128 * 1024;
const CA_ISSUERS = '1.3.6.1.5.5.7.48.2';
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const MAX_URLS_PER_CERTIFICATE = 2;
const MAX_URLS = 8;
const MAX_CLIMBED = 16;
const MAX_NAMED = 16;
const MAX_CERTIFICATES = 100;
const MAX_VERIFICATIONS = 50;

export type Climb = {
  readonly leaf: Certificate;
  /** What the client sent and what was fetched before. */
  readonly known: readonly Certificate[];
  readonly trustStore: TrustStore;
  readonly allowHosts: AllowedHosts;
};

/** Where the way up from the leaf ends before an anchor: the addresses under which the next issuer may be. */
export function missingIssuers({ leaf, known, trustStore, allowHosts }: Climb): string[] {
  const urls: string[] = [];
  const climbed: Certificate[] = [leaf];
  let verifications = 0;
  for (let i = 0; i < climbed.length && i < MAX_CLIMBED; i++) {
    const certificate = climbed[i] as Certificate;
    const { anchorsBySubject, intermediatesBySubject } = trustStore;
    const named = (index: ReadonlyMap<string, readonly Certificate[]>): readonly Certificate[] =>
      index.get(certificate.issuer.key) ?? [];
    const isIssuer = (candidate: Certificate): boolean =>
      verifications++ < MAX_VERIFICATIONS && isSignedBy(certificate, candidate);
    if (named(anchorsBySubject).some(isIssuer)) continue;
    const presented = known.filter(({ subject }) => subject.key === certificate.issuer.key);
    const issuers = [...named(intermediatesBySubject), ...presented].filter(isIssuer);
    if (issuers.length === 0) urls.push(...issuerUrls(certificate, allowHosts));
    else climbed.push(...issuers.filter((issuer) => !climbed.includes(issuer)));
  }
  return [...new Set(urls)].slice(0, MAX_URLS);
}

const isSignedBy = ({ tbs, signatureAlgorithm, signature }: Certificate, { spki }: Certificate): boolean =>
  verifySignature(tbs, signatureAlgorithm, signature, spki) === 'good';

function issuerUrls({ authorityInfoAccess = [] }: Certificate, allowHosts: AllowedHosts): string[] {
  return authorityInfoAccess
    .slice(0, MAX_NAMED)
    .flatMap(({ method, location }) => (method === CA_ISSUERS && location.kind === 'uri' ? [location.text] : []))
    .filter((url) => /^https?:/i.test(url) && isAllowedUrl(url, allowHosts))
    .slice(0, MAX_URLS_PER_CERTIFICATE);
}

export type IssuerFile =
  | { readonly ok: true; readonly certificates: readonly Uint8Array[] }
  | { readonly ok: false; readonly why: string };

/** One certificate in DER, several in PEM, or a certs-only PKCS#7 file in DER or PEM. Each comes as octets of its own. */
export function readIssuerFile(bytes: Uint8Array): IssuerFile {
  try {
    const found = bytes[0] === Tag.sequence ? fromDer(bytes) : fromPem(bytes);
    const certificates = found.filter(isCertificate).map((der) => Uint8Array.from(der));
    return certificates.length > 0
      ? { ok: true, certificates }
      : { ok: false, why: 'there is no certificate in the file' };
  } catch (error) {
    if (error instanceof DerError) return { ok: false, why: `the file is malformed: ${error.message}` };
    throw error;
  }
}

function fromPem(bytes: Uint8Array): Uint8Array[] {
  const certificates = decodePem(bytes, CERTIFICATE_LABEL);
  if (certificates.length > MAX_CERTIFICATES) throw new DerError('too many certificates');
  return [...certificates, ...decodePem(bytes, /^(PKCS7|CMS)$/).flatMap(fromDer)];
}

function fromDer(bytes: Uint8Array): Uint8Array[] {
  const node = readDer(bytes);
  const [first] = childrenOf(expectTag(node, Tag.sequence, 'file'), 4);
  return first?.tag === Tag.oid ? fromSignedData(node) : [bytes];
}

/** ContentInfo with SignedData: only its certificates are looked at. */
function fromSignedData(node: DerNode): Uint8Array[] {
  const [type, wrapper] = childrenOf(node, 2);
  if (readOid(expectTag(type, Tag.oid, 'content type')) !== SIGNED_DATA) throw new DerError('PKCS#7: not signed data');
  const [content] = childrenOf(expectTag(wrapper, Tag.context(0, true), 'content'), 1);
  const fields = childrenOf(expectTag(content, Tag.sequence, 'signed data'), 6);
  const list = fields.find(({ tag }) => tag === Tag.context(0, true));
  return list === undefined ? [] : childrenOf(list, MAX_CERTIFICATES).map(encodingOf);
}

function isCertificate(der: Uint8Array): boolean {
  return der.length <= MAX_CERTIFICATE_BYTES && readCertificate(der) !== undefined;
}

/** Of what was fetched, what can be the issuer of one of these. Others would only make the search longer. */
export function issuersAmong(fetched: readonly Uint8Array[], below: readonly Certificate[]): Certificate[] {
  const wanted = new Set(below.map(({ issuer }) => issuer.key));
  const found: Certificate[] = [];
  for (const der of fetched) {
    const certificate = parseCertificate(der);
    const twice = found.some((each) => sameBytes(each.der, der)) || below.some((each) => sameBytes(each.der, der));
    if (!twice && wanted.has(certificate.subject.key)) found.push(certificate);
  }
  return found;
}
