/**
 * Is a certificate on this path revoked? Every certificate below the anchor needs a list that speaks for its issuer and
 * counts now. A revocation that any list tells wins over whatever is missing or late elsewhere: the usual mistake is
 * that a missing list hides a revocation. Unknown is never yes.
 * RFC 5280 §6.3; AsyncOS: CRL check for inbound SMTP TLS. Pure: the same code answers sessions and dry runs.
 */
import type { CrlConfig } from '../config/schema.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import {
  CLOCK_TOLERANCE_MS,
  type ForeignCrl,
  maySignLists,
  type SignerPath,
  spkiId,
  type VerifiedCrl,
} from './crl-issuer.ts';
import { claimedLists, listsOf } from './crl-lookup.ts';
import { lacksList, type PointRules, type PointStates } from './crl-points.ts';
import { ALL_REASONS, pointsOf, reasonsCovered } from './crl-scope.ts';
import { type Standing, standingIn, type StandingInput } from './crl-standing.ts';
import { renderName } from './distinguished-name.ts';
import type { OcspAnswer } from './ocsp.ts';
import {
  type OcspFacts,
  type OcspRules,
  type OcspSay,
  type OcspStanding,
  ocspSays,
  unavailable,
} from './ocsp-policy.ts';
import type { OcspQuestion } from './ocsp-request.ts';
import { reasonName } from './revocation-reason.ts';

export type CrlList = VerifiedCrl & { readonly source: string };
export type SourcedForeignCrl = ForeignCrl & { readonly source: string };
export type SourceState = {
  readonly name: string /** Has had a good copy, now or in an earlier run. */;
  readonly everGood: boolean;
};

/** What all threads decide on: immutable, swapped in whole, tables shared and not copied. */
export type CrlSet = {
  readonly generation: number;
  readonly lists: readonly CrlList[];
  /** Not verified yet: they count once the key of an issuer on a valid path verifies them. */
  readonly foreign?: readonly SourcedForeignCrl[];
  readonly sources: readonly SourceState[];
  /** Distribution points of certificates that were asked for, by `pointKey`. Their lists have an address as source. */
  readonly points?: PointStates;
};

export const EMPTY_CRL_SET: CrlSet = { generation: 0, lists: [], sources: [] };

/** `words` for the reply, `rule` names what decided. `index`: which certificate of the path. */
export type RevocationVerdict =
  | { readonly status: 'good'; readonly unknown: Unknown }
  | {
      readonly status: 'revoked';
      readonly index: number;
      /** As RFC 5280 §5.3.1 names it. */
      readonly reason: string;
      /** 0 where the list does not say. */
      readonly atMs: number;
      readonly words: string;
      readonly rule: string;
    }
  /** `unchecked`: not known now, and worth asking again. */
  | {
      readonly status: 'refused' | 'unchecked';
      readonly words: string;
      readonly rule: string;
      readonly unknown: Unknown;
    };

/**
 * The certificates, of the path or of a list's signer, that no list which counts speaks about: what could be asked for
 * (`crl-points.ts`) before the verdict is final. Also where the settings let them pass.
 */
export type Unknown = readonly Certificate[];

export type RevocationInput = {
  /** Leaf first, anchor last. */
  readonly path: readonly Certificate[];
  readonly crls: CrlSet;
  readonly settings: CrlConfig;
  readonly nowMs: number;
  /** The profile's rules for the lists that certificates name themselves; without them none is used to let pass. */
  readonly points?: PointRules;
  /** Where the profile uses OCSP; whether the lists count beside it the switch says. */
  readonly ocsp?: OcspView;
  /** For explanations: hears what is decided on. */
  readonly observer?: RevocationObserver;
  /** Which of the three switches of the `crl` section counts. Default: inbound. */
  readonly use?: 'inbound' | 'outbound' | 'webInterface';
};

/** Every list of the certificate's issuer; those whose signer may speak for it now; those whose scope covers it. */
export type ListsAsked = {
  readonly known: readonly CrlList[];
  readonly usable: readonly CrlList[];
  readonly covering: readonly Covering[];
};
export type RevocationObserver = {
  readonly lists: (asked: ListsAsked) => void;
  readonly answer: (says: OcspSay) => void;
};

/** What is known from responders, and what the profile makes of it. */
export type OcspView = {
  readonly rules: OcspRules;
  /** Undefined: has not been asked. */
  readonly standing: (question: OcspQuestion) => OcspStanding | undefined;
};

