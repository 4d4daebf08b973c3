/**
 * Two administrators started from the same configuration. What only one changed is merged; where both changed the same
 * key, or one inside what the other replaced or removed, and not to the same result, that is a conflict: nothing is
 * overwritten until the second has chosen. Pure.
 */
import type { Choice } from './configuration-store.ts';
import { finestDifferences, overlap } from './document-diff.ts';
import { putAt } from './document-edits.ts';
import { isSame, type Json, type Path, valueAt } from './document.ts';

export type Merge = {
  /** Theirs, with mine where there is no conflict or the choice was mine. */
  readonly merged: Json;
  readonly conflicts: readonly MergeConflict[];
};

export type MergeConflict = {
  /** The shorter of the two paths: what one of them replaced as a whole. */
  readonly path: Path;
  readonly mine: Json | undefined;
  readonly theirs: Json | undefined;
};

export type Sides = { readonly base: Json; readonly mine: Json; readonly theirs: Json };

/** Three ways: my changes since `base` upon `theirs`. What both changed is a conflict unless a choice decides it. */
export function merge({ base, mine, theirs }: Sides, choices: readonly Choice[] = []): Merge {
  const others = finestDifferences(base, theirs).map(({ path }) => path);
  const conflicts: MergeConflict[] = [];
  let merged = theirs;
  for (const { path, after } of finestDifferences(base, mine)) {
    const rivals = others.filter((other) => overlap(other, path));
    const place = rivals.reduce((shortest, other) => (other.length < shortest.length ? other : shortest), path);
    if (rivals.length === 0) merged = putAt(merged, path, after);
    else if (!isSame(valueAt(mine, place), valueAt(theirs, place))) {
      const keep = choices.find((choice) => isSamePath(choice.path, place))?.keep;
      if (keep === 'mine') merged = putAt(merged, place, valueAt(mine, place));
      else if (keep === undefined && !conflicts.some((known) => isSamePath(known.path, place)))
        conflicts.push({ path: place, mine: valueAt(mine, place), theirs: valueAt(theirs, place) });
    }
  }
  return { merged, conflicts };
}

const isSamePath = (a: Path, b: Path): boolean => a.length === b.length && overlap(a, b);
