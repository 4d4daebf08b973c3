/**
 * `sallyport trace`: what would become of a session, without sending anything. Every stage is decided by the code that
 * decides live sessions; the directory and the revocation lists are the real ones. It asks the running gateway about the
 * configuration in force or one's uncommitted changes, or with `--config` reads a file.
 * Effects: the control socket; or reads the configuration and files, asks the directory and, for the client's name, DNS.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { certificatesOf } from '../certificate-lookup.ts';
import { offlineRevocation } from '../offline-revocation.ts';
import { loadRevision } from '../revision.ts';
import { trace, traceInput, type TraceQuestion, type TraceReport } from '../trace.ts';
import { type Arguments, parseArguments, type Write } from './arguments.ts';
import { pemOf } from './cert.ts';
import { bodyOf, gatewayAt } from './gateway-answer.io.ts';
import { readPassword } from './password.io.ts';
import { renderTrace, TRACE_EXIT_CODE } from './trace.ts';

const OPTIONS = ['config', 'data', 'listener', 'from-ip', 'hostname', 'certificate', 'user', 'sender', 'message'];
const FLAGS = ['tls', 'ask-password', 'json', 'candidate'];
const USAGE = `usage: sallyport trace [--data DIR [--candidate] | --config FILE [--data DIR]] --from-ip ADDRESS [--hostname NAME]
           [--listener NAME] [--tls] [--certificate FILE] [--user USER [--ask-password]] --sender ADDRESS [--message FILE]
           [--json] RECIPIENT...
`;

export async function traceCommand(args: readonly string[], write: Write): Promise<number> {
  const parsed = parseArguments(args, { options: OPTIONS, flags: FLAGS });
  if (typeof parsed === 'string') return usage(write, parsed);
  const question = await questionOf(parsed);
  if (typeof question === 'string') return usage(write, question);
  const { config } = parsed.options;
  const report =
    config === undefined
      ? await askGateway(parsed, question, write)
      : await askFile(parsed, { config, question, write });
  if (typeof report === 'number') return report;
  write(parsed.flags.has('json') ? `${JSON.stringify(report, null, 2)}\n` : renderTrace(report));
  return TRACE_EXIT_CODE[report.outcome];
}

function usage(write: Write, why: string): number {
  write(`${USAGE}${why}\n`);
  return 2;
}

async function askGateway({ options, flags }: Arguments, question: TraceQuestion, write: Write) {
  const { certificates, message, recipients, ...rest } = question;
  const body = {
    ...rest,
    which: flags.has('candidate') ? ('candidate' as const) : ('running' as const),
    recipients: [...recipients],
    ...(certificates.length === 0 ? {} : { certificate: certificates.map(pemOf).join('') }),
    ...(message === undefined ? {} : { message: message.toString('base64') }),
  };
  const answer = await gatewayAt(options['data']).call('POST /api/trace', { body });
  return bodyOf<TraceReport>(answer, write) ?? 1;
}

type OfFile = { readonly config: string; readonly question: TraceQuestion; readonly write: Write };

async function askFile({ options, flags }: Arguments, { config: file, question, write }: OfFile) {
  if (flags.has('candidate')) return usage(write, '--candidate is about the running gateway, --config about a file');
  const loaded = await loadRevision({ file: path.normalize(file), dataDir: undefined, number: 1 });
  if (!loaded.ok) {
    for (const line of loaded.faults) write(`${line}\n`);
    return 1;
  }
  const { config, material } = loaded.revision;
  const input = traceInput(config, question);
  if (typeof input === 'string') return usage(write, input);
  const parts = { clock: { now: (): number => Date.now() }, log: { emit: () => undefined } };
  const baseDir = path.dirname(path.resolve(file));
  const crls = await offlineRevocation({ config, material, baseDir, dataDir: options['data'], ...parts });
  try {
    return (await trace(loaded.revision, input, { crls, ...parts })) ?? usage(write, `no listener ${input.listener}`);
  } finally {
    crls.close();
  }
}

/** What is asked, or what is wrong with it. */
async function questionOf({ options, flags, rest }: Arguments): Promise<TraceQuestion | string> {
  const { 'from-ip': fromIp, sender, listener, hostname, user } = options;
  if (fromIp === undefined) return '--from-ip is needed: an IPv4 or IPv6 address';
  if (sender === undefined) return "--sender is needed: an address, or '' for the null sender";
  if (rest.length === 0) return 'at least one RECIPIENT is needed';
  const files = readFiles(options['certificate'], options['message']);
  if (typeof files === 'string') return files;
  const password = user !== undefined && flags.has('ask-password') ? await readPassword() : undefined;
  return {
    ...(listener === undefined ? {} : { listener }),
    fromIp,
    ...(hostname === undefined ? {} : { hostname }),
    ...(flags.has('tls') ? { tls: true } : {}),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    sender,
    recipients: rest,
    ...files,
  };
}

type Files = Pick<TraceQuestion, 'certificates' | 'message'>;

function readFiles(certificate: string | undefined, message: string | undefined): Files | string {
  try {
    const read = certificate === undefined ? [] : certificatesOf(readFileSync(certificate));
    if (typeof read === 'string') return `${certificate}: ${read}`;
    // A file's lines end as its editor ends them; a session's end with CRLF.
    const text = message === undefined ? undefined : readFileSync(message, 'latin1').replace(/\r?\n/g, '\r\n');
    return { certificates: read, ...(text === undefined ? {} : { message: Buffer.from(text, 'latin1') }) };
  } catch (error) {
    return `cannot read a file: ${error instanceof Error ? error.message : String(error)}`;
  }
}
