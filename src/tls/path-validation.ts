/**
 * Whether one chain of certificates, whose names and signatures already link to an anchor, is a valid path: validity
 * times, key strength, authorities' right to issue, path length, name constraints, policies, critical extensions and
 * purpose. Also the reasons for which a client certificate is refused, in words.
 * RFC 5280 §6.1.2 to §6.1.5. The anchor's own limits are applied too, as RFC 5937 §3 describes, except its policies.
 * Pure.
 */
import { isoTime } from '../core/time-text.ts';
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
  let failure = firstFault(certificates, 0, settings);
  for (let i = certificates.length - 1; i > 0 && failure === undefined; i--) {
    failure = firstFault(certificates, i, settings);
  }
  failure ??= limitedPurpose(certificates, settings);
  failure ??= checkNames(certificates, settings);
  if (failure !== undefined) return { ok: false, failure };
  const policies = checkPolicies(certificates, settings);
  return 'fault' in policies
    ? { ok: false, failure: policies }
    : { ok: true, path: { certificates, leaf, anchor, policies } };
}

/** A certificate where it stands on a path (leaf first), and what is asked of it. */
export type Place = {
  readonly certificates: readonly Certificate[];
  readonly index: number;
  readonly certificate: Certificate;
  readonly settings: ValidationSettings;
};

/** One thing that is looked at in a certificate; `fault` finds what is wrong. */
export type CertificateRule = {
  readonly check:
    | 'validity'
    | 'key strength'
    | 'critical extensions'
    | 'extended key usage'
    | 'key usage'
    | 'basic constraints'
    | 'path length';
  readonly rule: string;
  readonly fault: (place: Place) => PathFailure | undefined;
};

const CRITICAL: CertificateRule = {
  check: 'critical extensions',
  rule: 'RFC 5280 §4.2',
  fault: ({ certificate }) => {
    const unknown = unknownCritical(certificate);
    return unknown === undefined ? undefined : about('critical-extension', certificate, unknown);
  },
};

/** The leaf's own faults come first: they are what its holder can do something about. */
export const LEAF_RULES: readonly CertificateRule[] = [
  {
    check: 'validity',
    rule: 'RFC 5280 §6.1.3 (a) (2)',
    fault: ({ certificate: leaf, settings: { nowMs } }) => {
      if (nowMs > leaf.notAfterMs) return about('expired', leaf, `not valid after ${isoTime(leaf.notAfterMs)}`);
      return nowMs < leaf.notBeforeMs
        ? about('not-yet-valid', leaf, `not valid before ${isoTime(leaf.notBeforeMs)}`)
        : undefined;
    },
  },
  {
    check: 'key strength',
    rule: 'RFC 8446 §4.4.2.4',
    fault: ({ certificate }) => {
      const key = publicKeyFacts(certificate.spki);
      return 'why' in key ? about('key-too-weak', certificate, key.why) : undefined;
    },
  },
  CRITICAL,
  {
    check: 'extended key usage',
    rule: 'RFC 5280 §4.2.1.12',
    fault: ({ certificate, settings: { purpose } }) => {
      const otherwise = purpose === 'any' ? undefined : leafPurposeFault(certificate, purpose);
      return otherwise === undefined ? undefined : about('wrong-purpose', certificate, otherwise);
    },
  },
  {
    // RFC 8446 §4.4.2.4, RFC 5280 §4.2.1.12: what goes with clientAuth.
    check: 'key usage',
    rule: 'RFC 5280 §4.2.1.3',
    fault: ({ certificate: { keyUsage }, certificate, settings: { purpose } }) => {
      if (purpose === 'any' || keyUsage === undefined) return undefined;
      const usable = KeyUsage.digitalSignature | KeyUsage.keyAgreement;
      return (keyUsage & usable) === 0
        ? about('wrong-purpose', certificate, 'key usage without digitalSignature')
        : undefined;
    },
  },
];

