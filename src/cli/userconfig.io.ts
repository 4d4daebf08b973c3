/**
 * `sallyport userconfig`, `passwd` and `useradd`: accounts of administrators, and what they prove themselves with, over
 * the control socket of the running gateway. So the first administrator is made. Without an operation it asks
 * (`userconfig-dialogue.io.ts`). AsyncOS: userconfig, passwd. Effects: the control socket, standard input, files to read.
 */
import fs from 'node:fs';
import { ROLES } from '../admin/roles.ts';
import { whyOf } from '../core/errors.ts';
import { DIFFERENT, atTerminal, newPassword, roleOf } from './account-questions.io.ts';
import { accountsText, accountText, certificateLine, listText, passkeyLine } from './accounts-view.ts';
import { type Arguments, parseArguments, type Write } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { runOperation, said, type GatewayOperation, type OnGateway } from './on-gateway.io.ts';
import { choice } from './question.ts';

const MAX_CERTIFICATE_BYTES = 100_000;
const ROLE_WORDS = ROLES.join('|');
const NEW = `NAME --role ${ROLE_WORDS} [--full-name TEXT] [--no-password]`;

const first = ({ rest }: Arguments): string => rest[0] ?? '';
const second = ({ rest }: Arguments): string => rest[1] ?? '';

async function make(on: OnGateway, parsed: Arguments): Promise<number> {
  const name = first(parsed);
  const role = roleOf(parsed.options['role'] ?? '');
  const fullName = parsed.options['full-name'];
  const password = parsed.flags.has('no-password') ? undefined : await newPassword(name, on.dialogue, atTerminal());
  if (password === undefined && !parsed.flags.has('no-password')) return different(on);
  const answer = await on.api.call('POST /api/accounts', {
    body: {
      name,
      role,
      ...(password === undefined ? {} : { password }),
      ...(fullName === undefined ? {} : { fullName }),
    },
  });
  return said(on, answer, () => `account ${name} made, role ${role}\n`);
}

async function setPassword(on: OnGateway, account: string): Promise<number> {
  const password = await newPassword(account, on.dialogue, atTerminal());
  if (password === undefined) return different(on);
  const answer = await on.api.call('PUT /api/accounts/{account}/password', { path: { account }, body: { password } });
  return said(on, answer, () => `password of ${account} set; its sessions have ended\n`);
}

/** Asks whose, where no name was given. */
async function changePassword(on: OnGateway, parsed: Arguments): Promise<number> {
  const [name] = parsed.rest;
  if (name !== undefined) return setPassword(on, name);
  const known = await on.api.call('GET /api/accounts');
  if (!known.ok) return said(on, known, () => '');
  const options = known.body.accounts.map((account) => ({ value: account.name, label: account.name }));
  if (options.length === 0) {
    on.write('sallyport: there is no account yet: useradd makes the first one\n');
    return 1;
  }
  return setPassword(on, await on.dialogue.ask(choice('Select the user whose password to change:', options)));
}

const different = ({ write }: OnGateway): number => {
  write(`sallyport: ${DIFFERENT}\n`);
  return 1;
};

async function change(on: OnGateway, account: string, body: { role?: string; fullName?: string; enabled?: boolean }) {
  const { role, ...rest } = body;
  const given = { ...rest, ...(role === undefined ? {} : { role: roleOf(role) }) };
  const answer = await on.api.call('PATCH /api/accounts/{account}', { path: { account }, body: given });
  return said(on, answer, accountText);
}

async function bind(on: OnGateway, account: string, file: string): Promise<number> {
  let pem: string;
  try {
    pem = fs.readFileSync(file, 'latin1').slice(0, MAX_CERTIFICATE_BYTES);
  } catch (error) {
    on.write(`sallyport: cannot read ${file}: ${whyOf(error)}\n`);
    return 1;
  }
  const answer = await on.api.call('POST /api/accounts/{account}/certificates', { path: { account }, body: { pem } });
  return said(on, answer, (made) => `${certificateLine(made)}\n`);
}

