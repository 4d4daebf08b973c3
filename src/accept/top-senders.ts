/**
 * Who connects most (AsyncOS `topin`): connections and accepted recipients by listener and remote address, since the
 * thread began, in bounded memory. Each receive thread counts its own; `mergeTopSenders` adds them up.
 * Pure: time is handed in.
 */
import { SpaceSaving } from '../core/space-saving.ts';

const CAPACITY = 1024;

export type TopSender = {
  readonly listener: string;
  readonly remoteAddress: string;
  /** A name that its address confirms, as of the last connection. */
  readonly hostname?: string;
  readonly connections: number;
  /** How many of `connections` may be others’: the table was full when this address came. */
  readonly atMostTooMany: number;
  readonly messages: number;
  readonly recipients: number;
  readonly lastMs: number;
};

type Kept = {
  readonly listener: string;
  readonly remoteAddress: string;
  hostname: string | undefined;
  messages: number;
  recipients: number;
  lastMs: number;
};

const keyOf = (listener: string, remoteAddress: string): string => `${listener} ${remoteAddress}`;

export type Arrival = { readonly listener: string; readonly remoteAddress: string };

/** Counts of one thread. Constant cost a connection, whatever the number of addresses. */
export class TopSenders {
  readonly #senders = new SpaceSaving<Kept>(CAPACITY);

  connected({ listener, remoteAddress }: Arrival, hostname: string | undefined, nowMs: number): void {
    const first = (): Kept => ({ listener, remoteAddress, hostname, messages: 0, recipients: 0, lastMs: nowMs });
    const { value } = this.#senders.count(keyOf(listener, remoteAddress), first);
    value.lastMs = nowMs;
    value.hostname = hostname ?? value.hostname;
  }

  accepted({ listener, remoteAddress }: Arrival, recipients: number): void {
    const entry = this.#senders.get(keyOf(listener, remoteAddress));
    if (entry === undefined) return;
    entry.value.messages++;
    entry.value.recipients += recipients;
  }

  top(most: number): TopSender[] {
    return this.#senders.top(most).map(({ count, atMostTooMany, value: { hostname, ...rest } }) => ({
      ...rest,
      ...(hostname === undefined ? {} : { hostname }),
      connections: count,
      atMostTooMany,
    }));
  }
}

/** Of several threads: one row per listener and address, most connections first. */
export function mergeTopSenders(tables: readonly (readonly TopSender[])[]): TopSender[] {
  const merged = new Map<string, TopSender>();
  for (const row of tables.flat()) {
    const key = keyOf(row.listener, row.remoteAddress);
    const before = merged.get(key);
    const latest = before === undefined || before.lastMs < row.lastMs ? row : before;
    merged.set(key, {
      ...latest,
      connections: row.connections + (before?.connections ?? 0),
      atMostTooMany: row.atMostTooMany + (before?.atMostTooMany ?? 0),
      messages: row.messages + (before?.messages ?? 0),
      recipients: row.recipients + (before?.recipients ?? 0),
    });
  }
  return [...merged.values()].sort((a, b) => b.connections - a.connections);
}
