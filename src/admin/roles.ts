/**
 * The four roles of an administrator, named as in AsyncOS. Each may do what the ones before it may, and more; a route
 * names the least role that may use it, and nothing else decides. AsyncOS: userconfig, User Roles. Pure.
 */

/** From the least to the greatest. */
export const ROLES = ['help-desk', 'read-only', 'operator', 'administrator'] as const;
export type Role = (typeof ROLES)[number];

export const ROLE_MEANING: Readonly<Record<Role, string>> = {
  'help-desk': 'answers users: sees status, queue and revocation lists, tests the directory; changes nothing',
  'read-only': 'sees the configuration and its history as well, secrets masked; may try changes, never commit them',
  operator:
    'runs the gateway: commits configurations except who may sign in, works on the queue, suspends and resumes, fetches lists',
  administrator: 'manages accounts and tokens, reads the audit record, exports configurations with secrets',
};

export const mayUse = (role: Role, least: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(least);

/** A token never gives more than its account has, also when the account's role became smaller since. */
export const lesserRole = (a: Role, b: Role): Role => (mayUse(a, b) ? b : a);
