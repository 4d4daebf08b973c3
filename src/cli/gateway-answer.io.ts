/**
 * Questions that a command asks of the running gateway: where it is found, and a refusal in lines for a person.
 * Effects: the control socket; where nobody answers, see `stored-answers.io.ts`.
 */
import path from 'node:path';
import { type ApiAnswer, type ApiClient, connectApi } from '../admin/api-client.io.ts';
import { printable } from '../core/reply.ts';
import type { Arguments, Write } from './arguments.ts';
import type { AskedWhy, Question } from './stored-answers.io.ts';

/** The gateway on this data folder; `data` below the current folder where none is named. */
export const gatewayAt = (dataDir: string | undefined): ApiClient => connectApi(path.resolve(dataDir ?? 'data'));

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
  const { detail, title, errors } = answer.refusal;
  write(`sallyport: ${printable(detail === '' ? title : detail)}\n`);
  for (const each of errors) write(`${printable(`${each.path}: ${each.detail}`)}\n`);
  return undefined;
}
