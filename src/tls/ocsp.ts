/**
 * What an OCSP response says about a certificate, once everything is verified that has to be: who signed it and whether
 * they may, that it is about this certificate, that it is of now, and that it answers our own question. Whatever fails
 * makes it no answer at all.
 * RFC 6960 §3.2, §4.2.2; RFC 9654 (nonce); RFC 5019 §4 and RFC 9919 (answers made beforehand). Pure; never throws.
 */
import { isoTime } from '../core/time-text.ts';
import { type Certificate, type Extension, readCertificate, sameBytes } from './certificate.ts';
import { KeyUsage } from './certificate-extensions.ts';
import { CLOCK_TOLERANCE_MS } from './crl-issuer.ts';
import { contentOf, DerError, readDer, Tag } from './der.ts';
import { renderName } from './distinguished-name.ts';
import { certIdOf, keyHash, OcspId, type OcspQuestion, sameCertId } from './ocsp-request.ts';
import {
  type BasicResponse,
  type OcspError,
  parseOcspResponse,
  type ResponderId,
  type SingleResponse,
} from './ocsp-response.ts';
import { validatePath } from './path-validation.ts';
import { reasonName } from './revocation-reason.ts';
import { verifySignature } from './signature.ts';

/** A verified answer. Structured-cloneable. */
export type OcspAnswer = {
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly revoked?: { readonly atMs: number; readonly reason: string };
  readonly thisUpdateMs: number;
  readonly nextUpdateMs?: number;
  readonly producedAtMs: number;
  /** Not a moment longer, whoever still has it. */
  readonly countsUntilMs: number;
  readonly signer: { readonly kind: 'issuer' | 'delegate'; readonly name: string };
  /**
   * DER of a delegate without id-pkix-ocsp-nocheck: the answer counts only if a revocation list says that the delegate
   * is not revoked (`revocation.ts`).
   */
  readonly unchecked?: Uint8Array;
  readonly nonce: 'matched' | 'absent' | 'notSent';
};

export type OcspVerdict =
  | { readonly ok: true; readonly answer: OcspAnswer }
  /** `unauthorized`: the responder says that it does not speak for this certificate. */
  | { readonly ok: false; readonly unauthorized: boolean; readonly why: string };

export type OcspCheck = OcspQuestion & {
  readonly response: Uint8Array;
  readonly nowMs: number;
  /** How old an answer may be that names no nextUpdate. */
  readonly maxAgeMs: number;
  /** The nonce that was sent. */
  readonly nonce?: Uint8Array;
  /** Whether the response must carry it back. */
  readonly nonceRequired?: boolean;
};

const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const MAX_SIGNERS = 4;
/** An answer whose end passed within the tolerance of clocks counts this long. */
const LATE_ANSWER_MS = 60_000;

/** Signer, certificate, times and nonce (RFC 6960 §3.2). A malformed response is no answer, not an exception. */
export function judgeOcspResponse(check: OcspCheck): OcspVerdict {
  try {
    const response = parseOcspResponse(check.response);
    return typeof response === 'string' ? errorOf(response) : judge(response, check);
  } catch (error) {
    if (error instanceof DerError) return noAnswer(`the response is malformed: ${error.message}`);
    throw error;
  }
}

const noAnswer = (why: string): OcspVerdict => ({ ok: false, unauthorized: false, why });
const errorOf = (error: OcspError): OcspVerdict => ({
  ok: false,
  unauthorized: error === 'unauthorized',
  why: `the responder answers ${error}`,
});

/** The signature first: nothing else of the response is worth anything before. */
function judge(response: BasicResponse, check: OcspCheck): OcspVerdict {
  const signer = findSigner(response, check);
  if (typeof signer === 'string') return noAnswer(signer);
  const nonce = judgeNonce(response, check);
  if (nonce !== 'matched' && nonce !== 'absent' && nonce !== 'notSent') return noAnswer(nonce.why);
  const unknown = unknownCritical(response.extensions);
  if (unknown !== undefined) return noAnswer(unknown);
  const single = singleFor(response.responses, check);
  if (single === undefined) return noAnswer('the response is about another certificate');
  const untimely = judgeTimes(response, single, check);
  if (untimely !== undefined) return noAnswer(untimely);
  const criticalInSingle = unknownCritical(single.extensions);
  if (criticalInSingle !== undefined) return noAnswer(criticalInSingle);
  const { status, thisUpdateMs, nextUpdateMs, revokedAtMs = 0, reason } = single;
  const answer: OcspAnswer = {
    status,
    ...(status === 'revoked' ? { revoked: { atMs: revokedAtMs, reason: reasonName(reason) } } : {}),
    thisUpdateMs,
    ...(nextUpdateMs === undefined ? {} : { nextUpdateMs }),
    producedAtMs: response.producedAtMs,
    countsUntilMs: countsUntil(single, check),
    ...signer,
    nonce,
  };
  return { ok: true, answer };
}

/** RFC 6960 §4.2.2.2: the issuer itself, or one whom the issuer has delegated with the key that signed the certificate. */
function findSigner(response: BasicResponse, check: OcspCheck): Pick<OcspAnswer, 'signer' | 'unchecked'> | string {
  const { issuer } = check;
  const name = renderName(issuer.subject);
  let why = `no certificate of the signer is in the response, and it is not the issuer ${name}`;
  if (isNamed(response.responderId, issuer)) {
    const fault = signatureFault(issuer, response);
    if (fault === undefined) return { signer: { kind: 'issuer', name } };
    why = fault;
  }
  const candidates = response.certificates
    .flatMap((der) => readCertificate(der) ?? [])
    .filter((each) => isNamed(response.responderId, each));
  for (const delegate of candidates.slice(0, MAX_SIGNERS)) {
    const delegateName = renderName(delegate.subject);
    const unfit = delegationFault(delegate, check);
    const fault =
      unfit === undefined ? signatureFault(delegate, response) : `the signer ${delegateName} may not answer: ${unfit}`;
    if (fault === undefined) {
      const unchecked = delegate.extensions.has(OcspId.noCheck) ? {} : { unchecked: Uint8Array.from(delegate.der) };
      return { signer: { kind: 'delegate', name: delegateName }, ...unchecked };
    }
    why = fault;
  }
  return why;
}

