/**
 * `sallyport ldaptest`: asks the directory exactly what a session would ask, and shows every stage: of the running gateway,
 * or with `--config` of a file. The password is typed without echo, or is the first line of standard input where that is
 * no terminal; it is never an argument, because others can see those.
 * Effects: the control socket; or reads the configuration and its files, the directory; standard input.
 */
import { readFileSync } from 'node:fs';
import { certificatesOf } from '../explain/certificate-lookup.ts';
import { type DirectoryTest, testDirectory } from '../explain/directory-test.io.ts';
import { codeOf } from '../core/errors.ts';
import { systemClock } from '../core/system-clock.io.ts';
import { type Arguments, parseArguments, type Write } from './arguments.ts';
import { pemOf } from './cert.ts';
import type { CommandContext } from './command.ts';
import type { Dialogue } from './dialogue.io.ts';
import { revisionOfFile } from './file-revision.io.ts';
import { renderDirectoryTest } from './ldaptest.ts';
import { askWhy, bodyOf, whichAsked } from './on-gateway.io.ts';
import { readPassword } from './password.io.ts';
import { choice, line, required, secret, yesNo } from './question.ts';

const OPTIONS = ['config', 'data', 'query', 'user', 'certificate', 'profile'];
const FLAGS = ['candidate', 'no-password', 'json'];
const USAGE = `usage: sallyport ldaptest [--data DIR [--candidate] | --config FILE]   (asks)
       sallyport ldaptest [--data DIR [--candidate] | --config FILE] [--query NAME] [--json]
           (--user USER [--no-password] | --certificate FILE [--profile NAME])
`;

export async function ldaptest(
  args: readonly string[],
  write: Write,
  { dialogue }: Pick<CommandContext, 'dialogue'>,
): Promise<number> {
  const parsed = parseArguments(args, { options: OPTIONS, flags: FLAGS });
  if (typeof parsed === 'string') return refuse(write, parsed);
  if (asksNothing(parsed)) return await converse(parsed, write, dialogue);
  const { query, user, certificate, profile } = parsed.options;
  const wrong =
    parsed.rest.length > 0 ||
    (user === undefined) === (certificate === undefined) ||
    (profile !== undefined && (user !== undefined || query !== undefined));
  if (wrong) return refuse(write, '');
  const subject = await subjectOf(parsed);
  if (typeof subject === 'string') return refuseToAsk(write, subject);
  const test = await ask({ parsed, subject, query, profile, write });
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
type Asked = {
  readonly parsed: Arguments;
  readonly subject: Subject;
  readonly query?: string | undefined;
  readonly profile?: string | undefined;
  readonly write: Write;
};

const ask = async (asked: Asked): Promise<DirectoryTest | undefined> =>
  asked.parsed.options['config'] === undefined
    ? await askGateway(asked)
    : await askFile(asked, asked.parsed.options['config']);

/** Where the gateway is, and which configuration, may be said; nothing else is. */
const asksNothing = ({ options, flags, rest }: Arguments): boolean =>
  rest.length === 0 &&
  Object.keys(options).every((name) => name === 'data' || name === 'config') &&
  [...flags].every((flag) => flag === 'candidate');

/** As AsyncOS asks: the query, then whom to look up. Exit code of the last test. */
async function converse(parsed: Arguments, write: Write, dialogue: Dialogue): Promise<number> {
  const queries = await queriesOf(parsed, write);
  if (queries === undefined) return 1;
  const [first] = queries;
  if (first === undefined) return refuseToAsk(write, 'the configuration has no LDAP query');
  let code = 0;
  do {
    const { name: query, type } = await dialogue.ask(
      choice(
        '\nSelect which LDAP query to test:',
        queries.map((value) => ({ value, label: `${value.name} (${value.type})`, name: value.name })),
        first,
      ),
    );
    const subject = type === 'smtpAuth' ? await askLogin(dialogue) : await dialogue.ask(CERTIFICATE);
    const test = await ask({ parsed, subject, query, write });
    const shown = test && renderDirectoryTest(test);
    if (shown !== undefined) write(`\n${shown.text}`);
    code = shown?.code ?? 1;
  } while (await dialogue.ask(yesNo('\nWould you like to test another query?', false)));
  return code;
}

async function askLogin(dialogue: Dialogue): Promise<Subject> {
  const user = await dialogue.ask(line({ text: '\nEnter the user identity to use in the test:', read: required }));
  const text = '\nEnter the password to use in the test (blank: taken as right, to see the allowance):';
  const password = await dialogue.ask(secret(text));
  return { user, password: password === '' ? undefined : password };
}

const CERTIFICATE = line<Subject>({
  text: '\nEnter the file of the certificate to use in the test:',
  read: (file) => {
    const found = certificateIn(file);
    return typeof found === 'string' ? { ok: false, why: found } : { ok: true, value: found };
  },
});

type NamedQuery = { readonly name: string; readonly type: string };

async function queriesOf({ options, flags }: Arguments, write: Write): Promise<readonly NamedQuery[] | undefined> {
  const { config, data } = options;
  if (config !== undefined) {
    const revision = await revisionOfFile(config, write);
    return revision && namedQueries(revision.config.ldap.queries);
  }
  const which = whichAsked({ flags });
  const answer = await askWhy(data, 'GET /api/config', { which, path: 'ldap.queries' });
  const found = bodyOf<{ readonly value: Record<string, { readonly type: string }> }>(answer, write);
  return found && namedQueries(found.value);
}

const namedQueries = (queries: Readonly<Record<string, { readonly type: string }>>): NamedQuery[] =>
  Object.entries(queries).map(([name, { type }]) => ({ name, type }));

async function subjectOf({ options, flags }: Arguments): Promise<Subject | string> {
  const { user, certificate: file = '' } = options;
  if (user !== undefined) return { user, password: flags.has('no-password') ? undefined : await readPassword() };
  return certificateIn(file);
}

function certificateIn(file: string): Subject | string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    return `cannot read ${file}: ${codeOf(error) ?? 'unreadable'}`;
  }
  const found = certificatesOf(bytes);
  return typeof found === 'string' ? `${file}: ${found}` : { certificate: found[0] as Uint8Array };
}

async function askGateway({
  parsed: { options, flags },
  subject,
  query,
  profile,
  write,
}: Asked): Promise<DirectoryTest | undefined> {
  const { data } = options;
  const body = {
    which: whichAsked({ flags }),
    ...(query === undefined ? {} : { query }),
    ...(profile === undefined ? {} : { profile }),
    ...('certificate' in subject
      ? { certificate: pemOf(subject.certificate) }
      : { user: subject.user, ...(subject.password === undefined ? {} : { password: subject.password }) }),
  };
  return bodyOf<DirectoryTest>(await askWhy(data, 'POST /api/ldaptest', body), write);
}

async function askFile(
  { parsed: { flags }, subject, query, profile, write }: Asked,
  file: string,
): Promise<DirectoryTest | undefined> {
  if (flags.has('candidate')) {
    refuse(write, '--candidate is about the running gateway, --config about a file');
    return undefined;
  }
  const revision = await revisionOfFile(file, write);
  if (revision === undefined) return undefined;
  const test = await testDirectory(revision, { query, profile, ...subject }, systemClock);
  if (test.answer === 'yes') return test.value;
  refuseToAsk(write, test.why);
  return undefined;
}
