/**
 * Messages and recipients as rows: the values that cross from a client thread to the store and go into SQL as they
 * are. Flat arrays are cheap to clone between threads, and the client's thread does the work of making them.
 * Pure.
 */
import type { Mid, Rid } from '../core/ids.ts';
import type { DueRecipient, NewMessage, Recipient, Settlement } from '../core/ports.ts';

type Text = string | null;
/** The columns of `message`, in order. */
export type MessageRow = readonly [
  mid: number,
  icid: number,
  receivedMs: number,
  sender: string,
  body: string,
  smtpUtf8: number,
  ret: Text,
  envid: Text,
  size: number,
  spoolFile: Text,
  origin: string,
];
export type RecipientRow = readonly [
  mid: number,
  rid: number,
  address: string,
  notify: Text,
  orcpt: Text,
  dueMs: number,
];

export type MessageRows = {
  readonly message: MessageRow;
  readonly recipients: readonly RecipientRow[];
  /** The body, unless it is spooled. */
  readonly bytes?: Uint8Array;
};

/** `retry` is absent where the recipient is finished: delivered, bounced, dropped or deleted. */
export type SettlementRow = {
  readonly mid: number;
  readonly rid: number;
  /** An administrator's word counts for a recipient that is held as well. */
  readonly evenHeld?: true;
  /** Another time, and no attempt. */
  readonly laterMs?: number;
  readonly retry?: { readonly nextAttemptMs: number; readonly nowMs: number; readonly error: string };
};

/** The columns of SQL.due, in order. */
export type DueRow = readonly [
  dueMs: number,
  mid: number,
  rid: number,
  address: string,
  notify: Text,
  orcpt: Text,
  attempts: number,
  firstAttemptMs: number | null,
  lastError: Text,
  sender: string,
  body: string,
  smtpUtf8: number,
  ret: Text,
  envid: Text,
  size: number,
  receivedMs: number,
];

/** The columns of SQL.selected, in order: those of a due recipient; without a time it is held. */
export type SelectedRow = readonly [dueMs: number | null, ...rest: RestOf<DueRow>];
type RestOf<Row extends readonly unknown[]> = Row extends readonly [unknown, ...infer Rest] ? Rest : never;

/** A next hop's words are kept for the log and the bounce, not without end. */
const MAX_ERROR_CHARS = 1000;

export function messageRows({ mid, icid, receivedMs, envelope, body, origin }: NewMessage): MessageRows {
  const { sender, ret, envid, smtpUtf8 } = envelope;
  const inline = body.kind === 'inline';
  const size = inline ? body.bytes.byteLength : body.size;
  const file = inline ? null : body.file;
  return {
    message: [
      mid,
      icid,
      receivedMs,
      sender,
      envelope.body,
      smtpUtf8 ? 1 : 0,
      ret ?? null,
      envid ?? null,
      size,
      file,
      JSON.stringify(origin),
    ],
    recipients: envelope.recipients.map(({ rid, address, notify, orcpt }) => [
      mid,
      rid,
      address,
      notify ?? null,
      orcpt ?? null,
      receivedMs,
    ]),
    ...(inline ? { bytes: body.bytes } : {}),
  };
}

export function settlementRow(settlement: Settlement): SettlementRow {
  const { mid, rid } = settlement;
  if (settlement.outcome === 'deleted' || settlement.outcome === 'bounced') return { mid, rid, evenHeld: true };
  if (settlement.outcome === 'later') return { mid, rid, laterMs: settlement.nextAttemptMs };
  if (settlement.outcome !== 'retry') return { mid, rid };
  const { nextAttemptMs, nowMs, error } = settlement;
  return { mid, rid, retry: { nextAttemptMs, nowMs, error: error.slice(0, MAX_ERROR_CHARS) } };
}

export function dueRecipient(row: SelectedRow): DueRecipient {
  const [, mid, rid, address, notify, orcpt, attempts, firstAttemptMs, lastError, sender, body, smtpUtf8] = row;
  const [ret, envid, size, receivedMs] = [row[12], row[13], row[14], row[15]];
  const recipient: Recipient = {
    rid: rid as Rid,
    address,
    ...(notify === null ? {} : { notify }),
    ...(orcpt === null ? {} : { orcpt }),
  };
  return {
    mid: mid as Mid,
    recipient,
    sender,
    body: body === '8BITMIME' ? '8BITMIME' : '7BIT',
    smtpUtf8: smtpUtf8 === 1,
    ...(ret === 'FULL' || ret === 'HDRS' ? { ret } : {}),
    ...(envid === null ? {} : { envid }),
    size,
    receivedMs,
    attempts,
    ...(firstAttemptMs === null ? {} : { firstAttemptMs }),
    ...(lastError === null ? {} : { lastError }),
  };
}

/** The domain of an address in lower case; '' where it has none. */
export const domainOf = (address: string): string =>
  address.slice(address.lastIndexOf('@') + 1 || address.length).toLowerCase();
