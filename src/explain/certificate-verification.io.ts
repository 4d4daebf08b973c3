/**
 * `cert verify` with its effects: a client certificate judged for one certificate profile by the code that judges live
 * sessions, and explained: every chain with every check, the lists and responders that speak for each certificate, the
 * directory's query and its answer, the verdict with the rule that decided.
 * Effects: directories, responders, and lists where the profile fetches them.
 */
import type { Revision } from '../config/schema.ts';
import { CertificateCheck, type CertificateStages } from '../identity/identify.io.ts';
import type { CertificateStanding } from '../identity/identity-verdict.ts';
import { type ShownStage, shownStage } from '../ldap/query.ts';
import type { CertificateNames } from '../log/mail-event.ts';
import { openProfileStages } from '../pipeline/certificate-stages.io.ts';
import type { Certificate } from '../tls/certificate.ts';
import type { TriedChain } from '../tls/certificate-path.ts';
import { compileOffline, offlineDesk, offlineDoorParts, type OfflineParts } from './offline-doors.io.ts';
import { type ExplainedChain, explainChain } from '../tls/path-explanation.ts';
import { type ExplainedRevocation, explainRevocation } from '../tls/revocation-explanation.ts';

export type VerifiedChain = ExplainedChain & {
  /** One for each certificate below the anchor; none where the chain is not valid, for then nobody asks. */
  readonly revocation: readonly ExplainedRevocation[];
};

export type Verification = {
  readonly profile: string;
  readonly revision: number;
  readonly atMs: number;
  readonly certificate?: CertificateNames;
  /** Issuers that were fetched because the certificates name them. */
  readonly fetchedIssuers: number;
  /** Valid ones first. */
  readonly chains: readonly VerifiedChain[];
  readonly moreChains: number;
  /** `session`: as a session asks; `information`: a session would not, because the certificate is not good. */
  readonly asked: 'session' | 'information' | 'nobody';
  readonly ldap: readonly ShownStage[];
  readonly verdict: {
    /** `deferred`: not known now, a session is told to try again. */
    readonly outcome: 'accepted' | 'refused' | 'deferred';
    readonly user?: string;
    readonly says: string;
    readonly rule: string;
  };
};

export type VerificationQuestion = {
  readonly profile: string;
  /** DER: the client's own, then what it sends along. */
  readonly certificates: readonly [Uint8Array, ...Uint8Array[]];
};

const MAX_CHAINS = 8;

/** Undefined: there is no certificate profile of that name. */
export async function verifyCertificate(
  revision: Revision,
  { profile, certificates }: VerificationQuestion,
  parts: OfflineParts,
): Promise<Verification | undefined> {
  const ldap: ShownStage[] = [];
  const { desk, stop } = offlineDesk(revision, parts);
  const doorParts = offlineDoorParts({ ...parts, desk }, (stage) => ldap.push(shownStage(stage)));
  const opened = openProfileStages(profile, compileOffline(revision), doorParts);
  try {
    if (opened === undefined) return undefined;
    const { stages } = opened;
    const [leaf, ...presented] = certificates;
    const check = new CertificateCheck(leaf, () => presented, [stages]);
    const standing = await check.standing(true);
    const parsed = stages.parse(leaf);
    const sent = [...check.fetched, ...presented];
    const { chains, more } = parsed === undefined ? NO_CHAINS : chainsOf(parsed, () => sent, stages);
    const asked = parsed === undefined ? 'nobody' : standing.kind === 'valid' ? 'session' : 'information';
    if (parsed !== undefined && asked === 'information') await stages.owner(parsed, parts.clock.now());
    return {
      profile,
      revision: revision.number,
      atMs: parts.clock.now(),
      ...(check.names && { certificate: check.names }),
      fetchedIssuers: check.fetched.length,
      chains,
      moreChains: more,
      asked,
      ldap,
      verdict: verdictOf(standing, revision, profile),
    };
  } finally {
    opened?.close();
    stop();
  }
}

type Chains = { readonly chains: readonly VerifiedChain[]; readonly more: number };
const NO_CHAINS: Chains = { chains: [], more: 0 };

function chainsOf(leaf: Certificate, sent: () => readonly Uint8Array[], stages: CertificateStages): Chains {
  const nowMs = stages.clock.now();
  const tried: TriedChain[] = [];
  for (const _path of stages.findPaths(leaf, sent, nowMs, (chain) => tried.push(chain)));
  const inOrder = tried.toSorted((a, b) => rankOf(a) - rankOf(b));
  const chains = inOrder.slice(0, MAX_CHAINS).map((each) => {
    const valid = each.failure === undefined;
    const revocation = valid ? explainRevocation(stages.revocationInput(each.chain, nowMs)) : [];
    return { ...explainChain(each, stages.pathSettings(nowMs)), revocation };
  });
  return { chains, more: tried.length - chains.length };
}

const rankOf = ({ failure, anchored }: TriedChain): number => (failure === undefined ? 0 : anchored ? 1 : 2);

function verdictOf(standing: CertificateStanding, { config }: Revision, profile: string): Verification['verdict'] {
  const rule = `smtpAuthProfiles.${profile}`;
  if (standing.kind === 'none') return { outcome: 'refused', says: 'no certificate', rule };
  if (standing.kind === 'unchecked') return { outcome: 'deferred', says: standing.reason, rule: standing.rule };
  if (standing.kind === 'invalid') return { outcome: 'refused', says: standing.reason, rule: standing.rule };
  const { owner } = standing;
  if (owner.answer === 'yes') {
    const { user, by } = owner.value;
    return { outcome: 'accepted', user, says: `it belongs to ${user}`, rule: by };
  }
  const found = config.smtpAuthProfiles[profile];
  const query = found?.type === 'certificate' && found.query !== undefined ? `ldap.queries.${found.query}` : rule;
  return { outcome: owner.answer === 'no' ? 'refused' : 'deferred', says: owner.why, rule: query };
}
