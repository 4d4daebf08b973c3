/**
 * What a profile makes of OCSP: which responders are asked about a certificate, and what an answer, or the lack of one,
 * means. A signed answer never weakens what a revocation list says (`revocation.ts`); unknown is never yes, unless the
 * profile says in so many words that a responder which is down lets pass.
 * RFC 6960 §2.2, §3.2; RFC 5280 §4.2.2.1. Pure.
 */
import type { OcspConfig } from '../config/schema.ts';
import { isAllowedUrl } from '../core/allowed-hosts.ts';
import { isoTime } from '../core/time-text.ts';
import type { Certificate } from './certificate.ts';
import { renderName } from './distinguished-name.ts';
import type { OcspAnswer } from './ocsp.ts';
import { OcspId } from './ocsp-request.ts';

/** `rule`: the profile's path in the configuration. */
export type OcspRules = OcspConfig & { readonly rule: string };

/** What is known about one certificate. Structured-cloneable. */
export type OcspStanding =
  | { readonly kind: 'answer'; readonly responder: string; readonly answer: OcspAnswer; readonly askAgainMs: number }
  | {
      readonly kind: 'none';
      /**
       * `no-responder`: nobody to ask. `unauthorized`: those who were asked say that they do not speak for it.
       * `unavailable`: no usable answer now.
       */
      readonly cause: 'no-responder' | 'unauthorized' | 'unavailable';
      /** With the responder's address where there is one. */
      readonly why: string;
      readonly askAgainMs: number;
    };

/** What is known of one certificate of a path, for the log and `cert verify`. */
export type ResponderFact = {
  /** Of the certificate, as `openssl x509 -serial` prints it. */
  readonly serial: string;
  readonly status: OcspAnswer['status'] | 'none';
  readonly responder?: string;
  /** Name of the issuer, or of the responder that it delegated. */
  readonly signer?: string;
  readonly nextUpdateMs?: number;
  /** thisUpdate: tells one answer from the next. */
  readonly answeredMs?: number;
  /** Where there is no answer. */
  readonly why?: string;
};

export function responderFact({ serialHex }: Certificate, standing: OcspStanding | undefined): ResponderFact {
  if (standing?.kind !== 'answer')
    return { serial: serialHex, status: 'none', why: standing?.why ?? 'no responder has been asked' };
  const { responder, answer } = standing;
  const { status, signer, nextUpdateMs, thisUpdateMs } = answer;
  return {
    serial: serialHex,
    status,
    responder,
    signer: signer.name,
    ...(nextUpdateMs === undefined ? {} : { nextUpdateMs }),
    answeredMs: thisUpdateMs,
  };
}

/** `lists`: revocation lists decide alone. `unchecked`: not known now, asked again at the next MAIL FROM. */
export type OcspSay =
  | { readonly say: 'good' }
  | { readonly say: 'lists' }
  | { readonly say: 'revoked'; readonly reason: string; readonly atMs: number; readonly rule: string }
  | { readonly say: 'refused' | 'unchecked'; readonly words: string; readonly rule: string };

const MAX_RESPONDERS = 4;
const MAX_NAMED = 16;

/** The configured ones, then those that the certificate names on hosts that the profile allows. */
export function respondersOf(
  { authorityInfoAccess = [] }: Certificate,
  { responders = [], allowHosts = [] }: Pick<OcspConfig, 'responders' | 'allowHosts'>,
): string[] {
  const named = authorityInfoAccess.slice(0, MAX_NAMED).flatMap(({ method, location }) => {
    if (method !== OcspId.responder || location.kind !== 'uri') return [];
    return isWebUrl(location.text) && isAllowedUrl(location.text, allowHosts) ? [location.text] : [];
  });
  return [...new Set([...responders, ...named])].slice(0, MAX_RESPONDERS);
}

const isWebUrl = (url: string): boolean => /^https?:/i.test(url);

