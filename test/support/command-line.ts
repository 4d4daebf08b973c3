/**
 * The command line as a person or a script uses it: with answers through a pipe, or on a pseudo terminal that script(1)
 * makes, where keys can be pressed. Effects: starts and ends processes.
 */
import { PROGRAM } from './gateway.ts';
import { type Finished, Program, runProgram } from './program.ts';

export const KEY = { ctrlC: '\u0003', ctrlD: '\u0004', tab: '\t', enter: '\r', up: '\u001b[A' } as const;

/** Each answer is a line; then standard input ends. */
export async function piped(args: readonly string[], ...answers: readonly string[]): Promise<Finished> {
  return await runProgram(PROGRAM, args, { input: typed(answers) });
}

/** The same as another account of the machine, who came by sudo. */
export async function pipedAs(
  account: string,
  args: readonly string[],
  ...answers: readonly string[]
): Promise<Finished> {
  return await runProgram(PROGRAM, args, { input: typed(answers), env: { SUDO_USER: account } });
}

const typed = (answers: readonly string[]): string => answers.map((answer) => `${answer}\n`).join('');

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

export function onTerminal(...args: readonly string[]): Program {
  const command = ['exec', PROGRAM, ...args].map((word, i) => (i === 0 ? word : quoted(word))).join(' ');
  return Program.start('script', ['-qefc', command, '/dev/null'], { env: { TERM: 'xterm' } });
}
