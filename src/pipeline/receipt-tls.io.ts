/**
 * The tls and identity stages of the receipt walk: handshake, then who the client's certificate belongs to. What it
 * means is decided in `identity/identity-verdict.ts`. RFC 3207: after STARTTLS nothing survives that was known before.
 * Effects: the handshake, the directory.
 */
import { R, type Reply } from '../core/reply.ts';
import {
  type CertificateStanding,
  decideIdentity,
  type IdentityVerdict,
  needsOwner,
} from '../identity/identity-verdict.ts';
import { CertificateCheck } from '../identity/identify.io.ts';
import { nextState } from '../smtp/session-state.ts';
import { recordRefusal, type RefusalInput, type Session, type Step } from './receipt-session.ts';
import type { ReceiveThread } from './receive-thread.io.ts';

const MAX_REFUSALS = 4;
const REFUSED_FOR_MS = 30_000;
const MAX_TOLD = 64;

/** STARTTLS. Octets that follow it in the clear are an attack: they would be taken for commands inside TLS. */
export async function startTls(session: Session, thread: ReceiveThread): Promise<Step> {
  const { wire, policy } = session;
  if (session.tls !== undefined) return { reply: R.tlsActive, error: true };
  if (policy.tls === 'off') return { reply: R.tlsNotOffered, error: true };
  if (wire.unread > 0) {
    recordRefusal(session, thread.log, {
      stage: 'tls',
      rule: 'RFC 3207 §4.2',
      reason: 'octets followed STARTTLS in the clear',
      reply: R.tlsPipelined,
    });
    return { reply: R.tlsPipelined, close: true };
  }
  wire.reply(R.startTls);
  return (await handshake(session, thread)) ? {} : { close: true };
}

/** The handshake and what follows from the certificate; false when there is no connection any more. */
export async function handshake(session: Session, thread: ReceiveThread): Promise<boolean> {
  const { icid, door, policy, wire } = session;
  const done = await door.tls(policy).handshake(wire.detach());
  if (!done.ok) {
    thread.log.emit({ event: 'tls-failed', icid, why: done.why });
    return false;
  }
  wire.upgrade(done.socket);
  // RFC 3207 §4.2: nothing that was known before survives, neither a success nor a refusal.
  session.state = nextState(session.state, { step: 'tls' });
  session.authenticated = false;
  session.authRefused = undefined;
  session.errors = 0;
  const { facts } = done;
  session.tls = facts;
  thread.log.emit({
    event: 'tls-success',
    icid,
    protocol: facts.protocol,
    cipher: facts.cipher,
    resumed: facts.resumed,
  });
  const profiles = door.profile?.certificate;
  if (facts.leaf !== undefined && profiles !== undefined)
    session.certificate = new CertificateCheck(facts.leaf, facts.presented, profiles);
  await identify(session, thread);
  return true;
}

/** Asks for the standing of the session's certificate and does what the truth table says. */
async function identify(session: Session, thread: ReceiveThread): Promise<IdentityVerdict> {
  const { policy, certificate, door } = session;
  const facts = { tls: policy.tls, verify: policy.verifyClientCertificate, smtpAuth: policy.smtpAuth };
  const standing: CertificateStanding =
    door.profile?.certificate === undefined || certificate === undefined
      ? { kind: 'none' }
      : await certificate.standing(needsOwner(facts));
  if (standing.kind === 'valid') session.seen.owner = standing.owner;
  tellResponders(session, thread);
  const verdict = decideIdentity(facts, standing);
  apply(session, verdict, thread);
  return verdict;
}

/** Which responder said what, once for each thing said. */
function tellResponders({ icid, certificate, toldResponders }: Session, thread: ReceiveThread): void {
  for (const fact of certificate?.responders ?? []) {
    const { answeredMs, ...told } = fact;
    const key = `${told.serial} ${told.responder ?? ''} ${told.status} ${answeredMs ?? ''}`;
    if (toldResponders.has(key)) continue;
    if (toldResponders.size >= MAX_TOLD) toldResponders.clear();
    toldResponders.add(key);
    thread.log.emit({ event: 'certificate-status', icid, ...told });
  }
}

