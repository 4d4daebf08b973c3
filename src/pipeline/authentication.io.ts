/**
 * SMTP AUTH within the receipt walk (RFC 4954): the exchange of lines, then the directory, then the allowance. What
 * each outcome means is decided in `identity/smtp-auth-verdict.ts`.
 * Effects: the connection, the directory through the door's profile.
 */
import { type Reply, R } from '../core/reply.ts';
import { type AuthVerdict, decideAuth, refuseAuth, refuseCredentials } from '../identity/smtp-auth-verdict.ts';
import { type SaslStep, startAuth } from '../smtp/sasl.ts';
import type { PasswordProfile } from './doors.io.ts';
import { interrupted, recordRefusal, type Session, type Step } from './receipt-session.ts';
import type { ReceiveThread } from './receive-thread.io.ts';
import { noteAuth } from './session-history.ts';

const MAX_AUTH_LINE_BYTES = 12_288; // RFC 4954 §4
const MAX_REFUSED_AUTH = 4;

type Finished = Extract<SaslStep, { kind: 'credentials' | 'external' }>;
type AuthCommand = { readonly mechanism: string; readonly initialResponse?: string | undefined };

/** What every AUTH hears whatever its form and place: that it is off, or the allowance's own refusal again. */
export function refuseAnyAuth(session: Session): Step | undefined {
  if (session.authRefused !== undefined) return refuseAgain(session);
  return session.policy.smtpAuth === 'off' ? { reply: R.authOff, error: true } : undefined;
}

/** RFC 4954 §4. The step closes the connection where the peer went away in the middle. */
export async function authenticate(session: Session, command: AuthCommand, thread: ReceiveThread): Promise<Step> {
  const { door, policy } = session;
  const refusal = refuseAuth({
    smtpAuth: policy.smtpAuth,
    requireTls: policy.requireTlsToOfferSmtpAuth,
    tlsActive: session.tls !== undefined,
    passwordProfile: door.profile?.password !== undefined,
    identity: session.identity.kind,
    authenticated: session.authenticated,
    inTransaction: session.transaction !== undefined,
    mechanism: command.mechanism,
  });
  if (refusal !== undefined) return refused(session, thread, refusal);
  const finished = await exchange(session, startAuth(command.mechanism, command.initialResponse));
  if ('ended' in finished) return finished.ended;
  if ('reply' in finished) return refused(session, thread, finished.reply);
  if (finished.kind === 'external') return external(session, finished.authzid, thread);
  return door.profile?.password === undefined
    ? { reply: R.authOff }
    : password(session, finished, { ...door.profile.password, thread });
}

/** The dialogue of challenges; `ended` when the connection did in the middle of it. */
async function exchange(session: Session, first: SaslStep): Promise<Finished | { reply: Reply } | { ended: Step }> {
  let step = first;
  for (;;) {
    switch (step.kind) {
      case 'credentials':
      case 'external':
        return step;
      case 'malformed':
        return { reply: R.authMalformed };
      case 'cancelled':
        return { reply: R.authCancelled };
      case 'challenge': {
        const { wire, door } = session;
        wire.reply(R.authContinue(step.challenge));
        const read = await wire.readLine(MAX_AUTH_LINE_BYTES, door.config.commandTimeout, true);
        if (read.kind === 'fault') return { reply: read.fault === 'too-long' ? R.authTooLong : R.authMalformed };
        if (read.kind !== 'line') return { ended: interrupted(session, read, R.idleTimeout(door.hostname)) };
        step = step.next(read.bytes);
      }
    }
  }
}

/** An AUTH that never got as far as the directory. */
function refused(session: Session, { log }: ReceiveThread, reply: Reply): Step {
  recordRefusal(session, log, { stage: 'auth', rule: `mailFlowPolicies.${session.policy.name}.smtpAuth`, reply });
  return { reply, error: true };
}

/** The certificate has said who it is; EXTERNAL only says it aloud (RFC 4422 appendix A). */
function external(session: Session, authzid: string, thread: ReceiveThread): Step {
  const { log } = thread;
  const { icid, identity, door } = session;
  const profile = door.profile?.name ?? '';
  const user = identity.kind === 'none' ? '' : identity.user;
  if (identity.kind !== 'certificate' || (authzid !== '' && authzid !== user)) {
    log.emit({
      event: 'auth-failed',
      icid,
      user,
      mechanism: 'EXTERNAL',
      profile,
      reason: 'authorization identity is not the certificate’s owner',
    });
    return refused(session, thread, R.authFailed);
  }
  session.authenticated = true;
  log.emit({ event: 'auth-success', icid, user, mechanism: 'EXTERNAL', profile });
  return { reply: R.authenticated };
}

type Asking = PasswordProfile & { readonly thread: ReceiveThread };

async function password(
  session: Session,
  given: Extract<Finished, { kind: 'credentials' }>,
  asking: Asking,
): Promise<Step> {
  const answer = refuseCredentials(given) ?? (await asking.ask(given.login, given.password));
  session.seen.login = { user: given.login, ...answer };
  const verdict = decideAuth(answer, asking.name, asking.checkAllowed, asking.exemption(given.login));
  noteAuth(verdict, { user: given.login, profile: asking.name }, asking.thread);
  logVerdict(session, { verdict, user: given.login, mechanism: given.mechanism }, asking);
  if (verdict.kind === 'success' || verdict.kind === 'monitored') {
    session.identity = { kind: 'password', user: given.login, profile: asking.name };
    session.authenticated = true;
    return { reply: verdict.reply };
  }
  const { rule, reason, reply } = verdict;
  recordRefusal(session, asking.thread.log, { stage: 'auth', rule, reason, reply, user: given.login });
  if (verdict.kind !== 'not-allowed') return { reply, error: verdict.kind === 'failed' };
  session.authRefused = { reply, repliesLeft: MAX_REFUSED_AUTH };
  return refuseAgain(session);
}

/** The same answer to every further AUTH, and the end of the connection after the fourth. */
function refuseAgain({ authRefused }: Session): Step {
  if (authRefused === undefined) return {};
  authRefused.repliesLeft -= 1;
  return { reply: authRefused.reply, close: authRefused.repliesLeft <= 0 };
}

type Logged = { readonly verdict: AuthVerdict; readonly user: string; readonly mechanism: string };

function logVerdict({ icid }: Session, { verdict, user, mechanism }: Logged, { thread, name: profile }: Asking): void {
  const { log } = thread;
  switch (verdict.kind) {
    case 'monitored':
      log.emit({ event: 'auth-not-allowed', icid, user, action: 'monitor', profile });
      log.emit({ event: 'auth-success', icid, user, mechanism, profile });
      return;
    case 'success':
      log.emit({ event: 'auth-success', icid, user, mechanism, profile });
      return;
    case 'failed':
      log.emit({ event: 'auth-failed', icid, user, mechanism, profile, reason: verdict.reason });
      return;
    case 'not-allowed':
      log.emit({ event: 'auth-not-allowed', icid, user, action: 'reject', profile });
      return;
    case 'unavailable':
      log.emit({ event: 'auth-unavailable', icid, user, profile, reason: verdict.reason });
  }
}
