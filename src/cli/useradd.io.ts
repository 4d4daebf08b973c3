/**
 * `sallyport useradd`: makes an account for the API over the control socket of the running gateway; so the first
 * administrator is made. The password is typed without echo, or is the first line of standard input where that is no
 * terminal. AsyncOS: userconfig. Effects: the control socket, standard input.
 */
import path from 'node:path';
import { connectApi } from '../admin/api-client.io.ts';
import { ROLES, type Role } from '../admin/roles.ts';
import { parseArguments, type Write } from './arguments.ts';
import { readPassword } from './password.io.ts';

const USAGE = `usage: sallyport useradd NAME --role ${ROLES.join('|')} [--full-name TEXT] [--no-password] [--data DIR]\n`;

export async function useradd(args: readonly string[], write: Write): Promise<number> {
  const parsed = parseArguments(args, { options: ['data', 'role', 'full-name'], flags: ['no-password'] });
  if (typeof parsed === 'string') {
    write(`${USAGE}${parsed}\n`);
    return 2;
  }
  const [name, ...more] = parsed.rest;
  const role = ROLES.find((each): each is Role => each === parsed.options['role']);
  if (name === undefined || role === undefined || more.length > 0) {
    write(USAGE);
    return 2;
  }
  const password = parsed.flags.has('no-password') ? undefined : await readPassword();
  const fullName = parsed.options['full-name'];
  const answer = await connectApi(path.resolve(parsed.options['data'] ?? 'data')).call('POST /api/accounts', {
    body: {
      name,
      role,
      ...(password === undefined ? {} : { password }),
      ...(fullName === undefined ? {} : { fullName }),
    },
  });
  if (!answer.ok) {
    write(`sallyport: ${answer.refusal.detail}\n`);
    return 1;
  }
  write(`account ${name} made, role ${role}\n`);
  return 0;
}