const isNamed = (id: ResponderId, certificate: Certificate): boolean =>
  id.kind === 'byName' ? id.name.key === certificate.subject.key : sameBytes(id.keyHash, keyHash(certificate, 'sha1'));

function signatureFault(
  { spki, subject }: Certificate,
  { tbs, signatureAlgorithm, signature }: BasicResponse,
): string | undefined {
  const verdict = verifySignature(tbs, signatureAlgorithm, signature, spki);
  if (verdict === 'good') return undefined;
  return verdict === 'bad'
    ? `the signature does not verify with the key of ${renderName(subject)}`
    : `the signature is ${verdict} (algorithm ${signatureAlgorithm.oid})`;
}

/** RFC 6960 §4.2.2.2: issued directly by the issuer, for the purpose; anyExtendedKeyUsage is not enough. */
function delegationFault(delegate: Certificate, { issuer, nowMs }: OcspCheck): string | undefined {
  if (delegate.extendedKeyUsage?.includes(OCSP_SIGNING) !== true) return 'extended key usage without OCSPSigning';
  const signing = KeyUsage.digitalSignature | KeyUsage.nonRepudiation;
  if (delegate.keyUsage !== undefined && (delegate.keyUsage & signing) === 0)
    return 'key usage without digitalSignature';
  const { tbs, signatureAlgorithm, signature } = delegate;
  const issued =
    delegate.issuer.key === issuer.subject.key &&
    verifySignature(tbs, signatureAlgorithm, signature, issuer.spki) === 'good';
  if (!issued) return 'it was not issued by the key that issued the certificate';
  const outcome = validatePath([delegate, issuer], { nowMs, purpose: 'any', policies: {} });
  return outcome.ok ? undefined : outcome.failure.detail;
}

/** RFC 9654 §2.1. A different nonce is somebody else's answer; none at all is one made beforehand. */
function judgeNonce(
  { extensions }: BasicResponse,
  { nonce: sent, nonceRequired = false }: OcspCheck,
): OcspAnswer['nonce'] | { readonly why: string } {
  if (sent === undefined) return 'notSent';
  const extension = extensions.get(OcspId.nonce);
  if (extension === undefined) return nonceRequired ? { why: 'the response has no nonce' } : 'absent';
  return carries(extension, sent) ? 'matched' : { why: 'the nonce of the response is not the one that was sent' };
}

function carries({ value }: Extension, sent: Uint8Array): boolean {
  const inner = readDer(value);
  return inner.tag === Tag.octetString && sameBytes(contentOf(inner), sent);
}

/** Those that say something about the answer without limiting it are fine. */
const KNOWN_EXTENSIONS: ReadonlySet<string> = new Set([
  OcspId.nonce,
  OcspId.crlReference,
  OcspId.archiveCutoff,
  OcspId.extendedRevoke,
]);

function unknownCritical(extensions: ReadonlyMap<string, Extension>): string | undefined {
  for (const { oid, critical } of extensions.values())
    if (critical && !KNOWN_EXTENSIONS.has(oid)) return `the response has the unknown critical extension ${oid}`;
  return undefined;
}

const SEVERITY = { revoked: 0, unknown: 1, good: 2 } as const;

/** A responder may answer with another hash than it was asked with. Of several answers the worst counts. */
function singleFor(responses: readonly SingleResponse[], check: OcspCheck): SingleResponse | undefined {
  const ours = responses.filter(
    ({ certId }) => certId !== undefined && sameCertId(certId, certIdOf(check, certId.hash)),
  );
  return ours.sort((a, b) => SEVERITY[a.status] - SEVERITY[b.status] || b.thisUpdateMs - a.thisUpdateMs)[0];
}

/** RFC 6960 §3.2 (5), (6), §4.2.2.1. */
function judgeTimes(
  { producedAtMs }: BasicResponse,
  { thisUpdateMs, nextUpdateMs }: SingleResponse,
  { nowMs, maxAgeMs }: OcspCheck,
): string | undefined {
  const latestMs = nowMs + CLOCK_TOLERANCE_MS;
  if (thisUpdateMs > latestMs || producedAtMs > latestMs) return 'the response is from the future';
  if (nextUpdateMs === undefined) {
    const tooOld = thisUpdateMs + maxAgeMs + CLOCK_TOLERANCE_MS < nowMs;
    return tooOld
      ? `the response names no nextUpdate and is older than maxAge (thisUpdate ${isoTime(thisUpdateMs)})`
      : undefined;
  }
  if (nextUpdateMs < thisUpdateMs) return 'the response has its nextUpdate before its thisUpdate';
  return nextUpdateMs + CLOCK_TOLERANCE_MS < nowMs
    ? `the response has expired (nextUpdate ${isoTime(nextUpdateMs)})`
    : undefined;
}

function countsUntil({ thisUpdateMs, nextUpdateMs }: SingleResponse, { nowMs, maxAgeMs }: OcspCheck): number {
  const endMs = nextUpdateMs ?? thisUpdateMs + maxAgeMs;
  return endMs > nowMs ? endMs : nowMs + LATE_ANSWER_MS;
}
