/** What commands about accounts ask and check alike: roles, new passwords. Effects: the dialogue. */
import { ROLES, type Role } from '../admin/roles.ts';
import { UsageError } from './arguments.ts';
import type { Dialogue } from './dialogue.io.ts';
import { secret } from './question.ts';

export function roleOf(text: string): Role {
  const role = ROLES.find((each) => each === text);
  if (role === undefined) throw new UsageError(`there is no role ${text}: ${ROLES.join(', ')}`);
  return role;
}

/** Typed twice at a terminal; the first line of standard input where that is none. Undefined: they differ. */
export async function newPassword(account: string, dialogue: Dialogue, twice: boolean): Promise<string | undefined> {
  const password = await dialogue.ask(secret(`Enter the new password for ${account}.`));
  if (!twice) return password;
  return (await dialogue.ask(secret('Enter it again.'))) === password ? password : undefined;
}

export const atTerminal = (): boolean => process.stdin.isTTY;
export const DIFFERENT = 'the two are not the same: nothing was changed';
