/**
 * A command that asks the running gateway: over the control socket in its data folder. The answer is printed as text or
 * with --json as it is, a refusal as a sentence. Exit code 0; 1 where it was refused; 2 for wrong usage.
 * Effects: the control socket, standard output.
 */
import path from 'node:path';
import { type ApiAnswer, type ApiClient, type ApiRefusal, connectApi } from '../admin/api-client.io.ts';
import { printable } from '../core/reply.ts';
import { type Arguments, type ArgumentSpec, parseArguments, UsageError, type Write } from './arguments.ts';
import type { CommandContext } from './command.ts';
import type { Dialogue } from './dialogue.io.ts';
import type { AskedWhy, Question } from './stored-answers.io.ts';

export type OnGateway = {
  readonly api: ApiClient;
  readonly write: Write;
  readonly json: boolean;
  readonly dialogue: Dialogue;
};

export type GatewayOperation = ArgumentSpec & {
  /** After `usage: sallyport `, without the options that all have. */
  readonly usage: string;
  /** Arguments beside options. */
  readonly least: number;
  readonly most?: number;
  readonly run: (on: OnGateway, parsed: Arguments) => Promise<number>;
};

/** The gateway on this data folder; `data` below the current folder where none is named. */
export const gatewayAt = (dataDir: string | undefined): ApiClient => connectApi(path.resolve(dataDir ?? 'data'));

export function runOperation(
  { usage, options = [], flags = [], least, most = least, run }: GatewayOperation,
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
  const api = gatewayAt(parsed.options['data']);
  const on = { api, write, json: parsed.flags.has('json'), dialogue };
  return run(on, parsed).catch((error: unknown) => {
    if (error instanceof UsageError) return wrong(error.message);
    throw error;
  });
}

/** Prints the answer or the refusal, and says the exit code. */
export function said<Body>(
  { write, json }: Pick<OnGateway, 'write' | 'json'>,
  answer: ApiAnswer<Body>,
  text: (body: Body) => string,
): number {
  if (json) write(`${JSON.stringify(answer.ok ? (answer.body ?? {}) : { refusal: answer.refusal }, null, 2)}\n`);
  else write(answer.ok ? text(answer.body) : `sallyport: ${refusalText(answer.refusal)}\n`);
  return answer.ok ? 0 : 1;
}

export const refusalText = ({ detail, title }: ApiRefusal): string => (detail === '' ? title : detail);

/** Asks why: the gateway, and where none runs the store in its data folder. */
export async function askWhy(
  dataDir: string | undefined,
  key: AskedWhy,
  question: Question,
): Promise<ApiAnswer<unknown>> {
  const request = key.startsWith('GET ') ? { query: question } : { body: question };
  const answer = await gatewayAt(dataDir).call(key, request as never);
  if (answer.ok || answer.refusal.kind !== 'unreachable') return answer;
  const { storedAnswer } = await import('./stored-answers.io.ts');
  return (await storedAnswer(path.resolve(dataDir ?? 'data'), key, question)) ?? answer;
}

/** Which configuration a question is about: with `--candidate` the local account's uncommitted one. */
export const whichAsked = ({ flags }: Pick<Arguments, 'flags'>): 'candidate' | 'running' =>
  flags.has('candidate') ? 'candidate' : 'running';

/** The answer, or undefined after saying why there is none. `Body` is the same shape in the terms of the command line. */
export function bodyOf<Body>(answer: ApiAnswer<unknown>, write: Write): Body | undefined {
  if (answer.ok) return answer.body as Body;
  write(`sallyport: ${printable(refusalText(answer.refusal))}\n`);
  for (const each of answer.refusal.errors) write(`${printable(`${each.path}: ${each.detail}`)}\n`);
  return undefined;
}
