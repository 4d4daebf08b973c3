/**
 * The envelope, content and queue stages of the receipt walk: MAIL, RCPT, then DATA or BDAT until "queued as MID".
 * 250 is said only when the message is on stable storage; before that a failure gets 451 or 452 and nothing is kept.
 * RFC 5321 §3.3, §4.1.1.4; RFC 3030. Effects: the connection, the spool, the queue.
 */
import { contentRefusal } from '../content/content-verdict.ts';
import { headerFacts } from '../content/header.ts';
import { GatewayError, whyOf } from '../core/errors.ts';
import type { Mid, Rid } from '../core/ids.ts';
import { R, type Reply, replyText } from '../core/reply.ts';
import { closes, decideMailFrom } from '../envelope/mail-from.ts';
import { decideRcptTo, rejecterOf } from '../envelope/rcpt-to.ts';
import type { BdatCommand, MailCommand, RcptCommand } from '../smtp/command.ts';
import { ChunkReader } from '../smtp/chunk-reader.ts';
import { DotReader } from '../smtp/dot-reader.ts';
import { checkSequence, nextState } from '../smtp/session-state.ts';
import type { OctetsRead, WireEnd } from '../smtp/wire.io.ts';
import { BodyReceipt } from './body-receipt.io.ts';
import { newMessage, receivedOf } from './queued-message.ts';
import { interrupted, recordRefusal, type Session, type Step, type Transaction } from './receipt-session.ts';
import { identifyAgain } from './receipt-tls.io.ts';
import type { ReceiveThread } from './receive-thread.io.ts';
import { noteRecipient, noteSender } from './session-history.ts';

/** RFC 5321 §4.1.1.2. Asks for the certificate's standing anew first: it may have been revoked meanwhile. */
export async function receiveMail(
  session: Session,
  { path, parameters }: MailCommand,
  thread: ReceiveThread,
): Promise<Step> {
  noteSender(session, path.address);
  const again = await identifyAgain(session, thread);
  if (again !== undefined) return again;
  const { policy, door, identity, icid, messages } = session;
  const verdict = decideMailFrom(path, parameters, {
    policy,
    messages,
    identified: identity.kind !== 'none',
    defaultDomain: door.config.defaultDomain,
  });
  if (verdict.kind !== 'accept') return refused(session, thread, 'mail', verdict);
  const mid = thread.nextId('mid') as Mid;
  const { sender } = verdict.value;
  session.transaction = { mid, sender, parameters, recipients: [], body: undefined, chunks: undefined };
  thread.underWay.begin();
  session.state = nextState(session.state, { step: 'sender' });
  thread.log.emit({ event: 'message-start', mid, icid });
  thread.log.emit({ event: 'from', mid, icid, sender });
  return { reply: R.senderOk(sender) };
}

/** RFC 5321 §4.1.1.3. */
export function receiveRcpt(session: Session, { path, parameters }: RcptCommand, thread: ReceiveThread): Step {
  const { transaction, policy, door, identity, icid } = session;
  if (transaction === undefined) return { reply: R.badSequence('send MAIL first'), error: true };
  noteRecipient(session, path.address);
  const verdict = decideRcptTo(path, {
    policy,
    listener: door.config,
    listenerName: door.name,
    identified: identity.kind !== 'none',
    recipients: transaction.recipients.length,
    smtpUtf8: transaction.parameters.smtpUtf8,
    hostname: door.hostname,
  });
  if (verdict.kind !== 'accept') {
    const by = rejecterOf(verdict.rule);
    thread.log.emit({ event: 'to-rejected', mid: transaction.mid, icid, recipient: path.address, by });
    return refused(session, thread, 'rcpt', verdict);
  }
  const rid = transaction.recipients.length as Rid;
  const address = verdict.value;
  transaction.recipients.push({ rid, address, ...parameters });
  session.state = nextState(session.state, { step: 'recipient' });
  thread.log.emit({ event: 'to', mid: transaction.mid, icid, rid, recipient: address });
  return { reply: R.recipientOk(address) };
}

