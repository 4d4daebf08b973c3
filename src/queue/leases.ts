/**
 * Which recipients are being worked on, by whom and until when, and from where in the order of due recipients the next
 * claim has to look. The embedded store keeps leases in memory: a restart ends them all.
 * The cursor stands such that every due recipient at or before it is leased; so a claim does not walk over what others
 * hold, and costs the same with a million recipients waiting.
 * Pure: time is handed in.
 */

/** A place in the order of due recipients: by time, then MID, then RID. */
export type DueKey = readonly [dueMs: number, mid: number, rid: number];
/** `client` is the connection through which `owner` claimed. */
export type Holder = { readonly owner: string; readonly client: number; readonly untilMs: number };
type Lease = Holder & { readonly key: DueKey };

const START: DueKey = [Number.MIN_SAFE_INTEGER, -1, -1];

const nameOf = (mid: number, rid: number): string => `${mid}:${rid}`;

function isAfter(a: DueKey, b: DueKey): boolean {
  if (a[0] !== b[0]) return a[0] > b[0];
  if (a[1] !== b[1]) return a[1] > b[1];
  return a[2] > b[2];
}

export class Leases {
  readonly #leases = new Map<string, Lease>();
  #cursor: DueKey = START;
  #firstEndMs = Number.POSITIVE_INFINITY;

  /** Recipients after this place may be free. */
  get cursor(): DueKey {
    return this.#cursor;
  }

  get size(): number {
    return this.#leases.size;
  }

  has(mid: number, rid: number): boolean {
    return this.#leases.has(nameOf(mid, rid));
  }

  take(key: DueKey, holder: Holder): void {
    this.#leases.set(nameOf(key[1], key[2]), { ...holder, key });
    if (holder.untilMs < this.#firstEndMs) this.#firstEndMs = holder.untilMs;
  }

  /** A claim has looked at everything up to `key`, and all of it is leased now. */
  walkedTo(key: DueKey): void {
    if (isAfter(key, this.#cursor)) this.#cursor = key;
  }

  /** A free recipient now stands at `key`: new mail, or one that will be retried. */
  placed(key: DueKey): void {
    if (!isAfter(key, this.#cursor)) this.#cursor = [key[0], key[1], key[2] - 1];
  }

  /** The outcome of a recipient is on disk. */
  settled(mid: number, rid: number): void {
    this.#leases.delete(nameOf(mid, rid));
  }

  /** True where `owner` held it. */
  release(owner: string, mid: number, rid: number): boolean {
    const lease = this.#leases.get(nameOf(mid, rid));
    if (lease === undefined || lease.owner !== owner) return false;
    this.#end(lease);
    return true;
  }

  /** Ends leases whose time is over. Costs nothing while none can be. */
  expire(nowMs: number): void {
    if (nowMs < this.#firstEndMs) return;
    this.#firstEndMs = Number.POSITIVE_INFINITY;
    for (const lease of this.#leases.values()) {
      if (lease.untilMs <= nowMs) this.#end(lease);
      else if (lease.untilMs < this.#firstEndMs) this.#firstEndMs = lease.untilMs;
    }
  }

  /** Ends every lease of a client that is gone. Says how many there were. */
  releaseClient(client: number): number {
    let released = 0;
    for (const lease of this.#leases.values()) {
      if (lease.client !== client) continue;
      this.#end(lease);
      released++;
    }
    return released;
  }

  #end({ key }: Lease): void {
    this.#leases.delete(nameOf(key[1], key[2]));
    this.placed(key);
  }
}
