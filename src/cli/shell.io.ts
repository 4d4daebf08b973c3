/**
 * `sallyport shell`: one session with all commands, as an administrator has it on an AsyncOS machine; uncommitted changes
 * belong to the account and stay from one session to the next. Ctrl-C gives up a command's question, `quit` or the end of
 * input the session. Effects: standard input and output, the control socket, and what the commands do.
 */
import { parseArguments, type Write } from './arguments.ts';
import {
  type CommandContext,
  type Commands,
  commandNamed,
  operationsOf,
  optionsOf,
  usageText,
  withPlace,
} from './command.ts';
import { accessConfiguration, localAdministrator } from './config-access.io.ts';
import { EndOfInput, Interrupted } from './dialogue.io.ts';
import type { Question } from './question.ts';
import { shellWords } from './shell-words.ts';

const USAGE = 'usage: sallyport shell [--data DIR [--key-file FILE] | --config FILE]\n';
const LEAVE = ['quit', 'exit'];
const HELP = ['help', '?'];

export async function shell(args: readonly string[], write: Write, context: CommandContext): Promise<number> {
  const parsed = parseArguments(args, { options: ['data', 'config', 'key-file'] });
  if (typeof parsed === 'string' || parsed.rest.length > 0) {
    write(`${USAGE}${typeof parsed === 'string' ? `${parsed}\n` : ''}`);
    return 2;
  }
  const place = Object.entries(parsed.options).flatMap(([name, value]) => [`--${name}`, value]);
  const first = await lookAt(parsed.options);
  if (typeof first === 'string') {
    write(`sallyport: ${first}\n`);
    return 1;
  }
  write(
    `Sallyport on ${first.hostname}${first.offline ? ' (no gateway is running)' : ''}. help lists the commands, quit leaves.\n`,
  );
  if (first.pending > 0) write(pendingLine(first.pending));
  // Keys of the schema, for the tabulator: loaded while a person reads, and nobody waits for them but who presses it.
  const keys = learnKeys(context.commands);
  const inside = Object.fromEntries(Object.entries(context.commands).filter(([, { alone }]) => alone !== true));
  const code = await session({ ...context, commands: inside }, write, { place, keys, hostname: first.hostname });
  const last = await lookAt(parsed.options);
  if (typeof last !== 'string' && last.pending > 0) write(pendingLine(last.pending));
  return code;
}

const pendingLine = (pending: number): string =>
  `There are uncommitted changes (${pending}): showchanges shows them, commit puts them into force, clearchanges gives them up.\n`;

type Keys = Promise<ReadonlyMap<string, readonly string[]>>;
type Where = { readonly place: readonly string[]; readonly hostname: string; readonly keys: Keys };

async function learnKeys(commands: Commands): Promise<ReadonlyMap<string, readonly string[]>> {
  const keys = new Map<string, readonly string[]>();
  for (const [name, command] of Object.entries(commands)) keys.set(name, (await command.keys?.()) ?? []);
  return keys;
}

async function session(context: CommandContext, write: Write, { place, hostname, keys }: Where): Promise<number> {
  let code = 0;
  for (;;) {
    let words: readonly string[];
    try {
      words = await context.dialogue.ask(commandLine(hostname, context.commands, keys));
    } catch (error) {
      if (error instanceof Interrupted) continue;
      if (error instanceof EndOfInput) return code;
      throw error;
    }
    const [name = '', ...args] = words;
    if (name === '') continue;
    if (LEAVE.includes(name)) return code;
    code = HELP.includes(name)
      ? await help(args, write, context.commands)
      : await runInside(name, withPlaceOf(name, args, context.commands, place), { write, context });
  }
}

function withPlaceOf(name: string, args: readonly string[], commands: Commands, place: readonly string[]) {
  const command = commandNamed(commands, name);
  return command === undefined ? args : withPlace(args, command, place);
}

type Inside = { readonly write: Write; readonly context: CommandContext };

async function runInside(name: string, args: readonly string[], { write, context }: Inside): Promise<number> {
  const command = commandNamed(context.commands, name);
  if (command === undefined) {
    write(`There is no command ${JSON.stringify(name)} here. help lists the commands.\n`);
    return 2;
  }
  if (args.includes('--help') || args.includes('-h')) {
    write(await usageText(command));
    return 0;
  }
  try {
    return await command.run(args, write, context);
  } catch (error) {
    // At the end of input the prompt of the shell ends, too.
    if (error instanceof Interrupted || error instanceof EndOfInput) return 130;
    throw error;
  }
}

async function help([name = '']: readonly string[], write: Write, commands: Commands): Promise<number> {
  const command = commandNamed(commands, name);
  if (command !== undefined) write(await usageText(command));
  else {
    const width = Math.max(...Object.keys(commands).map((each) => each.length));
    for (const [each, { does }] of Object.entries(commands)) write(`${each.padEnd(width)}  ${does}\n`);
    write(
      `${'help'.padEnd(width)}  this list; help COMMAND shows its usage\n${'quit'.padEnd(width)}  leaves the shell\n`,
    );
  }
  return 0;
}

function commandLine(hostname: string, commands: Commands, keys: Keys): Question<readonly string[]> {
  return {
    text: '',
    prompt: `${hostname}> `,
    command: true,
    understand: (typed) => {
      const words = shellWords(typed);
      return typeof words === 'string' ? { ok: false, why: `Not understood: ${words}.` } : { ok: true, value: words };
    },
    words: (typed) => completions(typed, commands, keys),
  };
}

/** Whole lines, as readline wants them. */
async function completions(typed: string, commands: Commands, keys: Keys): Promise<string[]> {
  const start = typed.slice(0, typed.lastIndexOf(' ') + 1);
  const [name, ...before] = start.trim().split(/\s+/);
  const command = commandNamed(commands, name ?? '');
  const candidates =
    start.trim() === ''
      ? [...Object.keys(commands), ...HELP.slice(0, 1), ...LEAVE]
      : command === undefined
        ? name === 'help'
          ? Object.keys(commands)
          : []
        : [
            ...(before.length === 0 ? operationsOf(command) : []),
            ...optionsOf(command),
            ...((await keys).get(name ?? '') ?? []),
          ];
  return candidates.filter((word) => word.startsWith(typed.slice(start.length))).map((word) => `${start}${word}`);
}

type Seen = { readonly hostname: string; readonly offline: boolean; readonly pending: number };

async function lookAt(options: Readonly<Record<string, string>>): Promise<Seen | string> {
  const access = await accessConfiguration({
    data: options['data'],
    config: options['config'],
    keyFile: options['key-file'],
    mayMake: false,
  });
  if (typeof access === 'string') return access;
  try {
    const answer = await access.store.document('running', ['hostname']);
    const candidate = await access.store.candidate(localAdministrator().session);
    return {
      hostname: answer.ok && typeof answer.value === 'string' ? answer.value : 'sallyport',
      offline: access.offline,
      pending: candidate.ok ? candidate.candidate.changes.length : 0,
    };
  } finally {
    await access.close();
  }
}
