/**
 * The lists of a set by issuer: those that are verified, and those of issuers whom only clients know, which are verified
 * here with the key of an issuer on a valid path. RFC 5280 §6.3.3 (f), (g). Pure.
 */
import type { Certificate } from './certificate.ts';
import { claimForeign, spkiId } from './crl-issuer.ts';
import type { CrlList, CrlSet, SourcedForeignCrl } from './revocation.ts';

const indexes = new WeakMap<CrlSet, ReadonlyMap<string, readonly CrlList[]>>();

export function listsOf(set: CrlSet, issuerKeys: ReadonlySet<string>): readonly CrlList[] {
  let index = indexes.get(set);
  if (index === undefined) {
    index = Map.groupBy(set.lists, ({ issuerKey }) => issuerKey);
    indexes.set(set, index);
  }
  return [...issuerKeys].flatMap((key) => index.get(key) ?? []);
}

const claims = new WeakMap<SourcedForeignCrl, Map<string, CrlList | undefined>>();
const MAX_CLAIMS = 16;

/** Lists of an issuer that clients send along (`path` is valid, so its key is one to verify with). Verified once each. */
export function claimedLists({ foreign = [] }: CrlSet, issuer: Certificate): CrlList[] {
  return foreign.flatMap((list) => {
    if (list.issuerKey !== issuer.subject.key) return [];
    const known = claims.get(list) ?? new Map<string, CrlList | undefined>();
    const id = spkiId(issuer);
    if (!known.has(id)) {
      if (known.size >= MAX_CLAIMS) known.clear();
      const crl = claimForeign(list, issuer);
      known.set(id, crl && { ...crl, source: list.source });
      claims.set(list, known);
    }
    return known.get(id) ?? [];
  });
}
