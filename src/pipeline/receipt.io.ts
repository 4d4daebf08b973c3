/**
 * WALK 1, AsyncOS "Receipt": one connection from TCP accept to its last reply. The stages in order are
 *   accept (limits) → policy (host access table) → tls → identity → envelope → content → queue.
 * `connection.io.ts` goes through accept and policy, this file greets and obeys commands, `receipt-tls.io.ts` goes
 * through tls and identity, `authentication.io.ts` through SMTP AUTH, `transaction.io.ts` from MAIL to "queued as MID".
 * None of them holds a decision of its own. An unexpected error answers 451, never accept.
 * Effects: the connection, through Wire; everything else through the door and the thread.
 */
import type { Socket } from 'node:net';
import { stackOf } from '../core/errors.ts';
import { R, type Reply } from '../core/reply.ts';
import { type Command, parseCommand } from '../smtp/command.ts';
import { COMMAND_TABLE, MAX_COMMAND_LINE_BYTES } from '../smtp/command-table.ts';
import { ehloKeywords } from '../smtp/ehlo.ts';
import { checkSequence, nextState } from '../smtp/session-state.ts';
import type { LineRead } from '../smtp/wire.io.ts';
import { authenticate, refuseAnyAuth } from './authentication.io.ts';
import { enterConnection } from './connection.io.ts';
import type { Door } from './doors.io.ts';
import { recordRefusal, type Session, type Step } from './receipt-session.ts';
import { handshake, startTls } from './receipt-tls.io.ts';
import type { ReceiveThread } from './receive-thread.io.ts';
import { noteSession } from './session-history.ts';
import { abandonTransaction, receiveBdat, receiveData, receiveMail, receiveRcpt, skipChunk } from './transaction.io.ts';

const MAX_ERRORS = 20;

type End = 'close' | 'lost' | 'aborted';

/** Resolves when everything about the connection is over; rejects only for a bug. */
export async function receiveConnection(socket: Socket, door: Door, thread: ReceiveThread): Promise<void> {
  const entered = await enterConnection(socket, door, thread);
  if (entered === undefined) return;
  const { session, greeting } = entered;
  let how: End = 'aborted';
  thread.sessions.add(session);
  try {
    if (door.config.tlsMode === 'implicit' && !(await handshake(session, thread))) return;
    session.wire.reply(greeting);
    how = await converse(session, thread);
  } finally {
    thread.sessions.delete(session);
    thread.limits.leave(door.index, session.remoteAddress);
    await abandonTransaction(session, thread, 'connection closed').catch((error: unknown) =>
      logUnexpected(session, error, thread),
    );
    noteSession(session, thread.ledger, thread.clock.now());
    thread.log.emit({ event: 'icid-close', icid: session.icid, how });
    session.wire.end();
  }
}

/** Command after command until one side ends it. */
async function converse(session: Session, thread: ReceiveThread): Promise<End> {
  const { wire } = session;
  for (;;) {
    if (isSuspended(session, thread)) {
      wire.reply(R.receivingSuspended(session.door.hostname));
      return 'aborted';
    }
    const waitMs = patience(session, thread);
    // A stop lets a transaction that has begun come to its end.
    const idle = session.transaction === undefined;
    const read =
      waitMs.ms <= 0 ? ({ kind: 'timeout' } as const) : await wire.readLine(MAX_COMMAND_LINE_BYTES, waitMs.ms, idle);
    if (read.kind === 'closed') return 'lost';
    if (read.kind === 'stopped' || read.kind === 'timeout') {
      wire.reply(read.kind === 'stopped' ? stopReply(session, thread) : waitMs.reply);
      return 'aborted';
    }
    const { reply, close, ended, error } = await obey(session, read, thread);
    if (reply !== undefined) wire.reply(reply);
    if (ended !== undefined) return ended;
    if (close) return 'close';
    if (error && ++session.errors >= MAX_ERRORS) {
      recordRefusal(session, thread.log, {
        stage: 'connection',
        rule: 'error limit',
        reason: 'too many errors',
        reply: R.tooManyErrors,
      });
      wire.reply(R.tooManyErrors);
      return 'aborted';
    }
  }
}

/** Receiving is suspended here, and no transaction is under way that could still end well. */
export const isSuspended = ({ door, transaction }: Session, { suspension }: ReceiveThread): boolean =>
  transaction === undefined && suspension.listener(door.index);

const stopReply = ({ door }: Session, { suspension }: ReceiveThread): Reply =>
  suspension.listener(door.index) ? R.receivingSuspended(door.hostname) : R.shuttingDown(door.hostname);

/**
 * How long to wait for the next command, and what to say when nothing comes. AsyncOS: "Timeout for Unsuccessful Inbound
 * Connections" until a message is accepted, "Total Time Limit for All Inbound Connections" between messages.
 */
function patience(
  { door, refused, messages, transaction, startedMs }: Session,
  { wireClock }: ReceiveThread,
): { ms: number; reply: Reply } {
  const { now } = wireClock;
  const { commandTimeout, unsuccessfulTimeout, totalTimeout } = door.config;
  const limits = [{ ms: commandTimeout, reply: R.idleTimeout(door.hostname) }];
  if (refused !== undefined) limits.push({ ms: refused.untilMs - now, reply: refused.reply });
  // A message that is coming in chunks takes the time it takes, as one after DATA does.
  if (messages === 0 && transaction?.chunks === undefined)
    limits.push({ ms: startedMs + unsuccessfulTimeout - now, reply: R.noTransactionInTime });
  if (transaction === undefined) limits.push({ ms: startedMs + totalTimeout - now, reply: R.connectionTooLong });
  return limits.reduce((shortest, limit) => (limit.ms < shortest.ms ? limit : shortest));
}

