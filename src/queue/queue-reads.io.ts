/**
 * Everything a client may ask of the queue that changes nothing on disk: claims and their leases, bodies, counts and
 * the administrator's lists. Long lists are given in pages, so that nobody's commit waits behind one.
 * Effects: reads the database; leases in memory.
 */
import { GatewayError } from '../core/errors.ts';
import type { QueueSummary } from '../core/ports.ts';
import type { GroupCommit } from './group-commit.io.ts';
import type { Leases } from './leases.ts';
import type { QueueDatabase } from './queue-database.io.ts';
import type { AddressPage, BodyReply, ClaimReply, MessagePage, Read, StoreStats } from './queue-protocol.ts';
import { type DueRow, domainOf } from './queue-rows.ts';

const MAX_CLAIM = 10_000;
const PAGE_MESSAGES = 200;
const PAGE_ADDRESSES = 5000;

export type ReadParts = {
  readonly db: QueueDatabase;
  readonly leases: Leases;
  readonly commits: Pick<GroupCommit, 'counts' | 'stats'>;
};

/** The value of the answer. Throws GatewayError, or what SQLite throws. */
export function readQueue(parts: ReadParts, read: Read, client: number): unknown {
  const { db } = parts;
  switch (read.op) {
    case 'claim':
      return claim(parts, read, client);
    case 'release':
      return release(parts, read);
    case 'readBody':
      return body(db, read.mid);
    case 'nextDue':
      return nextDueMs(parts);
    case 'summary':
      return summary(parts);
    case 'stats':
      return { ...parts.commits.stats, leased: parts.leases.size } satisfies StoreStats;
    case 'listMessages':
      return listMessages(db, read);
    case 'destinations':
      return destinations(db, read.after);
  }
}

function claim({ db, leases }: ReadParts, request: Extract<Read, { op: 'claim' }>, client: number): ClaimReply {
  const { owner, nowMs, leaseMs } = request;
  const limit = Math.min(request.limit, MAX_CLAIM);
  const claimed: DueRow[] = [];
  if (limit <= 0) return claimed;
  leases.expire(nowMs);
  for (const row of db.due(leases.cursor, nowMs)) {
    const [dueMs, mid, rid] = row;
    if (!leases.has(mid, rid)) {
      leases.take([dueMs, mid, rid], { owner, client, untilMs: nowMs + leaseMs });
      claimed.push(row);
    }
    leases.walkedTo([dueMs, mid, rid]);
    if (claimed.length >= limit) break;
  }
  return claimed;
}

function release({ leases }: ReadParts, { owner, rows }: Extract<Read, { op: 'release' }>): undefined {
  for (const [mid, rid] of rows) leases.release(owner, mid, rid);
}

function body(db: QueueDatabase, mid: number): BodyReply {
  const found = db.body(mid);
  if (found === undefined) throw new GatewayError('storage', `MID ${mid} is not in the queue`);
  return found;
}

function nextDueMs({ db, leases }: ReadParts): number | undefined {
  for (const [dueMs, mid, rid] of db.dueTimes(leases.cursor)) if (!leases.has(mid, rid)) return dueMs;
  return undefined;
}

function summary({ db, commits }: ReadParts): QueueSummary {
  const { messages, recipients } = commits.counts;
  const oldestReceivedMs = messages === 0 ? undefined : db.oldestReceivedMs();
  return { messages, activeRecipients: recipients, ...(oldestReceivedMs === undefined ? {} : { oldestReceivedMs }) };
}

function listMessages(
  db: QueueDatabase,
  { afterMid, limit, domain }: Extract<Read, { op: 'listMessages' }>,
): MessagePage {
  const pageSize = domain === undefined ? Math.min(limit, PAGE_MESSAGES) : PAGE_MESSAGES;
  const page = db.listMessages(afterMid, pageSize);
  const after = page.length < pageSize ? undefined : page.at(-1)?.mid;
  const messages =
    domain === undefined
      ? page
      : page.filter(({ recipients }) => recipients.some(({ address }) => domainOf(address) === domain));
  return { messages, ...(after === undefined ? {} : { after }) };
}

function destinations(db: QueueDatabase, after: readonly [mid: number, rid: number]): AddressPage {
  const rows = db.addresses(after, PAGE_ADDRESSES);
  const counts = new Map<string, number>();
  for (const { address } of rows) {
    const domain = domainOf(address);
    counts.set(domain, (counts.get(domain) ?? 0) + 1);
  }
  const last = rows.length < PAGE_ADDRESSES ? undefined : rows.at(-1);
  return { domains: [...counts], ...(last === undefined ? {} : { after: [last.mid, last.rid] }) };
}
