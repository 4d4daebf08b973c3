/**
 * Plays an SMTP transcript that a postmaster can read:
 *
 *   # comment
 *   C: EHLO client.example.test        the client sends this line with CRLF
 *   C<<                                the client sends the lines up to `>>` in one write, each with CRLF
 *   >>
 *   B: "NOOP\nNOOP\r\n"                the client sends exactly these bytes (a JSON string, \u0000 to \u00ff)
 *   S: 250*                            the next reply: its last line matches; `*` stands for any text
 *   S- AUTH PLAIN LOGIN                the reply just read has this line among its lines
 *   S! STARTTLS*                       … and has no line like this
 *   TLS [name] [TLSv1.2]               handshake after 220, with the card of that person or that kind of bad certificate
 *   CLOSED                             the server has closed the connection
 *
 * The first lines may say `listener: name`. Pure parsing; playing leads an SmtpSession.
 */
import assert from 'node:assert/strict';
import type { SmtpReply, SmtpSession, TlsClient } from './smtp-session.ts';

type Step = { readonly line: number; readonly does: string; readonly text: string };
export type Dialogue = { readonly listener: string; readonly steps: readonly Step[] };

export function parseDialogue(text: string): Dialogue {
  const steps: Step[] = [];
  let listener = 'default';
  let block: string[] | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1;
    if (block !== undefined) {
      if (raw === '>>') {
        steps.push({ line, does: 'write', text: block.map((part) => `${part}\r\n`).join('') });
        block = undefined;
      } else block.push(raw);
    } else if (raw === 'C<<') block = [];
    else if (raw.startsWith('listener: ')) listener = raw.slice(10).trim();
    else if (raw !== '' && !raw.startsWith('#')) steps.push(stepOf(raw, line));
  }
  assert.ok(block === undefined, 'a C<< block has no end');
  assert.ok(
    steps.some(({ does }) => does === 'reply'),
    'a dialogue that expects nothing shows nothing',
  );
  return { listener, steps };
}

function stepOf(raw: string, line: number): Step {
  const [, mark = '', text = ''] = /^(C:|B:|S:|S-|S!|TLS|CLOSED)(?: (.*))?$/.exec(raw) ?? [];
  switch (mark) {
    case 'C:':
      return { line, does: 'write', text: `${text}\r\n` };
    case 'B:':
      return { line, does: 'write-octets', text: JSON.parse(text) as string };
    case 'S:':
      return { line, does: 'reply', text };
    case 'S-':
      return { line, does: 'has', text };
    case 'S!':
      return { line, does: 'has-not', text };
    case 'TLS':
      return { line, does: 'tls', text };
    case 'CLOSED':
      return { line, does: 'closed', text: '' };
    default:
      throw new Error(`line ${line}: not a step: ${raw}`);
  }
}

const matches = (pattern: string, text: string): boolean =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.?+^$()[\]{}|\\]/g, '\\$&'))
      .join('.*')}$`,
  ).test(text);

export type Player = {
  readonly session: SmtpSession;
  /** The certificate that a `TLS name` line means. */
  readonly certificate: (name: string) => TlsClient;
};

export async function play({ steps }: Dialogue, { session, certificate }: Player): Promise<void> {
  let last: SmtpReply | undefined;
  for (const { line, does, text } of steps) {
    const where = (): string => `line ${line}: ${text}\n${session.talk()}`;
    switch (does) {
      case 'write':
        session.write(text);
        break;
      case 'write-octets':
        session.write(Buffer.from(text, 'latin1'));
        break;
      case 'reply':
        last = await session.reply();
        assert.ok(matches(text, last.text), `got ${last.text}; expected at ${where()}`);
        break;
      case 'has':
        assert.ok(
          last?.lines.some((part) => matches(text, part)),
          `not among the lines; ${where()}`,
        );
        break;
      case 'has-not':
        assert.ok(!last?.lines.some((part) => matches(text, part)), `among the lines; ${where()}`);
        break;
      case 'tls': {
        const [first = '', second] = text.split(' ');
        const isVersion = first.startsWith('TLSv');
        const version = (isVersion ? first : second) as TlsClient['version'];
        await session.handshake({
          ...(first === '' || isVersion ? {} : certificate(first)),
          ...(version === undefined ? {} : { version }),
        });
        break;
      }
      default:
        await session.closed();
    }
  }
}
