/**
 * A password from the person at the terminal, without echo, or a line of standard input where that is no terminal; never
 * an argument, because others can see those. Effects: standard input and error.
 */
import { EndOfInput, terminal } from './dialogue.io.ts';
import { secret } from './question.ts';

/** Resolves with '' at the end of input. */
export async function readPassword(prompt = 'Password'): Promise<string> {
  try {
    return await terminal.ask({ ...secret(''), prompt: `${prompt}: ` });
  } catch (error) {
    if (error instanceof EndOfInput) return '';
    throw error;
  }
}