const SWITCH = { inbound: 'checkInbound', outbound: 'checkOutbound', webInterface: 'checkWebInterface' } as const;
/** The signer of an indirect list may need a list that needs a signer. */
const MAX_DEPTH = 4;

/**
 * Every certificate below the anchor. What nobody knows is never good: it is `refused`, or `unchecked` while it can
 * be asked for.
 */
export function checkRevocation(input: RevocationInput): RevocationVerdict {
  const { path } = input;
  const context = contextOf(input);
  if (context === undefined) return { status: 'good', unknown: [] };
  const verdict = judgePath(path, context);
  if (verdict.status !== 'revoked') return { ...verdict, unknown: [...context.unknown] };
  const { index, reason, atMs, rule } = verdict;
  const authority = index === 0 ? '' : ` (its authority ${renderName((path[index] as Certificate).subject)} is)`;
  return { status: 'revoked', index, reason, atMs, rule, words: `client certificate revoked${authority}` };
}

/** What is said about one certificate of the path alone; a session hears what `checkRevocation` says about all. */
export function checkCertificate(input: RevocationInput, index: number): CertificateRevocation {
  const context = contextOf(input);
  if (context === undefined) return { status: 'not-checked', rule: `crl.${SWITCH[input.use ?? 'inbound']}` };
  return judgeAt(input.path, index, context);
}

/** Undefined: revocation is not checked. */
function contextOf(input: RevocationInput): Context | undefined {
  const { settings, ocsp, use = 'inbound' } = input;
  const useLists = settings[SWITCH[use]];
  if (!useLists && ocsp === undefined) return undefined;
  return { ...input, useLists, authorizing: new Set(), authorized: new Map(), unknown: new Set() };
}

type Context = Omit<RevocationInput, 'path' | 'ocsp' | 'observer'> & {
  readonly observer?: RevocationObserver | undefined;
  readonly ocsp?: OcspView | undefined;
  readonly useLists: boolean;
  /** Signers that are being checked right now: RFC 5280 lets a signer's own lists speak for its certificate. */
  readonly authorizing: ReadonlySet<string>;
  /** Signers that were checked, by who was being checked then: a thousand lists of one signer ask once. */
  readonly authorized: Map<string, boolean>;
  /** Filled while judging. */
  readonly unknown: Set<Certificate>;
};

type Revoked = { readonly status: 'revoked'; readonly reason: string; readonly atMs: number; readonly rule: string };
type Refused = { readonly status: 'refused'; readonly words: string; readonly rule: string };
type Unchecked = Omit<Refused, 'status'> & { readonly status: 'unchecked' };
type Verdict = { readonly status: 'good' } | Revoked | Refused | Unchecked;
export type CertificateRevocation = Verdict | { readonly status: 'not-checked'; readonly rule: string };
type PathVerdict = Exclude<Verdict, Revoked> | (Revoked & { readonly index: number });

function judgePath(path: readonly Certificate[], context: Context): PathVerdict {
  let refused: Refused | undefined;
  let unchecked: Unchecked | undefined;
  for (let index = 0; index + 1 < path.length; index++) {
    const verdict = judgeAt(path, index, context);
    if (verdict.status === 'revoked') return { ...verdict, index };
    if (verdict.status === 'refused') refused ??= verdict;
    if (verdict.status === 'unchecked') unchecked ??= verdict;
  }
  return refused ?? unchecked ?? { status: 'good' };
}

/** By lists and, where the profile uses it, by OCSP. Contract: one of them is enough; a revocation that either tells counts. */
function judgeAt(path: readonly Certificate[], index: number, context: Context): Verdict {
  const rest = path.slice(index);
  const { ocsp, useLists } = context;
  if (ocsp === undefined) return judge(rest, context);
  // What the lists lack is of interest only where they decide.
  const unknown = new Set<Certificate>();
  const lists = useLists ? judge(rest, { ...context, unknown }) : NO_LISTS;
  if (lists.status === 'revoked') return lists;
  const says = askedResponder(rest, index, { ...context, ocsp });
  context.observer?.answer(says);
  if (says.say === 'good') return { status: 'good' };
  if (says.say === 'revoked') return { ...says, status: 'revoked' };
  if (says.say !== 'lists') return { status: says.say, words: says.words, rule: says.rule };
  for (const certificate of unknown) context.unknown.add(certificate);
  return lists;
}

