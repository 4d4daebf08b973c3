/**
 * The command table: what `sallyport <command>` does, named as in AsyncOS where AsyncOS has a name. Each command is a
 * function from arguments to an exit code; 0 success, 1 a fault that was explained, 2 wrong usage.
 * Effects: standard output, and what the command does.
 */
import { printable } from '../core/reply.ts';
import type { Write } from './arguments.ts';
import { type Commands, commandNamed, usageText } from './command.ts';
import { ACCOUNT_COMMANDS } from './commands-accounts.io.ts';
import { ALERT_COMMANDS } from './commands-alerts.io.ts';
import { CONFIGURATION_COMMANDS } from './commands-configuration.io.ts';
import { EXPLANATION_COMMANDS } from './commands-explanation.io.ts';
import { OBJECT_COMMANDS } from './commands-objects.io.ts';
import { QUEUE_COMMANDS } from './commands-queue.io.ts';
import { EndOfInput, Interrupted, terminal } from './dialogue.io.ts';

// Each command loads its own modules: `check` has no need of the store, nor the gateway of the quickstart's PKI.
export const COMMANDS: Commands = {
  run: {
    alone: true,
    usage: 'run (--config FILE [--data DIR] | --data DIR [--key-file FILE]) [--log text|json]',
    does: 'runs the gateway in the foreground',
    run: async (args, write) => (await import('./run.io.ts')).run(args, write),
  },
  check: {
    usage: 'check FILE',
    does: 'checks a configuration file: exit 0, or 1 and a line per fault',
    run: async (args, write) => (await import('./check.io.ts')).check(args, write),
  },
  config: {
    usage: 'config OPERATION [--data DIR [--key-file FILE] | --config FILE]',
    does: 'shows, compares, saves, loads and commits the configuration: config help lists the operations',
    operations: [
      ...['status', 'show', 'diff', 'save', 'load', 'set', 'delete', 'rename', 'commit', 'confirm', 'clear', 'rebase'],
      ...['history', 'rollback', 'rekey', 'describe', 'schema'],
    ],
    details: async () => (await import('./config.io.ts')).USAGE,
    run: async (args, write) => (await import('./config.io.ts')).config(args, write),
  },
  ...CONFIGURATION_COMMANDS,
  ...OBJECT_COMMANDS,
  ...QUEUE_COMMANDS,
  ...ALERT_COMMANDS,
  ldaptest: {
    usage: 'ldaptest [--data DIR [--candidate] | --config FILE] [--query NAME] [--user USER | --certificate FILE]',
    does: 'asks the directory as a session would and shows each stage',
    run: async (args, write, context) => (await import('./ldaptest.io.ts')).ldaptest(args, write, context),
  },
  ...EXPLANATION_COMMANDS,
  trace: {
    usage:
      'trace [--data DIR [--candidate] | --config FILE [--data DIR]] [--from-ip ADDRESS [--hostname NAME] [--listener NAME] [--tls] [--certificate FILE] [--user USER [--ask-password]] --sender ADDRESS [--message FILE] [--json] RECIPIENT...]',
    does: 'what would become of a session, stage by stage, without sending anything',
    run: async (args, write, context) => (await import('./trace.io.ts')).traceCommand(args, write, context),
  },
  dryrun: {
    usage: 'dryrun [--data DIR | --config FILE [--candidate FILE] [--data DIR]] [--days 7] [--json]',
    does: 'whose verdict your uncommitted changes would change, tried on the clients of the last days',
    run: async (args, write) => (await import('./dry-run.io.ts')).dryRunCommand(args, write),
  },
  unused: {
    usage: 'unused [--data DIR [--candidate] | --config FILE [--data DIR]] [--days 90 | --all] [--json]',
    does: 'sender group entries, policies, profiles, routes, destinations, exemptions that nobody has needed; hits of all',
    run: async (args, write) => (await import('./dry-run.io.ts')).unusedCommand(args, write),
  },
  exemptions: {
    usage: 'exemptions [--data DIR [--candidate] | --config FILE [--data DIR]] [--soon DAYS] [--json]',
    does: 'who may use a password although the allowance says no: until when, why, granted by whom',
    run: async (args, write) => (await import('./exemptions.io.ts')).exemptionsCommand(args, write),
  },
  monitored: {
    usage: 'monitored [--data DIR | --config FILE] [--json]',
    does: 'who still sends without a card where checkAllowed only monitors: how often, since when',
    run: async (args, write) => (await import('./exemptions.io.ts')).monitoredCommand(args, write),
  },
  crl: {
    usage: 'crl list|update [SOURCE] [--data DIR] [--json]',
    does: 'shows the revocation lists of the running gateway, or fetches them now',
    run: async (args, write) => (await import('./crl.io.ts')).crl(args, write),
  },
  cert: {
    usage: 'cert show|match|chain|verify|request|self-signed|import ...',
    does: 'shows, judges, makes and imports certificates; cert alone shows how',
    takes: ([operation]) => (operation === 'verify' ? ['--data', '--config'] : []),
    details: async () => (await import('./cert.io.ts')).CERT_USAGE,
    run: async (args, write) => (await import('./cert.io.ts')).cert(args, write),
  },
  ...ACCOUNT_COMMANDS,
  shell: {
    alone: true,
    usage: 'shell [--data DIR [--key-file FILE] | --config FILE]',
    does: 'all commands in one session, with history and completion; quit leaves',
    run: async (args, write, context) => (await import('./shell.io.ts')).shell(args, write, context),
  },
  completion: {
    usage: 'completion bash|zsh',
    does: 'prints the completion for a shell: source <(sallyport completion bash)',
    run: async (args, write, context) => (await import('./completion.io.ts')).completion(args, write, context),
  },
  quickstart: {
    alone: true,
    usage: 'quickstart [--demo] [--dir DIR]',
    does: 'makes a demonstration PKI, directory and configuration, and runs the gateway on them',
    run: async (args, write) => (await import('./quickstart.io.ts')).quickstart(args, write),
  },
};

