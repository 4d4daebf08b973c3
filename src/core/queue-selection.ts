/**
 * Which recipients of the queue an administrator means: all, those at one host, those of one envelope sender, or one
 * message (AsyncOS: "By recipient host", "By Envelope From address", "All"). Hosts are compared as A-labels without case,
 * senders without case, because who types one means the mailbox and not its spelling.
 * Pure.
 */
import { domainToASCII } from 'node:url';

export type QueueSelection =
  | { readonly by: 'all' }
  | { readonly by: 'host'; readonly host: string }
  /** '' is the null reverse-path: bounces. */
  | { readonly by: 'sender'; readonly sender: string }
  | { readonly by: 'message'; readonly mid: number; readonly rid?: number | undefined };

/** A place in the queue, in the order of MID and RID. */
export type QueuePlace = readonly [mid: number, rid: number];

/** From here (exclusive) to the last message (inclusive). */
export type QueueRange = { readonly after: QueuePlace; readonly upTo: number };

export type Selectable = {
  readonly mid: number;
  readonly rid: number;
  readonly address: string;
  readonly sender: string;
};

/** A recipient host as it is compared. */
export function comparableHost(host: string): string {
  const lower = host.toLowerCase().replace(/\.$/, '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII is meant
  return /^[\u0000-\u007f]*$/.test(lower) ? lower : domainToASCII(lower) || lower;
}

/** The host of a recipient's address, comparable. */
export const recipientHost = (address: string): string =>
  comparableHost(address.slice(address.lastIndexOf('@') + 1 || address.length));

/** A test for one selection, which is made ready once. */
export function matcherOf(selection: QueueSelection): (recipient: Selectable) => boolean {
  switch (selection.by) {
    case 'all':
      return () => true;
    case 'host': {
      const host = comparableHost(selection.host);
      return ({ address }) => recipientHost(address) === host;
    }
    case 'sender': {
      const sender = selection.sender.toLowerCase();
      return (recipient) => recipient.sender.toLowerCase() === sender;
    }
    case 'message':
      return ({ mid, rid }) => mid === selection.mid && (selection.rid === undefined || rid === selection.rid);
  }
}

/** Nothing outside of this need be looked at. */
export function rangeOf(selection: QueueSelection, { after, upTo }: QueueRange): QueueRange {
  if (selection.by !== 'message') return { after, upTo };
  const first: QueuePlace = [selection.mid, (selection.rid ?? 0) - 1];
  return { after: isBefore(after, first) ? first : after, upTo: Math.min(upTo, selection.mid) };
}

const isBefore = (a: QueuePlace, b: QueuePlace): boolean => (a[0] === b[0] ? a[1] < b[1] : a[0] < b[0]);

/** In words, for logs and people. */
export function selectionText(selection: QueueSelection): string {
  switch (selection.by) {
    case 'all':
      return 'all recipients';
    case 'host':
      return `recipients at ${selection.host}`;
    case 'sender':
      return `recipients of messages from <${selection.sender}>`;
    case 'message':
      return `MID ${selection.mid}${selection.rid === undefined ? '' : ` RID ${selection.rid}`}`;
  }
}

const PLACE = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/;

/** Where a piece of work on a selection goes on, as a client keeps it. */
export const rangeToken = ({ after: [mid, rid], upTo }: QueueRange): string => `${mid}.${rid}.${upTo}`;

export function rangeOfToken(token: string): QueueRange | undefined {
  const [, mid, rid, upTo] = PLACE.exec(token) ?? [];
  if (mid === undefined || rid === undefined || upTo === undefined) return undefined;
  return { after: [Number(mid), Number(rid)], upTo: Number(upTo) };
}

/** Before the first recipient: MIDs begin at 1. */
export const QUEUE_START: QueuePlace = [0, 0];
/** No MID is higher. */
export const LAST_MID = 999_999_999_999_999;
