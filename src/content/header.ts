/**
 * What the log tells of a message's header: Message-ID and Subject, unfolded but not decoded (RFC 5322 §2.2.3). Only the
 * first 64 KiB are looked at, natively searched; content is never changed. Pure.
 */
export type HeaderFacts = {
  readonly messageId: string | undefined;
  readonly subject: string | undefined;
};

const MAX_HEAD_BYTES = 64 * 1024;
const MAX_VALUE_LENGTH = 500;

/** Latin 1, so that one character is one octet and no exotic separator counts as a line end. */
const MESSAGE_ID = /(?:^|\n)message-id[ \t]*:((?:[^\r\n]|\r\n[ \t]){0,2000})/i;
const SUBJECT = /(?:^|\n)subject[ \t]*:((?:[^\r\n]|\r\n[ \t]){0,2000})/i;

/** `head`: the message from its first octet on, as much of it as is at hand. */
export function headerFacts(head: Buffer): HeaderFacts {
  const header = head.toString('latin1', 0, endOfHeader(head));
  return {
    messageId: valueOf(MESSAGE_ID, header) || undefined,
    subject: valueOf(SUBJECT, header),
  };
}

function endOfHeader(head: Buffer): number {
  // No header at all: the message begins with the empty line.
  if (head[0] === 13 && head[1] === 10) return 0;
  const end = head.subarray(0, MAX_HEAD_BYTES).indexOf('\r\n\r\n', 0, 'latin1');
  return end < 0 ? Math.min(head.length, MAX_HEAD_BYTES) : end;
}

/** Unfolded and cut; octets that are no UTF-8 become U+FFFD. */
function valueOf(field: RegExp, header: string): string | undefined {
  const raw = field.exec(header)?.[1];
  if (raw === undefined) return undefined;
  const text = Buffer.from(raw, 'latin1')
    .toString('utf8')
    .replace(/\r\n(?=[ \t])/g, '')
    .trim();
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}...` : text;
}
