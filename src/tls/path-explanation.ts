/**
 * A chain of certificates, check by check, for people: what each rule of the path validation says about each
 * certificate, those that hold as well as those that do not. The rules are the ones that decide (`path-validation.ts`);
 * here they are all asked, where a session stops at the first that fails. RFC 5280 §6.1. Pure.
 */
import { isoTime } from '../core/time-text.ts';
import { type Certificate, isSelfIssued } from './certificate.ts';
import { basicWords, keyWords, namesOfBits, purposeWords, signatureWords } from './certificate-description.ts';
import { ANY_POLICY } from './certificate-extensions.ts';
import type { TriedChain } from './certificate-path.ts';
import { renderName } from './distinguished-name.ts';
import { limitingAuthority, namesOf } from './key-purpose.ts';
import {
  AUTHORITY_RULES,
  type CertificateRule,
  checkPolicies,
  intermediatesBelow,
  LEAF_RULES,
  type NameVerdict,
  nameVerdicts,
  type Place,
  type ValidationSettings,
} from './path-validation.ts';
import { publicKeyFacts, verifySignature } from './signature.ts';

/** `not-checked`: the rule asks nothing of this certificate, and `says` why. */
export type CheckOutcome = {
  readonly check: string;
  readonly outcome: 'passed' | 'failed' | 'not-checked';
  readonly says: string;
  readonly rule: string;
};

export type ExplainedCertificate = {
  readonly place: 'client' | 'authority' | 'anchor';
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly checks: readonly CheckOutcome[];
};

export type ExplainedChain = {
  /** It leads to an anchor of the profile, and every check holds. */
  readonly valid: boolean;
  /** The check that decided, where it is not valid. */
  readonly failure?: { readonly reason: string; readonly rule: string };
  /** Leaf first. */
  readonly certificates: readonly ExplainedCertificate[];
  /** What is asked of the path as a whole. */
  readonly policies: CheckOutcome;
};

/** For `cert verify`: each certificate of a chain with what was checked and found. */
export function explainChain({ chain, anchored, failure }: TriedChain, settings: ValidationSettings): ExplainedChain {
  const names = new Map([...nameVerdicts(chain, settings)].map((verdict) => [verdict.index, verdict]));
  const certificates = chain.map((certificate, index): ExplainedCertificate => {
    const place: Place = { certificates: chain, index, certificate, settings };
    const isAnchor = anchored && index === chain.length - 1;
    const checks = [
      signatureCheck(place, isAnchor),
      ...(index === 0 ? LEAF_RULES : AUTHORITY_RULES).map((rule) => ruleCheck(rule, place)),
      ...(index === 0 ? [] : [authorityKey(certificate), authorityPurpose(place)]),
      nameCheck(names.get(index)),
    ];
    return {
      place: index === 0 ? 'client' : isAnchor ? 'anchor' : 'authority',
      subject: renderName(certificate.subject),
      issuer: renderName(certificate.issuer),
      serial: certificate.serialHex,
      checks,
    };
  });
  const decided = failure && { reason: failure.reason, rule: `RFC 5280 §6.1 ${failure.fault}: ${failure.detail}` };
  return {
    valid: failure === undefined,
    ...(decided && { failure: decided }),
    certificates,
    policies: policyCheck(chain, anchored, settings),
  };
}

const passed = (check: string, rule: string, says: string): CheckOutcome => ({ check, outcome: 'passed', says, rule });
const failed = (check: string, rule: string, says: string): CheckOutcome => ({ check, outcome: 'failed', says, rule });
const notChecked = (check: string, rule: string, says: string): CheckOutcome => ({
  check,
  outcome: 'not-checked',
  says,
  rule,
});

const SIGNATURE_RULE = 'RFC 5280 §6.1.3 (a) (1)';

function signatureCheck({ certificates, index, certificate }: Place, isAnchor: boolean): CheckOutcome {
  if (isAnchor) {
    const says = isSelfIssued(certificate) ? 'an anchor: trusted because it is configured' : 'trusted for itself';
    return notChecked('signature', SIGNATURE_RULE, says);
  }
  const issuer = certificates[index + 1];
  const algorithm = signatureWords(certificate);
  if (issuer === undefined) {
    const says = `${algorithm}; no certificate of ${renderName(certificate.issuer)} verifies it`;
    return failed('signature', SIGNATURE_RULE, says);
  }
  const { tbs, signatureAlgorithm, signature } = certificate;
  const verdict = verifySignature(tbs, signatureAlgorithm, signature, issuer.spki);
  const by = `${algorithm} by ${renderName(issuer.subject)}`;
  return verdict === 'good'
    ? passed('signature', SIGNATURE_RULE, by)
    : failed('signature', SIGNATURE_RULE, `${by}: ${verdict}`);
}

