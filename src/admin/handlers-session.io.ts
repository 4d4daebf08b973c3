/**
 * Signing in by password or certificate, and out. A password of a name that does not exist costs the same time as a
 * wrong one. Effects: accounts, sessions, audit record.
 */
import { type Call, callerOf, type HandlersOf } from './api-context.ts';
import { sessionCookie } from './authenticate.io.ts';
import { failed, forgive, type SessionInfo, signIn, throttled } from './login.io.ts';
import { passwordFault } from './password-rules.ts';
import { type Problem, problem } from './problem.ts';
import type { SESSION_ROUTES } from './routes-session.ts';

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
    const locked = throttled('', call, context, 'certificate');
    if (locked !== undefined) return locked;
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
