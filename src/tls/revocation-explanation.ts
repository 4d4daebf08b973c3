/**
 * What is known about the revocation of each certificate on a path, for people: every list of its issuer with its
 * number and times and what it says, the responder's answer, and the verdict with the setting that decided. The verdict
 * is that of `revocation.ts`, which is watched while it decides. RFC 5280 §6.3, RFC 6960. Pure.
 */
import { isoTime } from '../core/time-text.ts';
import type { Certificate } from './certificate.ts';
import { CLOCK_TOLERANCE_MS } from './crl-issuer.ts';
import { counts, decidingLists, entriesOf, REMOVE_FROM_CRL, standingIn } from './crl-standing.ts';
import { renderName } from './distinguished-name.ts';
import type { OcspSay, OcspStanding } from './ocsp-policy.ts';
import {
  type CertificateRevocation,
  checkCertificate,
  type CrlList,
  groupsOf,
  type ListsAsked,
  type RevocationInput,
  standingInput,
} from './revocation.ts';
import { reasonName } from './revocation-reason.ts';

export type ExplainedList = {
  readonly source: string;
  readonly issuer: string;
  /** Decimal; a CRL number may be longer than a double holds. */
  readonly number?: string;
  /** Of a delta: the number of the complete list that it starts from. */
  readonly base?: string;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs?: number;
  readonly entries: number;
  /** `expired`: it does not list the certificate, and its time is over. `not-used`: another one counts, or it may not. */
  readonly verdict: 'good' | 'revoked' | 'expired' | 'not-used';
  readonly says: string;
};

export type ExplainedAnswer = {
  /** `none`: there is no answer, and `says` why. */
  readonly status: 'good' | 'revoked' | 'unknown' | 'none';
  readonly responder?: string;
  readonly signer?: string;
  readonly producedAtMs?: number;
  readonly thisUpdateMs?: number;
  readonly nextUpdateMs?: number;
  readonly nonce?: 'matched' | 'absent' | 'notSent';
  /** What the profile makes of it. */
  readonly verdict: OcspSay['say'];
  readonly says: string;
};

export type ExplainedRevocation = {
  readonly lists: readonly ExplainedList[];
  /** Where the profile uses OCSP. */
  readonly answer?: ExplainedAnswer;
  readonly verdict: CertificateRevocation['status'];
  readonly says: string;
  readonly rule?: string;
};

/** One for each certificate below the anchor, leaf first. */
export function explainRevocation(input: RevocationInput): ExplainedRevocation[] {
  return input.path.slice(0, -1).map((certificate, index) => {
    let asked: ListsAsked = { known: [], usable: [], covering: [] };
    let said: OcspSay | undefined;
    const observer = {
      lists: (lists: ListsAsked): void => {
        asked = lists;
      },
      answer: (says: OcspSay): void => {
        said = says;
      },
    };
    const verdict = checkCertificate({ ...input, observer }, index);
    const issuer = input.path[index + 1] as Certificate;
    const standing = input.ocsp?.standing({ certificate, issuer });
    return {
      lists: asked.known.map((list) => explainList(list, certificate, { ...input, asked })),
      ...(said === undefined ? {} : { answer: explainAnswer(standing, said) }),
      ...wordsOf(verdict, certificate),
    };
  });
}

type Verdict = Pick<ExplainedRevocation, 'verdict' | 'says' | 'rule'>;

function wordsOf(verdict: CertificateRevocation, { issuer }: Certificate): Verdict {
  switch (verdict.status) {
    case 'good':
      return { verdict: 'good', says: 'no objection' };
    case 'not-checked':
      return { verdict: 'not-checked', says: 'revocation is not checked', rule: verdict.rule };
    case 'revoked': {
      const says = `revoked by ${renderName(issuer)}: ${reasonWords(verdict)}`;
      return { verdict: 'revoked', says, rule: verdict.rule };
    }
    case 'refused':
    case 'unchecked':
      return { verdict: verdict.status, says: verdict.words, rule: verdict.rule };
  }
}

const reasonWords = ({ reason, atMs }: { readonly reason: string; readonly atMs: number }): string =>
  atMs === 0 ? reason : `${reason}, since ${isoTime(atMs)}`;

type Explaining = RevocationInput & { readonly asked: ListsAsked };

