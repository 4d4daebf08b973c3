/**
 * Whether one chain of certificates, whose names and signatures already link to an anchor, is a valid path: validity
 * times, key strength, authorities' right to issue, path length, name constraints, policies, critical extensions and
 * purpose. Also the reasons for which a client certificate is refused, in words.
 * RFC 5280 §6.1.2 to §6.1.5. The anchor's own limits are applied too, as RFC 5937 §3 describes, except its policies.
 * Pure.
 */
import { type Certificate, isSelfIssued } from './certificate.ts';
import { ExtensionId, KeyUsage, type NameConstraints } from './certificate-extensions.ts';
import { PolicyProcessor, type PolicySettings } from './certificate-policies.ts';
import { renderName } from './distinguished-name.ts';
import { type KeyPurposes, leafPurposeFault, limitingAuthority, namesOf } from './key-purpose.ts';
import { checkNameConstraints } from './name-constraints.ts';
import { publicKeyFacts } from './signature.ts';

/** What a client reads in the reply. The key names the rule in logs. */
export const PATH_FAULTS = {
  malformed: 'client certificate malformed',
  expired: 'client certificate expired',
  'not-yet-valid': 'client certificate not yet valid',
  'not-trusted': 'client certificate not trusted',
  'broken-chain': 'client certificate chain broken: no path to a trusted authority',
  'wrong-purpose': 'client certificate has the wrong purpose',
  'authority-expired': 'client certificate authority expired',
  'authority-not-yet-valid': 'client certificate authority not yet valid',
  'authority-not-allowed': 'client certificate issued by a certificate that may not issue',
  'authority-purpose': 'client certificate authority has the wrong purpose',
  'path-length': 'client certificate chain longer than its authority allows',
  'key-too-weak': 'client certificate key too weak or unsupported',
  'weak-signature': 'client certificate signature too weak or unsupported',
  'name-constraints': 'client certificate outside the name constraints of its authority',
  'critical-extension': 'client certificate has an unknown critical extension',
  policy: 'client certificate policy not accepted',
  'too-complex': 'client certificate chain too complex',
} as const;

export type PathFault = keyof typeof PATH_FAULTS;

export type PathFailure = {
  readonly fault: PathFault;
  /** `PATH_FAULTS[fault]`. */
  readonly reason: (typeof PATH_FAULTS)[PathFault];
  /** More for the administrator: what exactly, and in which certificate. Holds attacker-chosen text, escaped. */
  readonly detail: string;
};

/** `any`: neither extended key usage nor key usage of the leaf is looked at (signers of revocation lists). */
export type Purpose = KeyPurposes | 'any';

export type ValidationSettings = {
  readonly nowMs: number;
  readonly purpose: Purpose;
  readonly policies: PolicySettings;
  /** RFC 5280 §6.1.1 (h), (i): the caller's constraints, beside those in certificates. */
  readonly initialSubtrees?: NameConstraints;
};

/** Leaf first, anchor last. A leaf that is itself listed as an anchor is a path of one. */
export type ValidatedPath = {
  readonly certificates: readonly Certificate[];
  readonly leaf: Certificate;
  readonly anchor: Certificate;
  /** Policies that the path is valid for, in the terms of the leaf's authority; anyPolicy stands for all. */
  readonly policies: readonly string[];
};

export type ValidationOutcome =
  | { readonly ok: true; readonly path: ValidatedPath }
  | { readonly ok: false; readonly failure: PathFailure };

export const pathFailure = (fault: PathFault, detail: string): PathFailure => ({
  fault,
  reason: PATH_FAULTS[fault],
  detail,
});

const about = (fault: PathFault, certificate: Certificate, what: string): PathFailure =>
  pathFailure(fault, `${what} (subject ${renderName(certificate.subject)}, serial ${certificate.serialHex})`);

/** Names and signatures of `certificates` (leaf first, anchor last) must have been checked. */
export function validatePath(certificates: readonly Certificate[], settings: ValidationSettings): ValidationOutcome {
  const leaf = certificates[0] as Certificate;
  const anchor = certificates[certificates.length - 1] as Certificate;
  let failure = checkLeaf(leaf, settings);
  for (let i = certificates.length - 1; i > 0 && failure === undefined; i--) {
    failure = checkAuthority(certificates, i, settings);
  }
  failure ??= checkAuthorityPurposes(certificates, settings);
  failure ??= checkNames(certificates, settings);
  if (failure !== undefined) return { ok: false, failure };
  const policies = checkPolicies(certificates, settings);
  return 'fault' in policies
    ? { ok: false, failure: policies }
    : { ok: true, path: { certificates, leaf, anchor, policies } };
}

/** The leaf's own faults come first: they are what its holder can do something about. */
function checkLeaf(leaf: Certificate, { nowMs, purpose }: ValidationSettings): PathFailure | undefined {
  // RFC 5280 §6.1.3 (a) (2).
  if (nowMs > leaf.notAfterMs) return about('expired', leaf, `not valid after ${isoTime(leaf.notAfterMs)}`);
  if (nowMs < leaf.notBeforeMs) return about('not-yet-valid', leaf, `not valid before ${isoTime(leaf.notBeforeMs)}`);
  const key = publicKeyFacts(leaf.spki);
  if ('why' in key) return about('key-too-weak', leaf, key.why);
  const unknown = unknownCritical(leaf);
  if (unknown !== undefined) return about('critical-extension', leaf, unknown);
  if (purpose === 'any') return undefined;
  const otherwise = leafPurposeFault(leaf, purpose);
  if (otherwise !== undefined) return about('wrong-purpose', leaf, otherwise);
  // RFC 8446 §4.4.2.4, RFC 5280 §4.2.1.12: what goes with clientAuth.
  const usable = KeyUsage.digitalSignature | KeyUsage.keyAgreement;
  return leaf.keyUsage !== undefined && (leaf.keyUsage & usable) === 0
    ? about('wrong-purpose', leaf, 'key usage without digitalSignature')
    : undefined;
}

