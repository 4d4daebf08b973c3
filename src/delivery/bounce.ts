/**
 * Bounces and other delivery status notifications: multipart/report with a text for people, fields for programs and the
 * original, whole below 10 kB, else its header (AsyncOS `max_bounce_copy`; RET of RFC 3461 §4.3). RFC 3464, RFC 6522;
 * with SMTPUTF8 as message/global-delivery-status (RFC 6533). The null reverse-path keeps bounces from bouncing; what is
 * lost is told to nobody, so that a notification is 7-bit text, which every host can take, unless its addressee's own
 * address needs more.
 * What a remote host or an address says is quoted: bounded, on one line, printable.
 * Pure: time and randomness are handed in.
 */
import { INTERNAL_ICID, type Mid, type Rid } from '../core/ids.ts';
import type { DueRecipient, NewMessage, Recipient } from '../core/ports.ts';
import { printable } from '../core/reply.ts';
import { isIp } from '../core/network.ts';
import { quotedPrintable } from './quoted-printable.ts';

export type ReportAction = 'failed' | 'relayed' | 'delayed';

export type ReportRecipient = {
  readonly recipient: Recipient;
  readonly status: string;
  /** In words. */
  readonly why: string;
  readonly remoteHost?: string;
  /** The remote host's reply. */
  readonly diagnostic?: string;
  readonly willRetryUntilMs?: number;
};

export type ReportFacts = {
  readonly mid: Mid;
  readonly hostname: string;
  readonly nowMs: number;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
  readonly action: ReportAction;
  /** Any recipient of the message, for what all have in common. */
  readonly of: Pick<DueRecipient, 'mid' | 'sender' | 'smtpUtf8' | 'ret' | 'envid' | 'receivedMs'>;
  readonly recipients: readonly ReportRecipient[];
  /** The start of the original's text, and its whole size; undefined when it cannot be read. */
  readonly original: { readonly head: Buffer; readonly bytes: number } | undefined;
};

const MAX_COPY_BYTES = 10 * 1024;
/** Enough of the original for `ReportFacts.original.head`. */
export const ORIGINAL_HEAD_BYTES = 32 * 1024;
const MAX_FIELD_CHARACTERS = 600;

const SUBJECTS: Readonly<Record<ReportAction, string>> = {
  failed: 'Delivery Status Notification (Failure)',
  relayed: 'Delivery Status Notification (Relay)',
  delayed: 'Delivery Status Notification (Delay)',
};

/** The notification as a message for the queue, to the sender of the original. */
export function reportMessage(facts: ReportFacts): NewMessage {
  const { mid, nowMs, of } = facts;
  const bytes = Buffer.concat(renderReport(facts));
  return {
    mid,
    icid: INTERNAL_ICID,
    receivedMs: nowMs,
    envelope: {
      sender: '', // RFC 5321 §4.5.5
      recipients: [{ rid: 0 as Rid, address: of.sender }],
      body: is8bit(bytes) ? '8BITMIME' : '7BIT',
      smtpUtf8: isInternational(of.sender),
    },
    body: { kind: 'inline', bytes },
    origin: { listener: '', remoteAddress: '', senderGroup: '' },
  };
}

