/**
 * The certificates an administrator trusts (certificate authorities list): anchors are the self-signed ones, all others
 * are intermediates or revocation list signers. An anchor is a name with a key: a certificate that only has its name
 * is nothing. Public authorities are never added. Expired certificates load; they validate no path.
 * RFC 5280 §6.1.1 (d). Pure.
 */
import { type Certificate, isSelfIssued, parseCertificate } from './certificate.ts';
import { DerError } from './der.ts';
import { decodePem } from './pem.ts';
import { publicKeyFacts, verifySelfSignature } from './signature.ts';

export type TrustStore = {
  readonly anchors: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  readonly anchorsBySubject: ReadonlyMap<string, readonly Certificate[]>;
  readonly intermediatesBySubject: ReadonlyMap<string, readonly Certificate[]>;
  /** By subject key identifier in hexadecimal: anchors and intermediates. */
  readonly byKeyId: ReadonlyMap<string, readonly Certificate[]>;
  /** What could not be read, in words, for `check`: errors. */
  readonly problems: readonly string[];
  /** What was read and can vouch for nothing, its key being too weak: warnings. */
  readonly warnings: readonly string[];
};

/** The labels under which certificates come in PEM files. */
export const CERTIFICATE_LABEL = /^(X509 )?CERTIFICATE$/;

/** Never throws: a text or certificate that cannot be read becomes a problem, the others count. Duplicates count once. */
export function buildTrustStore(pemTexts: readonly string[]): TrustStore {
  const problems: string[] = [];
  const warnings: string[] = [];
  const seen = new Set<string>();
  const anchors: Certificate[] = [];
  const intermediates: Certificate[] = [];
  for (const der of pemTexts.flatMap((text) => readBlocks(text, problems))) {
    const certificate = read(der, problems);
    if (certificate === undefined) continue;
    const identity = Buffer.from(certificate.der).toString('base64');
    if (seen.has(identity)) continue;
    seen.add(identity);
    const key = publicKeyFacts(certificate.spki);
    if ('why' in key) warnings.push(`certificate ${certificate.serialHex} vouches for nothing: ${key.why}`);
    if (isSelfIssued(certificate) && verifySelfSignature(certificate) === 'good') anchors.push(certificate);
    else intermediates.push(certificate);
  }
  return {
    anchors,
    intermediates,
    anchorsBySubject: indexBy(anchors, (certificate) => certificate.subject.key),
    intermediatesBySubject: indexBy(intermediates, (certificate) => certificate.subject.key),
    byKeyId: indexBy([...anchors, ...intermediates], ({ subjectKeyId }) =>
      subjectKeyId === undefined ? undefined : Buffer.from(subjectKeyId).toString('hex'),
    ),
    problems,
    warnings,
  };
}

function readBlocks(text: string, problems: string[]): Uint8Array[] {
  try {
    const blocks = decodePem(text, CERTIFICATE_LABEL);
    if (blocks.length === 0) problems.push('no certificate in PEM form found');
    return blocks;
  } catch (error) {
    problems.push(wordsOf(error));
    return [];
  }
}

function read(der: Uint8Array, problems: string[]): Certificate | undefined {
  try {
    return parseCertificate(der);
  } catch (error) {
    problems.push(`a certificate cannot be read: ${wordsOf(error)}`);
    return undefined;
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof DerError) return error.message;
  throw error;
}

function indexBy(
  certificates: readonly Certificate[],
  keyOf: (certificate: Certificate) => string | undefined,
): ReadonlyMap<string, readonly Certificate[]> {
  const index = new Map<string, Certificate[]>();
  for (const certificate of certificates) {
    const key = keyOf(certificate);
    if (key === undefined) continue;
    const list = index.get(key);
    if (list === undefined) index.set(key, [certificate]);
    else list.push(certificate);
  }
  return index;
}
