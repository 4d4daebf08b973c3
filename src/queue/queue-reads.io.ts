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
import type {
  BodyReply,
  ClaimReply,
  HostPage,
  HostRecipients,
  MessagePage,
  Read,
  SelectReply,
  StoreStats,
} from './queue-protocol.ts';
import { type DueRow, domainOf, type SelectedRow } from './queue-rows.ts';
import { matcherOf, type QueuePlace, rangeOf, recipientHost } from '../core/queue-selection.ts';
import { COUNTED_MESSAGES, IN_WORK_QUEUE_MS, type WorkQueueCount } from './work-queue.ts';

const MAX_CLAIM = 10_000;
const PAGE_MESSAGES = 200;
const PAGE_ADDRESSES = 5000;
/** Recipients that one look at a selection walks over; about 5 ms. */
const SCANNED_RECIPIENTS = 1000;

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
    case 'hosts':
      return hosts(db, read.after);
    case 'select':
      return select(parts, read, client);
    case 'standing':
      return db.standing();
    case 'workQueue':
      return workQueue(db);
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
  for (const [dueMs, mid, rid] of db.dueTimes(leases.cursor)) {
    if (dueMs === IN_WORK_QUEUE_MS) return undefined;
    if (!leases.has(mid, rid)) return dueMs;
  }
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

function hosts(db: QueueDatabase, after: QueuePlace): HostPage {
  const rows = db.addresses(after, PAGE_ADDRESSES);
  const found = new Map<string, { -readonly [Key in keyof HostRecipients]: HostRecipients[Key] }>();
  for (const { mid, address, attempts } of rows) {
    const host = recipientHost(address);
    const known = found.get(host) ?? { host, recipients: 0, attempted: 0, oldestMid: mid };
    known.recipients++;
    if (attempts > 0) known.attempted++;
    found.set(host, known);
  }
  const last = rows.length < PAGE_ADDRESSES ? undefined : rows.at(-1);
  return { hosts: [...found.values()], ...(last === undefined ? {} : { after: [last.mid, last.rid] }) };
}

/** One look: at most so many recipients are walked over, whatever the selection finds. */
function select({ db, leases }: ReadParts, request: Extract<Read, { op: 'select' }>, client: number): SelectReply {
  const { selection, claim } = request;
  const range = rangeOf(selection, request.range);
  const matches = matcherOf(selection);
  const limit = Math.min(request.limit, SCANNED_RECIPIENTS);
  const rows: SelectedRow[] = [];
  const leased: number[] = [];
  const busy: QueuePlace[] = [];
  let last: QueuePlace | undefined;
  let walked = 0;
  if (claim !== undefined) leases.expire(claim.nowMs);
  for (const row of db.selected(range, SCANNED_RECIPIENTS)) {
    const [dueMs, mid, rid, address] = row;
    walked++;
    last = [mid, rid];
    if (!matches({ mid, rid, address, sender: row[9] })) continue;
    const taken = leases.has(mid, rid);
    if (taken && claim !== undefined) busy.push(last);
    else {
      if (taken) leased.push(rows.length);
      rows.push(row);
    }
    if (claim !== undefined && !taken)
      leases.take([dueMs ?? IN_WORK_QUEUE_MS, mid, rid], {
        owner: claim.owner,
        client,
        untilMs: claim.nowMs + claim.leaseMs,
      });
    if (rows.length >= limit) break;
  }
  const ended = walked < SCANNED_RECIPIENTS && rows.length < limit;
  return { rows, leased, busy, ...(ended || last === undefined ? {} : { after: last }) };
}

function workQueue(db: QueueDatabase): WorkQueueCount {
  const counted = db.countWorkQueue(COUNTED_MESSAGES + 1);
  return { messages: Math.min(counted, COUNTED_MESSAGES), more: counted > COUNTED_MESSAGES };
}
