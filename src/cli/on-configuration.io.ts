/**
 * A command that is about the configuration: its arguments are read, the running gateway or the data folder is opened, what
 * goes wrong on the way is a sentence, and the answer is text or, with --json, the answer itself. Exit code 0; 1 where it was
 * refused, with the reason; 2 for wrong usage. Effects: the configuration, standard output.
 */
import type { Answer } from '../config/configuration-store.ts';
import { refuseFileMode } from '../config/refusals.ts';
import { GatewayError } from '../core/errors.ts';
import { type Arguments, type ArgumentSpec, parseArguments, UsageError, type Write } from './arguments.ts';
import { type Access, accessConfiguration } from './config-access.io.ts';
import { refusalLines } from './config-view.ts';

/** Where the configuration is; every such command takes them. */
export const PLACE_OPTIONS = ['data', 'config', 'key-file'] as const;
export const PLACE_USAGE = '[--data DIR [--key-file FILE] | --config FILE]';

export type ConfigurationContext = Access & {
  readonly parsed: Arguments;
  readonly rest: readonly string[];
  readonly write: Write;
};

export type ConfigurationCommand = ArgumentSpec & {
  /** Said with wrong usage. */
  readonly usage: string;
  /** Arguments beside options. */
  readonly least?: number;
  readonly most?: number;
  /** Makes the store where there is none. */
  readonly mayMake?: boolean;
  readonly run: (context: ConfigurationContext) => Promise<number>;
};

export async function onConfiguration(
  args: readonly string[],
  write: Write,
  command: ConfigurationCommand,
): Promise<number> {
  const { usage, options = [], flags = [], least = 0, most = 0, mayMake = false, run } = command;
  const wrong = (why: string): number => {
    write(`${usage}${why === '' ? '' : `${why}\n`}`);
    return 2;
  };
  const parsed = parseArguments(args, { options: [...PLACE_OPTIONS, ...options], flags });
  if (typeof parsed === 'string') return wrong(parsed);
  const { rest } = parsed;
  if (rest.length < least || rest.length > most) return wrong('');
  const access = await accessConfiguration({ ...placeOf(parsed), mayMake });
  if (typeof access === 'string') {
    write(`sallyport: ${access}\n`);
    return 1;
  }
  try {
    return await run({ ...access, parsed, rest, write });
  } catch (error) {
    if (error instanceof UsageError) return wrong(error.message);
    if (!(error instanceof GatewayError)) throw error;
    // The gateway went away: what it was asked may have been done or not.
    write(`sallyport: ${error.message}\n`);
    return 1;
  } finally {
    await access.close();
  }
}

const placeOf = ({ options }: Arguments) => ({
  data: options['data'],
  config: options['config'],
  keyFile: options['key-file'],
});

/** Before anything is asked: where a file is the truth, what would change is refused. */
export function refusedByFile(context: ConfigurationContext): boolean {
  const { file, mode } = context.status;
  if (mode === 'file') said(context, refuseFileMode(file ?? ''), () => '');
  return mode === 'file';
}

type Saying<T> = {
  /** The file that the places of faults are in. */
  readonly file?: string;
  /** What --json prints of an answer, where that is not all of it. */
  readonly json?: (answer: T) => unknown;
};

/** Prints the answer or the refusal, and says the exit code. */
export function said<T extends object>(
  { write, parsed }: Pick<ConfigurationContext, 'write' | 'parsed'>,
  answer: Answer<T>,
  text: (answer: T) => string,
  { file, json }: Saying<T> = {},
): number {
  if (!parsed.flags.has('json')) write(answer.ok ? text(answer) : refusalLines(answer.refusal, file));
  else if (!answer.ok) write(`${JSON.stringify({ refusal: answer.refusal }, null, 2)}\n`);
  else {
    const { ok: _, ...rest } = answer;
    write(`${JSON.stringify(json === undefined ? rest : json(answer), null, 2)}\n`);
  }
  return answer.ok ? 0 : 1;
}

/** The options that say where, as arguments again, where nothing else was given: then the command asks. */
export function placeAlone(args: readonly string[]): readonly string[] | undefined {
  const parsed = parseArguments(args, { options: PLACE_OPTIONS });
  if (typeof parsed === 'string' || parsed.rest.length > 0) return undefined;
  return Object.entries(parsed.options).flatMap(([name, value]) => [`--${name}`, value]);
}
