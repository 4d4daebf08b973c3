/**
 * The queue as a plain program would keep it in memory, one list searched from front to back. It says what a store
 * must answer, and passes the same contract suite.
 */
import { GatewayError } from '../../src/core/errors.ts';
import type { Mid, Rid } from '../../src/core/ids.ts';
import type { DueRecipient, NewMessage, QueueStore, Recipient } from '../../src/core/ports.ts';

type Row = {
  readonly message: NewMessage;
  readonly recipient: Recipient;
  dueMs: number;
  attempts: number;
  firstAttemptMs?: number;
  lastError?: string;
  lease?: { readonly owner: string; readonly untilMs: number };
};

export function queueModel(): QueueStore {
  let rows: Row[] = [];
  const find = (mid: Mid, rid: Rid): Row | undefined =>
    rows.find(({ message, recipient }) => message.mid === mid && recipient.rid === rid);
  const inOrder = (): Row[] =>
    rows.toSorted((a, b) => a.dueMs - b.dueMs || a.message.mid - b.message.mid || a.recipient.rid - b.recipient.rid);
  const insert = (message: NewMessage): void => {
    const { recipients } = message.envelope;
    if (recipients.length === 0) throw new GatewayError('storage', 'no recipients');
    if (rows.some((row) => row.message.mid === message.mid)) throw new GatewayError('storage', 'the MID is taken');
    for (const recipient of recipients) rows.push({ message, recipient, dueMs: message.receivedMs, attempts: 0 });
  };

  return {
    async accept(message) {
      insert(message);
    },
    async claim(owner, nowMs, leaseMs, limit) {
      for (const row of rows) if (row.lease !== undefined && row.lease.untilMs <= nowMs) delete row.lease;
      const due = inOrder()
        .filter((row) => row.lease === undefined && row.dueMs <= nowMs)
        .slice(0, limit);
      for (const row of due) row.lease = { owner, untilMs: nowMs + leaseMs };
      return due.map(dueRecipient);
    },
    async release(owner, released) {
      for (const { mid, rid } of released) {
        const row = find(mid, rid);
        if (row?.lease?.owner === owner) delete row.lease;
      }
    },
    async readBody(mid) {
      const row = rows.find(({ message }) => message.mid === mid);
      if (row === undefined) throw new GatewayError('storage', 'not in the queue');
      return row.message.body;
    },
    async settle(settlements, bounces) {
      const before = rows.map((row) => ({ ...row }));
      const finished: Mid[] = [];
      try {
        for (const settlement of settlements) {
          const row = find(settlement.mid, settlement.rid);
          if (row === undefined) continue;
          if (settlement.outcome === 'later') {
            delete row.lease;
            row.dueMs = settlement.nextAttemptMs;
            continue;
          }
          if (settlement.outcome !== 'retry') {
            rows.splice(rows.indexOf(row), 1);
            if (!rows.some(({ message }) => message.mid === settlement.mid)) finished.push(settlement.mid);
            continue;
          }
          delete row.lease;
          row.attempts++;
          row.firstAttemptMs ??= settlement.nowMs;
          row.dueMs = settlement.nextAttemptMs;
          row.lastError = settlement.error;
        }
        for (const bounce of bounces) insert(bounce);
      } catch (error) {
        rows = before;
        throw error;
      }
      return finished;
    },
    async nextDueMs() {
      return inOrder().find((row) => row.lease === undefined)?.dueMs;
    },
    async summary() {
      const messages = new Map(rows.map(({ message }) => [message.mid, message.receivedMs]));
      const oldest = [...messages].sort((a, b) => a[0] - b[0])[0]?.[1];
      return {
        messages: messages.size,
        activeRecipients: rows.length,
        ...(oldest === undefined ? {} : { oldestReceivedMs: oldest }),
      };
    },
  };
}

function dueRecipient({ message, recipient, attempts, firstAttemptMs, lastError }: Row): DueRecipient {
  const { mid, receivedMs, envelope, body } = message;
  const { sender, smtpUtf8, ret, envid } = envelope;
  return {
    mid,
    recipient,
    sender,
    body: envelope.body,
    smtpUtf8,
    ...(ret === undefined ? {} : { ret }),
    ...(envid === undefined ? {} : { envid }),
    size: body.kind === 'inline' ? body.bytes.byteLength : body.size,
    receivedMs,
    attempts,
    ...(firstAttemptMs === undefined ? {} : { firstAttemptMs }),
    ...(lastError === undefined ? {} : { lastError }),
  };
}
