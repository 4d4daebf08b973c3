/**
 * `sallyport ldaptest`: asks the directory exactly what a session would ask, and shows every stage: of the running gateway,
 * or with `--config` of a file. The password is typed without echo, or is the first line of standard input where that is
 * no terminal; it is never an argument, because others can see those.
 * Effects: the control socket; or reads the configuration and its files, the directory; standard input.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { certificatesOf } from '../certificate-lookup.ts';
import { type DirectoryTest, testDirectory } from '../directory-test.ts';
import { loadRevision } from '../revision.ts';
import { type Arguments, parseArguments, type Write } from './arguments.ts';
import { pemOf } from './cert.ts';
import { bodyOf, gatewayAt } from './gateway-answer.io.ts';
import { renderDirectoryTest } from './ldaptest.ts';
import { readPassword } from './password.io.ts';

const OPTIONS = ['config', 'data', 'query', 'user', 'certificate', 'profile'];
const FLAGS = ['candidate', 'no-password', 'json'];
const USAGE = `usage: sallyport ldaptest [--data DIR [--candidate] | --config FILE] [--query NAME] [--json]
           (--user USER [--no-password] | --certificate FILE [--profile NAME])
`;

export async function ldaptest(args: readonly string[], write: Write): Promise<number> {
  const parsed = parseArguments(args, { options: OPTIONS, flags: FLAGS });
  if (typeof parsed === 'string') return refuse(write, parsed);
  const { query, user, certificate, profile, config } = parsed.options;
  const wrong =
    parsed.rest.length > 0 ||
    (user === undefined) === (certificate === undefined) ||
    (profile !== undefined && (user !== undefined || query !== undefined));
  if (wrong) return refuse(write, '');
  const subject = await subjectOf(parsed);
  if (typeof subject === 'string') return refuseToAsk(write, subject);
  const asked = { parsed, subject, write };
  const test = config === undefined ? await askGateway(asked) : await askFile(asked, config);
  if (test === undefined) return 1;
  const { text, code } = renderDirectoryTest(test);
  write(parsed.flags.has('json') ? `${JSON.stringify(test, null, 2)}\n` : text);
  return code;
}

function refuse(write: Write, why: string): number {
  write(why === '' ? USAGE : `${USAGE}${why}\n`);
  return 2;
}

function refuseToAsk(write: Write, why: string): number {
  write(`sallyport: ${why}\n`);
  return 1;
}

type Subject =
  | { readonly user: string; readonly password: string | undefined }
  /** DER. */
  | { readonly certificate: Uint8Array };
type Asked = { readonly parsed: Arguments; readonly subject: Subject; readonly write: Write };

async function subjectOf({ options, flags }: Arguments): Promise<Subject | string> {
  const { user, certificate: file = '' } = options;
  if (user !== undefined) return { user, password: flags.has('no-password') ? undefined : await readPassword() };
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    return `cannot read ${file}: ${error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'}`;
  }
  const found = certificatesOf(bytes);
  return typeof found === 'string' ? `${file}: ${found}` : { certificate: found[0] as Uint8Array };
}

async function askGateway({ parsed: { options, flags }, subject, write }: Asked): Promise<DirectoryTest | undefined> {
  const { query, profile, data } = options;
  const body = {
    which: flags.has('candidate') ? ('candidate' as const) : ('running' as const),
    ...(query === undefined ? {} : { query }),
    ...(profile === undefined ? {} : { profile }),
    ...('certificate' in subject
      ? { certificate: pemOf(subject.certificate) }
      : { user: subject.user, ...(subject.password === undefined ? {} : { password: subject.password }) }),
  };
  return bodyOf<DirectoryTest>(await gatewayAt(data).call('POST /api/ldaptest', { body }), write);
}

async function askFile(
  { parsed: { options, flags }, subject, write }: Asked,
  file: string,
): Promise<DirectoryTest | undefined> {
  if (flags.has('candidate')) {
    refuse(write, '--candidate is about the running gateway, --config about a file');
    return undefined;
  }
  const loaded = await loadRevision({ file: path.normalize(file), dataDir: undefined, number: 1 });
  if (!loaded.ok) {
    for (const line of loaded.faults) write(`${line}\n`);
    return undefined;
  }
  const { query, profile } = options;
  const test = await testDirectory(loaded.revision, { query, profile, ...subject }, { now: () => Date.now() });
  if (test.answer === 'yes') return test.value;
  refuseToAsk(write, test.why);
  return undefined;
}
