/** Commands about administrators: accounts, passwords, API tokens. See commands.io.ts. Effects: what the commands do. */
import { ROLES } from '../admin/roles.ts';
import type { Commands } from './command.ts';

export const ACCOUNT_COMMANDS: Commands = {
  userconfig: {
    usage: 'userconfig [OPERATION [NAME]] [--role ROLE] [--full-name TEXT] [--no-password] [--data DIR] [--json]',
    does: `administrators and what they sign in with (roles: ${ROLES.join(', ')}); asks when told nothing`,
    operations: [
      ...['list', 'show', 'new', 'edit', 'password', 'enable', 'disable', 'unlock', 'delete'],
      ...['certificates', 'bind', 'unbind', 'passkeys', 'delete-passkey'],
    ],
    run: async (args, write, context) => (await import('./userconfig.io.ts')).userconfig(args, write, context),
  },
  useradd: {
    usage: 'useradd NAME --role ROLE [--full-name TEXT] [--no-password] [--data DIR] [--json]',
    does: 'the same as userconfig new: makes the account of an administrator; asks for the password',
    run: async (args, write, context) => (await import('./userconfig.io.ts')).useradd(args, write, context),
  },
  passwd: {
    usage: 'passwd [NAME] [--data DIR] [--json]',
    does: 'sets the password of an administrator; its sessions end. Asks whose when told nothing',
    run: async (args, write, context) => (await import('./userconfig.io.ts')).passwd(args, write, context),
  },
  tokens: {
    usage: 'tokens list|new|delete [ACCOUNT [ID]] [--for TEXT] [--role ROLE] [--days N] [--data DIR] [--json]',
    does: 'API tokens of administrators; the secret of a new one is shown once',
    operations: ['list', 'new', 'delete'],
    run: async (args, write, context) => (await import('./tokens.io.ts')).tokens(args, write, context),
  },
};
