/**
 * What differs between two configurations, key by key. A list is compared entry by entry only where both sides have the
 * same entries in the same order (sender groups by their name); otherwise the list differs as a whole, for an index
 * alone does not say which entry is meant. Pure.
 */
import { isList, isMapping, isSame, type Json, type Path } from './document.ts';

/** Undefined: not there. Secrets are still encrypted: see `document-secrets.ts`. */
export type Difference = { readonly path: Path; readonly before: Json | undefined; readonly after: Json | undefined };

/** A mapping that was added or taken away is one difference. */
export const differences = (before: Json | undefined, after: Json | undefined): Difference[] =>
  compare(before, after, { above: [], wholeMappings: true });

/** The same with every key of a mapping that was added on its own: two who add to a new section do not add the same. */
export const finestDifferences = (before: Json, after: Json): Difference[] =>
  compare(before, after, { above: [], wholeMappings: false });

type Comparing = { readonly above: Path; readonly wholeMappings: boolean };

function compare(before: Json | undefined, after: Json | undefined, comparing: Comparing): Difference[] {
  if (isSame(before, after)) return [];
  const { above, wholeMappings } = comparing;
  const inside = (step: string | number): Comparing => ({ above: [...above, step], wholeMappings });
  const isNewMapping = before === undefined && isMapping(after) && Object.keys(after).length > 0;
  const old = isNewMapping && !wholeMappings ? {} : before;
  if (isMapping(old) && isMapping(after)) {
    const keys = new Set([...Object.keys(old), ...Object.keys(after)]);
    return [...keys].flatMap((key) => compare(own(old, key), own(after, key), inside(key)));
  }
  if (isList(before) && isList(after) && sameEntries(before, after))
    return before.flatMap((entry, i) => compare(entry, after[i], inside(i)));
  return [{ path: above, before, after }];
}

const own = (tree: { readonly [key: string]: Json }, key: string): Json | undefined =>
  Object.hasOwn(tree, key) ? tree[key] : undefined;

function sameEntries(a: readonly Json[], b: readonly Json[]): boolean {
  return a.length === b.length && a.every((entry, i) => nameOf(entry) !== undefined && nameOf(entry) === nameOf(b[i]));
}

/** By what a list's entry is known: only sender groups have a name. */
function nameOf(entry: Json | undefined): string | undefined {
  const group = isMapping(entry) ? own(entry, 'senderGroup') : undefined;
  return typeof group === 'string' ? group : undefined;
}

/** One path is the other, or leads into it. */
export const overlap = (a: Path, b: Path): boolean =>
  a.slice(0, Math.min(a.length, b.length)).every((step, i) => step === b[i]);
