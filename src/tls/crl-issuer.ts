/**
 * Who signed a revocation list, and may they? A list counts only if its signature verifies with a certificate of the
 * configured authorities that may sign lists and that leads to an anchor. Whether that signer may speak for the issuer
 * of a certain certificate is decided when the certificate is known (`revocation.ts`).
 * RFC 5280 §6.3.3 (f), (g), §4.2.1.3. Pure; never throws for what a list holds.
 */
import { createHash } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import { KeyUsage } from './certificate-extensions.ts';
import { findPaths } from './certificate-path.ts';
import { splitBundle } from './crl-bundle.ts';
import { type CrlFacts, parseCrl, type SignedCrl } from './crl.ts';
import { DerError } from './der.ts';
import { verifySignature } from './signature.ts';
import type { TrustStore } from './trust-store.ts';

/** A way from the signer of a list to an anchor, as DER, signer first. */
export type SignerPath = { readonly certificates: readonly Uint8Array[]; readonly validUntilMs: number };

/** A list whose signature is good. Structured-cloneable. */
export type VerifiedCrl = CrlFacts & {
  /** Of the DER, lower-case hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
  /** `spkiId` of the key that signed it. */
  readonly signerId: string;
  readonly signerPaths: readonly SignerPath[];
};

/**
 * A list whose issuer is in no authorities file: it may be that of an intermediate that clients send along. It counts
 * for nothing until `revocation.ts` has verified it with the key of an issuer on a valid path. `tbs` is shared memory.
 */
export type ForeignCrl = CrlFacts & Pick<VerifiedCrl, 'sha256' | 'bytes'> & Omit<SignedCrl, 'facts'>;

export type LoadedCrl = { readonly crl: VerifiedCrl; readonly der: Uint8Array };
export type LoadedForeignCrl = { readonly crl: ForeignCrl; readonly der: Uint8Array };
export type LoadedBundle = {
  readonly lists: readonly LoadedCrl[];
  readonly foreign: readonly LoadedForeignCrl[];
  readonly faults: readonly string[];
};

export type BundleInput = {
  readonly bytes: Uint8Array;
  readonly type: 'pem' | 'asn1';
  readonly authorities: TrustStore;
  readonly nowMs: number;
  /** Lists of issuers that are in no authorities file are what was asked for: no fault. */
  readonly strangers?: boolean;
};

/** Clocks differ a little; a list from further in the future is a mistake or an attack. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000;
const MAX_SIGNER_PATHS = 8;
const MAX_CANDIDATES = 32;
/** What is not verified yet is kept in memory: only so many, and no big ones. */
const MAX_FOREIGN = 64;
const MAX_FOREIGN_BYTES = 4 * 1024 * 1024;

/** Every list of a download that is good, those that may become so, and in words what is wrong with the others. */
export function loadBundle({ bytes, type, authorities, nowMs, strangers = false }: BundleInput): LoadedBundle {
  const bundle = splitBundle(bytes, type);
  const lists: LoadedCrl[] = [];
  const foreign: LoadedForeignCrl[] = [];
  const faults = [...bundle.faults];
  const unknown: string[] = [];
  for (const der of bundle.lists) {
    const result = loadList(der, authorities, nowMs);
    if (typeof result === 'string') faults.push(result);
    else if ('signerId' in result) lists.push({ crl: result, der });
    else {
      unknown.push(`the issuer of the revocation list, ${result.issuer}, is in no certificateAuthorities file`);
      if (foreign.length < MAX_FOREIGN && der.length <= MAX_FOREIGN_BYTES) foreign.push({ crl: result, der });
    }
  }
  // Bundles of large organisations hold lists of authorities that are not ours: no fault beside lists that are.
  const useful = lists.length > 0 || (strangers && foreign.length > 0);
  return { lists, foreign, faults: useful ? faults : [...faults, ...unknown] };
}