function apply(session: Session, verdict: IdentityVerdict, thread: ReceiveThread): void {
  const { icid, certificate, door } = session;
  const names = certificate?.names;
  session.identity = { kind: 'none' };
  session.ownerUnknown = false;
  switch (verdict.kind) {
    case 'identity':
      if (names === undefined) return;
      session.identity = { kind: 'certificate', user: verdict.user, names };
      thread.log.emit({
        event: 'certificate-ok',
        icid,
        certificate: names,
        user: verdict.user,
        profile: certificate?.profile ?? '',
        by: verdict.by,
      });
      return;
    case 'anonymous':
      if (door.profile?.certificate === undefined) return;
      thread.log.emit({
        event: 'certificate-not-used',
        icid,
        ...(names ? { certificate: names } : {}),
        reason: verdict.reason,
        rule: verdict.rule,
      });
      return;
    case 'deferred':
      session.ownerUnknown = true;
      if (names !== undefined)
        thread.log.emit({ event: 'certificate-deferred', icid, certificate: names, reason: verdict.reason });
      return;
    case 'refused':
      refuse(session, { stage: 'certificate', ...verdict }, thread);
  }
}

/** From here on every command but NOOP and QUIT hears the reason. */
function refuse(session: Session, refusing: RefusalInput, thread: ReceiveThread): void {
  session.refused = {
    reply: refusing.reply,
    untilMs: thread.wireClock.now + REFUSED_FOR_MS,
    repliesLeft: MAX_REFUSALS,
  };
  recordRefusal(session, thread.log, refusing);
}

/** At MAIL FROM: a certificate that has been revoked or has expired meanwhile, an owner that is still unknown. */
export async function identifyAgain(session: Session, thread: ReceiveThread): Promise<Step | undefined> {
  const { certificate, identity, policy } = session;
  if (session.ownerUnknown && (policy.verifyClientCertificate || identity.kind === 'none')) {
    const verdict = await identify(session, thread);
    return verdict.kind === 'identity' || verdict.kind === 'anonymous' ? undefined : stopped(session, verdict, thread);
  }
  if (identity.kind !== 'certificate' || certificate === undefined) return undefined;
  const unfit = await certificate.stillValid();
  tellResponders(session, thread);
  if (unfit === undefined) return undefined;
  // A list may have run out, or been given up, while the session was open: what can be asked for is asked for.
  if (unfit.kind === 'unchecked' || certificate.inquirable) {
    const verdict = await identify(session, thread);
    if (verdict.kind === 'identity') return undefined;
    if (verdict.kind !== 'anonymous') return stopped(session, verdict, thread);
  }
  const reply = R.certificateRefused(unfit.reason);
  session.identity = { kind: 'none' };
  const refusing: RefusalInput = { stage: 'mail', rule: unfit.rule, reason: unfit.reason, reply };
  if (policy.verifyClientCertificate) {
    refuse(session, refusing, thread);
    return firstRefusal(session, reply);
  }
  recordRefusal(session, thread.log, refusing);
  return { reply };
}

type Stopping = Extract<IdentityVerdict, { kind: 'refused' | 'deferred' }>;

function stopped(session: Session, verdict: Stopping, thread: ReceiveThread): Step {
  if (verdict.kind === 'refused') return firstRefusal(session, verdict.reply);
  const { rule, reason, reply } = verdict;
  // AUTH stays possible as a way in, and so does the next MAIL FROM.
  recordRefusal(session, thread.log, { stage: 'mail', rule, reason, reply });
  return { reply };
}

/** A refusal that is itself the answer to a command is the first of the four. */
function firstRefusal({ refused }: Session, reply: Reply): Step {
  if (refused !== undefined) refused.repliesLeft -= 1;
  return { reply };
}
