/** Accounts, their certificates and tokens, and the audit record. AsyncOS: userconfig, passwd, audit logs. Pure. */
import { z } from 'zod';
import { routesOf } from './route.ts';
import { accountName, id, label, limit, role, timeMs } from './schemas.ts';

const account = z
  .strictObject({
    name: z.string(),
    fullName: z.string(),
    role,
    enabled: z.boolean(),
    hasPassword: z.boolean(),
    passwordMs: timeMs.optional().meta({ description: 'When the password was set.' }),
    createdMs: timeMs,
    createdBy: z.string(),
    lastLoginMs: timeMs.optional(),
    lockedUntilMs: timeMs.optional().meta({ description: 'Locked after failed logins.' }),
    version: z.int().meta({ description: 'The entity tag for If-Match.' }),
  })
  .meta({ id: 'Account' });

const certificate = z
  .strictObject({ id: z.string(), subject: z.string(), issuer: z.string(), addedMs: timeMs })
  .meta({ id: 'AccountCertificate' });

const token = z
  .strictObject({
    id: z.string(),
    account: z.string(),
    name: z.string(),
    role,
    createdMs: timeMs,
    expiresMs: timeMs,
    lastUsedMs: timeMs.optional(),
    lastUsedFrom: z.string().optional(),
  })
  .meta({ id: 'Token' });

const newToken = z.strictObject({
  name: label.meta({ description: 'What it is for.' }),
  role: role.optional().meta({ description: 'Without it the role of the account; never more than that.' }),
  expiresInDays: z.int().min(1).max(730).default(90),
});
const shownToken = z
  .strictObject({
    token,
    secret: z.string().meta({ description: 'Shown this once. Goes into `Authorization: Bearer`.' }),
  })
  .meta({ id: 'NewToken' });

const path = z.strictObject({ account: accountName });
const pathId = z.strictObject({ account: accountName, id });
const fullName = z.string().trim().max(200);
const password = z.string().max(4096);