/** One line. The only catch of the walk: whatever goes wrong, the answer is 451 and nothing was accepted. */
async function obey(
  session: Session,
  read: LineRead & { kind: 'line' | 'fault' },
  thread: ReceiveThread,
): Promise<Step> {
  try {
    const command = read.kind === 'fault' ? unreadable(read.fault) : parseCommand(read.bytes);
    const step = refusedStep(session, command) ?? tlsDemand(session, command, thread);
    if (step === undefined) return await dispatch(session, command, thread);
    // The octets of a chunk come whatever the answer is (RFC 3030 §2); unread they would be taken for commands.
    const cut = command.verb === 'BDAT' ? await skipChunk(session, command.size, thread) : undefined;
    return cut === undefined ? step : { ...step, close: true };
  } catch (error) {
    logUnexpected(session, error, thread);
    return { reply: R.internal, error: true };
  }
}

function logUnexpected({ icid }: Session, error: unknown, { log }: ReceiveThread): void {
  const why = stackOf(error);
  log.emit({ event: 'system', level: 'critical', topic: 'receipt', text: `ICID ${icid} unexpected error: ${why}` });
}

const unreadable = (fault: (LineRead & { kind: 'fault' })['fault']): Command => ({
  verb: 'invalid',
  reply: lineFault(fault),
  attempted: undefined,
});

const lineFault = (fault: (LineRead & { kind: 'fault' })['fault']): Reply =>
  fault === 'too-long' ? R.lineTooLong : fault === 'nul' ? R.badCharacters : R.bareLineEnd;

/** A refused session hears its reason to every command but NOOP and QUIT, four times at most. */
function refusedStep({ refused }: Session, command: Command): Step | undefined {
  if (refused === undefined || (command.verb !== 'invalid' && COMMAND_TABLE[command.verb].afterRefusal))
    return undefined;
  refused.repliesLeft -= 1;
  return { reply: refused.reply, close: refused.repliesLeft <= 0 };
}

/** Where TLS is required, everything but EHLO, NOOP, QUIT and STARTTLS waits for it (RFC 3207 §4). */
function tlsDemand(session: Session, command: Command, { log }: ReceiveThread): Step | undefined {
  if (session.policy.tls !== 'required' || session.tls !== undefined || beforeTls(command)) return undefined;
  if (!session.tlsDemanded) {
    log.emit({ event: 'tls-required', icid: session.icid });
    const rule = `mailFlowPolicies.${session.policy.name}.tls`;
    recordRefusal(session, log, {
      stage: 'tls',
      rule,
      reason: 'TLS is required and was not begun',
      reply: R.mustStartTls,
    });
  }
  session.tlsDemanded = true;
  return { reply: R.mustStartTls, error: true };
}

async function dispatch(session: Session, command: Command, thread: ReceiveThread): Promise<Step> {
  if (command.verb === 'BDAT') return receiveBdat(session, command, thread);
  const verb = command.verb === 'invalid' ? command.attempted : command.verb;
  const refusedAuth = verb === 'AUTH' ? refuseAnyAuth(session) : undefined;
  if (refusedAuth !== undefined) return refusedAuth;
  if (command.verb === 'invalid') return { reply: command.reply, error: true, close: command.attempted === 'BDAT' };
  const outOfTurn = checkSequence(session.state, command);
  if (outOfTurn !== undefined) return { reply: outOfTurn, error: true };
  switch (command.verb) {
    case 'EHLO':
    case 'HELO':
      return hello(session, command, thread);
    case 'STARTTLS': {
      const step = await startTls(session, thread);
      // RFC 3207 §4.2: a transaction that was begun in the clear is over.
      if (session.state.transaction === 'none') await abandonTransaction(session, thread, 'STARTTLS');
      return step;
    }
    case 'AUTH':
      return authenticate(session, command, thread);
    case 'MAIL':
      return receiveMail(session, command, thread);
    case 'RCPT':
      return receiveRcpt(session, command, thread);
    case 'DATA':
      return receiveData(session, thread);
    case 'RSET':
      await abandonTransaction(session, thread, 'RSET');
      return { reply: R.ok };
    case 'NOOP':
      return { reply: R.ok };
    case 'QUIT':
      return { reply: R.bye(session.door.hostname), close: true };
    case 'VRFY':
      return { reply: R.cannotVerify };
    case 'EXPN':
      return { reply: R.notImplemented, error: true };
    case 'HELP':
      return { reply: R.help };
  }
}

const beforeTls = (command: Command): boolean => {
  const verb = command.verb === 'invalid' ? command.attempted : command.verb;
  return verb !== undefined && COMMAND_TABLE[verb].beforeTls;
};

async function hello(
  session: Session,
  { verb, domain }: { verb: 'EHLO' | 'HELO'; domain: string },
  thread: ReceiveThread,
): Promise<Step> {
  await abandonTransaction(session, thread, verb);
  session.state = nextState(session.state, { step: verb === 'EHLO' ? 'ehlo' : 'helo', clientName: domain });
  const { door, policy, identity } = session;
  if (verb === 'HELO') return { reply: R.helo(door.hostname) };
  const keywords = ehloKeywords({
    tls: policy.tls,
    tlsActive: session.tls !== undefined,
    smtpAuth: policy.smtpAuth,
    requireTlsToOfferSmtpAuth: policy.requireTlsToOfferSmtpAuth,
    passwordProfile: door.profile?.password !== undefined,
    identity: identity.kind,
    maxMessageBytes: policy.maxMessageBytes,
  });
  return { reply: R.ehlo(door.hostname, keywords) };
}
