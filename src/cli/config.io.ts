/**
 * `sallyport config OPERATION`: the configuration as a whole, of the running gateway or of the data folder of one that does
 * not run. Exit code 0; 1 where it was refused, with the reason; 2 for wrong usage. Effects: the configuration, files,
 * standard output.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { ConfigurationMode, Json, Path, Which } from '../config/configuration-store.ts';
import { counted } from '../core/counted.ts';
import { refuseImpossible } from '../config/refusals.ts';
import { parseDurationMs } from '../core/duration.ts';
import { codeOf } from '../core/errors.ts';
import { parseFaultPath } from '../core/fault-path.ts';
import { type Arguments, UsageError, type Write } from './arguments.ts';
import { localAdministrator } from './config-access.io.ts';
import type { LoadRequest } from './config-load.io.ts';
import { optionsOf } from './command.ts';
import { changeLines, committedLines, faultLine, historyLines, mergedLines, statusLines } from './config-view.ts';
import { PLACE_USAGE } from './on-configuration.io.ts';
import { readPassword } from './password.io.ts';
import { dataFolder } from './data-folder.ts';
import { onConfiguration, said, type ConfigurationContext as Context } from './on-configuration.io.ts';

type Operation = {
  readonly usage: string;
  /** Arguments beside options. */
  readonly least?: number;
  readonly most: number;
  /** Makes the store where there is none. */
  readonly mayMake?: true;
  readonly run: (context: Context) => Promise<number>;
};

/** Those with a value; what else a usage line names is a flag. */
const WITH_VALUE = ['to', 'revision', 'comment', 'confirm', 'at', 'base', 'passphrase-file', 'days'];

const OPERATIONS = {
  status: { usage: 'status [--json]', most: 0, run: status },
  show: { usage: 'show [PATH] [--revision N | --candidate] [--json]', most: 1, run: show },
  diff: { usage: 'diff [FROM] [TO] [--json]   (a revision number, running or candidate)', most: 2, run: diff },
  save: {
    usage: 'save [FILE] [--revision N | --candidate] [--with-secrets [--clear] [--passphrase-file FILE]] [--json]',
    most: 1,
    run: save,
  },
  load: {
    usage:
      'load FILE [--at PATH] [--base REVISION] [--inline] [--passphrase-file FILE] [--commit [--comment TEXT] [--confirm DURATION]] [--json]',
    least: 1,
    most: 1,
    mayMake: true,
    run: load,
  },
  set: { usage: 'set PATH VALUE [--json]   (VALUE: JSON, or text)', least: 2, most: 2, run: set },
  delete: { usage: 'delete PATH [--json]', least: 1, most: 1, run: remove },
  rename: { usage: 'rename PATH NAME [--json]', least: 2, most: 2, run: rename },
  commit: {
    usage: 'commit [--comment TEXT] [--confirm DURATION | --dry-run [--days 7]] [--json]',
    most: 0,
    run: commit,
  },
  confirm: { usage: 'confirm [--json]', most: 0, run: confirm },
  clear: { usage: 'clear [--json]', most: 0, run: clear },
  rebase: { usage: 'rebase [mine [PATH...]] [theirs [PATH...]] [--json]', most: 1000, run: rebase },
  rekey: {
    usage: 'rekey [--to FILE] [--json]   (another master key; --to where no gateway runs)',
    most: 0,
    run: rekey,
  },
  history: { usage: 'history [--json]', most: 0, run: history },
  rollback: {
    usage: 'rollback REVISION [--comment TEXT] [--confirm DURATION] [--json]',
    least: 1,
    most: 1,
    run: rollback,
  },
} as const satisfies Readonly<Record<string, Operation>>;

export const USAGE = [
  'usage: sallyport config OPERATION [--data DIR [--key-file FILE] | --config FILE]',
  ...[...Object.values(OPERATIONS).map((each) => each.usage), 'describe', 'schema'].map(
    (row) => `  sallyport config ${row}`,
  ),
  '',
].join('\n');

export async function config(args: readonly string[], write: Write): Promise<number> {
  const [name = '', ...others] = args;
  // The schema is loaded where it is shown, not by every commit.
  if (name === 'describe') return print(write, (await import('../config/describe-yaml.ts')).describeAsYaml());
  if (name === 'schema') {
    const { configurationJsonSchema } = await import('../config/json-schema.ts');
    return print(write, `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`);
  }
  if (!isOperation(name)) {
    write(USAGE);
    if (name === 'help') return 0;
    if (name !== '') write(`there is no operation ${name}\n`);
    return 2;
  }
  return await configOperation(name, others, write);
}

type OperationName = keyof typeof OPERATIONS;
const isOperation = (name: string): name is OperationName => Object.hasOwn(OPERATIONS, name);

/** One operation, for a command of AsyncOS's name, too: then `usage` is that command's. */
export async function configOperation(
  name: OperationName,
  args: readonly string[],
  write: Write,
  usage = `config ${OPERATIONS[name].usage} ${PLACE_USAGE}`,
): Promise<number> {
  const operation: Operation = OPERATIONS[name];
  const named = optionsOf(operation).map((option) => option.slice(2));
  return await onConfiguration(args, write, {
    ...operation,
    usage: `usage: sallyport ${usage}\n`,
    options: named.filter((option) => WITH_VALUE.includes(option)),
    flags: named.filter((option) => !WITH_VALUE.includes(option)),
  });
}

