/** Accounts, their certificates and tokens, and the audit record. Effects: the accounts' database. */
import { DAY_MS } from '../core/duration.ts';
import { type Account, MAX_CREDENTIALS } from './accounts.io.ts';
import { type ApiContext, callerOf, type HandlersOf } from './api-context.ts';
import { credentialRefusal, passwordError } from './handlers-session.io.ts';
import { accountKey, passkeyKey } from './login-throttle.ts';
import { passwordFault } from './password-rules.ts';
import { type Problem, problem } from './problem.ts';
import { lesserRole, mayUse, type Role } from './roles.ts';
import type { ACCOUNT_ROUTES, AUDIT_ROUTES } from './routes-accounts.ts';

const NO_ACCOUNT = problem('not-found', 'there is no such account');
const LAST = problem('conflict', 'this is the last administrator that is enabled: make another one first');
const STALE = problem('precondition-failed', 'the account has changed since it was read: read it again');
const NO_TOKEN_FOR_THAT = problem('forbidden', 'a token cannot manage what accounts sign in with: sign in');

export const ACCOUNT_HANDLERS: HandlersOf<typeof ACCOUNT_ROUTES> = {
  'GET /api/accounts': async (_, __, context) => ({
    body: { accounts: context.accounts.list().map((account) => shown(account, context)) },
  }),

  'POST /api/accounts': async ({ body }, call, context) => {
    const { name, fullName, role, password } = body;
    const caller = callerOf(call);
    if (caller.how === 'token') return NO_TOKEN_FOR_THAT;
    const hash = await hashed(password, name, context);
    if (typeof hash === 'object') return hash;
    if (!context.accounts.create({ name, fullName, role, passwordHash: hash, createdBy: caller.name }))
      return problem('conflict', `there is an account ${name} already`);
    return answered(name, context);
  },

  'GET /api/accounts/{account}': async ({ path }, _, context) => answered(path.account, context),

  'PATCH /api/accounts/{account}': async ({ path, body, ifMatch }, call, context) => {
    const before = context.accounts.find(path.account);
    if (callerOf(call).how === 'token' && before !== undefined && givesMore(body, before)) return NO_TOKEN_FOR_THAT;
    const done = context.accounts.change(path.account, body, versionOf(ifMatch));
    if (done === 'not-found') return NO_ACCOUNT;
    if (done === 'stale') return STALE;
    return done === 'last-administrator' ? LAST : answered(path.account, context);
  },

  'DELETE /api/accounts/{account}': async ({ path, ifMatch }, _, { accounts }) => {
    const done = accounts.delete(path.account, versionOf(ifMatch));
    if (done === 'not-found') return NO_ACCOUNT;
    if (done === 'stale') return STALE;
    return done === 'last-administrator' ? LAST : { body: undefined };
  },

  'PUT /api/accounts/{account}/password': async ({ path, body }, call, context) => {
    if (callerOf(call).how === 'token') return NO_TOKEN_FOR_THAT;
    if (context.accounts.find(path.account) === undefined) return NO_ACCOUNT;
    const hash = await hashed(body.password, path.account, context);
    if (typeof hash === 'object') return hash;
    return hash !== undefined && context.accounts.setPassword(path.account, hash) ? { body: undefined } : NO_ACCOUNT;
  },

  'POST /api/accounts/{account}/unlock': async ({ path }, _, { accounts, throttle, clock }) => {
    if (accounts.find(path.account) === undefined) return NO_ACCOUNT;
    return { body: { wasLocked: throttle.forget([accountKey(path.account), passkeyKey(path.account)], clock.now()) } };
  },

  'GET /api/accounts/{account}/certificates': async ({ path }, _, { accounts }) =>
    accounts.find(path.account) === undefined
      ? NO_ACCOUNT
      : { body: { certificates: accounts.certificates(path.account) } },

  'POST /api/accounts/{account}/certificates': async ({ path, body }, call, { accounts, certificates }) => {
    if (callerOf(call).how === 'token') return NO_TOKEN_FOR_THAT;
    if (accounts.find(path.account) === undefined) return NO_ACCOUNT;
    const read = certificates.read(Buffer.from(body.pem, 'latin1'));
    if (!read.ok) {
      const errors = [{ path: 'pem', keys: ['pem'], detail: read.why, severity: 'error' }] as const;
      return problem('invalid', read.why, { errors });
    }
    if (accounts.certificates(path.account).length >= MAX_CREDENTIALS) return tooMany('certificates');
    const added = accounts.addCertificate(path.account, read);
    if (added === undefined) return problem('conflict', 'an account has this certificate already');
    return { body: added, note: `${read.subject}, issued by ${read.issuer}` };
  },

  'DELETE /api/accounts/{account}/certificates/{id}': async ({ path }, _, { accounts }) =>
    accounts.removeCertificate(path.account, path.id)
      ? { body: undefined }
      : problem('not-found', 'the account has no such certificate'),

  'GET /api/accounts/{account}/tokens': async ({ path }, _, { accounts }) =>
    accounts.find(path.account) === undefined ? NO_ACCOUNT : { body: { tokens: accounts.tokens(path.account) } },

  'POST /api/accounts/{account}/tokens': async ({ path, body }, call, context) => {
    if (callerOf(call).how === 'token') return NO_TOKEN_FOR_THAT;
    const account = context.accounts.find(path.account);
    return account === undefined ? NO_ACCOUNT : newToken(account, body, context);
  },

  'DELETE /api/accounts/{account}/tokens/{id}': async ({ path }, _, { accounts }) =>
    accounts.deleteToken(path.account, path.id)
      ? { body: undefined }
      : problem('not-found', 'the account has no such token'),

  'GET /api/session/tokens': async (_, call, { accounts }) =>
    credentialRefusal(call) ?? { body: { tokens: accounts.tokens(callerOf(call).name) } },

  'POST /api/session/tokens': async ({ body }, call, context) => {
    const refused = credentialRefusal(call);
    if (refused !== undefined) return refused;
    const account = context.accounts.find(callerOf(call).name);
    return account === undefined ? NO_ACCOUNT : newToken(account, body, context);
  },

  'DELETE /api/session/tokens/{id}': async ({ path }, call, { accounts }) => {
    const refused = credentialRefusal(call);
    if (refused !== undefined) return refused;
    return accounts.deleteToken(callerOf(call).name, path.id)
      ? { body: undefined }
      : problem('not-found', 'you have no such token');
  },
};

