/** Commands about the configuration as a whole, with the names of AsyncOS. Effects: what the commands do. */
import type { Command } from './command.ts';

const PLACE = '[--data DIR [--key-file FILE] | --config FILE]';

export const CONFIGURATION_COMMANDS = {
  commit: {
    usage: `commit [--comment TEXT] [--confirm DURATION | --dry-run [--days 7]] [--json] ${PLACE}`,
    does: 'puts the uncommitted changes into force; with --confirm they go back by themselves unless confirmed; --dry-run tries them',
    run: async (args, write, context) => (await import('./commit.io.ts')).commit(args, write, context),
  },
  showchanges: {
    usage: `showchanges [--json] ${PLACE}`,
    does: 'shows the uncommitted changes',
    run: async (args, write) => (await import('./commit.io.ts')).showchanges(args, write),
  },
  clearchanges: {
    usage: `clearchanges [--yes] [--json] ${PLACE}`,
    does: 'gives the uncommitted changes up',
    run: async (args, write, context) => (await import('./commit.io.ts')).clearchanges(args, write, context),
  },
  rollbackconfig: {
    usage: `rollbackconfig [REVISION [--comment TEXT] [--confirm DURATION] [--json]] ${PLACE}`,
    does: 'puts an earlier revision into force again, as a new one',
    run: async (args, write, context) => (await import('./commit.io.ts')).rollbackconfig(args, write, context),
  },
  showconfig: {
    usage: `showconfig [PATH] [--revision N | --candidate] [--json] ${PLACE}`,
    does: 'prints the configuration, secrets masked',
    run: async (args, write) => (await import('./saveconfig.io.ts')).showconfig(args, write),
  },
  saveconfig: {
    usage: `saveconfig [FILE] [--revision N | --candidate] [--with-secrets [--clear] [--passphrase-file FILE]] [--json] ${PLACE}`,
    does: 'writes the configuration to a file',
    run: async (args, write, context) => (await import('./saveconfig.io.ts')).saveconfig(args, write, context),
  },
  loadconfig: {
    usage: `loadconfig [FILE [--at PATH] [--base REVISION] [--inline] [--passphrase-file FILE] [--commit [--comment TEXT] [--confirm DURATION]] [--json]] ${PLACE}`,
    does: 'takes a configuration from a file, or pasted, as uncommitted changes',
    run: async (args, write, context) => (await import('./saveconfig.io.ts')).loadconfig(args, write, context),
  },
} as const satisfies Readonly<Record<string, Command>>;

export const usageOf = (name: keyof typeof CONFIGURATION_COMMANDS): string => CONFIGURATION_COMMANDS[name].usage;