export const NO_RESPONDER: OcspStanding = {
  kind: 'none',
  cause: 'no-responder',
  why: 'it names no responder that the profile allows, and none is configured',
  askAgainMs: Number.MAX_SAFE_INTEGER,
};

/** What there is to say about the certificate at `index` of a path; a standing of undefined has not been asked for. */
export type OcspFacts = {
  readonly certificate: Certificate;
  readonly index: number;
  readonly standing: OcspStanding | undefined;
  readonly rules: OcspRules;
  readonly nowMs: number;
};

/** An answer whose time is over is none. */
export function ocspSays(facts: OcspFacts): OcspSay {
  const { standing, rules, nowMs } = facts;
  if (standing === undefined) return unavailable(facts, 'no responder has been asked');
  if (standing.kind === 'none') return withoutAnswer(facts, standing);
  const { answer, responder } = standing;
  if (nowMs > answer.countsUntilMs)
    return unavailable(facts, `the answer of ${responder} counted until ${isoTime(answer.countsUntilMs)}`);
  switch (answer.status) {
    case 'good':
      return { say: 'good' };
    case 'revoked': {
      const { reason = 'unspecified', atMs = 0 } = answer.revoked ?? {};
      return { say: 'revoked', reason, atMs, rule: `${rules.rule}: ${responder}` };
    }
    case 'unknown':
      if (rules.mode !== 'require') return { say: 'lists' };
      return refused(facts, `${rules.rule}.mode: ${responder} does not know the certificate`);
  }
}

/**
 * Anybody on the way can say `unauthorized`, for it is not signed (RFC 6960 §2.3): it lets nobody fall back on the lists
 * whom a responder that is down would keep waiting or refuse.
 */
function withoutAnswer(facts: OcspFacts, { cause, why }: Extract<OcspStanding, { kind: 'none' }>): OcspSay {
  const { rules } = facts;
  const isStricter = ['defer', 'refuse'].includes(unavailableChoice(rules)) && noResponderChoice(rules) === 'crl';
  if (cause === 'unavailable' || (cause === 'unauthorized' && isStricter)) return unavailable(facts, why);
  return noResponderChoice(rules) === 'crl'
    ? { say: 'lists' }
    : refused(facts, `${rules.rule}.whenNoResponder: ${why}`);
}

/** Also where an answer is there and cannot be used, which is for the caller to see (its signer is revoked). */
export function unavailable(facts: OcspFacts, why: string): OcspSay {
  const { rules } = facts;
  const rule = `${rules.rule}.whenUnavailable: ${why}`;
  switch (unavailableChoice(rules)) {
    case 'crl':
      return { say: 'lists' };
    case 'accept':
      return { say: 'good' };
    case 'refuse':
      return refused(facts, rule);
    case 'defer':
      return { ...refused(facts, rule), say: 'unchecked' };
  }
}

type Choices = Pick<OcspConfig, 'mode' | 'whenUnavailable' | 'whenNoResponder'>;

/** As documented: with `require` a responder that is down defers, with `prefer` the lists decide. */
const unavailableChoice = ({ mode, whenUnavailable }: Choices): NonNullable<Choices['whenUnavailable']> =>
  whenUnavailable ?? (mode === 'require' ? 'defer' : 'crl');
const noResponderChoice = ({ mode, whenNoResponder }: Choices): NonNullable<Choices['whenNoResponder']> =>
  whenNoResponder ?? (mode === 'require' ? 'refuse' : 'crl');

/** The reply says about whom; responder and reason are for the administrator and stand in the rule. */
function refused({ certificate, index }: OcspFacts, rule: string): OcspSay & { readonly say: 'refused' } {
  const about = index === 0 ? '' : ` about its authority ${renderName(certificate.subject)}`;
  return {
    say: 'refused',
    words: `client certificate cannot be checked for revocation: no OCSP answer${about}`,
    rule,
  };
}
