/**
 * What every way of signing in has in common. Each login is recorded, good or not, with the reason; the one who tried is
 * told only that it failed. Attempts are counted before their result is known (login-throttle.ts).
 * Effects: accounts, sessions, audit record.
 */
import type { Account } from './accounts.io.ts';
import type { ApiContext, Call, Reply } from './api-context.ts';
import { certificateFault, sessionCookie } from './authenticate.io.ts';
import { accountKey, addressKey, certificateKey, passkeyKey } from './login-throttle.ts';
import { type Problem, problem } from './problem.ts';
import type { LoginMethod } from './sessions.io.ts';

export type SessionInfo = {
  account: string;
  role: Account['role'];
  how: LoginMethod | 'token' | 'local';
  sinceMs?: number;
  endsMs?: number;
};

const LOGIN_FAILED = problem('login-failed', 'the account or what it was proved with is not right');
const MAX_NAME_CHARS = 100;

/** A lock concerns one way of proving an account, and the address; `name` empty: the address alone. */
function keysOf(name: string, how: LoginMethod, { address }: Call): string[] {
  if (how === 'certificate') return [certificateKey(address)];
  const key = how === 'passkey' ? passkeyKey : accountKey;
  return [...(name === '' ? [] : [key(name.slice(0, MAX_NAME_CHARS))]), addressKey(address)];
}

/** Counts the attempt; a problem where the name or the address is locked. */
export function throttled(name: string, call: Call, context: ApiContext, how: LoginMethod = 'password') {
  const { throttle, clock, settings } = context;
  const { maxFailedLogins: maxFailures, lockTime: lockMs } = settings();
  const nowMs = clock.now();
  const attempt = throttle.attempt(keysOf(name, how, call), nowMs, { maxFailures, lockMs });
  if (attempt.allowed) return undefined;
  // The first one only: who goes on trying must not be able to fill the record.
  if (attempt.first) record({ name, how, why: 'locked after failed logins' }, 'too-many-attempts', call, context);
  return comeBack(attempt.untilMs - nowMs);
}

/** Without counting anything: is the address locked? */
export function addressLocked({ address }: Call, { throttle, clock }: ApiContext): Problem | undefined {
  const untilMs = throttle.lockedUntilMs(addressKey(address), clock.now());
  return untilMs === undefined ? undefined : comeBack(untilMs - clock.now());
}

function comeBack(afterMs: number): Problem {
  const seconds = Math.max(1, Math.ceil(afterMs / 1000));
  return problem('too-many-attempts', `too many failed logins: try again in ${seconds} s`, {
    headers: { 'retry-after': String(seconds) },
  });
}

/** The login was good. */
export function forgive(name: string, call: Call, { throttle }: ApiContext, how: LoginMethod = 'password') {
  throttle.succeeded(keysOf(name, how, call));
}

type Failure = { readonly name: string; readonly how: LoginMethod; readonly why: string };

export function failed(failure: Failure, call: Call, context: ApiContext): Problem {
  const { clock, recordLimit } = context;
  const passedOver = recordLimit.next(clock.now());
  if (passedOver !== undefined) {
    const more = passedOver === 0 ? '' : ` (${passedOver} failed logins before it have no entry)`;
    record({ ...failure, why: `${failure.why}${more}` }, 'login-failed', call, context);
  }
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
  forgive(name, call, context, how);
  // Before the session exists: a login that cannot be recorded is none.
  record({ name, how, why: '' }, 'done', call, context);
  const { sessionLifetime, clientCertificate } = settings();
  const bound = how === 'certificate' || clientCertificate?.required === true;
  const { address } = call;
  // The browser forgets that cookie now; nobody else shall go on with it.
  if (call.cookie !== undefined) sessions.end(call.cookie);
  const { session, secret } = sessions.begin(name, how, { address, chain: bound ? call.chain : undefined });
  return {
    body: { account: name, role, how, sinceMs: session.createdMs, endsMs: session.createdMs + sessionLifetime },
    headers: { 'set-cookie': sessionCookie(secret, sessionLifetime) },
  };
}
