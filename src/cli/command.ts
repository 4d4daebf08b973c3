/**
 * A command of the registry: it works as `sallyport NAME …` and in the shell. Options are read off the usage line, for the
 * completion and for the shell, which says itself where the gateway's data is. Pure.
 */
import type { Write } from './arguments.ts';
import type { Dialogue } from './dialogue.io.ts';

export type CommandContext = {
  /** Asks the person at the terminal, or standard input. */
  readonly dialogue: Dialogue;
  /** All commands by name. */
  readonly commands: Commands;
};

export type Command = {
  readonly usage: string;
  readonly does: string;
  /** Not in the shell: it goes on running, or is the shell. */
  readonly alone?: true;
  /** The words that may follow the name. */
  readonly operations?: readonly string[];
  /** The usage of each operation, where one line does not say it. */
  readonly details?: () => Promise<string>;
  /** Options of what follows the name, where they are not those of the usage line. */
  readonly takes?: (args: readonly string[]) => readonly string[];
  /** Options that the usage line does not spell out: keys of the schema. */
  readonly keys?: () => Promise<readonly string[]>;
  readonly run: (args: readonly string[], write: Write, context: CommandContext) => Promise<number>;
};

export type Commands = Readonly<Record<string, Command>>;

export const commandNamed = (commands: Commands, name: string): Command | undefined =>
  Object.hasOwn(commands, name) ? commands[name] : undefined;

/** `--data`, `--json`, … in the order of the usage line, each once. */
export const optionsOf = ({ usage }: Pick<Command, 'usage'>): string[] => [
  ...new Set(usage.match(/--[a-z][a-z-]*/g) ?? []),
];

/** `usage: sallyport …` and what it does. */
export async function usageText({ usage, does, details }: Command): Promise<string> {
  return details === undefined ? `usage: sallyport ${usage}\n${does}\n` : `${await details()}${does}\n`;
}

/** The words of `operations`, else those of a usage line such as `crl list|update [SOURCE]`. */
export function operationsOf({ usage, operations }: Command): readonly string[] {
  if (operations !== undefined) return operations;
  const second = usage.split(' ')[1] ?? '';
  return /^[a-z-]+(\|[a-z-]+)+$/.test(second) ? second.split('|') : [];
}

/** Where the gateway is: what the shell was started with goes to each command that takes it and was not told otherwise. */
export function withPlace(args: readonly string[], command: Command, place: readonly string[]): readonly string[] {
  const given = args.some((arg) => /^--(data|config)(=|$)/.test(arg));
  if (given) return args;
  const takes = command.takes?.(args) ?? optionsOf(command);
  const added = place.filter((_, i) => takes.includes(place[i - (i % 2)] ?? ''));
  return [...args, ...added];
}
