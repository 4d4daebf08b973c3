/**
 * What delivery has seen of each recipient host since it began, for `hoststatus` and `tophosts`: delivered, soft and hard
 * bounced, deleted, the last 5XX; and whether its next hop was up when last asked. Bounded: the host that has been quiet
 * longest among the oldest makes room. Named as in AsyncOS ("Soft Bounced Events", "5XX Hard Bounces").
 * Pure: time is handed in.
 */
const MAX_HOSTS = 10_000;
/** Of the oldest entries, so many are looked at for the one that has been quiet longest. */
const LOOKED_AT = 32;

export type HardBounces = { dns: number; fiveXX: number; expired: number; other: number };

export type HostCounts = {
  readonly host: string;
  delivered: number;
  softBounced: number;
  readonly hardBounced: HardBounces;
  deleted: number;
  lastActivityMs: number;
  last5xx?: { readonly text: string; readonly atMs: number; readonly remoteHost?: string };
};

/** What became of one recipient. `diagnostic`: the remote host's reply. */
export type Fate = { readonly kind: 'delivered' | 'retry' | 'deleted' } | HardBounce;
type HardBounce = { readonly kind: 'bounce'; readonly status: string; readonly diagnostic?: string };

export type FateFacts = { readonly nowMs: number; readonly remoteHost?: string | undefined };

export class HostCounters {
  readonly #hosts = new Map<string, HostCounts>();

  /** `host` in lower case. */
  count(host: string, fate: Fate, { nowMs, remoteHost }: FateFacts): void {
    const counts = this.#hosts.get(host) ?? this.#add(host);
    counts.lastActivityMs = nowMs;
    if (fate.kind === 'delivered') counts.delivered++;
    else if (fate.kind === 'retry') counts.softBounced++;
    else if (fate.kind === 'deleted') counts.deleted++;
    else if (fate.kind === 'bounce') {
      counts.hardBounced[hardBounceOf(fate)]++;
      const text = fate.diagnostic;
      if (text?.startsWith('5') === true)
        counts.last5xx = { text, atMs: nowMs, ...(remoteHost === undefined ? {} : { remoteHost }) };
    }
  }

  get(host: string): HostCounts | undefined {
    return this.#hosts.get(host);
  }

  all(): Iterable<HostCounts> {
    return this.#hosts.values();
  }

  #add(host: string): HostCounts {
    if (this.#hosts.size >= MAX_HOSTS) this.#makeRoom();
    const counts = emptyCounts(host);
    this.#hosts.set(host, counts);
    return counts;
  }

  #makeRoom(): void {
    let quietest: HostCounts | undefined;
    let looked = 0;
    for (const counts of this.#hosts.values()) {
      if (quietest === undefined || counts.lastActivityMs < quietest.lastActivityMs) quietest = counts;
      if (++looked >= LOOKED_AT) break;
    }
    if (quietest !== undefined) this.#hosts.delete(quietest.host);
  }
}

export const emptyCounts = (host: string): HostCounts => ({
  host,
  delivered: 0,
  softBounced: 0,
  hardBounced: { dns: 0, fiveXX: 0, expired: 0, other: 0 },
  deleted: 0,
  lastActivityMs: 0,
});

/** RFC 3463: X.4.7 delivery time expired; X.1.2, X.4.4, X.1.10 are what DNS says of a domain that takes no mail. */
function hardBounceOf({ status, diagnostic }: HardBounce): keyof HardBounces {
  if (status === '5.4.7') return 'expired';
  if (diagnostic !== undefined) return 'fiveXX';
  return status === '5.1.2' || status === '5.4.4' || status === '5.1.10' ? 'dns' : 'other';
}

export type HopState = { readonly state: 'up' | 'down'; readonly atMs: number; readonly why?: string };

/** Whether next hops were up when last asked. */
export class HopStates {
  readonly #states = new Map<string, HopState>();

  note(key: string, state: HopState): void {
    if (this.#states.size >= MAX_HOSTS && !this.#states.has(key)) this.#states.clear();
    this.#states.set(key, state);
  }

  get(key: string): HopState | undefined {
    return this.#states.get(key);
  }
}