function askedResponder(
  path: readonly Certificate[],
  index: number,
  context: Context & { readonly ocsp: OcspView },
): OcspSay {
  const [certificate, issuer] = path as [Certificate, Certificate];
  const { rules, standing: standingOf } = context.ocsp;
  const standing = standingOf({ certificate, issuer });
  const facts: OcspFacts = { certificate, index, standing, rules, nowMs: context.nowMs };
  const delegate = standing?.kind === 'answer' ? uncheckedDelegate(standing.answer) : undefined;
  if (delegate === undefined) return ocspSays(facts);
  // RFC 6960 §4.2.2.2.1: without nocheck the signer's own revocation is checked; by lists, as OCSP would ask it itself.
  const lists = context.useLists ? judge([delegate, ...path.slice(1)], { ...context, ...NESTED }) : NO_LISTS;
  if (lists.status === 'good') return ocspSays(facts);
  const why = lists.status === 'revoked' ? 'is revoked' : 'has no id-pkix-ocsp-nocheck and no list speaks about it';
  return unavailable(facts, `the signer ${renderName(delegate.subject)} ${why}`);
}

/** The signer of a list or an answer: by lists alone. */
const NESTED = { ocsp: undefined, observer: undefined };

const delegates = new WeakMap<OcspAnswer, Certificate>();

function uncheckedDelegate(answer: OcspAnswer): Certificate | undefined {
  if (answer.unchecked === undefined) return undefined;
  const delegate = delegates.get(answer) ?? parseCertificate(answer.unchecked);
  delegates.set(answer, delegate);
  return delegate;
}

/** The first certificate of `path`, which leads to the anchor, by lists. */
function judge(path: readonly Certificate[], context: Context): { readonly status: 'good' } | Revoked | Refused {
  const certificate = path[0] as Certificate;
  const points = pointsOf(certificate);
  const issuers = new Set([certificate.issuer.key, ...points.flatMap(({ crlIssuers }) => crlIssuers ?? [])]);
  const known = [...listsOf(context.crls, issuers), ...claimedLists(context.crls, path[1] as Certificate)];
  const usable = known.filter(
    (list) => list.thisUpdateMs <= context.nowMs + CLOCK_TOLERANCE_MS && maySpeak(list, path, context),
  );
  // A list of another issuer is one of this certificate's issuer only where it is indirect (RFC 5280 §6.3.3 (b) (1)).
  const own = usable.filter(({ issuerKey, scope }) => issuerKey === certificate.issuer.key || scope.indirect);
  const covering = own.flatMap((list) => {
    const reasons = points.reduce((mask, point) => mask | reasonsCovered(list, certificate, point), 0);
    return reasons === 0 ? [] : [{ list, reasons }];
  });
  context.observer?.lists({ known, usable: own, covering });
  if (own.length === 0) {
    context.unknown.add(certificate);
    return withoutList(certificate, context);
  }
  return combine(certificate, covering, context);
}

export type Covering = { readonly list: CrlList; readonly reasons: number };

/** RFC 5280 §6.3.3 (d), (e), (l): lists for some reasons add up until all reasons are covered. */
function combine(certificate: Certificate, covering: readonly Covering[], context: Context): ReturnType<typeof judge> {
  const issuer = renderName(certificate.issuer);
  let covered = 0;
  let late: Standing | undefined;
  for (const group of groupsOf(covering)) {
    const standing = standingIn(standingInput(certificate, group, context));
    if (standing.status === 'revoked') {
      return {
        status: 'revoked',
        reason: reasonName(standing.reason),
        atMs: standing.atMs,
        rule: ruleOf(standing.source, context),
      };
    }
    if (standing.status === 'expired') late ??= standing;
    if (standing.status === 'good') covered |= group[0]?.reasons ?? 0;
  }
  if (covered === ALL_REASONS) return { status: 'good' };
  context.unknown.add(certificate);
  if (late?.status === 'expired') {
    const rule = `${ruleOf(late.source, context)}.whenExpired`;
    return refuse(`the revocation list of ${issuer} has expired`, rule);
  }
  return refuse(`no revocation list of ${issuer} covers this certificate`, 'crl.sources');
}

