/**
 * SMTP AUTH: may this AUTH start, and what does the directory's answer mean? The rows are those of the contract's two
 * tables. Terms: SMTP Authentication, allowance query ("Check with LDAP if user is allowed to use SMTP AUTH Command").
 * RFC 4954, RFC 4616. Pure.
 */
import { type Reply, R } from '../core/reply.ts';

export type AuthFacts = {
  readonly smtpAuth: 'off' | 'preferred' | 'required';
  readonly requireTls: boolean;
  readonly tlsActive: boolean;
  /** The listener's profile can check a password. */
  readonly passwordProfile: boolean;
  readonly identity: 'none' | 'certificate' | 'password';
  /** An AUTH command has succeeded in this session. */
  readonly authenticated: boolean;
  readonly inTransaction: boolean;
  readonly mechanism: string;
};

/** The refusal of an AUTH command, or undefined when its exchange may begin. */
export function refuseAuth(facts: AuthFacts): Reply | undefined {
  const external = facts.mechanism === 'EXTERNAL';
  if (facts.smtpAuth === 'off') return R.authOff;
  if (facts.inTransaction) return R.authInTransaction;
  // RFC 4954 §4: after a successful AUTH no other is possible in the session.
  if (facts.authenticated) return R.authDone;
  if (facts.identity === 'certificate') return external ? undefined : R.authDone;
  if (!facts.passwordProfile) return external ? R.authMechanism : R.authOff;
  if (facts.requireTls && !facts.tlsActive) return R.authNeedsTls;
  return ['PLAIN', 'LOGIN'].includes(facts.mechanism) ? undefined : R.authMechanism;
}

/** What the directory said of a login and its password. */
export type AuthAnswer =
  | { readonly kind: 'accepted'; readonly allowed: boolean }
  | { readonly kind: 'wrong'; readonly why: string }
  | { readonly kind: 'unavailable'; readonly why: string };

export type CheckAllowed = {
  readonly action: 'reject' | 'monitor';
  readonly response?: { readonly code: number; readonly text: string } | undefined;
};

type Decided<K extends string> = { readonly kind: K; readonly reply: Reply; readonly rule: string };
type DecidedNo<K extends string> = Decided<K> & { readonly reason: string };

export type AuthVerdict =
  | Decided<'success'>
  | Decided<'monitored'>
  | DecidedNo<'failed'>
  | DecidedNo<'not-allowed'>
  | DecidedNo<'unavailable'>;

const NOT_ALLOWED: Reply = { code: 525, status: '5.7.13', lines: ['this account may not use a password here'] };

/**
 * Without `checkAllowed` the allowance is not asked, and everyone with the right password is accepted. `exemption`: the
 * name of one that is in force for this login; it counts where the allowance says no.
 */
export function decideAuth(
  answer: AuthAnswer,
  profile: string,
  checkAllowed: CheckAllowed | undefined,
  exemption?: string,
): AuthVerdict {
  const rule = `smtpAuthProfiles.${profile}`;
  switch (answer.kind) {
    case 'unavailable':
      return { kind: 'unavailable', reply: R.authUnavailable, rule, reason: answer.why };
    case 'wrong':
      return { kind: 'failed', reply: R.authFailed, rule, reason: answer.why };
    case 'accepted':
      if (answer.allowed || checkAllowed === undefined) return { kind: 'success', reply: R.authenticated, rule };
      if (exemption !== undefined) return { kind: 'success', reply: R.authenticated, rule: `exemptions.${exemption}` };
      if (checkAllowed.action === 'monitor')
        return { kind: 'monitored', reply: R.authenticated, rule: `${rule}.checkAllowed` };
      return {
        kind: 'not-allowed',
        reply: checkAllowed.response ? R.custom(checkAllowed.response.code, checkAllowed.response.text) : NOT_ALLOWED,
        rule: `${rule}.checkAllowed`,
        reason: 'the allowance query does not match: not allowed to use SMTP AUTH',
      };
  }
}

/**
 * Refuses credentials that need no directory: an authorization identity other than the login (nobody may act for
 * another), an empty password (RFC 4513 §5.1.2: a bind with one "succeeds" as anonymous).
 */
export function refuseCredentials(credentials: {
  readonly authzid: string;
  readonly login: string;
  readonly password: string;
}): AuthAnswer | undefined {
  if (credentials.authzid !== '' && credentials.authzid !== credentials.login) {
    return { kind: 'wrong', why: 'authorization identity differs from the authentication identity' };
  }
  if (credentials.password === '') return { kind: 'wrong', why: 'empty password' };
  if (credentials.login === '') return { kind: 'wrong', why: 'empty login' };
  return undefined;
}