export const ACCOUNT_ROUTES = routesOf('Accounts')({
  'GET /api/accounts': {
    operation: 'listAccounts',
    summary: 'Every account.',
    least: 'administrator',
    response: z.strictObject({ accounts: z.array(account) }),
  },
  'POST /api/accounts': {
    operation: 'createAccount',
    summary: 'Makes an account. Without a password it signs in by certificate only.',
    least: 'administrator',
    body: z.strictObject({ name: accountName, fullName: fullName.default(''), role, password: password.optional() }),
    response: account,
    status: 201,
    etag: true,
    problems: ['conflict'],
    recorded: ['name', 'fullName', 'role'],
  },
  'GET /api/accounts/{account}': {
    operation: 'getAccount',
    summary: 'One account.',
    least: 'administrator',
    path,
    response: account,
    etag: true,
    problems: ['not-found'],
  },
  'PATCH /api/accounts/{account}': {
    operation: 'changeAccount',
    summary: 'Changes role, full name, or whether it may be used. With another role, or disabled, its sessions end.',
    least: 'administrator',
    path,
    body: z.strictObject({ fullName: fullName.optional(), role: role.optional(), enabled: z.boolean().optional() }),
    response: account,
    etag: true,
    ifMatch: 'possible',
    problems: ['not-found', 'conflict'],
    recorded: ['fullName', 'role', 'enabled'],
  },
  'DELETE /api/accounts/{account}': {
    operation: 'deleteAccount',
    summary: 'Deletes an account with its sessions, tokens and certificates.',
    least: 'administrator',
    path,
    ifMatch: 'possible',
    problems: ['not-found', 'conflict'],
  },
  'PUT /api/accounts/{account}/password': {
    operation: 'setPassword',
    summary: 'Sets the password of an account. Its sessions end.',
    least: 'administrator',
    path,
    body: z.strictObject({ password }),
    problems: ['not-found', 'forbidden'],
  },
  'POST /api/accounts/{account}/unlock': {
    operation: 'unlockAccount',
    summary: 'Lets an account try again that was locked after failed logins.',
    least: 'administrator',
    path,
    response: z.strictObject({ wasLocked: z.boolean() }),
    problems: ['not-found'],
  },
  'GET /api/accounts/{account}/certificates': {
    operation: 'listCertificates',
    summary: 'Client certificates that sign this account in.',
    least: 'administrator',
    path,
    response: z.strictObject({ certificates: z.array(certificate) }),
    problems: ['not-found'],
  },
  'POST /api/accounts/{account}/certificates': {
    operation: 'addCertificate',
    summary: 'Lets a client certificate sign this account in: every certificate of this issuer with this subject.',
    least: 'administrator',
    path,
    body: z.strictObject({ pem: z.string().max(100_000).meta({ description: 'The certificate, PEM.' }) }),
    response: certificate,
    status: 201,
    problems: ['not-found', 'forbidden', 'conflict'],
  },
  'DELETE /api/accounts/{account}/certificates/{id}': {
    operation: 'removeCertificate',
    summary: 'This client certificate signs the account in no more.',
    least: 'administrator',
    path: pathId,
    problems: ['not-found'],
  },
  'GET /api/accounts/{account}/tokens': {
    operation: 'listTokens',
    summary: 'API tokens of an account, without their secrets.',
    least: 'administrator',
    path,
    response: z.strictObject({ tokens: z.array(token) }),
    problems: ['not-found'],
  },
  'POST /api/accounts/{account}/tokens': {
    operation: 'createToken',
    summary: 'Makes an API token for an account. The secret is in this answer and nowhere else.',
    least: 'administrator',
    path,
    body: newToken,
    response: shownToken,
    status: 201,
    problems: ['not-found', 'forbidden', 'conflict'],
    recorded: ['name', 'role', 'expiresInDays'],
  },
  'DELETE /api/accounts/{account}/tokens/{id}': {
    operation: 'deleteToken',
    summary: 'The token counts no more.',
    least: 'administrator',
    path: pathId,
    problems: ['not-found'],
  },
  'GET /api/session/tokens': {
    operation: 'listOwnTokens',
    summary: 'One’s own API tokens.',
    least: 'help-desk',
    response: z.strictObject({ tokens: z.array(token) }),
    problems: ['forbidden'],
  },
  'POST /api/session/tokens': {
    operation: 'createOwnToken',
    summary: 'Makes an API token for oneself. The secret is in this answer and nowhere else.',
    least: 'help-desk',
    body: newToken,
    response: shownToken,
    status: 201,
    problems: ['forbidden', 'conflict'],
    recorded: ['name', 'role', 'expiresInDays'],
  },
  'DELETE /api/session/tokens/{id}': {
    operation: 'deleteOwnToken',
    summary: 'One’s own token counts no more.',
    least: 'help-desk',
    path: z.strictObject({ id }),
    problems: ['not-found', 'forbidden'],
  },
});

const auditEntry = z
  .strictObject({
    id: z.int(),
    atMs: timeMs,
    actor: z.string().meta({ description: 'Account; at a login the name that was given.' }),
    how: z.enum(['password', 'passkey', 'certificate', 'token', 'local', 'none']),
    address: z.string(),
    action: z.string().meta({ description: 'The operation, as this document names it.' }),
    target: z.string(),
    facts: z.record(z.string(), z.unknown()).meta({ description: 'What was asked for; never a secret.' }),
    endedMs: timeMs.optional(),
    outcome: z.string().optional().meta({ description: '`done` or the kind of the problem; missing: it never ended.' }),
    detail: z.string().optional(),
  })
  .meta({ id: 'AuditEntry' });

export const AUDIT_ROUTES = routesOf('Audit')({
  'GET /api/audit': {
    operation: 'readAudit',
    summary: 'The audit record, newest first.',
    least: 'administrator',
    query: z.strictObject({
      before: z.coerce.number().int().min(1).optional().meta({ description: 'Only entries with a smaller id.' }),
      actor: z.string().max(200).optional(),
      action: z.string().max(100).optional(),
      limit: limit(1000, 100),
    }),
    response: z.strictObject({
      entries: z.array(auditEntry),
      before: z.int().optional().meta({ description: 'For the next page.' }),
    }),
  },
});
