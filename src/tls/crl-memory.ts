/** Whether a change of revocation lists is one after which memory is worth collecting. Pure. */
import type { CrlSet } from './revocation.ts';

const BIG_TABLE_BYTES = 4 * 1024 * 1024;

/** Whether `before` holds a big table that `after` does without: its memory is wanted back. */
export function givesUpMemory(before: CrlSet, after: CrlSet): boolean {
  const kept = new Set(after.lists.map(({ sha256 }) => sha256));
  return before.lists.some(
    ({ sha256, table }) => table.serials.buffer.byteLength >= BIG_TABLE_BYTES && !kept.has(sha256),
  );
}

/** Whether `after` holds a big table that is new: what its download has left behind is wanted back as well. */
export const takesMemory = (before: CrlSet, after: CrlSet): boolean => givesUpMemory(after, before);
