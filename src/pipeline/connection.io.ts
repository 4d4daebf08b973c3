/**
 * The accept and policy stages of the receipt walk: limits, host access table (with the peer's name only where a name
 * could decide), mail flow policy, connection behaviour. What comes out is a session to greet, or nothing.
 * Effects: DNS look-ups of the peer's name; refusals on the connection.
 */
import type { Socket } from 'node:net';
import { decideAdmission } from '../accept/connection.ts';
import { effectiveMaxConcurrency } from '../config/effective-policy.ts';
import type { Icid } from '../core/ids.ts';
import { normaliseIp } from '../core/network.ts';
import { R, type Reply } from '../core/reply.ts';
import { matchHat, needsHostname } from '../policy/host-access-table.ts';
import { senderFacts } from '../policy/sender-facts.io.ts';
import { INITIAL_STATE } from '../smtp/session-state.ts';
import { Wire } from '../smtp/wire.io.ts';
import type { Door } from './doors.io.ts';
import { recordRefusal, type Session } from './receipt-session.ts';
import type { ReceiveThread } from './receive-thread.io.ts';
import { noteMatch } from './session-history.ts';

export type Entered = { readonly session: Session; readonly greeting: Reply };

/** `undefined`: the connection was refused, and everything about it is over. */
export async function enterConnection(socket: Socket, door: Door, thread: ReceiveThread): Promise<Entered | undefined> {
  const remoteAddress = normaliseIp(socket.remoteAddress);
  const wire = new Wire(socket, thread.wireClock);
  if (remoteAddress === undefined) {
    wire.destroy(); // gone before it was looked at
    return undefined;
  }
  if (thread.suspension.listener(door.index)) {
    thread.log.emit({ event: 'listener-suspended', listener: door.name, remoteAddress });
    turnAway(wire, door, R.receivingSuspended(door.hostname));
    return undefined;
  }
  // The listener's limit comes first: it bounds the look-ups below.
  if (thread.limits.enterListener(door.index, effectiveMaxConcurrency(door.config)) !== 'ok') {
    thread.log.emit({ event: 'listener-full', listener: door.name, remoteAddress });
    turnAway(wire, door, R.tooManyToListener);
    return undefined;
  }
  const session = await classify(wire, remoteAddress, { door, thread });
  const greeting = admit(session, thread);
  if (greeting === undefined) thread.limits.leaveListener(door.index);
  return greeting && { session, greeting };
}

type Classifying = { readonly door: Door; readonly thread: ReceiveThread };

async function classify(wire: Wire, remoteAddress: string, { door, thread }: Classifying): Promise<Session> {
  const asked = needsHostname(door.hat, remoteAddress)
    ? await senderFacts(remoteAddress, { dns: thread.dns })
    : undefined;
  const hostname = asked?.answer === 'yes' ? asked.value : undefined;
  const match = matchHat(door.hat, { ip: remoteAddress, hostname });
  thread.senders.connected({ listener: door.name, remoteAddress }, hostname, thread.clock.now());
  noteMatch({ door, match }, thread.ledger, thread.clock.now());
  return {
    icid: thread.nextId('icid') as Icid,
    door,
    wire,
    remoteAddress,
    hostname,
    match,
    policy: door.policy(match.policy),
    startedMs: thread.wireClock.now,
    state: INITIAL_STATE,
    tlsDemanded: false,
    tls: undefined,
    certificate: undefined,
    toldResponders: new Set(),
    identity: { kind: 'none' },
    ownerUnknown: false,
    refused: undefined,
    authRefused: undefined,
    authenticated: false,
    transaction: undefined,
    seen: { recipients: [] },
    messages: 0,
    errors: 0,
  };
}

/** The greeting of a connection that may go on; otherwise it hears its refusal here. */
function admit(session: Session, { limits, log }: ReceiveThread): Reply | undefined {
  const { icid, door, wire, remoteAddress, match, policy, hostname } = session;
  const admission = decideAdmission(policy);
  const localAddress = wire.socket.localAddress ?? '';
  log.emit({
    event: 'connection',
    icid,
    listener: door.name,
    localAddress,
    remoteAddress,
    verified: hostname !== undefined,
    ...(hostname ? { hostname } : {}),
  });
  const { senderGroup } = match;
  log.emit({
    event: 'hat',
    icid,
    behavior: admission.behavior,
    senderGroup,
    match: match.match,
    policy: match.policy,
    revision: door.revision,
  });
  if (admission.kind === 'tcp-refuse') {
    recordRefusal(session, log, {
      stage: 'connection',
      rule: match.rule,
      reason: 'TCP refused',
      reply: R.badConnection,
    });
    wire.reset();
  } else if (admission.kind === 'reject') {
    recordRefusal(session, log, {
      stage: 'connection',
      rule: match.rule,
      reason: 'rejected by the host access table',
      reply: admission.reply,
    });
    turnAway(wire, door, admission.reply);
  } else if (limits.enterAddress(door.index, remoteAddress, policy.maxConnectionsPerAddress) !== 'ok') {
    const rule = `mailFlowPolicies.${policy.name}.maxConnectionsPerAddress`;
    recordRefusal(session, log, {
      stage: 'connection',
      rule,
      reason: 'too many connections from this address',
      reply: R.tooManyFromHost,
    });
    turnAway(wire, door, R.tooManyFromHost);
  } else return admission.reply;
  log.emit({ event: 'icid-close', icid, how: 'close' });
  return undefined;
}

/**
 * Deviates: RFC 5321 §3.1 would have us wait for QUIT after a 554 greeting; like AsyncOS we close, a refused host gets no
 * more of our memory. Where TLS comes first a greeting in the clear would only confuse: the connection is closed.
 */
function turnAway(wire: Wire, door: Door, reply: Reply): void {
  if (door.config.tlsMode === 'starttls') wire.reply(reply);
  wire.end();
}