type Refusing = { readonly kind: 'reject' | 'defer' | 'drop'; readonly rule: string; readonly reply?: Reply };

function refused(
  session: Session,
  thread: ReceiveThread,
  stage: 'mail' | 'rcpt',
  { rule, reply = R.internal }: Refusing,
): Step {
  if (reply.code === R.authRequired.code) thread.log.emit({ event: 'auth-required', icid: session.icid });
  recordRefusal(session, thread.log, { stage, rule, reply });
  return { reply, close: closes(reply), error: true };
}

/** DATA: octets up to CRLF.CRLF, whatever is wrong with them; then the verdict on all of it. */
export async function receiveData(session: Session, thread: ReceiveThread): Promise<Step> {
  const { transaction, wire, policy, door } = session;
  if (transaction === undefined) return { reply: R.badSequence('send MAIL first'), error: true };
  const body = openBody(session, transaction, thread);
  const reader = new DotReader({ maxBytes: policy.maxMessageBytes, bareLineEnds: door.config.bareLineEnds });
  wire.reply(R.startData);
  let failure: unknown;
  while (!reader.done) {
    const read = await wire.readOctets(door.config.dataTimeout);
    if (read.kind !== 'octets') return interrupted(session, read, R.dataTimeout(door.hostname));
    wire.unreadOctets(read.bytes.subarray(reader.push(read.bytes)));
    failure ??= await written(body, reader.take());
  }
  return finish(session, thread, { fault: reader.fault, failure });
}

/** BDAT (RFC 3030 §2): the octets of a chunk follow whatever the answer will be, and are read in any case. */
export async function receiveBdat(session: Session, command: BdatCommand, thread: ReceiveThread): Promise<Step> {
  const { transaction, policy, door } = session;
  const outOfTurn = checkSequence(session.state, command);
  if (outOfTurn !== undefined || transaction === undefined) {
    const cut = await skipChunk(session, command.size, thread);
    return cut === undefined
      ? { reply: outOfTurn ?? R.internal, error: true }
      : interrupted(session, cut, R.dataTimeout(door.hostname));
  }
  const body = transaction.body ?? openBody(session, transaction, thread);
  transaction.chunks ??= new ChunkReader({ maxBytes: policy.maxMessageBytes, bareLineEnds: door.config.bareLineEnds });
  const { chunks } = transaction;
  let failure: unknown;
  for (let left = command.size; left > 0; ) {
    const read = await readUpTo(session, left);
    if (read.kind !== 'octets') return interrupted(session, read, R.dataTimeout(door.hostname));
    left -= read.bytes.length;
    chunks.push(read.bytes);
    failure ??= await written(body, chunks.take());
  }
  if (command.last) {
    chunks.end();
    failure ??= await written(body, chunks.take());
  }
  const received = { fault: chunks.fault, failure };
  if (command.last || chunks.fault !== undefined || failure !== undefined) return finish(session, thread, received);
  session.state = nextState(session.state, { step: 'chunk' });
  return { reply: R.chunkOk(command.size) };
}

/** What went wrong, or undefined. After a failure octets are still read, or they would be taken for commands. */
const written = (body: BodyReceipt, slices: readonly Buffer[]): Promise<unknown> =>
  body.write(slices).then(
    () => undefined,
    (error: unknown) => error ?? new Error('not written'),
  );

/** Octets of a chunk, at most `most`. */
async function readUpTo({ wire, door }: Session, most: number, waitMs = door.config.dataTimeout): Promise<OctetsRead> {
  const read = await wire.readOctets(waitMs);
  if (read.kind !== 'octets') return read;
  const bytes = read.bytes.subarray(0, most);
  wire.unreadOctets(read.bytes.subarray(bytes.length));
  return { kind: 'octets', bytes };
}

/**
 * Reads the octets of a chunk that nobody wants; what ended it where they did not come in time. Nobody gets more time by announcing
 * octets: all of them have to come within one data time-out, and a refused session has its 30 s.
 */