const OPERATIONS: Readonly<Record<string, Omit<GatewayOperation, 'usage'> & { readonly takes: string }>> = {
  list: {
    takes: '',
    least: 0,
    run: async (on) => said(on, await on.api.call('GET /api/accounts'), ({ accounts }) => accountsText(accounts)),
  },
  show: {
    takes: 'NAME',
    least: 1,
    run: async (on, parsed) =>
      said(on, await on.api.call('GET /api/accounts/{account}', { path: { account: first(parsed) } }), accountText),
  },
  new: { takes: NEW, least: 1, options: ['role', 'full-name'], flags: ['no-password'], run: make },
  edit: {
    takes: `NAME [--role ${ROLE_WORDS}] [--full-name TEXT]`,
    least: 1,
    options: ['role', 'full-name'],
    run: (on, parsed) => {
      const { role, 'full-name': fullName } = parsed.options;
      const body = { ...(role === undefined ? {} : { role }), ...(fullName === undefined ? {} : { fullName }) };
      return change(on, first(parsed), body);
    },
  },
  password: { takes: 'NAME', least: 1, run: (on, parsed) => setPassword(on, first(parsed)) },
  enable: { takes: 'NAME', least: 1, run: (on, parsed) => change(on, first(parsed), { enabled: true }) },
  disable: { takes: 'NAME', least: 1, run: (on, parsed) => change(on, first(parsed), { enabled: false }) },
  unlock: {
    takes: 'NAME',
    least: 1,
    run: async (on, parsed) => {
      const answer = await on.api.call('POST /api/accounts/{account}/unlock', { path: { account: first(parsed) } });
      return said(on, answer, ({ wasLocked }) => (wasLocked ? 'unlocked\n' : 'it was not locked\n'));
    },
  },
  delete: {
    takes: 'NAME',
    least: 1,
    run: async (on, parsed) => {
      const account = first(parsed);
      const answer = await on.api.call('DELETE /api/accounts/{account}', { path: { account } });
      return said(on, answer, () => `account ${account} deleted\n`);
    },
  },
  certificates: {
    takes: 'NAME',
    least: 1,
    run: async (on, parsed) => {
      const path = { account: first(parsed) };
      const answer = await on.api.call('GET /api/accounts/{account}/certificates', { path });
      return said(on, answer, ({ certificates }) => listText('certificates', certificates.map(certificateLine)));
    },
  },
  bind: { takes: 'NAME CERTIFICATE-FILE', least: 2, run: (on, parsed) => bind(on, first(parsed), second(parsed)) },
  unbind: {
    takes: 'NAME CERTIFICATE-ID',
    least: 2,
    run: async (on, parsed) => {
      const path = { account: first(parsed), id: second(parsed) };
      const answer = await on.api.call('DELETE /api/accounts/{account}/certificates/{id}', { path });
      return said(on, answer, () => `the certificate signs ${path.account} in no more\n`);
    },
  },
  passkeys: {
    takes: 'NAME',
    least: 1,
    run: async (on, parsed) => {
      const path = { account: first(parsed) };
      const answer = await on.api.call('GET /api/accounts/{account}/passkeys', { path });
      return said(on, answer, ({ passkeys }) => listText('passkeys', passkeys.map(passkeyLine)));
    },
  },
  'delete-passkey': {
    takes: 'NAME PASSKEY-ID',
    least: 2,
    run: async (on, parsed) => {
      const path = { account: first(parsed), id: second(parsed) };
      const answer = await on.api.call('DELETE /api/accounts/{account}/passkeys/{id}', { path });
      return said(on, answer, () => `the passkey signs ${path.account} in no more\n`);
    },
  },
};

export async function userconfig(args: readonly string[], write: Write, context: CommandContext): Promise<number> {
  const [name = '', ...rest] = args;
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (operation !== undefined)
    return runOperation(
      { ...operation, usage: `userconfig ${name} ${operation.takes}`.trimEnd() },
      rest,
      write,
      context,
    );
  const place = parseArguments(args, { options: ['data'] });
  if (typeof place !== 'string' && place.rest.length === 0) {
    const { userDialogue } = await import('./userconfig-dialogue.io.ts');
    return runOperation({ usage: 'userconfig', least: 0, run: userDialogue }, args, write, context);
  }
  const lines = Object.entries(OPERATIONS).map(([each, { takes }]) => `  userconfig ${each} ${takes}`.trimEnd());
  write(`usage: sallyport userconfig [OPERATION] [--data DIR] [--json]\n${lines.join('\n')}\n`);
  return 2;
}

export const useradd = (args: readonly string[], write: Write, context: CommandContext): Promise<number> =>
  runOperation(
    { usage: `useradd ${NEW}`, least: 1, options: ['role', 'full-name'], flags: ['no-password'], run: make },
    args,
    write,
    context,
  );

export const passwd = (args: readonly string[], write: Write, context: CommandContext): Promise<number> =>
  runOperation({ usage: 'passwd [NAME]', least: 0, most: 1, run: changePassword }, args, write, context);
