/**
 * Other times for recipients, inside a commit: `delivernow` makes the next attempt now, and what waited in the work queue
 * becomes due when it is resumed. A recipient that somebody works on keeps its time: it is being tried, and its outcome
 * says what comes next. Each call changes a bounded number, so that nobody's commit waits long.
 * Effects: the database.
 */
import type { DueKey, Leases } from './leases.ts';
import type { QueueDatabase } from './queue-database.io.ts';
import type { Change, HastenReply } from './queue-protocol.ts';
import type { MessageRows } from './queue-rows.ts';
import { matcherOf, type QueuePlace, rangeOf } from '../core/queue-selection.ts';
import { IN_WORK_QUEUE_MS } from './work-queue.ts';

/** Recipients that one commit walks over, and so changes at most. */
const WALKED_RECIPIENTS = 500;

type Parts = { readonly db: QueueDatabase; readonly leases: Leases };

/** `placed` learns of each recipient and its new time. */
export function hasten(
  { db, leases }: Parts,
  { selection, range, nowMs }: Extract<Change, { op: 'hasten' }>,
  placed: DueKey[],
): HastenReply {
  const matches = matcherOf(selection);
  const late: QueuePlace[] = [];
  let last: QueuePlace | undefined;
  let walked = 0;
  for (const row of db.selected(rangeOf(selection, range), WALKED_RECIPIENTS)) {
    const [dueMs, mid, rid, address] = row;
    walked++;
    last = [mid, rid];
    const waits = dueMs !== null && dueMs > nowMs && dueMs !== IN_WORK_QUEUE_MS && !leases.has(mid, rid);
    if (waits && matches({ mid, rid, address, sender: row[9] })) late.push(last);
  }
  for (const [mid, rid] of late) if (db.reschedule(mid, rid, nowMs)) placed.push([nowMs, mid, rid]);
  return { hastened: late.length, ...(walked < WALKED_RECIPIENTS || last === undefined ? {} : { after: last }) };
}

/** How many recipients left the work queue. What somebody has claimed there leaves it with its outcome. */
export function leaveWorkQueue(
  { db, leases }: Parts,
  { nowMs, limit }: Extract<Change, { op: 'leaveWorkQueue' }>,
  placed: DueKey[],
): number {
  let left = 0;
  for (const [mid, rid] of db.inWorkQueue(Math.min(limit, WALKED_RECIPIENTS))) {
    if (leases.has(mid, rid) || !db.reschedule(mid, rid, nowMs)) continue;
    placed.push([nowMs, mid, rid]);
    left++;
  }
  return left;
}

/** New mail while the work queue is paused. */
export const inWorkQueue = (rows: MessageRows): MessageRows => ({
  ...rows,
  recipients: rows.recipients.map(([mid, rid, address, notify, orcpt]) => [
    mid,
    rid,
    address,
    notify,
    orcpt,
    IN_WORK_QUEUE_MS,
  ]),
});
