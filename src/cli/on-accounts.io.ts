/**
 * A command about accounts: asks the running gateway over the control socket, prints the answer as text or with --json
 * as it is, and a refusal as a sentence. Exit code 0; 1 where it was refused; 2 for wrong usage.
 * Effects: the control socket, standard output.
 */
import path from 'node:path';
import { type ApiAnswer, type ApiClient, type ApiRefusal, connectApi } from '../admin/api-client.io.ts';
import { ROLES, type Role } from '../admin/roles.ts';
import { type Arguments, type ArgumentSpec, parseArguments, type Write } from './arguments.ts';
import type { CommandContext } from './command.ts';
import type { Dialogue } from './dialogue.io.ts';
import { secret } from './question.ts';

export type OnAccounts = {
  readonly api: ApiClient;
  readonly write: Write;
  readonly json: boolean;
  readonly dialogue: Dialogue;
};

export type AccountOperation = ArgumentSpec & {
  /** After `usage: sallyport `, without the options that all have. */
  readonly usage: string;
  /** Arguments beside options. */
  readonly least: number;
  readonly most?: number;
  readonly run: (on: OnAccounts, parsed: Arguments) => Promise<number>;
};

/** Wrong usage, in words. */
export class WrongUsage extends Error {}

export function runOperation(
  { usage, options = [], flags = [], least, most = least, run }: AccountOperation,
  args: readonly string[],
  write: Write,
  { dialogue }: CommandContext,
): Promise<number> {
  const wrong = (why: string): number => {
    write(`usage: sallyport ${usage} [--data DIR] [--json]\n${why === '' ? '' : `${why}\n`}`);
    return 2;
  };
  const parsed = parseArguments(args, { options: ['data', ...options], flags: ['json', ...flags] });
  if (typeof parsed === 'string') return Promise.resolve(wrong(parsed));
  if (parsed.rest.length < least || parsed.rest.length > most) return Promise.resolve(wrong(''));
  const api = connectApi(path.resolve(parsed.options['data'] ?? 'data'));
  const on = { api, write, json: parsed.flags.has('json'), dialogue };
  return run(on, parsed).catch((error: unknown) => {
    if (error instanceof WrongUsage) return wrong(error.message);
    throw error;
  });
}

/** Prints the answer or the refusal, and says the exit code. */
export function said<Body>(
  { write, json }: Pick<OnAccounts, 'write' | 'json'>,
  answer: ApiAnswer<Body>,
  text: (body: Body) => string,
): number {
  if (json) write(`${JSON.stringify(answer.ok ? (answer.body ?? {}) : { refusal: answer.refusal }, null, 2)}\n`);
  else write(answer.ok ? text(answer.body) : `sallyport: ${refusalText(answer.refusal)}\n`);
  return answer.ok ? 0 : 1;
}

export const refusalText = ({ detail, title }: ApiRefusal): string => (detail === '' ? title : detail);

export function roleOf(text: string): Role {
  const role = ROLES.find((each) => each === text);
  if (role === undefined) throw new WrongUsage(`there is no role ${text}: ${ROLES.join(', ')}`);
  return role;
}

/** Typed twice at a terminal; the first line of standard input where that is none. Undefined: they differ. */
export async function newPassword(account: string, dialogue: Dialogue, twice: boolean): Promise<string | undefined> {
  const password = await dialogue.ask(secret(`Enter the new password for ${account}.`));
  if (!twice) return password;
  return (await dialogue.ask(secret('Enter it again.'))) === password ? password : undefined;
}

export const atTerminal = (): boolean => process.stdin.isTTY;
export const DIFFERENT = 'the two are not the same: nothing was changed';
