/**
 * The truth table of the contract: what the client's certificate means for the session, given the mail flow policy
 * (verify client certificate, TLS) and the SMTP authentication profile. Terms: Verify Client Certificate,
 * certificate SMTP authentication profile. Unknown is never yes: a directory that cannot be asked, and revocation that is
 * not known yet, defer.
 * Pure.
 */
import { type Reply, R } from '../core/reply.ts';
import type { Answer } from '../core/verdict.ts';
import type { CertificateNames } from '../log/mail-event.ts';

/** What is known about the certificate once path, validity, revocation and directory have been asked. */
export type CertificateStanding =
  | { readonly kind: 'none' }
  /** untrusted, expired, revoked, wrong purpose, …: `reason` says it in words. */
  | { readonly kind: 'invalid'; readonly reason: string; readonly rule: string; readonly names?: CertificateNames }
  /**
   * Not known yet: whether a valid path is revoked (the answer is on its way), or whether there is a path (an issuer
   * cannot be fetched now).
   */
  | {
      readonly kind: 'unchecked';
      readonly lacks: 'revocation' | 'issuer';
      readonly reason: string;
      readonly rule: string;
      readonly names?: CertificateNames;
    }
  /** `owner` is the user id that the profile's static map or certificate query found, and by which rule. */
  | {
      readonly kind: 'valid';
      readonly names: CertificateNames;
      readonly owner: Answer<{ readonly user: string; readonly by: string }>;
    };

export type IdentityVerdict =
  /** `by` found the user. */
  | { readonly kind: 'identity'; readonly user: string; readonly by: string; readonly rule: string }
  | { readonly kind: 'anonymous'; readonly reason: string; readonly rule: string }
  | { readonly kind: 'refused'; readonly reason: string; readonly rule: string; readonly reply: Reply }
  | { readonly kind: 'deferred'; readonly reason: string; readonly rule: string; readonly reply: Reply };

export type IdentityFacts = {
  readonly tls: 'off' | 'preferred' | 'required';
  readonly verify: boolean;
  readonly smtpAuth: 'off' | 'preferred' | 'required';
};

/** A row of the contract's table "Who is let in"; the rule names it. */
export function decideIdentity(facts: IdentityFacts, standing: CertificateStanding): IdentityVerdict {
  const { verify } = facts;
  const rule = `certificate ${standing.kind}, verify ${verify ? `on, tls ${facts.tls}` : 'off'}`;
  switch (standing.kind) {
    case 'none':
      return verify && facts.tls === 'required'
        ? refused('client certificate required', rule)
        : { kind: 'anonymous', reason: 'no client certificate given', rule };
    case 'invalid':
      return verify
        ? refused(standing.reason, `${rule}: ${standing.rule}`)
        : { kind: 'anonymous', reason: standing.reason, rule: `${rule}: ${standing.rule}` };
    case 'unchecked':
      return deferred(standing.reason, `${rule}: ${standing.rule}`, UNCHECKED[standing.lacks]);
    case 'valid':
      return decideOwner(facts, standing.owner, rule);
  }
}

const UNCHECKED = { revocation: R.certificateUnchecked, issuer: R.certificateIncomplete } as const;

type Valid = CertificateStanding & { readonly kind: 'valid' };

function decideOwner(facts: IdentityFacts, owner: Valid['owner'], rule: string): IdentityVerdict {
  if (owner.answer === 'unknown') return deferred(owner.why, `${rule}, directory unavailable`, R.authUnavailable);
  if (owner.answer === 'no') {
    const reason = `client certificate belongs to no user: ${owner.why}`;
    return facts.verify
      ? refused(reason, `${rule}, no owner`)
      : { kind: 'anonymous', reason, rule: `${rule}, no owner` };
  }
  if (facts.smtpAuth === 'off') return { kind: 'anonymous', reason: 'smtpAuth is off', rule: `${rule}, smtpAuth off` };
  const { user, by } = owner.value;
  return { kind: 'identity', user, by, rule: `${rule}, ${by}` };
}

const refused = (reason: string, rule: string): IdentityVerdict => ({
  kind: 'refused',
  reason,
  rule,
  reply: R.certificateRefused(reason),
});

const deferred = (reason: string, rule: string, reply: Reply): IdentityVerdict => ({
  kind: 'deferred',
  reason,
  rule,
  reply,
});

/** Whether the handshake asks for a client certificate. */
export const asksForCertificate = (verify: boolean, profileType: 'certificate' | 'ldap' | undefined): boolean =>
  verify || profileType === 'certificate';

/** Whether the certificate's owner must be looked up: not where it could neither give an identity nor refuse one. */
export const needsOwner = (facts: IdentityFacts): boolean => facts.verify || facts.smtpAuth !== 'off';
