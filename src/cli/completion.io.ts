/** `sallyport completion bash|zsh`: prints the completion for the shell. Effects: loads the schema for the keys. */
import type { Write } from './arguments.ts';
import type { CommandContext, Commands } from './command.ts';
import { bashCompletion, type Words, wordsOf, zshCompletion } from './completion.ts';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion } as const;

export async function completion(
  args: readonly string[],
  write: Write,
  { commands }: Pick<CommandContext, 'commands'>,
): Promise<number> {
  const [shell = '', ...more] = args;
  if (more.length > 0 || !Object.hasOwn(SHELLS, shell)) {
    write(`usage: sallyport completion bash|zsh
bash: source <(sallyport completion bash), or write it to /etc/bash_completion.d/sallyport
zsh:  source <(sallyport completion zsh), or write it to a file _sallyport in a folder of fpath
`);
    return 2;
  }
  write(SHELLS[shell as keyof typeof SHELLS](await allWords(commands)));
  return 0;
}

async function allWords(commands: Commands): Promise<Words[]> {
  const found: Words[] = [];
  for (const [name, command] of Object.entries(commands)) found.push(wordsOf(name, command, await command.keys?.()));
  return found;
}