export const standingInput = (
  certificate: Certificate,
  group: readonly Covering[],
  { settings, points, nowMs }: Pick<RevocationInput, 'settings' | 'points' | 'nowMs'>,
): StandingInput => ({
  certificate,
  lists: group.map(({ list }) => list),
  rulesOf: (source) => settings.sources[source] ?? points,
  nowMs,
});

/** Names of configured sources have no colon, addresses of distribution points have. */
function ruleOf(source: string, { settings, points }: Context): string {
  if (source in settings.sources) return `crl.sources.${source}`;
  return points?.rule ?? `crlDistributionPoints (${source})`;
}

const refuse = (why: string, rule: string): Refused => ({
  status: 'refused',
  words: `client certificate cannot be checked for revocation: ${why}`,
  rule,
});

const NO_LISTS = refuse('revocation lists are not used', 'crl.checkInbound');

/** Lists of one issuer, key and scope tell one story: the freshest of them counts. */
export function groupsOf(covering: readonly Covering[]): Covering[][] {
  const groups = new Map<string, Covering[]>();
  for (const each of covering) {
    const key = `${each.list.signerId}|${each.list.scopeId}|${each.list.issuerKey}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  return [...groups.values()];
}

/** Contract: no list of that issuer at all. */
function withoutList(
  certificate: Certificate,
  { settings, crls, points }: Context,
): { readonly status: 'good' } | Refused {
  const issuer = renderName(certificate.issuer);
  const had = new Set(crls.sources.filter(({ everGood }) => everGood).map(({ name }) => name));
  const strict = Object.entries(settings.sources).find(
    ([name, { enabled, whenUnavailable }]) => enabled && whenUnavailable === 'refuse' && !had.has(name),
  );
  if (strict !== undefined) {
    const why = `no revocation list of ${issuer}; source ${strict[0]} has never had a good copy`;
    return refuse(why, `crl.sources.${strict[0]}.whenUnavailable`);
  }
  if (points?.whenUnavailable === 'refuse' && lacksList(certificate, crls.points ?? NO_POINTS, points.allowHosts)) {
    const why = `no revocation list of ${issuer}; its distribution point has given none`;
    return refuse(why, `${points.rule}.whenUnavailable`);
  }
  if (settings.whenNoSource === 'accept') return { status: 'good' };
  return refuse(`no revocation list of ${issuer}`, 'crl.whenNoSource');
}

const NO_POINTS: PointStates = new Map();
/**
 * May the signer of the list speak about the first certificate of `path`? The issuer's own key may. Another key (key
 * rollover, separate CRL signers, indirect lists) may if it leads to the anchor of this path (RFC 5280 §6.3.3 (f)) and
 * is not revoked itself.
 */
function maySpeak(list: CrlList, path: readonly Certificate[], context: Context): boolean {
  const issuer = path[1] as Certificate;
  if (list.issuerKey === issuer.subject.key && list.signerId === spkiId(issuer) && maySignLists(issuer)) return true;
  const signer = signerOf(list);
  if (context.authorizing.has(signer)) return true;
  if (context.authorizing.size >= MAX_DEPTH) return false;
  const authorizing = new Set([...context.authorizing, signer]);
  const question = [...authorizing].join(' ');
  const known = context.authorized.get(question);
  if (known !== undefined) return known;
  const anchor = path[path.length - 1] as Certificate;
  const may = list.signerPaths.some((signerPath) => {
    if (context.nowMs > signerPath.validUntilMs) return false;
    const certificates = parsedPath(signerPath);
    const end = certificates[certificates.length - 1] as Certificate;
    if (end.subject.key !== anchor.subject.key || spkiId(end) !== spkiId(anchor)) return false;
    return judgePath(certificates, { ...context, ...NESTED, authorizing }).status === 'good';
  });
  context.authorized.set(question, may);
  return may;
}

/** Name and key, and the ways to an anchor that were known when the list was read. */
const signerOf = ({ signerId, issuerKey, signerPaths }: CrlList): string =>
  [signerId, issuerKey, ...signerPaths.map(({ validUntilMs }) => validUntilMs)].join('|');

const parsedPaths = new WeakMap<SignerPath, readonly Certificate[]>();

function parsedPath(path: SignerPath): readonly Certificate[] {
  let parsed = parsedPaths.get(path);
  if (parsed === undefined) {
    parsed = path.certificates.map((der) => parseCertificate(der));
    parsedPaths.set(path, parsed);
  }
  return parsed;
}
