/**
 * What a source holds when a download arrives: list by list, a newer one takes the place of the one it is the successor
 * of, and an older one never does. A list that is missing in a download stays: otherwise whoever controls the way to
 * the server could make the gateway forget a revocation. Pure.
 */
import { compareFreshness } from './crl.ts';
import type { ForeignCrl, LoadedCrl, LoadedForeignCrl, VerifiedCrl } from './crl-issuer.ts';

export type Held = ReadonlyMap<string, VerifiedCrl>;

export type Merge = {
  readonly held: Held;
  /** What is new, with the keys of the lists it stands for. */
  readonly taken: readonly (LoadedCrl & { readonly key: string })[];
  /** Lists of the download that are the held ones. */
  readonly unchanged: number;
  /** Keys of lists that were given up because there are too many. */
  readonly dropped: readonly string[];
  readonly faults: readonly string[];
};

const MAX_HELD = 1000;

/** Lists of the same issuer, signing key, scope and kind are copies of one another, older or newer. */
export const keyOf = (crl: VerifiedCrl): string =>
  [crl.signerId, crl.baseCrlNumber === undefined ? 'complete' : 'delta', crl.scopeId, crl.issuerKey].join('|');

/** `faults`: lists that are older than what is held, in words. */
export function merge(before: Held, arrived: readonly LoadedCrl[]): Merge {
  const held = new Map(before);
  const taken = new Map<string, Merge['taken'][number]>();
  const faults: string[] = [];
  let unchanged = 0;
  for (const { crl, der } of arrived) {
    const key = keyOf(crl);
    const present = held.get(key);
    if (present?.sha256 === crl.sha256) unchanged++;
    else if (present !== undefined && compareFreshness(crl, present) < 0) faults.push(olderWords(crl, present));
    else {
      held.set(key, crl);
      taken.set(key, { crl, der, key });
    }
  }
  const dropped = dropExcess(held);
  return { held, taken: [...taken.values()].filter(({ key }) => held.has(key)), unchanged, dropped, faults };
}

function olderWords(arrived: VerifiedCrl, present: VerifiedCrl): string {
  const numbers =
    arrived.crlNumber !== undefined && present.crlNumber !== undefined && arrived.crlNumber !== present.crlNumber
      ? ` (CRL number ${arrived.crlNumber}, here ${present.crlNumber})`
      : '';
  return `the revocation list of ${arrived.issuer} is older than the copy that is here${numbers}`;
}

/** The ones that expired first go first. */
function dropExcess(held: Map<string, VerifiedCrl>): string[] {
  if (held.size <= MAX_HELD) return [];
  const oldest = [...held].sort(([, a], [, b]) => (a.nextUpdateMs ?? 0) - (b.nextUpdateMs ?? 0));
  const dropped = oldest.slice(0, held.size - MAX_HELD).map(([key]) => key);
  for (const key of dropped) held.delete(key);
  return dropped;
}

export type ForeignMerge = {
  readonly held: readonly ForeignCrl[];
  /** What is new. */
  readonly taken: readonly LoadedForeignCrl[];
  readonly dropped: readonly ForeignCrl[];
};

const MAX_FOREIGN_HELD = 128;
/** Lists that say they are the same one, older or newer: which of them is true is not known here. */
const MAX_ALIKE = 4;
/** Of a download, and as much of earlier ones: a session's thread may have to verify all of them. */
const MAX_FOREIGN_BYTES = 4 * 1024 * 1024;

/** Lists that nobody has verified yet: the latest downloads, since a forged one must not drive out a true one at once. */
export function mergeForeign(before: readonly ForeignCrl[], arrived: readonly LoadedForeignCrl[]): ForeignMerge {
  const held: ForeignCrl[] = [];
  const alike = new Map<string, number>();
  const keep = (lists: readonly ForeignCrl[]): void => {
    let bytes = 0;
    for (const list of lists) {
      const kind = [list.baseCrlNumber === undefined ? 'complete' : 'delta', list.scopeId, list.issuerKey].join('|');
      const same = alike.get(kind) ?? 0;
      const isTooMuch = bytes + list.bytes > MAX_FOREIGN_BYTES || held.length >= MAX_FOREIGN_HELD;
      if (same >= MAX_ALIKE || isTooMuch || held.some(({ sha256 }) => sha256 === list.sha256)) continue;
      alike.set(kind, same + 1);
      bytes += list.bytes;
      held.push(list);
    }
  };
  keep(arrived.map(({ crl }) => crl));
  keep(before);
  const known = new Set(before.map(({ sha256 }) => sha256));
  const now = new Set(held.map(({ sha256 }) => sha256));
  return {
    held,
    taken: arrived.filter(({ crl }) => held.includes(crl) && !known.has(crl.sha256)),
    dropped: before.filter(({ sha256 }) => !now.has(sha256)),
  };
}
