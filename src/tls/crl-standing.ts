/**
 * What the lists of one issuer, key and scope say about one certificate: the freshest complete list counts, with the
 * freshest delta that fits it. A list that has expired can still revoke, but it can no longer clear anybody.
 * RFC 5280 §5.2.4, §6.3.3 (a), (c), (i) to (l). Pure.
 */
import type { Certificate } from './certificate.ts';
import { compareFreshness } from './crl.ts';
import { findRevoked, type RevokedEntry } from './crl-index.ts';
import type { VerifiedCrl } from './crl-issuer.ts';

type SourcedCrl = VerifiedCrl & { readonly source: string };

export type Standing =
  | { readonly status: 'good' }
  | { readonly status: 'revoked'; readonly reason: number; readonly atMs: number; readonly source: string }
  | { readonly status: 'expired'; readonly source: string }
  | { readonly status: 'incomplete' };

export type StandingInput = {
  readonly certificate: Certificate;
  /** Of one issuer, key and scope; complete lists and deltas. */
  readonly lists: readonly SourcedCrl[];
  readonly rulesOf: (source: string) => ExpiryRules | undefined;
  readonly nowMs: number;
};

/** Of the list's source: a configured one, or the profile's distribution points. */
export type ExpiryRules = { readonly whenExpired: 'refuse' | 'accept'; readonly grace: number };

const CERTIFICATE_HOLD = 6;
export const REMOVE_FROM_CRL = 8;

/** The lists that decide: the freshest complete one, the freshest delta that is newer, and whether the two fit. */
export type DecidingLists = {
  readonly complete: SourcedCrl | undefined;
  readonly delta: SourcedCrl | undefined;
  readonly fits: boolean;
};

export function decidingLists({ lists, rulesOf, nowMs }: Omit<StandingInput, 'certificate'>): DecidingLists {
  const isCurrent = (list: SourcedCrl): boolean => counts(list, rulesOf(list.source), nowMs);
  const complete = freshest(
    lists.filter(({ baseCrlNumber }) => baseCrlNumber === undefined),
    isCurrent,
  );
  const delta = freshest(
    lists.filter((list) => list.baseCrlNumber !== undefined && isNewer(list, complete)),
    isCurrent,
  );
  return {
    complete,
    delta,
    fits: complete !== undefined && delta !== undefined && fitsTogether(complete, delta),
  };
}

/** What the lists of one issuer say of one certificate as of `nowMs`. */
export function standingIn({ certificate, lists, rulesOf, nowMs }: StandingInput): Standing {
  const isCurrent = (list: SourcedCrl): boolean => counts(list, rulesOf(list.source), nowMs);
  const { complete, delta, fits: fitting } = decidingLists({ lists, rulesOf, nowMs });
  const changes = delta === undefined ? [] : entriesOf(delta, certificate);
  const revokedSince = changes.find(({ reason }) => reason !== REMOVE_FROM_CRL);
  if (delta !== undefined && revokedSince !== undefined)
    return { status: 'revoked', ...revokedSince, source: delta.source };
  if (complete === undefined) return { status: 'incomplete' };
  const fits = fitting ? delta : undefined;
  const released = changes.length > 0 && fits !== undefined && isCurrent(fits);
  // Deviates: RFC 5280 §6.3.3 (k) lets removeFromCRL undo every reason; here it undoes a hold only (§5.3.1), and in a
  // complete list, where it may not stand, an entry with it is an entry.
  const revoked = entriesOf(complete, certificate).find(({ reason }) => !(released && reason === CERTIFICATE_HOLD));
  if (revoked !== undefined) return { status: 'revoked', ...revoked, source: complete.source };
  // RFC 5280 §6.3.3 (a) (1): a current delta brings an older complete list up to date.
  if (isCurrent(complete) || (fits !== undefined && isCurrent(fits))) return { status: 'good' };
  return { status: 'expired', source: complete.source };
}

/** The freshest; among copies of the same age (several sources) one that counts by the settings of its source. */
function freshest(lists: readonly SourcedCrl[], isCurrent: (list: SourcedCrl) => boolean): SourcedCrl | undefined {
  let best: SourcedCrl | undefined;
  for (const list of lists) {
    const difference = best === undefined ? 1 : compareFreshness(list, best);
    if (difference > 0 || (difference === 0 && best !== undefined && !isCurrent(best) && isCurrent(list))) best = list;
  }
  return best;
}

/** Contract: `grace` after nextUpdate, then `whenExpired`, both of the list's source. */
export function counts({ nextUpdateMs }: SourcedCrl, rules: ExpiryRules | undefined, nowMs: number): boolean {
  if (rules?.whenExpired === 'accept') return true;
  return nextUpdateMs !== undefined && nowMs <= nextUpdateMs + (rules?.grace ?? 0);
}

/** A delta that is not newer than the complete list has nothing to add to it. */
function isNewer(delta: SourcedCrl, complete: SourcedCrl | undefined): boolean {
  if (complete === undefined) return true;
  if (delta.crlNumber === undefined || complete.crlNumber === undefined)
    return delta.thisUpdateMs > complete.thisUpdateMs;
  return delta.crlNumber > complete.crlNumber;
}

/** RFC 5280 §5.2.4, §6.3.3 (c): base not newer than the complete list; issuer, scope and key are the same already. */
function fitsTogether(complete: SourcedCrl, delta: SourcedCrl): boolean {
  if (complete.crlNumber === undefined || delta.baseCrlNumber === undefined || delta.crlNumber === undefined)
    return false;
  return complete.crlNumber >= delta.baseCrlNumber && complete.authorityKeyId === delta.authorityKeyId;
}

/** Entries of the certificate; those of an indirect list belong to an issuer each (RFC 5280 §5.3.3). */
export function entriesOf(list: SourcedCrl, { serial, issuer }: Certificate): RevokedEntry[] {
  return findRevoked(list.table, serial).filter(
    (entry) => (entry.issuer === 0 ? list.issuerKey : list.certificateIssuers[entry.issuer - 1]) === issuer.key,
  );
}
