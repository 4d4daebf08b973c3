/**
 * Signing in and out. Every login is recorded, good or not, with the reason; the one who tried is told only that it
 * failed. A password of a name that does not exist costs the same time as a wrong one.
 * Effects: accounts, sessions, audit record.
 */
import type { Account } from './accounts.io.ts';
import { type ApiContext, type Call, callerOf, type HandlersOf, type Reply } from './api-context.ts';
import { certificateFault, sessionCookie } from './authenticate.io.ts';
import { accountKey, addressKey } from './login-throttle.ts';
import { passwordFault } from './password-rules.ts';
import { type Problem, problem } from './problem.ts';
import type { SESSION_ROUTES } from './routes-session.ts';
import type { LoginMethod } from './sessions.io.ts';

type SessionInfo = {
  account: string;
  role: Account['role'];
  how: LoginMethod | 'token' | 'local';
  sinceMs?: number;
  endsMs?: number;
};

const LOGIN_FAILED = problem('login-failed', 'the account or what it was proved with is not right');

export const SESSION_HANDLERS: HandlersOf<typeof SESSION_ROUTES> = {
  'POST /api/login': async ({ body: { account: name, password } }, call, context) => {
    const locked = throttled(name, call, context);
    if (locked !== undefined) return locked;
    const { accounts, hashes } = context;
    const stored = accounts.passwordHash(name);
    const { ok, old } = await hashes.check(password, stored);
    const account = accounts.find(name);
    if (!ok || account === undefined) {
      const why =
        account === undefined ? 'no such account' : stored === undefined ? 'it has no password' : 'wrong password';
      return failed({ name, how: 'password', why }, call, context);
    }
    if (old && stored !== undefined) accounts.rehash(name, stored, await hashes.hash(password));
    return signIn(account, 'password', call, context);
  },

  'POST /api/login/certificate': async (_, call, context) => {
    const { chain } = call;
    const { accounts, certificates, settings } = context;
    const fail = (name: string, why: string) => failed({ name, how: 'certificate', why }, call, context);
    if (settings().clientCertificate === undefined) return fail('', 'admin.clientCertificate is not configured');
    if (chain === undefined) return fail('', 'no client certificate was given');
    const judgement = certificates.judge(chain);
    if (!judgement.ok) return fail('', judgement.why);
    const owner = accounts.certificateOwner(judgement.identity);
    const account = owner === undefined ? undefined : accounts.find(owner);
    if (account === undefined) return fail(judgement.subject, 'no account has this certificate');
    return signIn(account, 'certificate', call, context);
  },

  'GET /api/session': async (_, call, context) => {
    const { name, role, how, sinceMs } = callerOf(call);
    const ends =
      call.cookie === undefined || sinceMs === undefined ? undefined : sinceMs + context.settings().sessionLifetime;
    const info: SessionInfo = { account: name, role, how: how === 'none' ? 'local' : how };
    if (sinceMs !== undefined) info.sinceMs = sinceMs;
    if (ends !== undefined) info.endsMs = ends;
    return { body: info };
  },

  'DELETE /api/session': async (_, call, context) => {
    if (call.cookie === undefined) return { body: undefined, note: 'there was no session' };
    context.sessions.end(call.cookie);
    return { body: undefined, headers: { 'set-cookie': sessionCookie('', 0) } };
  },

  'PUT /api/session/password': async ({ body: { current, password } }, call, context) => {
    const { name, session } = callerOf(call);
    const { accounts, hashes } = context;
    const refused = credentialRefusal(call);
    if (refused !== undefined) return refused;
    const locked = throttled(name, call, context);
    if (locked !== undefined) return locked;
    if (!(await hashes.check(current, accounts.passwordHash(name))).ok)
      return problem('login-failed', 'the current password is not right');
    forgive(name, call, context);
    const why = passwordFault(password, name);
    if (why !== undefined) return problem('invalid', why, { errors: [passwordError(why)] });
    accounts.setPassword(name, await hashes.hash(password), session.replace(/^session:/, ''));
    return { body: undefined };
  },
};

export const passwordError = (detail: string) =>
  ({ path: 'password', keys: ['password'], detail, severity: 'error' }) as const;

/** A token that leaks must not be able to make itself a second life. */
export function credentialRefusal(call: Call): Problem | undefined {
  const { how } = callerOf(call);
  if (how === 'token') return problem('forbidden', 'a token cannot manage what an account signs in with: sign in');
  if (how === 'local') return problem('forbidden', 'the control socket has no account of its own');
  return undefined;
}

const keysOf = (name: string, { address }: Call): string[] => [accountKey(name.slice(0, 100)), addressKey(address)];

/** Counts the attempt; a problem where the name or the address is locked. */
function throttled(name: string, call: Call, context: ApiContext): Problem | undefined {
  const { throttle, clock, settings } = context;
  const { maxFailedLogins: maxFailures, lockTime: lockMs } = settings();
  const nowMs = clock.now();
  const attempt = throttle.attempt(keysOf(name, call), nowMs, { maxFailures, lockMs });
  if (attempt.allowed) return undefined;
  // The first one only: who goes on trying must not be able to fill the record.
  if (attempt.first)
    record({ name, how: 'password', why: 'locked after failed logins' }, 'too-many-attempts', call, context);
  const seconds = Math.max(1, Math.ceil((attempt.untilMs - nowMs) / 1000));
  return problem('too-many-attempts', `too many failed logins: try again in ${seconds} s`, {
    headers: { 'retry-after': String(seconds) },
  });
}

function forgive(name: string, call: Call, { throttle, clock }: ApiContext): void {
  throttle.forget(keysOf(name, call), clock.now());
}

type Failure = { readonly name: string; readonly how: LoginMethod; readonly why: string };

export function failed(failure: Failure, call: Call, context: ApiContext): Problem {
  record(failure, 'login-failed', call, context);
  return LOGIN_FAILED;
}

function record({ name, how, why }: Failure, outcome: string, { address }: Call, { audit }: ApiContext): void {
  audit.record({ actor: name, how, address, action: 'login', target: '', facts: {} }, outcome, why);
}

/** The account has proved who it is. */
export function signIn(
  account: Account,
  how: LoginMethod,
  call: Call,
  context: ApiContext,
): Reply<SessionInfo> | Problem {
  const { sessions, settings } = context;
  const { name, role, enabled } = account;
  if (!enabled) return failed({ name, how, why: 'the account is disabled' }, call, context);
  const why = how === 'certificate' ? undefined : certificateFault(call.chain, name, context);
  if (why !== undefined) return failed({ name, how, why }, call, context);
  forgive(name, call, context);
  // Before the session exists: a login that cannot be recorded is none.
  record({ name, how, why: '' }, 'done', call, context);
  const { sessionLifetime, clientCertificate } = settings();
  const bound = how === 'certificate' || clientCertificate?.required === true;
  const { address } = call;
  const { session, secret } = sessions.begin(name, how, { address, chain: bound ? call.chain : undefined });
  return {
    body: { account: name, role, how, sinceMs: session.createdMs, endsMs: session.createdMs + sessionLifetime },
    headers: { 'set-cookie': sessionCookie(secret, sessionLifetime) },
  };
}