/** Not for people: see bin/sallyport. */
const FILL_COMPILE_CACHE = 'fill-compile-cache';

export async function runCommand(argv: readonly string[]): Promise<number> {
  // A reader that has gone (`check FILE | head`) is no fault.
  process.stdout.on('error', () => process.exit(1));
  const write: Write = (text) => process.stdout.write(text);
  const [name = 'help', ...args] = argv;
  if (name === FILL_COMPILE_CACHE) return (await import('./fill-compile-cache.io.ts')).fillCompileCache();
  const asked = name === 'help' ? commandNamed(COMMANDS, args[0] ?? '') : undefined;
  if (asked !== undefined) {
    write(await usageText(asked));
    return 0;
  }
  const command = commandNamed(COMMANDS, name);
  if (['version', '--version', '-V'].includes(name) && command === undefined) {
    write(`Sallyport ${(await import('../core/version.io.ts')).versionOfProgram()}\n`);
    return 0;
  }
  if (command !== undefined) {
    if (args.includes('--help') || args.includes('-h')) {
      write(await usageText(command));
      return 0;
    }
    try {
      return await command.run(args, write, { dialogue: terminal, commands: COMMANDS });
    } catch (error) {
      if (error instanceof Interrupted) return 130;
      if (!(error instanceof EndOfInput)) throw error;
      write('sallyport: the input ended before the last question: what was being asked was not changed\n');
      return 1;
    } finally {
      terminal.close();
    }
  }
  if (['help', '--help', '-h'].includes(name)) {
    write(helpText());
    return 0;
  }
  const { didYouMean } = await import('../config/suggestion.ts');
  const word = printable(name.slice(0, 100));
  write(`sallyport: there is no command ${word}${didYouMean(name, Object.keys(COMMANDS))}\n`);
  write('sallyport help lists all commands\n');
  return 2;
}

function helpText(): string {
  const rows = Object.values(COMMANDS).map(({ usage, does }) => `  sallyport ${usage}\n      ${does}\n`);
  return `Sallyport, an email security gateway\n\n${rows.join('')}`;
}
