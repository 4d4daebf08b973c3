/**
 * The commands that handle objects of the configuration, with the names of AsyncOS: each is a description that
 * `config-command.io.ts` makes a dialogue and a command for scripts of. Effects: what the commands do.
 */
import type { ConfigCommand } from './collection.ts';
import type { Command, Commands } from './command.ts';

const PLACE = '[--data DIR [--key-file FILE] | --config FILE]';
const VERBS = ['list', 'show', 'new', 'edit', 'delete', 'rename'];

type Described = {
  readonly does: string;
  readonly words?: readonly string[];
  readonly verbs?: readonly string[];
  readonly load: () => Promise<ConfigCommand>;
};

/** Asked nothing, the command asks; the schema is loaded when it runs. */
function objects(name: string, { does, words = [], verbs = VERBS, load }: Described): Command {
  return {
    usage: `${name} [OPERATION [NAME] [--KEY VALUE...]] [--json] ${PLACE}`,
    does,
    operations: [...verbs, ...words],
    details: async () => (await import('./config-script.io.ts')).scriptUsage(await load()),
    keys: async () => (await import('./config-script.io.ts')).scriptOptions(await load()).map((key) => `--${key}`),
    run: async (args, write, context) =>
      (await import('./config-command.io.ts')).configCommand(await load(), args, { write, context }),
  };
}

export const OBJECT_COMMANDS: Commands = {
  listenerconfig: objects('listenerconfig', {
    does: 'listeners: who may connect and on which terms; host and recipient access tables, mail flow policies',
    words: ['policy', 'hostaccess', 'setup'],
    load: async () => (await import('./listenerconfig.io.ts')).LISTENERCONFIG,
  }),
  certconfig: objects('certconfig', {
    does: 'certificates of the gateway, and authorities: import, paste, make, renew, print',
    verbs: ['list', 'show', 'import', 'new', 'edit', 'export', 'delete', 'rename', 'authority'],
    load: async () => (await import('./certconfig.io.ts')).CERTCONFIG,
  }),
  ldapconfig: objects('ldapconfig', {
    does: 'directories, and what they are asked',
    words: ['query'],
    load: async () => (await import('./ldapconfig.io.ts')).LDAPCONFIG,
  }),
  smtpauthconfig: objects('smtpauthconfig', {
    does: 'profiles: who people are, by certificate or by SMTP AUTH',
    load: async () => (await import('./smtpauthconfig.ts')).SMTPAUTHCONFIG,
  }),
  crlconfig: objects('crlconfig', {
    does: 'where revocation lists come from, and what is checked against them',
    words: ['setup', 'status', 'update'],
    load: async () => (await import('./crlconfig.io.ts')).CRLCONFIG,
  }),
  sslconfig: objects('sslconfig', {
    does: 'protocol versions and ciphers of inbound TLS',
    verbs: ['inbound'],
    load: async () => (await import('./sslconfig.ts')).SSLCONFIG,
  }),
  destconfig: objects('destconfig', {
    does: 'destination controls: limits and TLS by domain that mail is delivered to',
    words: ['setup', 'concurrency', 'default', 'import', 'export'],
    load: async () => (await import('./destconfig.io.ts')).DESTCONFIG,
  }),
  alertconfig: objects('alertconfig', {
    does: 'who is told by mail of what happens to the gateway, and how often',
    words: ['setup', 'from', 'test'],
    load: async () => (await import('./alertconfig.io.ts')).ALERTCONFIG,
  }),
  smtproutes: objects('smtproutes', {
    does: 'where mail for a domain goes',
    verbs: ['print', 'new', 'edit', 'delete', 'import', 'export', 'clear'],
    load: async () => (await import('./smtproutes.io.ts')).SMTPROUTES,
  }),
};