function renderReport(facts: ReportFacts): Buffer[] {
  const { hostname, nowMs, random, action, of, original } = facts;
  const unique = [random(), random(), random()]
    .map((share) =>
      Math.floor(share * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    )
    .join('');
  const boundary = `=_${unique}`;
  const global = needsGlobal(facts);
  const mayBe8bit = isInternational(of.sender);
  const text = Buffer.from(lines(humanText(facts)));
  const status = Buffer.from(lines(statusFields(facts, global)));
  const whole = action === 'failed' && of.ret !== 'HDRS';
  const copy = original === undefined ? undefined : copyOf(original, { whole, global, mayBe8bit });
  const eightBit = mayBe8bit && [text, status, ...(copy === undefined ? [] : [copy.bytes])].some(is8bit);
  const head = lines([
    `Date: ${date(nowMs)}`,
    `From: Mail Delivery System <MAILER-DAEMON@${hostname}>`,
    `To: <${field(of.sender)}>`,
    `Subject: ${SUBJECTS[action]}`,
    `Message-ID: <${unique}.${nowMs}@${hostname}>`,
    'Auto-Submitted: auto-replied', // RFC 3834 §5
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="${boundary}"`,
    ...(eightBit ? ['Content-Transfer-Encoding: 8bit'] : []),
    '',
    'This is a delivery status notification in MIME format.',
  ]);
  const part = (type: string, content: Buffer): Buffer[] => {
    const encoding = !is8bit(content) ? '7bit' : mayBe8bit ? '8bit' : 'quoted-printable';
    return [
      Buffer.from(lines(['', `--${boundary}`, `Content-Type: ${type}`, `Content-Transfer-Encoding: ${encoding}`, ''])),
      encoding === 'quoted-printable' ? quotedPrintable(content) : content,
    ];
  };
  return [
    Buffer.from(head),
    ...part(`text/plain; charset=${is8bit(text) ? 'utf-8' : 'us-ascii'}`, text),
    ...part(global ? 'message/global-delivery-status' : 'message/delivery-status', status),
    ...(copy === undefined ? [] : part(copy.type, copy.bytes)),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ];
}

/** RFC 6533 §3: the types for international mail are for what is international, not for whoever said SMTPUTF8. */
function needsGlobal({ of, recipients, original }: ReportFacts): boolean {
  const named = recipients.flatMap(({ recipient: { address, orcpt = '' } }) => [address, orcpt]);
  if ([of.sender, ...named].some(isInternational)) return true;
  return of.smtpUtf8 && original !== undefined && is8bit(headerOf(original.head));
}

const OPENINGS: Readonly<Record<ReportAction, readonly string[]>> = {
  failed: ['Your message could not be delivered to the recipients below.', 'It will not be tried again for them.'],
  relayed: [
    'Your message was handed on to the mail system of the recipients below,',
    'which does not confirm deliveries.',
  ],
  delayed: [
    'Your message has not been delivered to the recipients below yet.',
    'You need not send it again: delivery goes on being tried.',
  ],
};

function humanText({ hostname, action, of, recipients }: ReportFacts): string[] {
  return [
    `This is the mail system at ${hostname}.`,
    '',
    ...OPENINGS[action],
    ...recipients.flatMap(({ recipient, status, why, remoteHost, willRetryUntilMs }) => [
      '',
      `<${field(recipient.address)}>`,
      `    ${field(status)}: ${quoted(why)}`,
      ...(remoteHost === undefined ? [] : [`    (${quoted(remoteHost)})`]),
      ...(willRetryUntilMs === undefined ? [] : [`    Tried until ${date(willRetryUntilMs)}`]),
    ]),
    '',
    `An administrator finds the message in the mail log as MID ${of.mid}.`,
  ];
}

/** RFC 3464 §2.2 and §2.3. */
function statusFields({ hostname, nowMs, action, of, recipients }: ReportFacts, global: boolean): string[] {
  const perMessage = [
    `Reporting-MTA: dns; ${hostname}`,
    ...(of.envid === undefined ? [] : [`Original-Envelope-Id: ${quoted(decodeXtext(of.envid))}`]),
    `Arrival-Date: ${date(of.receivedMs)}`,
  ];
  const perRecipient = recipients.flatMap(({ recipient, status, remoteHost, diagnostic, willRetryUntilMs }) => [
    '',
    ...originalRecipient(recipient.orcpt),
    `Final-Recipient: ${global && isInternational(recipient.address) ? 'utf-8' : 'rfc822'}; ${field(recipient.address)}`,
    `Action: ${action}`,
    `Status: ${field(status)}`,
    ...(remoteHost === undefined ? [] : [`Remote-MTA: dns; ${quoted(hostOf(remoteHost))}`]),
    ...(diagnostic === undefined ? [] : [`Diagnostic-Code: smtp; ${quoted(diagnostic)}`]),
    `Last-Attempt-Date: ${date(nowMs)}`,
    ...(willRetryUntilMs === undefined ? [] : [`Will-Retry-Until: ${date(willRetryUntilMs)}`]),
  ]);
  return [...perMessage, ...perRecipient];
}

/** RFC 3464 §2.1.2: a name, or an address as RFC 5321 §4.1.3 writes it. */
const hostOf = (host: string): string => (isIp(host) ? `[${host.includes(':') ? 'IPv6:' : ''}${host}]` : host);

function originalRecipient(orcpt: string | undefined): string[] {
  const match = /^([A-Za-z0-9-]{1,40});(.+)$/s.exec(orcpt ?? '');
  return match === null ? [] : [`Original-Recipient: ${match[1]}; ${field(decodeXtext(match[2] ?? ''))}`];
}

/** RFC 3461 §4; text that would decode to something that is not printable stays encoded. */
function decodeXtext(text: string): string {
  const decoded = text.replace(/\+([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return /^[\u0020-\u007e]*$/.test(decoded) ? decoded : text;
}

type Copy = { readonly type: string; readonly bytes: Buffer };

type CopyFacts = { readonly whole: boolean; readonly global: boolean; readonly mayBe8bit: boolean };

/**
 * RFC 2046 §5.2.1 lets nobody encode a message/rfc822; its header alone may be (RFC 6522 §4), and so may everything
 * international (RFC 6532 §3.7, RFC 6533 §6).
 */
function copyOf({ head, bytes }: { head: Buffer; bytes: number }, { whole, global, mayBe8bit }: CopyFacts): Copy {
  const fits = whole && bytes < MAX_COPY_BYTES && head.length === bytes;
  if (fits && (global || mayBe8bit || !is8bit(head)))
    return { type: global ? 'message/global' : 'message/rfc822', bytes: head };
  return { type: global ? 'message/global-headers' : 'text/rfc822-headers', bytes: headerOf(head) };
}

/** A header longer than what was read ends at its last whole line. */
function headerOf(head: Buffer): Buffer {
  const empty = head.indexOf('\r\n\r\n');
  return head.subarray(0, Math.max(0, (empty >= 0 ? empty : head.lastIndexOf('\r\n')) + 2));
}

const lines = (all: readonly string[]): string => all.map((line) => `${line}\r\n`).join('');

/** One line, bounded; characters above ASCII stay. */
const field = (text: string): string => printable(text).slice(0, MAX_FIELD_CHARACTERS);

/** A remote host's words: ASCII, so that a reply in some charset does not make the whole notification 8-bit. */
const quoted = (text: string): string => field(text).replace(/[^\u0020-\u007e]/g, '?');

const date = (ms: number): string => new Date(ms).toUTCString().replace('GMT', '+0000');

const isInternational = (text: string): boolean => /[^\u0000-\u007f]/.test(text);

/** The copy has at most 32 kB, so a look at each octet is cheap. */
const is8bit = (bytes: Buffer): boolean => bytes.some((octet) => octet > 0x7f);
