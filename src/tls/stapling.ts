/**
 * Which of the gateway's own certificates can be stapled, by whom, and when an answer is to be renewed. A staple is an
 * OCSP answer that the server sends along in the handshake: verified before it is used, good, and of now, or none.
 * RFC 6066 §8, RFC 8446 §4.4.2.1, RFC 6960. Pure.
 */
import { createHash } from 'node:crypto';
import type { Config, Material } from '../config/schema.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import { DerError } from './der.ts';
import type { OcspVerdict } from './ocsp.ts';
import { OcspId } from './ocsp-request.ts';
import { decodePem } from './pem.ts';
import { verifySignature } from './signature.ts';
import { buildTrustStore, CERTIFICATE_LABEL } from './trust-store.ts';

/** `sha256`: of the certificate, what a staple belongs to whatever its name in the configuration is. */
export type StapleTarget = {
  readonly name: string;
  readonly sha256: string;
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  readonly responders: readonly string[];
};

/** As threads have it. Structured-clone data. */
export type Staple = { readonly response: Uint8Array; readonly countsUntilMs: number };
/** By `StapleTarget.sha256`. */
export type Staples = Readonly<Record<string, Staple>>;

const MAX_RESPONDERS = 4;
const MIN_WAIT_MS = 1000;
const MAX_WAIT_MS = 12 * 3_600_000;
const FIRST_RETRY_MS = 10_000;
const MAX_RETRY_MS = 15 * 60_000;

/** Where the certificate does not name a responder there is nothing to staple and nothing to say. */
export function stapleTargets({ certificates }: Config, material: Material): (StapleTarget | StapleFault)[] {
  return Object.entries(certificates).flatMap(([name, { ocspStapling }]) => {
    const pem = material.certificates[name]?.certPem;
    if (ocspStapling === false || pem === undefined) return [];
    const target = targetOf(name, pem, { ocspStapling, authorities: Object.values(material.authorities) });
    return target === undefined ? [] : [target];
  });
}

export type StapleFault = { readonly name: string; readonly why: string };

type Sources = { readonly ocspStapling: true | string; readonly authorities: readonly string[] };

function targetOf(name: string, pem: string, sources: Sources): StapleTarget | StapleFault | undefined {
  const certificate = firstCertificate(pem);
  if (certificate === undefined) return undefined;
  const responders = sources.ocspStapling === true ? namedResponders(certificate) : [sources.ocspStapling];
  if (responders.length === 0) return undefined;
  const store = buildTrustStore([pem, ...sources.authorities]);
  const issuer = [store.anchorsBySubject, store.intermediatesBySubject]
    .flatMap((index) => index.get(certificate.issuer.key) ?? [])
    .find((each) => hasIssued(each, certificate));
  if (issuer === undefined) {
    return {
      name,
      why: 'its issuer is neither in certFile nor in a certificateAuthorities file: no answer can be verified',
    };
  }
  return { name, sha256: sha256Of(certificate.der), certificate, issuer, responders };
}

const hasIssued = ({ spki }: Certificate, { tbs, signatureAlgorithm, signature }: Certificate): boolean =>
  verifySignature(tbs, signatureAlgorithm, signature, spki) === 'good';

/** RFC 6960 §3.1. */
function namedResponders({ authorityInfoAccess = [] }: Certificate): string[] {
  return authorityInfoAccess
    .flatMap(({ method, location }) => (method === OcspId.responder && location.kind === 'uri' ? [location.text] : []))
    .filter((url) => /^https?:/i.test(url) && URL.canParse(url))
    .slice(0, MAX_RESPONDERS);
}

function firstCertificate(pem: string): Certificate | undefined {
  try {
    const [der] = decodePem(pem, CERTIFICATE_LABEL);
    return der === undefined ? undefined : parseCertificate(der);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

const sha256Of = (der: Uint8Array): string => createHash('sha256').update(der).digest('hex');

/** Whose staple a TLS context sends; undefined where the certificate is none that is stapled. */
export function stapleKey(pem: string, ocspStapling: boolean | string): string | undefined {
  const certificate = ocspStapling === false ? undefined : firstCertificate(pem);
  if (certificate === undefined) return undefined;
  return ocspStapling === true && namedResponders(certificate).length === 0 ? undefined : sha256Of(certificate.der);
}

/** The staple, or in words why there is none. */
export function stapleOf(verdict: OcspVerdict, response: Uint8Array | undefined): Staple | string {
  if (!verdict.ok) return verdict.why;
  const { status, countsUntilMs } = verdict.answer;
  if (status === 'revoked') return 'the responder says that the certificate is revoked';
  if (status === 'unknown') return 'the responder does not know the certificate';
  return response === undefined ? 'no response' : { response: Uint8Array.from(response), countsUntilMs };
}

/** Renewed at half of its time, so that several attempts fit into the other half. */
export const renewalAtMs = ({ countsUntilMs }: Staple, nowMs: number): number =>
  nowMs + Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, (countsUntilMs - nowMs) / 2));

/** When to ask again after so many failures in a row. */
export const retryAtMs = (failures: number, nowMs: number): number =>
  nowMs + Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10));

/** The response as it is sent; undefined where there is none or its time is over. */
export const stapleAt = (staples: Staples, key: string, nowMs: number): Uint8Array | undefined => {
  const staple = staples[key];
  return staple !== undefined && nowMs < staple.countsUntilMs ? staple.response : undefined;
};
