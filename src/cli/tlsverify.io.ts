/**
 * `sallyport tlsverify DOMAIN`: would mail for this domain go over TLS to a host whose certificate is good? The running
 * gateway connects, by its routes or MX records; asked nothing, the command asks as AsyncOS does. Exit code 0 verified, 1
 * not. Effects: the control socket; with `--config` reads a file and connects itself.
 */
import {
  type DestinationQuestion,
  type DestinationVerification,
  verifyDestination,
} from '../explain/destination-verification.io.ts';
import { type Arguments, parseArguments, type Write } from './arguments.ts';
import type { CommandContext } from './command.ts';
import type { Dialogue } from './dialogue.io.ts';
import { revisionOfFile } from './file-revision.io.ts';
import { askWhy, bodyOf, whichAsked } from './on-gateway.io.ts';
import { line, required, yesNo } from './question.ts';
import { renderVerifiedDestination } from './tlsverify.ts';

const USAGE = `usage: sallyport tlsverify DOMAIN [--host HOST[:PORT]] [--port PORT] [--ca NAME] [--json]
           [--data DIR [--candidate] | --config FILE]
`;

export async function tlsverify(args: readonly string[], write: Write, { dialogue }: CommandContext): Promise<number> {
  const options = ['config', 'data', 'host', 'port', 'ca'];
  const parsed = parseArguments(args, { options, flags: ['json', 'candidate'] });
  if (typeof parsed === 'string') return refuse(parsed, write);
  if (asksNothing(parsed)) return await converse(parsed, write, dialogue);
  const question = questionOf(parsed);
  if (typeof question === 'string') return refuse(question, write);
  const found = await ask(parsed, question, write);
  if (found === undefined) return 1;
  write(parsed.flags.has('json') ? `${JSON.stringify(found, null, 2)}\n` : renderVerifiedDestination(found));
  return found.verified ? 0 : 1;
}

function refuse(why: string, write: Write): 2 {
  write(`${USAGE}${why}\n`);
  return 2;
}

const ask = async (parsed: Arguments, question: DestinationQuestion, write: Write) =>
  parsed.options['config'] === undefined
    ? await askGateway(parsed, question, write)
    : await askFile(parsed.options['config'], question, write);

/** Where the gateway is may be said; nothing else is. */
const asksNothing = ({ options, flags, rest }: Arguments): boolean =>
  rest.length === 0 && !flags.has('json') && ['host', 'port', 'ca'].every((name) => options[name] === undefined);

const HOST = `Enter the destination host to connect to.  Append the port (example.com:26) if you are not connecting on port 25.
An empty answer takes the SMTP route or the MX records of the domain:`;

/** As AsyncOS asks; the former answers are in the brackets. Exit code of the last verification. */
async function converse(parsed: Arguments, write: Write, dialogue: Dialogue): Promise<number> {
  let domain = '';
  let code = 0;
  do {
    const text = '\nEnter the TLS domain to verify against:';
    domain = await dialogue.ask(line({ text, preset: domain, read: required }));
    const host = await dialogue.ask(line({ text: `\n${HOST}` }));
    const found = await ask(parsed, { domain, ...(host === '' ? {} : { host }) }, write);
    if (found !== undefined) write(`\n${renderVerifiedDestination(found)}`);
    code = found?.verified === true ? 0 : 1;
  } while (await dialogue.ask(yesNo('\nWould you like to verify another domain?', true)));
  return code;
}

function questionOf({ options, flags, rest }: Arguments): DestinationQuestion | string {
  const [domain, ...more] = rest;
  if (domain === undefined || more.length > 0) return 'one domain is expected';
  if (options['config'] !== undefined && flags.has('candidate'))
    return '--candidate is about the running gateway, --config about a file';
  const { host, ca } = options;
  const port = options['port'] === undefined ? undefined : Number(options['port']);
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535))
    return '--port is from 1 to 65535';
  if (port !== undefined && host === undefined) return '--port belongs to --host';
  return { domain: domain.slice(domain.lastIndexOf('@') + 1), host, port, ca };
}

async function askGateway({ options, flags }: Arguments, question: DestinationQuestion, write: Write) {
  const { domain, host, port, ca } = question;
  const body = {
    which: whichAsked({ flags }),
    domain,
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(ca === undefined ? {} : { ca }),
  };
  const answer = await askWhy(options['data'], 'POST /api/tlsverify', body);
  return bodyOf<DestinationVerification>(answer, write);
}

async function askFile(file: string, question: DestinationQuestion, write: Write) {
  const revision = await revisionOfFile(file, write);
  if (revision === undefined) return undefined;
  const found = await verifyDestination(revision, question);
  if (found.answer === 'yes') return found.value;
  write(`sallyport: ${found.why}\n`);
  return undefined;
}