/** RFC 5280 §6.1.4 (k) to (n), (o), and validity; the anchor (the last one) is held to the same. */
function checkAuthority(
  certificates: readonly Certificate[],
  index: number,
  { nowMs }: ValidationSettings,
): PathFailure | undefined {
  const authority = certificates[index] as Certificate;
  const isAnchor = index === certificates.length - 1;
  if (nowMs > authority.notAfterMs) {
    return about('authority-expired', authority, `not valid after ${isoTime(authority.notAfterMs)}`);
  }
  if (nowMs < authority.notBeforeMs) {
    return about('authority-not-yet-valid', authority, `not valid before ${isoTime(authority.notBeforeMs)}`);
  }
  const unknown = unknownCritical(authority);
  if (unknown !== undefined) return about('critical-extension', authority, unknown);
  // An anchor of the time before extensions says nothing about itself; the administrator's list says it.
  const oldAnchor = isAnchor && authority.version < 3;
  if (!oldAnchor && authority.basicConstraints?.ca !== true) {
    return about('authority-not-allowed', authority, 'basic constraints do not make it an authority');
  }
  if (authority.keyUsage !== undefined && (authority.keyUsage & KeyUsage.keyCertSign) === 0) {
    return about('authority-not-allowed', authority, 'key usage without keyCertSign');
  }
  const { pathLength } = authority.basicConstraints ?? {};
  if (pathLength !== undefined && intermediatesBelow(certificates, index) > pathLength) {
    return about('path-length', authority, `path length constraint ${pathLength}`);
  }
  return undefined;
}

function checkAuthorityPurposes(
  certificates: readonly Certificate[],
  { purpose }: ValidationSettings,
): PathFailure | undefined {
  const limiting = purpose === 'any' ? undefined : limitingAuthority(certificates, purpose);
  if (limiting === undefined || purpose === 'any') return undefined;
  return about('authority-purpose', limiting, `extended key usage does not allow ${namesOf(purpose)}`);
}

/** RFC 5280 §6.1.4 (l): self-issued ones do not count. */
function intermediatesBelow(certificates: readonly Certificate[], index: number): number {
  let count = 0;
  for (let i = 1; i < index; i++) if (!isSelfIssued(certificates[i] as Certificate)) count++;
  return count;
}

/** Extensions that are processed, here or by the revocation check. */
const PROCESSED: ReadonlySet<string> = new Set([
  ExtensionId.subjectKeyIdentifier,
  ExtensionId.authorityKeyIdentifier,
  ExtensionId.keyUsage,
  ExtensionId.extendedKeyUsage,
  ExtensionId.subjectAltName,
  ExtensionId.basicConstraints,
  ExtensionId.nameConstraints,
  ExtensionId.certificatePolicies,
  ExtensionId.policyMappings,
  ExtensionId.policyConstraints,
  ExtensionId.inhibitAnyPolicy,
  ExtensionId.crlDistributionPoints,
]);

/** RFC 5280 §4.2: a critical extension that is not processed refuses the certificate. */
function unknownCritical({ extensions }: Certificate): string | undefined {
  for (const { oid, critical } of extensions.values()) {
    if (critical && !PROCESSED.has(oid)) return `critical extension ${oid}`;
  }
  return undefined;
}

/** RFC 5280 §6.1.3 (b), (c), §6.1.4 (g): from the certificate below the anchor to the leaf. */
function checkNames(
  certificates: readonly Certificate[],
  { initialSubtrees }: ValidationSettings,
): PathFailure | undefined {
  const constraints: NameConstraints[] = initialSubtrees === undefined ? [] : [initialSubtrees];
  for (let i = certificates.length - 1; i >= 0; i--) {
    const certificate = certificates[i] as Certificate;
    // The anchor's own name is not a name on the path; a self-issued certificate is held to them as the last one only.
    const exempt = i > 0 && (i === certificates.length - 1 || isSelfIssued(certificate));
    const outside = exempt ? undefined : checkNameConstraints(certificate, constraints);
    if (outside !== undefined) return about('name-constraints', certificate, outside);
    if (certificate.nameConstraints !== undefined) constraints.push(certificate.nameConstraints);
  }
  return undefined;
}

function checkPolicies(
  certificates: readonly Certificate[],
  { policies }: ValidationSettings,
): readonly string[] | PathFailure {
  const first = Math.max(0, certificates.length - 2);
  const processor = new PolicyProcessor(first + 1, policies);
  for (let i = first; i >= 0; i--) {
    const certificate = certificates[i] as Certificate;
    const selfIssued = isSelfIssued(certificate);
    const why =
      processor.enter(certificate, { selfIssued, last: i === 0 }) ??
      (i === 0 ? undefined : processor.prepareNext(certificate, selfIssued));
    if (why !== undefined) return about('policy', certificate, why);
  }
  const outcome = processor.finish(certificates[0] as Certificate);
  return outcome.ok ? outcome.policies : about('policy', certificates[0] as Certificate, outcome.why);
}

const isoTime = (ms: number): string => new Date(ms).toISOString();