export const AUDIT_HANDLERS: HandlersOf<typeof AUDIT_ROUTES> = {
  'GET /api/audit': async ({ query }, _, { audit }) => {
    const entries = audit.read(query);
    const before = entries.length < query.limit ? undefined : entries.at(-1)?.id;
    return { body: { entries, ...(before === undefined ? {} : { before }) } };
  },
};

/** A token that leaks must not open another door. */
const givesMore = (wanted: { role?: Role | undefined; enabled?: boolean | undefined }, before: Account): boolean =>
  (wanted.enabled === true && !before.enabled) || (wanted.role !== undefined && !mayUse(before.role, wanted.role));

function shown(account: Account, { throttle, clock }: ApiContext) {
  const locks = [accountKey, passkeyKey].flatMap((key) => throttle.lockedUntilMs(key(account.name), clock.now()) ?? []);
  const lockedUntilMs = locks.length === 0 ? undefined : Math.max(...locks);
  return { ...account, ...(lockedUntilMs === undefined ? {} : { lockedUntilMs }) };
}

function answered(name: string, context: ApiContext) {
  const account = context.accounts.find(name);
  return account === undefined ? NO_ACCOUNT : { body: shown(account, context), etag: account.version };
}

/** An entity tag that is no number can be no version. */
const versionOf = (ifMatch: string | undefined): number | undefined =>
  ifMatch === undefined ? undefined : /^\d{1,15}$/.test(ifMatch) ? Number(ifMatch) : -1;

async function hashed(
  password: string | undefined,
  account: string,
  { hashes }: ApiContext,
): Promise<string | undefined | Problem> {
  if (password === undefined) return undefined;
  const why = passwordFault(password, account);
  if (why !== undefined) return problem('invalid', why, { errors: [passwordError(why)] });
  return hashes.hash(password);
}

type Wanted = { readonly name: string; readonly role?: Role | undefined; readonly expiresInDays: number };

function newToken(account: Account, { name, role, expiresInDays }: Wanted, { accounts, clock }: ApiContext) {
  if (accounts.tokens(account.name).length >= MAX_CREDENTIALS) return tooMany('tokens');
  const created = accounts.createToken({
    account: account.name,
    name,
    role: lesserRole(role ?? account.role, account.role),
    expiresMs: clock.now() + expiresInDays * DAY_MS,
  });
  return { body: created, note: `token ${created.token.id}` };
}

const tooMany = (what: string): Problem =>
  problem('conflict', `the account has ${MAX_CREDENTIALS} ${what} already: delete one first`);