function ruleCheck({ check, rule, fault }: CertificateRule, place: Place): CheckOutcome {
  const failure = fault(place);
  return failure === undefined ? passed(check, rule, wordsOf(check, place)) : failed(check, rule, failure.detail);
}

/** What the certificate says, where the rule holds. */
function wordsOf(check: CertificateRule['check'], { certificates, index, certificate, settings }: Place): string {
  const { basicConstraints, keyUsage, extendedKeyUsage, notBeforeMs, notAfterMs } = certificate;
  switch (check) {
    case 'validity':
      return `${isoTime(notBeforeMs)} to ${isoTime(notAfterMs)}`;
    case 'key strength':
      return keyWords(certificate.spki);
    case 'critical extensions':
      return 'none that is not understood';
    case 'basic constraints':
      return basicConstraints === undefined ? 'of a time without them' : basicWords(basicConstraints);
    case 'path length': {
      const limit = basicConstraints?.pathLength;
      const below = intermediatesBelow(certificates, index);
      return limit === undefined ? 'no limit' : `at most ${limit} authorities below, here ${below}`;
    }
    case 'key usage':
      return keyUsage === undefined ? 'does not say' : namesOfBits(keyUsage).join(', ');
    case 'extended key usage': {
      const { purpose } = settings;
      const has = extendedKeyUsage === undefined ? 'does not say' : extendedKeyUsage.map(purposeWords).join(', ');
      if (purpose === 'any') return has;
      return `${has} (accepted: ${purpose.any ? 'any' : `${namesOf(purpose)}${purpose.absent ? ' or none' : ''}`})`;
    }
  }
}

function authorityKey({ spki }: Certificate): CheckOutcome {
  return 'why' in publicKeyFacts(spki)
    ? failed('key strength', 'RFC 5280 §4.1.2.7', keyWords(spki))
    : passed('key strength', 'RFC 5280 §4.1.2.7', keyWords(spki));
}

/** In an authority the extension limits what the certificates below it may be for. */
function authorityPurpose({ certificates, certificate, settings: { purpose } }: Place): CheckOutcome {
  const check = 'extended key usage';
  const rule = 'RFC 5280 §4.2.1.12';
  const { extendedKeyUsage } = certificate;
  if (extendedKeyUsage === undefined) return passed(check, rule, 'no limit for certificates below');
  const words = extendedKeyUsage.map(purposeWords).join(', ');
  return purpose !== 'any' && limitingAuthority(certificates, purpose) === certificate
    ? failed(check, rule, `${words}: does not allow ${namesOf(purpose)}`)
    : passed(check, rule, words);
}

const NAMES_RULE = 'RFC 5280 §6.1.3 (b), (c)';

function nameCheck(verdict: NameVerdict | undefined): CheckOutcome {
  if (verdict?.failure !== undefined) return failed('name constraints', NAMES_RULE, verdict.failure.detail);
  return verdict === undefined || verdict.constraints === 0
    ? notChecked('name constraints', NAMES_RULE, 'no authority above constrains its names')
    : passed('name constraints', NAMES_RULE, 'its names are within those that the authorities above allow');
}

function policyCheck(chain: readonly Certificate[], anchored: boolean, settings: ValidationSettings): CheckOutcome {
  const rule = 'RFC 5280 §6.1.5';
  if (!anchored) return notChecked('policies', rule, 'the chain leads to no anchor');
  const wanted = settings.policies.initialPolicySet;
  const asked = wanted === undefined ? 'any policy is accepted' : `accepted: ${wanted.join(', ')}`;
  const policies = checkPolicies(chain, settings);
  if ('fault' in policies) return failed('policies', rule, `${policies.detail}; ${asked}`);
  return passed('policies', rule, `valid for ${policies.map(policyWords).join(', ') || 'none'}; ${asked}`);
}

const policyWords = (oid: string): string => (oid === ANY_POLICY ? 'any' : oid);