function loadList(der: Uint8Array, authorities: TrustStore, nowMs: number): VerifiedCrl | ForeignCrl | string {
  let signed: SignedCrl;
  try {
    signed = parseCrl(der);
  } catch (error) {
    if (error instanceof DerError) return `a revocation list is malformed: ${error.message}`;
    throw error;
  }
  const { facts, tbs, signatureAlgorithm, signature } = signed;
  if (facts.thisUpdateMs > nowMs + CLOCK_TOLERANCE_MS)
    return `the revocation list of ${facts.issuer} is from the future`;
  const identity = { sha256: createHash('sha256').update(der).digest('hex'), bytes: der.length };
  const { anchorsBySubject, intermediatesBySubject } = authorities;
  const named = [anchorsBySubject, intermediatesBySubject].flatMap((index) => index.get(facts.issuerKey) ?? []);
  if (named.length === 0) {
    const { oid, parameters } = signatureAlgorithm;
    const algorithm = { oid, parameters: parameters === undefined ? undefined : copyOf(parameters) };
    return {
      ...facts,
      ...identity,
      tbs: sharedCopyOf(tbs),
      signatureAlgorithm: algorithm,
      signature: copyOf(signature),
    };
  }
  const signer = verifySigner(signed, named, { authorities, nowMs });
  return typeof signer === 'string' ? signer : { ...facts, ...signer, ...identity };
}

function verifySigner(
  { facts, tbs, signatureAlgorithm, signature }: SignedCrl,
  named: readonly Certificate[],
  { authorities, nowMs }: Pick<BundleInput, 'authorities' | 'nowMs'>,
): Pick<VerifiedCrl, 'signerId' | 'signerPaths'> | string {
  // RFC 5280 §4.2.1.3: keyUsage, where present, must assert cRLSign.
  const allowed = named.filter(maySignLists);
  if (allowed.length === 0) return `the certificate of ${facts.issuer} may not sign revocation lists (key usage)`;
  let why = `the signature of the revocation list of ${facts.issuer} does not verify`;
  for (const candidate of byKeyId(allowed, facts.authorityKeyId).slice(0, MAX_CANDIDATES)) {
    const verdict = verifySignature(tbs, signatureAlgorithm, signature, candidate.spki);
    if (verdict === 'weak' || verdict === 'unsupported')
      why = `the signature of the revocation list of ${facts.issuer} is ${verdict}`;
    if (verdict !== 'good') continue;
    const signerId = spkiId(candidate);
    const sameKey = allowed.filter((each) => spkiId(each) === signerId);
    const signerPaths = sameKey.flatMap((each) => pathsOf(each, authorities, nowMs)).slice(0, MAX_SIGNER_PATHS);
    if (signerPaths.length > 0) return { signerId, signerPaths };
    why = `the certificate that signed the revocation list of ${facts.issuer} leads to no anchor or is not valid now`;
  }
  return why;
}

/** The list as one of `issuer`, if that certificate may sign lists and has signed it. */
export function claimForeign(list: ForeignCrl, issuer: Certificate): VerifiedCrl | undefined {
  if (list.issuerKey !== issuer.subject.key || !maySignLists(issuer)) return undefined;
  const { tbs, signatureAlgorithm, signature, ...facts } = list;
  if (verifySignature(tbs, signatureAlgorithm, signature, issuer.spki) !== 'good') return undefined;
  return { ...facts, signerId: spkiId(issuer), signerPaths: [] };
}

export const maySignLists = ({ keyUsage }: Certificate): boolean =>
  keyUsage === undefined || (keyUsage & KeyUsage.cRLSign) !== 0;

/** Certificates whose subject key identifier the list names come first; it is a hint only (RFC 5280 §5.2.1). */
function byKeyId(certificates: readonly Certificate[], keyId: string | undefined): readonly Certificate[] {
  if (keyId === undefined) return certificates;
  const fits = ({ subjectKeyId }: Certificate): boolean =>
    subjectKeyId !== undefined && Buffer.from(subjectKeyId).toString('hex') === keyId;
  return [...certificates.filter(fits), ...certificates.filter((each) => !fits(each))];
}

function pathsOf(signer: Certificate, trustStore: TrustStore, nowMs: number): SignerPath[] {
  const found: SignerPath[] = [];
  for (const { certificates } of findPaths({ leaf: signer, trustStore, nowMs, purpose: 'any' })) {
    const validUntilMs = Math.min(...certificates.map(({ notAfterMs }) => notAfterMs));
    found.push({ certificates: certificates.map(({ der }) => copyOf(der)), validUntilMs });
    if (found.length === MAX_SIGNER_PATHS) break;
  }
  return found;
}

/** Views would drag the whole file they are a part of into every structured clone. */
const copyOf = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);

function sharedCopyOf(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

const spkiIds = new WeakMap<Certificate, string>();

/** SHA-256 of the SubjectPublicKeyInfo: the identity of a key. */
export function spkiId(certificate: Certificate): string {
  let id = spkiIds.get(certificate);
  if (id === undefined) {
    id = createHash('sha256').update(certificate.spki).digest('hex');
    spkiIds.set(certificate, id);
  }
  return id;
}