/** RFC 5280 §6.1.4 (k) to (n), (o), and validity; the anchor (the last one) is held to the same. */
export const AUTHORITY_RULES: readonly CertificateRule[] = [
  {
    check: 'validity',
    rule: 'RFC 5280 §6.1.3 (a) (2)',
    fault: ({ certificate: authority, settings: { nowMs } }) => {
      const { notBeforeMs, notAfterMs } = authority;
      if (nowMs > notAfterMs) return about('authority-expired', authority, `not valid after ${isoTime(notAfterMs)}`);
      return nowMs < notBeforeMs
        ? about('authority-not-yet-valid', authority, `not valid before ${isoTime(notBeforeMs)}`)
        : undefined;
    },
  },
  CRITICAL,
  {
    check: 'basic constraints',
    rule: 'RFC 5280 §6.1.4 (k)',
    fault: ({ certificates, index, certificate: authority }) => {
      // An anchor of the time before extensions says nothing about itself; the administrator's list says it.
      const oldAnchor = index === certificates.length - 1 && authority.version < 3;
      return oldAnchor || authority.basicConstraints?.ca === true
        ? undefined
        : about('authority-not-allowed', authority, 'basic constraints do not make it an authority');
    },
  },
  {
    check: 'key usage',
    rule: 'RFC 5280 §6.1.4 (n)',
    fault: ({ certificate: authority }) =>
      authority.keyUsage !== undefined && (authority.keyUsage & KeyUsage.keyCertSign) === 0
        ? about('authority-not-allowed', authority, 'key usage without keyCertSign')
        : undefined,
  },
  {
    check: 'path length',
    rule: 'RFC 5280 §6.1.4 (l), (m)',
    fault: ({ certificates, index, certificate: authority }) => {
      const { pathLength } = authority.basicConstraints ?? {};
      return pathLength !== undefined && intermediatesBelow(certificates, index) > pathLength
        ? about('path-length', authority, `path length constraint ${pathLength}`)
        : undefined;
    },
  },
];

function firstFault(
  certificates: readonly Certificate[],
  index: number,
  settings: ValidationSettings,
): PathFailure | undefined {
  const place = { certificates, index, certificate: certificates[index] as Certificate, settings };
  for (const { fault } of index === 0 ? LEAF_RULES : AUTHORITY_RULES) {
    const found = fault(place);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether an authority's extended key usage limits what the certificates below it may be for. */
function limitedPurpose(
  certificates: readonly Certificate[],
  { purpose }: ValidationSettings,
): PathFailure | undefined {
  const limiting = purpose === 'any' ? undefined : limitingAuthority(certificates, purpose);
  if (limiting === undefined || purpose === 'any') return undefined;
  return about('authority-purpose', limiting, `extended key usage does not allow ${namesOf(purpose)}`);
}

/** RFC 5280 §6.1.4 (l): self-issued ones do not count. */
export function intermediatesBelow(certificates: readonly Certificate[], index: number): number {
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

function checkNames(certificates: readonly Certificate[], settings: ValidationSettings): PathFailure | undefined {
  for (const { failure } of nameVerdicts(certificates, settings)) if (failure !== undefined) return failure;
  return undefined;
}

export type NameVerdict = {
  readonly index: number;
  /** So many authorities above constrain names; 0 also where this certificate is not held to them. */
  readonly constraints: number;
  readonly failure: PathFailure | undefined;
};

/** RFC 5280 §6.1.3 (b), (c), §6.1.4 (g): from the anchor to the leaf. */
export function* nameVerdicts(
  certificates: readonly Certificate[],
  { initialSubtrees }: ValidationSettings,
): Generator<NameVerdict> {
  const constraints: NameConstraints[] = initialSubtrees === undefined ? [] : [initialSubtrees];
  for (let index = certificates.length - 1; index >= 0; index--) {
    const certificate = certificates[index] as Certificate;
    // The anchor's own name is not a name on the path; a self-issued certificate is held to them as the last one only.
    const exempt = index > 0 && (index === certificates.length - 1 || isSelfIssued(certificate));
    const outside = exempt ? undefined : checkNameConstraints(certificate, constraints);
    const failure = outside === undefined ? undefined : about('name-constraints', certificate, outside);
    yield { index, constraints: exempt ? 0 : constraints.length, failure };
    if (certificate.nameConstraints !== undefined) constraints.push(certificate.nameConstraints);
  }
}

export function checkPolicies(
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
