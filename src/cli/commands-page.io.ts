/** The reference of all commands as Markdown, from the registry and the schema. Effects: loads what the commands say of themselves. */
import { COMMANDS } from './commands.io.ts';
import { type Command, usageText } from './command.ts';

export async function commandsPage(generated: string): Promise<string> {
  const parts: string[] = [];
  for (const [name, command] of Object.entries(COMMANDS)) parts.push(await sectionOf(name, command));
  return `# Command reference

${generated}

Every command works as \`sallyport NAME …\`, and those not marked also in [\`sallyport shell\`](recipes/command-line.md). The
configuration commands ask when nothing but the place of the configuration is given. Exit code 0 is success, 1 a fault that was
explained, 2 wrong usage, 130 Ctrl-C; with \`--json\` answers and refusals are JSON.

${parts.join('\n')}`;
}

async function sectionOf(name: string, command: Command): Promise<string> {
  const usage = (await usageText(command)).trimEnd().split('\n').slice(0, -1);
  const alone = command.alone === true ? ' Not in the shell.' : '';
  return ['## ' + name, '', `${sentence(command.does)}.${alone}`, '', '```', ...usage, '```', ''].join('\n');
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
