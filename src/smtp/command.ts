/**
 * One command line to one Command, or to the reply that says what is wrong with it. Verbs and keywords in any case,
 * blanks after the colon and at the end of the line tolerated, everything else strict; octets that are no UTF-8 and
 * control characters are refused. RFC 5321 §4.1.1; parameters of RFC 1870, 6152, 6531, 4954 §5, 3461 §4; RFC 3030 §2. Pure.
 */
import { isUtf8 } from 'node:buffer';
import { type Path, scanPath } from '../core/address.ts';
import { R, type Reply } from '../core/reply.ts';
import { COMMAND_TABLE, type Verb, VERBS } from './command-table.ts';
import {
  type MailParameters,
  NO_MAIL_PARAMETERS,
  NO_RCPT_PARAMETERS,
  parseMailParameters,
  parseRcptParameters,
  type RcptParameters,
} from './parameters.ts';

export type MailCommand = { readonly verb: 'MAIL'; readonly path: Path; readonly parameters: MailParameters };
export type RcptCommand = { readonly verb: 'RCPT'; readonly path: Path; readonly parameters: RcptParameters };
export type BdatCommand = { readonly verb: 'BDAT'; readonly size: number; readonly last: boolean };
export type AuthCommand = { readonly verb: 'AUTH'; readonly mechanism: string; readonly initialResponse?: string };

export type Command =
  | { readonly verb: 'EHLO' | 'HELO'; readonly domain: string }
  | MailCommand
  | RcptCommand
  | BdatCommand
  | AuthCommand
  | { readonly verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS' | 'NOOP' }
  | { readonly verb: 'VRFY' | 'EXPN' | 'HELP'; readonly argument: string }
  /**
   * `attempted` is the verb whose syntax was wrong; undefined for an unknown one. After a faulty BDAT the octets that
   * follow cannot be told from commands: the connection must be closed.
   */
  | { readonly verb: 'invalid'; readonly reply: Reply; readonly attempted: Verb | undefined };

const VERB = /^([A-Za-z]{4,8})(?: +|$)/;
const KNOWN: ReadonlySet<string> = new Set(VERBS);
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const MAX_DOMAIN_LENGTH = 255; // RFC 5321 §4.5.3.1.2

const invalid = (reply: Reply, attempted?: Verb): Command => ({ verb: 'invalid', reply, attempted });

/** `line` is without its CRLF. Never throws. */
export function parseCommand(line: Buffer): Command {
  const text = isUtf8(line) ? line.toString('utf8') : undefined;
  const verb = (text === undefined ? '' : (VERB.exec(text)?.[1] ?? '')).toUpperCase() as Verb;
  if (text === undefined) return invalid(R.badCharacters);
  if (!KNOWN.has(verb)) return invalid(CONTROL.test(text.trimEnd()) ? R.badCharacters : R.unknownCommand);
  if (line.length + 2 > COMMAND_TABLE[verb].maxLineBytes) return invalid(R.lineTooLong, verb);
  // RFC 5321 §4.1.1: blanks before the CRLF are tolerated.
  const rest = text
    .slice(verb.length)
    .replace(/[ \t]+$/, '')
    .trimStart();
  return CONTROL.test(rest) ? invalid(R.badCharacters, verb) : parseArguments(verb, rest);
}

function parseArguments(verb: Verb, rest: string): Command {
  switch (verb) {
    case 'EHLO':
    case 'HELO':
      return parseHello(verb, rest);
    case 'MAIL':
      return parseMail(rest);
    case 'RCPT':
      return parseRcpt(rest);
    case 'BDAT':
      return parseBdat(rest);
    case 'AUTH':
      return parseAuth(rest);
    case 'DATA':
    case 'RSET':
    case 'QUIT':
    case 'STARTTLS': // RFC 3207 §4: no parameters, else 501
      return rest === '' ? { verb } : invalid(R.syntax(`${verb} takes no parameters`), verb);
    case 'NOOP':
      return { verb }; // RFC 5321 §4.1.1.9: any string is ignored
    case 'VRFY':
    case 'EXPN':
      return rest === '' ? invalid(R.syntax(`${verb} needs an argument`), verb) : { verb, argument: rest };
    case 'HELP':
      return { verb, argument: rest };
  }
}

/**
 * Deviates: the domain is not checked against RFC 5321 §4.1.2. Clients send bare names, addresses without brackets and
 * underscores; §4.1.4 forbids to refuse mail for what they call themselves.
 */
function parseHello(verb: 'EHLO' | 'HELO', rest: string): Command {
  if (rest === '') return invalid(R.syntax(`${verb} needs the name of the client`), verb);
  if (rest.length > MAX_DOMAIN_LENGTH || rest.includes(' ')) return invalid(R.syntax(`${verb} takes one name`), verb);
  return { verb, domain: rest };
}

const MAIL_PREFIX = /^FROM: */i;
const RCPT_PREFIX = /^TO: */i;

function parseMail(rest: string): Command {
  const prefix = MAIL_PREFIX.exec(rest)?.[0];
  if (prefix === undefined) return invalid(R.syntax('the syntax is MAIL FROM:<address>'), 'MAIL');
  const scan = scanPath(rest, prefix.length);
  if (!scan.ok) return invalid(R.badSender(scan.why), 'MAIL');
  if (scan.end === rest.length) return { verb: 'MAIL', path: scan.path, parameters: NO_MAIL_PARAMETERS };
  if (rest[scan.end] !== ' ') return invalid(R.badSender('malformed address'), 'MAIL');
  const parsed = parseMailParameters(rest.slice(scan.end));
  return parsed.ok ? { verb: 'MAIL', path: scan.path, parameters: parsed.value } : invalid(parsed.reply, 'MAIL');
}

function parseRcpt(rest: string): Command {
  const prefix = RCPT_PREFIX.exec(rest)?.[0];
  if (prefix === undefined) return invalid(R.syntax('the syntax is RCPT TO:<address>'), 'RCPT');
  const scan = scanPath(rest, prefix.length);
  if (!scan.ok) return invalid(R.badRecipient(scan.why), 'RCPT');
  if (scan.end !== rest.length && rest[scan.end] !== ' ') return invalid(R.badRecipient('malformed address'), 'RCPT');
  if (scan.path.address === '') return invalid(R.badRecipient('a recipient cannot be empty'), 'RCPT');
  if (scan.end === rest.length) return { verb: 'RCPT', path: scan.path, parameters: NO_RCPT_PARAMETERS };
  const parsed = parseRcptParameters(rest.slice(scan.end));
  return parsed.ok ? { verb: 'RCPT', path: scan.path, parameters: parsed.value } : invalid(parsed.reply, 'RCPT');
}

function parseBdat(rest: string): Command {
  const match = /^(\d{1,15})( +LAST)?$/i.exec(rest);
  if (match === null) return invalid(R.syntax('the syntax is BDAT size [LAST]'), 'BDAT');
  return { verb: 'BDAT', size: Number(match[1]), last: match[2] !== undefined };
}

function parseAuth(rest: string): Command {
  // RFC 4422 §3.1: a mechanism's name has 1 to 20 letters, digits, hyphens and underscores.
  const match = /^([A-Za-z0-9_-]{1,20})(?: +(\S+))?$/.exec(rest);
  if (match === null) return invalid(R.syntax('the syntax is AUTH mechanism [initial-response]'), 'AUTH');
  const mechanism = (match[1] ?? '').toUpperCase();
  return match[2] === undefined ? { verb: 'AUTH', mechanism } : { verb: 'AUTH', mechanism, initialResponse: match[2] };
}
