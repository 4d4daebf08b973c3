/**
 * What a message takes along from its session: the Received field on top of it, and envelope and origin in the queue.
 * RFC 5321 §4.4, RFC 3461. Pure: time is handed in.
 */
import { receivedField } from '../content/received.ts';
import type { Body, NewMessage } from '../core/ports.ts';
import type { Session, Transaction } from './receipt-session.ts';

/** The Received field with its CRLFs. */
export function receivedOf(session: Session, transaction: Transaction, nowMs: number): string {
  const { state, hostname, remoteAddress, door, tls, certificate, identity } = session;
  const names = certificate?.names;
  return receivedField({
    clientName: state.clientName,
    hostname,
    remoteAddress,
    by: door.hostname,
    extended: state.greeted === 'ehlo',
    smtpUtf8: transaction.parameters.smtpUtf8,
    tls,
    certificate: names && { subject: names.subject, verified: identity.kind === 'certificate' },
    user: identity.kind === 'none' ? undefined : identity.user,
    mid: transaction.mid,
    recipient: transaction.recipients.length === 1 ? transaction.recipients[0]?.address : undefined,
    atMs: nowMs,
  });
}

/** The message as the queue keeps it. */
export function newMessage(
  session: Session,
  transaction: Transaction,
  { body, nowMs }: { body: Body; nowMs: number },
): NewMessage {
  const { icid, door, remoteAddress, match, identity, certificate } = session;
  const { body: bodyType, smtpUtf8, ret, envid } = transaction.parameters;
  return {
    mid: transaction.mid,
    icid,
    receivedMs: nowMs,
    body,
    envelope: {
      sender: transaction.sender,
      recipients: transaction.recipients,
      body: bodyType,
      smtpUtf8,
      ...(ret === undefined ? {} : { ret }),
      ...(envid === undefined ? {} : { envid }),
    },
    origin: {
      listener: door.name,
      remoteAddress,
      senderGroup: match.senderGroup,
      ...(identity.kind === 'none' ? {} : { user: identity.user }),
      ...(certificate?.names === undefined ? {} : { certificate: certificate.names.subject }),
    },
  };
}
