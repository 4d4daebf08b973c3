/**
 * Who works at the command line of this machine, for the history, the candidates and the audit record: the same name
 * whether a gateway runs or not. Effects: reads the environment and the account database.
 */
import os from 'node:os';

/** Who typed the command, also behind sudo. */
export function localAccount(): string {
  const { SUDO_USER: sudo } = process.env;
  if (sudo !== undefined && sudo !== '') return sudo;
  try {
    return os.userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 0}`;
  }
}

/** The author of its changes and the session of its candidate; the account is the caller's word. */
export const localName = (account: string | undefined): string =>
  `cli:${account !== undefined && /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(account) ? account : 'unknown'}`;