function print(write: Write, text: string): number {
  write(text);
  return 0;
}

async function status(context: Context): Promise<number> {
  const { store, offline } = context;
  return said(context, { ok: true, ...(await store.status()) }, (status) => statusLines(status, offline));
}

async function show(context: Context): Promise<number> {
  const { store, parsed, rest } = context;
  const path = pathOf(rest[0] ?? '');
  const which = whichOf(parsed);
  if (parsed.flags.has('json') || path.length > 0) {
    return said(context, await store.document(which, path), ({ value }) => asText(value), {
      json: ({ value }) => value,
    });
  }
  return said(context, await store.export({ which, secrets: 'masked' }), ({ text }) => text);
}

const asText = (value: Json): string =>
  typeof value === 'string' ? `${value}\n` : `${JSON.stringify(value, null, 2)}\n`;

async function diff(context: Context): Promise<number> {
  const { store, rest } = context;
  const [from = 'running', to = 'candidate'] = rest;
  const answer = await store.diff(operand(from), operand(to));
  return said(context, answer, ({ changes }) => changeLines(changes), { json: ({ changes }) => changes });
}

async function save(context: Context): Promise<number> {
  const { store, parsed, rest } = context;
  const [file] = rest;
  const withSecrets = parsed.flags.has('with-secrets');
  const clear = parsed.flags.has('clear');
  if (clear && !withSecrets) throw new UsageError('--clear belongs to --with-secrets');
  const secrets = !withSecrets ? 'masked' : clear ? 'clear' : 'sealed';
  const passphrase = secrets === 'sealed' ? { passphrase: await passphraseOf(parsed) } : {};
  const answer = await store.export({ which: whichOf(parsed), secrets, ...passphrase });
  if (!answer.ok || file === undefined) return said(context, answer, ({ text }) => text);
  try {
    fs.writeFileSync(file, answer.text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const code = codeOf(error) ?? 'failed';
    const why = code === 'EEXIST' ? `${file} exists already` : `cannot write ${file}: ${code}`;
    return said(context, refuseImpossible(why), () => '');
  }
  const text = `Saved to ${file}${secrets === 'masked' ? ', secrets masked' : ''}\n`;
  return said(context, { ok: true, file: path.resolve(file), secrets }, () => text);
}

async function load(context: Context): Promise<number> {
  const { parsed, rest, write, status: before } = context;
  const commits = parsed.flags.has('commit');
  const [file = ''] = rest;
  const request: LoadRequest = {
    file,
    at: pathOf(parsed.options['at'] ?? ''),
    base: parsed.options['base'] === undefined ? undefined : numberOf(parsed.options['base']),
    inline: parsed.flags.has('inline'),
    passphrase: () => passphraseOf(parsed),
  };
  const isStore = before.mode === 'store';
  const loaded = isStore
    ? await (await import('./config-load.io.ts')).loadIntoStore(context, request)
    : await (await import('./config-replace.io.ts')).replaceFile(context, request, commits);
  const asJson = parsed.flags.has('json') && !(isStore && commits);
  if (!loaded.ok || asJson) return said(context, loaded, () => '', { file });
  const text = [...loaded.warnings.map((fault) => `${faultLine(fault, file)}\n`), mergedLines(loaded, file)].join('');
  // What --json prints of the commit is JSON and nothing else.
  if (!parsed.flags.has('json')) write(text);
  if (commits && isStore) return await commit(context);
  write(changeLines(loaded.changes));
  return print(write, `${LOADED[before.mode][commits ? 'committed' : 'loaded']}\n`);
}

const LOADED: Readonly<Record<ConfigurationMode, { readonly loaded: string; readonly committed: string }>> = {
  store: { loaded: 'Loaded. To put it into force: sallyport config commit', committed: '' },
  file: {
    loaded: 'Checked. To put it in the place of the file: --commit',
    committed: 'Changes committed: the file was replaced',
  },
};

async function set(context: Context): Promise<number> {
  const { store, rest } = context;
  const [path = '', text = ''] = rest;
  const answer = await store.edit(localAdministrator(), [{ op: 'set', path: pathOf(path), value: valueOf(text) }]);
  return said(context, answer, () => NOT_YET);
}

async function remove(context: Context): Promise<number> {
  const { store, rest } = context;
  const answer = await store.edit(localAdministrator(), [{ op: 'delete', path: pathOf(rest[0] ?? '') }]);
  return said(context, answer, () => NOT_YET);
}

async function rename(context: Context): Promise<number> {
  const { store, rest } = context;
  const [path = '', to = ''] = rest;
  const answer = await store.edit(localAdministrator(), [{ op: 'rename', path: pathOf(path), to }]);
  return said(context, answer, () => NOT_YET);
}

const NOT_YET =
  'Changed, not committed yet: sallyport config diff shows it, sallyport config commit puts it into force\n';

async function commit(context: Context): Promise<number> {
  if (context.parsed.flags.has('dry-run')) return await tryCommit(context);
  const { store, parsed, offline } = context;
  const { comment = '' } = parsed.options;
  const answer = await store.commit(localAdministrator(), { comment, ...confirmOf(parsed) });
  return said(context, answer, (committed) => committedLines(committed, offline));
}

/** Whose verdict the commit would change; nothing is committed. */
async function tryCommit(context: Context): Promise<number> {
  const { store, compiled, write } = context;
  const { options, flags } = context.parsed;
  const { dryRunCandidate, dryRunOffline } = await import('./dry-run.io.ts');
  const { config: file, data, days = '7' } = options;
  if (!/^[1-9]\d{0,3}$/.test(days)) throw new UsageError('--days needs a whole number from 1');
  const dataDir = file === undefined ? path.resolve(data ?? 'data') : dataFolder(file, data);
  const asked = { dataDir, days: Number(days), json: flags.has('json') };
  if (compiled === undefined) return await dryRunCandidate(asked, write);
  const { session } = localAdministrator();
  const own = { status: () => store.status(), candidate: (of: string) => store.candidate(of), compiled };
  return await dryRunOffline({ ...asked, session, store: own }, write);
}

async function confirm(context: Context): Promise<number> {
  const { store } = context;
  return said(
    context,
    await store.confirm(localAdministrator()),
    ({ revision }) => `Revision ${revision.number} stays\n`,
  );
}

async function rekey(context: Context): Promise<number> {
  const { store, parsed } = context;
  const { to } = parsed.options;
  const start = to === undefined ? '' : ', with which the gateway must be started from now on (--key-file)';
  return said(
    context,
    await store.rekey(localAdministrator(), to),
    ({ file, secrets }) =>
      `${counted(secrets, 'secret')} encrypted under the new key in ${file}${start}\nKeep a copy of it apart\n`,
  );
}

async function clear(context: Context): Promise<number> {
  const { store } = context;
  const answer = await store.clear(localAdministrator().session);
  return said(context, answer, ({ dropped }) => `${counted(dropped, 'change')} given up\n`);
}

async function rebase(context: Context): Promise<number> {
  const { store, rest } = context;
  const who = localAdministrator();
  const candidate = await store.candidate(who.session);
  if (!candidate.ok) return said(context, candidate, () => '');
  const { conflicts } = candidate.candidate;
  const choices: { path: Path; keep: 'mine' | 'theirs' }[] = [];
  let keep: 'mine' | 'theirs' | undefined;
  for (const [i, word] of rest.entries()) {
    if (word === 'mine' || word === 'theirs') {
      keep = word;
      const next = rest[i + 1];
      // Without a path it is for all that is not named.
      if (next === undefined || next === 'mine' || next === 'theirs')
        for (const { path } of conflicts) choices.push({ path, keep: word });
    } else if (keep === undefined) throw new UsageError('mine or theirs comes first');
    else choices.unshift({ path: pathOf(word), keep });
  }
  return said(context, await store.rebase(who, choices), ({ base }) => `Based on revision ${base} now\n`);
}

async function history(context: Context): Promise<number> {
  const { store, parsed, write } = context;
  const revisions = await store.history();
  return print(write, parsed.flags.has('json') ? `${JSON.stringify(revisions, null, 2)}\n` : historyLines(revisions));
}

async function rollback(context: Context): Promise<number> {
  const { store, parsed, rest, offline } = context;
  const { comment } = parsed.options;
  const answer = await store.rollback(localAdministrator(), {
    to: numberOf(rest[0] ?? ''),
    ...(comment === undefined ? {} : { comment }),
    ...confirmOf(parsed),
  });
  return said(context, answer, (committed) => committedLines(committed, offline));
}

function pathOf(text: string): Path {
  const path = parseFaultPath(text);
  if (path === undefined) throw new UsageError(`not a path: ${text}; an example is listeners.submission.hat[0].policy`);
  return path;
}

function numberOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`not a revision: ${text}`);
  return Number(text);
}

function whichOf({ options, flags }: Arguments): Which {
  const revision = options['revision'];
  if (revision !== undefined) return numberOf(revision);
  return flags.has('candidate') ? { session: localAdministrator().session } : 'running';
}

function operand(text: string): Which {
  if (text === 'running') return 'running';
  return text === 'candidate' ? { session: localAdministrator().session } : numberOf(text);
}

function confirmOf({ options }: Arguments): { confirmMs?: number } {
  const text = options['confirm'];
  if (text === undefined) return {};
  const confirmMs = parseDurationMs(text);
  if (confirmMs === undefined) throw new UsageError('--confirm needs a duration, such as 10m');
  return { confirmMs };
}

function valueOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

async function passphraseOf({ options }: Arguments): Promise<string> {
  const file = options['passphrase-file'];
  if (file === undefined) return readPassword('Passphrase');
  try {
    return fs.readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch {
    throw new UsageError(`cannot read the passphrase file ${file}`);
  }
}
