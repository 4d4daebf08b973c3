/**
 * The most frequent of very many, in bounded memory: the Space-Saving algorithm (Metwally, Agrawal, El Abbadi 2005). Who
 * comes when the table is full takes the place of the least frequent and inherits its count; `atMostTooMany` says how
 * much of a count may be inherited. Whoever has more than 1/capacity of all is in the table for certain.
 * Pure.
 */
export type Counted<Value> = { readonly key: string; count: number; readonly atMostTooMany: number; value: Value };

export class SpaceSaving<Value> {
  readonly #capacity: number;
  readonly #entries = new Map<string, Counted<Value>>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Counts one more of `key`. `first` makes what is kept beside the count. */
  count(key: string, first: () => Value): Counted<Value> {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.count++;
      return known;
    }
    const inherited = this.#entries.size < this.#capacity ? 0 : this.#dropLeast();
    const entry = { key, count: inherited + 1, atMostTooMany: inherited, value: first() };
    this.#entries.set(key, entry);
    return entry;
  }

  /** Without counting; undefined for who is not in the table. */
  get(key: string): Counted<Value> | undefined {
    return this.#entries.get(key);
  }

  /** Most frequent first. */
  top(most: number): Counted<Value>[] {
    return [...this.#entries.values()].toSorted((a, b) => b.count - a.count).slice(0, most);
  }

  #dropLeast(): number {
    let least: Counted<Value> | undefined;
    for (const entry of this.#entries.values()) if (least === undefined || entry.count < least.count) least = entry;
    if (least === undefined) return 0;
    this.#entries.delete(least.key);
    return least.count;
  }
}
