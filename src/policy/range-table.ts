/**
 * Address ranges of which the first in order counts, compiled to sorted disjoint stretches in shared memory, so that a
 * look-up is one binary search however many entries there are. Addresses are 1 (IPv4) or 4 (IPv6) unsigned 32-bit words.
 * Terms: none of AsyncOS; this is how the host access table stays quick with 50,000 entries. Pure.
 */
import type { IpRange } from '../core/network.ts';

/** Structured-cloneable; the arrays lie on SharedArrayBuffers, so a clone shares them. */
export type RangeTable = {
  readonly words: 1 | 4;
  /** First address of each stretch, ascending; `words` numbers each. The last stretch runs to the end of all addresses. */
  readonly starts: Uint32Array;
  /** Entry that decides in each stretch, or NO_ENTRY. */
  readonly entries: Uint32Array;
};

/** No entry: also "later than every entry" when positions are compared. */
export const NO_ENTRY = 0xffff_ffff;

export type RankedRange = { readonly range: IpRange; readonly entry: number };

type Stretch = { readonly start: bigint; readonly entry: number };

/** All ranges must be of the version. Lower `entry` wins where ranges overlap. */
export function compileRanges(version: 4 | 6, ranked: readonly RankedRange[]): RangeTable {
  const words = version === 4 ? 1 : 4;
  const beyond = 1n << BigInt(32 * words);
  // A range that reaches to the last address ends where no address is any more.
  const stretches = disjoint(ranked).filter(({ start }) => start < beyond);
  const starts = new Uint32Array(new SharedArrayBuffer(stretches.length * words * 4));
  const entries = new Uint32Array(new SharedArrayBuffer(stretches.length * 4));
  for (const [i, { start, entry }] of stretches.entries()) {
    for (let word = 0; word < words; word++) {
      starts[i * words + word] = Number((start >> BigInt(32 * (words - 1 - word))) & 0xffff_ffffn);
    }
    entries[i] = entry;
  }
  return { words, starts, entries };
}

/** Sweeps from the lowest address up; a heap holds the entries that reach over the current one. */
function disjoint(ranked: readonly RankedRange[]): Stretch[] {
  const byLow = [...ranked].sort((a, b) => compare(a.range.low, b.range.low));
  const borders = [...new Set(ranked.flatMap(({ range }) => [range.low, range.high + 1n]))].sort(compare);
  const stretches: Stretch[] = [];
  const reaching = new EntryHeap();
  let next = 0;
  for (const start of borders) {
    for (let item = byLow[next]; item !== undefined && item.range.low === start; item = byLow[next]) {
      reaching.push(item);
      next += 1;
    }
    const entry = reaching.firstReaching(start);
    if (entry !== stretches.at(-1)?.entry) stretches.push({ start, entry });
  }
  return stretches;
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

/** A binary heap by entry; ranges that have ended are thrown away when they come to the top. */
class EntryHeap {
  readonly #items: RankedRange[] = [];

  push(item: RankedRange): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#entry(parent) <= item.entry) break;
      items[at] = items[parent] as RankedRange;
      at = parent;
    }
    items[at] = item;
  }

  firstReaching(address: bigint): number {
    for (let top = this.#items[0]; top !== undefined; top = this.#items[0]) {
      if (top.range.high >= address) return top.entry;
      this.#pop();
    }
    return NO_ENTRY;
  }

  #entry(at: number): number {
    return this.#items[at]?.entry ?? NO_ENTRY;
  }

  #pop(): void {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (this.#entry(child + 1) < this.#entry(child)) child += 1;
      if (this.#entry(child) >= last.entry) break;
      items[at] = items[child] as RankedRange;
      at = child;
    }
    items[at] = last;
  }
}

/** The entry that decides for an address given as words, or NO_ENTRY. */
export function findEntry({ words, starts, entries }: RangeTable, address: ArrayLike<number>): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (startsAfter(starts, middle * words, words, address)) high = middle;
    else low = middle + 1;
  }
  return low === 0 ? NO_ENTRY : (entries[low - 1] ?? NO_ENTRY);
}

function startsAfter(starts: Uint32Array, at: number, words: number, address: ArrayLike<number>): boolean {
  for (let word = 0; word < words; word++) {
    const difference = (starts[at + word] ?? 0) - (address[word] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
