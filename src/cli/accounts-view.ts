/** Accounts, tokens, certificates and passkeys as the command line prints them. AsyncOS: userconfig. Pure. */
import type { RouteOutput } from '../admin/route.ts';
import type { Api } from '../admin/routes.ts';

export type AccountShown = RouteOutput<Api['GET /api/accounts/{account}']>;
export type TokenShown = RouteOutput<Api['GET /api/accounts/{account}/tokens']>['tokens'][number];
export type CertificateShown = RouteOutput<Api['GET /api/accounts/{account}/certificates']>['certificates'][number];
export type PasskeyShown = RouteOutput<Api['GET /api/accounts/{account}/passkeys']>['passkeys'][number];

/** UTC, to the minute. */
export const timeText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

function accountLine({ name, fullName, role, enabled, hasPassword, lockedUntilMs }: AccountShown): string {
  const more = [
    ...(enabled ? [] : ['disabled']),
    ...(hasPassword ? [] : ['no password']),
    ...(lockedUntilMs === undefined ? [] : [`locked until ${timeText(lockedUntilMs)}`]),
  ];
  return [`${name} - "${fullName}" (${role})`, ...more].join(', ');
}

/** As AsyncOS lists them, numbered. */
export const accountsText = (accounts: readonly AccountShown[]): string =>
  accounts.length === 0
    ? 'Users: none\n'
    : `Users:\n${accounts.map((account, i) => `${i + 1}. ${accountLine(account)}\n`).join('')}`;

export function accountText(account: AccountShown): string {
  const { createdMs, createdBy, passwordMs, lastLoginMs } = account;
  const rows = [
    accountLine(account),
    `  made ${timeText(createdMs)} by ${createdBy}`,
    ...(passwordMs === undefined ? [] : [`  password set ${timeText(passwordMs)}`]),
    `  last login ${lastLoginMs === undefined ? 'never' : timeText(lastLoginMs)}`,
  ];
  return `${rows.join('\n')}\n`;
}

export const tokenLine = ({ id, account, name, role, expiresMs, lastUsedMs, lastUsedFrom }: TokenShown): string =>
  [
    `${id} ${account} "${name}" (${role})`,
    `expires ${timeText(expiresMs)}`,
    lastUsedMs === undefined ? 'never used' : `last used ${timeText(lastUsedMs)} from ${lastUsedFrom ?? 'unknown'}`,
  ].join(', ');

export const certificateLine = ({ id, subject, issuer, addedMs }: CertificateShown): string =>
  `${id} ${subject}, issued by ${issuer}, added ${timeText(addedMs)}`;

export const passkeyLine = ({ id, name, synced, createdMs, lastUsedMs }: PasskeyShown): string =>
  [
    `${id} "${name}"`,
    ...(synced ? ['synchronised'] : []),
    `registered ${timeText(createdMs)}`,
    lastUsedMs === undefined ? 'never used' : `last used ${timeText(lastUsedMs)}`,
  ].join(', ');

export const listText = (what: string, lines: readonly string[]): string =>
  lines.length === 0 ? `no ${what}\n` : lines.map((line) => `${line}\n`).join('');
