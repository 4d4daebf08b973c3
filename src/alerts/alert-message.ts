/**
 * The message of an alert (RFC 5322, RFC 3834): subject as AsyncOS writes it, a text for people, and fields that keep
 * answering programs quiet. Text that is not ASCII is encoded (RFC 2045 base64, RFC 2047), so that every host takes it.
 * Pure: time and randomness are handed in.
 */
import { type Alert, CLASS_TITLE, SEVERITY_TITLE } from '../core/alert.ts';
import { printable } from '../core/reply.ts';
import type { PassedAlert } from './alert-suppression.ts';

const MAX_SUBJECT_CHARS = 160;

export type AlertMessageFacts = PassedAlert & {
  readonly from: string;
  readonly to: string;
  readonly hostname: string;
  readonly version: string;
  readonly nowMs: number;
  /** Hexadecimal digits that no other message has. */
  readonly unique: string;
};

/** `[Warning]-[gw.example.com]: (System) short text` */
export function subjectOf({ class: of, severity, text }: Alert, hostname: string): string {
  const short = text.length > MAX_SUBJECT_CHARS ? `${text.slice(0, MAX_SUBJECT_CHARS)}...` : text;
  return printable(`[${SEVERITY_TITLE[severity]}]-[${hostname}]: (${CLASS_TITLE[of]}) ${short}`);
}

/** The message with CRLF line ends (RFC 5322), base64 where its text is not ASCII. */
export function renderAlert(facts: AlertMessageFacts): Buffer {
  const { alert, from, to, hostname, nowMs, unique } = facts;
  const text = bodyLines(facts).join('\r\n');
  const plain = isAscii(text);
  const head = [
    `Date: ${dateField(nowMs)}`,
    `From: Sallyport <${from}>`,
    `To: <${to}>`,
    `Subject: ${encodedWords(subjectOf(alert, hostname))}`,
    `Message-ID: <${unique}.${nowMs}@${hostname}>`,
    'Auto-Submitted: auto-generated', // RFC 3834 §5
    ...(alert.severity === 'critical' ? ['Importance: high'] : []), // RFC 2156 §5.3.4
    'MIME-Version: 1.0',
    `Content-Type: text/plain; charset=${plain ? 'us-ascii' : 'utf-8'}`,
    `Content-Transfer-Encoding: ${plain ? '7bit' : 'base64'}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${plain ? text : base64Lines(text)}\r\n`);
}

function bodyLines({ alert, hostname, version, nowMs, raised, sinceMs }: AlertMessageFacts): string[] {
  const repeated =
    sinceMs === undefined
      ? raised > 1
        ? ['', `It was raised ${raised} times in this moment.`]
        : []
      : [
          '',
          `It was raised ${times(raised)} since the last message, of ${dateField(sinceMs)}; messages held back: ${raised - 1}.`,
        ];
  return [
    `The ${SEVERITY_TITLE[alert.severity]} message is:`,
    '',
    ...folded(printable(alert.text)),
    ...repeated,
    '',
    `Host: ${hostname}`,
    `Class: ${CLASS_TITLE[alert.class]}`,
    `Version: Sallyport ${version}`,
    `Timestamp: ${dateField(nowMs)}`,
  ];
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/** Lines of at most 76 characters where there are blanks, and of 900 where there are none (RFC 5322 §2.1.1). */
function folded(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => each.match(/.{1,900}/gu) ?? [''])) {
    if (line !== '' && line.length + word.length >= 76) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}

const isAscii = (text: string): boolean => /^[\r\n -~]*$/.test(text);

const base64Lines = (text: string): string =>
  Buffer.from(text)
    .toString('base64')
    .replace(/.{76}(?=.)/g, '$&\r\n');

/** RFC 2047: words of at most 75 characters, none of which ends within a character. */
function encodedWords(text: string): string {
  if (isAscii(text)) return text;
  const words: string[] = [];
  let word = '';
  for (const character of text) {
    if (Buffer.byteLength(word + character) > 42) {
      words.push(word);
      word = '';
    }
    word += character;
  }
  return [...words, word].map((each) => `=?utf-8?B?${Buffer.from(each).toString('base64')}?=`).join('\r\n ');
}

const dateField = (atMs: number): string => new Date(atMs).toUTCString().replace('GMT', '+0000');