export async function skipChunk(
  session: Session,
  octets: number,
  { wireClock }: ReceiveThread,
): Promise<WireEnd | undefined> {
  const untilMs = Math.min(
    wireClock.now + session.door.config.dataTimeout,
    session.refused?.untilMs ?? Number.POSITIVE_INFINITY,
  );
  for (let left = octets; left > 0; ) {
    const waitMs = untilMs - wireClock.now;
    const read: OctetsRead = waitMs > 0 ? await readUpTo(session, left, waitMs) : { kind: 'timeout' };
    if (read.kind !== 'octets') return read;
    left -= read.bytes.length;
  }
  return undefined;
}

function openBody(session: Session, transaction: Transaction, thread: ReceiveThread): BodyReceipt {
  const { receivedHeader } = session.door.config;
  const received = receivedHeader ? Buffer.from(receivedOf(session, transaction, thread.clock.now())) : undefined;
  const body = new BodyReceipt(thread.spoolDir, transaction.mid, received);
  transaction.body = body;
  return body;
}

type Received = { readonly fault: DotReader['fault']; readonly failure: unknown };

/** The end of the message: refuse it, or queue it and say so. Either way the transaction is over. */
async function finish(session: Session, thread: ReceiveThread, { fault, failure }: Received): Promise<Step> {
  const { transaction } = session;
  const body = transaction?.body;
  if (transaction === undefined || body === undefined) return { reply: R.internal };
  const facts = headerFacts(body.head());
  const refusal =
    failure === undefined
      ? contentRefusal(fault, body.hops)
      : { reply: storageReply(failure, session, thread), rule: 'storage' };
  if (refusal !== undefined) {
    recordRefusal(session, thread.log, { stage: 'data', ...refusal });
    await abandonTransaction(session, thread, replyText(refusal.reply));
    return { reply: refusal.reply, error: true };
  }
  const { mid, sender } = transaction;
  try {
    const received = await body.finish();
    await thread.queue.accept(newMessage(session, transaction, { body: received, nowMs: thread.clock.now() }));
  } catch (error) {
    const reply = storageReply(error, session, thread);
    recordRefusal(session, thread.log, { stage: 'data', rule: 'storage', reply });
    await abandonTransaction(session, thread, 'not stored');
    return { reply };
  }
  if (facts.messageId !== undefined) thread.log.emit({ event: 'message-id', mid, messageId: facts.messageId });
  if (facts.subject !== undefined) thread.log.emit({ event: 'subject', mid, subject: facts.subject });
  thread.log.emit({ event: 'message-ready', mid, bytes: body.bytes, sender });
  thread.log.emit({ event: 'message-queued', mid });
  const { door, remoteAddress } = session;
  thread.senders.accepted({ listener: door.name, remoteAddress }, transaction.recipients.length);
  session.transaction = undefined;
  thread.underWay.end();
  session.messages += 1;
  session.errors = 0;
  session.state = nextState(session.state, { step: 'transaction-over' });
  return { reply: R.queued(mid) };
}

function storageReply(error: unknown, { icid }: Session, { log }: ReceiveThread): Reply {
  const full = error instanceof GatewayError && error.code === 'storage-full';
  const why = whyOf(error);
  const topic = full ? 'storage full' : 'storage';
  log.emit({ event: 'system', level: 'critical', topic, text: `ICID ${icid} message not stored: ${why}` });
  return full ? R.storageFull : R.internal;
}

/** Ends a transaction without a message: RSET, EHLO, a refusal, a connection that went away. */
export async function abandonTransaction(session: Session, thread: ReceiveThread, why: string): Promise<void> {
  const { transaction } = session;
  session.transaction = undefined;
  session.state = nextState(session.state, { step: 'transaction-over' });
  if (transaction === undefined) return;
  thread.underWay.end();
  thread.log.emit({ event: 'message-aborted', mid: transaction.mid, icid: session.icid, why });
  await transaction.body?.abort();
}