function explainList(list: CrlList, certificate: Certificate, explaining: Explaining): ExplainedList {
  const { source, issuer, crlNumber, baseCrlNumber, thisUpdateMs, nextUpdateMs, table } = list;
  return {
    source,
    issuer,
    ...(crlNumber === undefined ? {} : { number: String(crlNumber) }),
    ...(baseCrlNumber === undefined ? {} : { base: String(baseCrlNumber) }),
    thisUpdateMs,
    ...(nextUpdateMs === undefined ? {} : { nextUpdateMs }),
    entries: table.count,
    ...(notUsed(list, explaining) ?? listVerdict(list, certificate, explaining)),
  };
}

type Said = Pick<ExplainedList, 'verdict' | 'says'>;
const NOT_USED = { verdict: 'not-used' } as const;

/** Why it does not speak about this certificate. */
function notUsed(list: CrlList, { asked, nowMs }: Explaining): Said | undefined {
  if (list.thisUpdateMs > nowMs + CLOCK_TOLERANCE_MS) return { ...NOT_USED, says: 'it is from the future' };
  if (!asked.usable.includes(list)) return { ...NOT_USED, says: 'its signer may not speak for this issuer here' };
  if (asked.covering.some((each) => each.list === list)) return undefined;
  const { only, reasons } = list.scope;
  const kind = only === undefined ? undefined : `${only} certificates only`;
  const scope = kind ?? (reasons === undefined ? 'another distribution point' : 'some reasons only');
  return { ...NOT_USED, says: `its scope does not cover this certificate: ${scope}` };
}

function listVerdict(list: CrlList, certificate: Certificate, { asked, ...input }: Explaining): Said {
  const group = groupsOf(asked.covering).find((each) => each.some((covering) => covering.list === list)) ?? [];
  const standing = standingInput(certificate, group, input);
  const { complete, delta, fits } = decidingLists(standing);
  if (list !== complete && list !== delta)
    return { ...NOT_USED, says: 'a fresher list of the same issuer and scope counts' };
  const isCurrent = (each: CrlList): boolean => counts(each, standing.rulesOf(each.source), input.nowMs);
  const renewed = delta !== undefined && fits && isCurrent(delta as CrlList);
  const [entry] = entriesOf(list, certificate);
  if (entry !== undefined) {
    const words = reasonWords({ reason: reasonName(entry.reason), atMs: entry.atMs });
    if (list === delta && entry.reason === REMOVE_FROM_CRL)
      return renewed
        ? { verdict: 'good', says: `releases it: ${words}` }
        : { ...NOT_USED, says: 'would release it, but does not fit the complete list or is late' };
    return standingIn(standing).status === 'good'
      ? { verdict: 'good', says: `lists it: ${words}, and its delta releases it` }
      : { verdict: 'revoked', says: `lists it: ${words}` };
  }
  if (isCurrent(list)) return { verdict: 'good', says: 'does not list it' };
  if (renewed) return { verdict: 'good', says: 'does not list it, and its delta is current' };
  const times = list.nextUpdateMs === undefined ? 'it names no nextUpdate' : 'nextUpdate and grace are over';
  const { whenExpired = 'refuse' } = standing.rulesOf(list.source) ?? {};
  return { verdict: 'expired', says: `does not list it, and ${times} (whenExpired: ${whenExpired})` };
}

const SAYS: Readonly<Record<OcspSay['say'], string>> = {
  good: 'no objection',
  lists: 'the revocation lists decide',
  revoked: 'revoked',
  refused: 'refused',
  unchecked: 'asked again later',
};

function explainAnswer(standing: OcspStanding | undefined, said: OcspSay): ExplainedAnswer {
  const decided = 'rule' in said ? `${SAYS[said.say]} (${said.rule})` : SAYS[said.say];
  if (standing?.kind !== 'answer') {
    const why = standing?.why ?? 'no responder has been asked';
    return { status: 'none', verdict: said.say, says: `${why}: ${decided}` };
  }
  const { status, signer, producedAtMs, thisUpdateMs, nextUpdateMs, nonce, revoked } = standing.answer;
  const reason = revoked === undefined ? '' : `${reasonWords(revoked)}: `;
  return {
    status,
    responder: standing.responder,
    signer: signer.name,
    producedAtMs,
    thisUpdateMs,
    ...(nextUpdateMs === undefined ? {} : { nextUpdateMs }),
    nonce,
    verdict: said.say,
    says: `${reason}${decided}`,
  };
}
