/**
 * `sallyport trace`: what would become of a session, without sending anything. Every stage is decided by the code that
 * decides live sessions; the directory and the revocation lists are the real ones. It asks the running gateway about the
 * configuration in force or one's uncommitted changes, or with `--config` reads a file.
 * Effects: the control socket; or reads the configuration and files, asks the directory and, for the client's name, DNS.
 */
import path from 'node:path';
import { offlineRevocation } from '../explain/offline-revocation.io.ts';
import { systemClock } from '../core/system-clock.io.ts';
import { trace, traceInput, type TraceQuestion, type TraceReport } from '../explain/trace.io.ts';
import { SILENT } from '../log/silent.ts';
import { type Arguments, parseArguments, type Write } from './arguments.ts';
import { pemOf } from './cert.ts';
import type { CommandContext } from './command.ts';
import type { Dialogue } from './dialogue.io.ts';
import { revisionOfFile } from './file-revision.io.ts';
import { askWhy, bodyOf, whichAsked } from './on-gateway.io.ts';
import { yesNo } from './question.ts';
import { renderTrace, TRACE_EXIT_CODE } from './trace.ts';
import { askForTrace, questionOf } from './trace-question.io.ts';

const OPTIONS = ['config', 'data', 'listener', 'from-ip', 'hostname', 'certificate', 'user', 'sender', 'message'];
const FLAGS = ['tls', 'ask-password', 'json', 'candidate'];
const USAGE = `usage: sallyport trace [--data DIR [--candidate] | --config FILE [--data DIR]]   (asks)
       sallyport trace [--data DIR [--candidate] | --config FILE [--data DIR]] --from-ip ADDRESS [--hostname NAME]
           [--listener NAME] [--tls] [--certificate FILE] [--user USER [--ask-password]] --sender ADDRESS [--message FILE]
           [--json] RECIPIENT...
`;

export async function traceCommand(
  args: readonly string[],
  write: Write,
  { dialogue }: CommandContext,
): Promise<number> {
  const parsed = parseArguments(args, { options: OPTIONS, flags: FLAGS });
  if (typeof parsed === 'string') return usage(write, parsed);
  if (asksNothing(parsed)) return await converse(parsed, write, dialogue);
  const question = await questionOf(parsed);
  if (typeof question === 'string') return usage(write, question);
  const report = await ask(parsed, question, write);
  if (typeof report === 'number') return report;
  write(parsed.flags.has('json') ? `${JSON.stringify(report, null, 2)}\n` : renderTrace(report));
  return TRACE_EXIT_CODE[report.outcome];
}

const ask = async (parsed: Arguments, question: TraceQuestion, write: Write): Promise<TraceReport | number> =>
  parsed.options['config'] === undefined
    ? await askGateway(parsed, question, write)
    : await askFile(parsed, { config: parsed.options['config'], question, write });

/** Where the gateway is, and which configuration, may be said; nothing else is. */
const asksNothing = ({ options, flags, rest }: Arguments): boolean =>
  rest.length === 0 &&
  Object.keys(options).every((name) => name === 'data' || name === 'config') &&
  [...flags].every((flag) => flag === 'candidate');

/** As AsyncOS asks, with what it does not know (TLS, a card, a login) in between. Exit code of the last trace. */
async function converse(parsed: Arguments, write: Write, dialogue: Dialogue): Promise<number> {
  const listeners = await listenersOf(parsed, write);
  if (listeners === undefined) return 1;
  let code = 0;
  do {
    const report = await ask(parsed, await askForTrace(dialogue, listeners), write);
    if (typeof report !== 'number') write(`\n${renderTrace(report)}`);
    code = typeof report === 'number' ? report : TRACE_EXIT_CODE[report.outcome];
  } while (await dialogue.ask(yesNo('\nRun through another debug session?', false)));
  return code;
}

async function listenersOf({ options, flags }: Arguments, write: Write): Promise<readonly string[] | undefined> {
  const { config, data } = options;
  if (config !== undefined) {
    const revision = await revisionOfFile(config, write);
    return revision && Object.keys(revision.config.listeners);
  }
  const which = whichAsked({ flags });
  const answer = await askWhy(data, 'GET /api/config', { which, path: 'listeners' });
  const found = bodyOf<{ readonly value: object }>(answer, write);
  return found && Object.keys(found.value);
}

function usage(write: Write, why: string): number {
  write(`${USAGE}${why}\n`);
  return 2;
}

async function askGateway({ options, flags }: Arguments, question: TraceQuestion, write: Write) {
  const { certificates, message, recipients, ...rest } = question;
  const body = {
    ...rest,
    which: whichAsked({ flags }),
    recipients: [...recipients],
    ...(certificates.length === 0 ? {} : { certificate: certificates.map(pemOf).join('') }),
    ...(message === undefined ? {} : { message: message.toString('base64') }),
  };
  const answer = await askWhy(options['data'], 'POST /api/trace', body);
  return bodyOf<TraceReport>(answer, write) ?? 1;
}

type OfFile = { readonly config: string; readonly question: TraceQuestion; readonly write: Write };

async function askFile({ options, flags }: Arguments, { config: file, question, write }: OfFile) {
  if (flags.has('candidate')) return usage(write, '--candidate is about the running gateway, --config about a file');
  const revision = await revisionOfFile(file, write);
  if (revision === undefined) return 1;
  const { config, material } = revision;
  const input = traceInput(config, question);
  if (typeof input === 'string') return usage(write, input);
  const parts = { clock: systemClock, log: SILENT };
  const baseDir = path.dirname(path.resolve(file));
  const crls = await offlineRevocation({ config, material, baseDir, dataDir: options['data'], ...parts });
  try {
    return (await trace(revision, input, { crls, ...parts })) ?? usage(write, `no listener ${input.listener}`);
  } finally {
    crls.close();
  }
}
