/**
 * `sallyport trace`: what would become of a session, without sending anything. Every stage is decided by the code that
 * decides live sessions; the directory and the revocation lists are the real ones.
 * Effects: reads the configuration and files, asks the directory and, for the client's name, DNS.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { certificatesOf } from '../certificate-lookup.ts';
import type { Config } from '../config/schema.ts';
import { normaliseIp } from '../core/network.ts';
import { offlineRevocation } from '../offline-revocation.ts';
import { loadRevision } from '../revision.ts';
import { trace, type TraceInput } from '../trace.ts';
import { type Arguments, parseArguments, type Write } from './arguments.ts';
import { readPassword } from './password.io.ts';
import { renderTrace, TRACE_EXIT_CODE } from './trace.ts';

const OPTIONS = ['config', 'data', 'listener', 'from-ip', 'hostname', 'certificate', 'user', 'sender', 'message'];
const FLAGS = ['tls', 'ask-password', 'json'];
const USAGE = `usage: sallyport trace --config FILE --from-ip ADDRESS [--hostname NAME] [--listener NAME] [--tls]
           [--certificate FILE] [--user USER [--ask-password]] --sender ADDRESS [--message FILE] [--data DIR] [--json] RECIPIENT...
`;

export async function traceCommand(args: readonly string[], write: Write): Promise<number> {
  const parsed = parseArguments(args, { options: OPTIONS, flags: FLAGS });
  if (typeof parsed === 'string') return usage(write, parsed);
  const file = parsed.options['config'];
  if (file === undefined) return usage(write, '--config is needed');
  const loaded = await loadRevision({ file: path.normalize(file), dataDir: undefined, number: 1 });
  if (!loaded.ok) {
    for (const line of loaded.faults) write(`${line}\n`);
    return 1;
  }
  const input = await inputOf(parsed, loaded.revision.config);
  if (typeof input === 'string') return usage(write, input);
  const clock = { now: (): number => Date.now() };
  const log = { emit: () => undefined };
  const baseDir = path.dirname(path.resolve(file));
  const { config, material } = loaded.revision;
  const crls = await offlineRevocation({ config, material, baseDir, dataDir: parsed.options['data'], clock, log });
  const report = await trace(loaded.revision, input, { crls, clock, log });
  crls.close();
  if (report === undefined) return usage(write, `there is no listener ${input.listener}`);
  write(parsed.flags.has('json') ? `${JSON.stringify(report, null, 2)}\n` : renderTrace(report));
  return TRACE_EXIT_CODE[report.outcome];
}

function usage(write: Write, why: string): number {
  write(`${USAGE}${why}\n`);
  return 2;
}

/** What is asked, or what is wrong with it. */
async function inputOf({ options, flags, rest }: Arguments, config: Config): Promise<TraceInput | string> {
  const remoteAddress = normaliseIp(options['from-ip']);
  if (remoteAddress === undefined) return '--from-ip is needed: an IPv4 or IPv6 address';
  const sender = options['sender'];
  if (sender === undefined) return "--sender is needed: an address, or '' for the null sender";
  if (rest.length === 0) return 'at least one RECIPIENT is needed';
  const names = Object.keys(config.listeners);
  const listener = options['listener'] ?? (names.length === 1 ? names[0] : undefined);
  if (listener === undefined) return `choose a listener with --listener: ${names.join(', ')}`;
  const files = readFiles(options['certificate'], options['message']);
  if (typeof files === 'string') return files;
  const { user } = options;
  const password = user !== undefined && flags.has('ask-password') ? await readPassword() : undefined;
  const tls = flags.has('tls') || files.certificates.length > 0 || config.listeners[listener]?.tlsMode === 'implicit';
  return {
    listener,
    remoteAddress,
    hostname: options['hostname']?.toLowerCase(),
    tls,
    sender,
    recipients: rest,
    login: user === undefined ? undefined : { user, password },
    ...files,
  };
}

type Files = Pick<TraceInput, 'certificates' | 'message'>;

function readFiles(certificate: string | undefined, message: string | undefined): Files | string {
  try {
    const read = certificate === undefined ? [] : certificatesOf(readFileSync(certificate));
    if (typeof read === 'string') return `${certificate}: ${read}`;
    // A file's lines end as its editor ends them; a session's end with CRLF.
    const text = message === undefined ? undefined : readFileSync(message, 'latin1').replace(/\r?\n/g, '\r\n');
    return { certificates: read, message: text === undefined ? undefined : Buffer.from(text, 'latin1') };
  } catch (error) {
    return `cannot read a file: ${error instanceof Error ? error.message : String(error)}`;
  }
}
