/**
 * MAIL FROM: may a transaction begin with this sender? In order: messages of the connection, identity where SMTP AUTH is
 * required, SMTPUTF8, default domain, declared size. AsyncOS: Max. Messages Per Connection, SMTP Authentication
 * required, Max. Message Size, Add Default Domain. RFC 5321 §4.1.1.2, RFC 1870 §6, RFC 4954 §6, RFC 6531 §3.5. Pure.
 */
import type { EffectivePolicy } from '../config/effective-policy.ts';
import { type Path, withDomain } from '../core/address.ts';
import { R, type Reply } from '../core/reply.ts';
import { accept, reject, type Verdict } from '../core/verdict.ts';
import type { MailParameters } from '../smtp/parameters.ts';

export type MailFromFacts = {
  readonly policy: Pick<EffectivePolicy, 'name' | 'smtpAuth' | 'maxMessagesPerConnection' | 'maxMessageBytes'>;
  /** The session has an identity, by certificate or by password. */
  readonly identified: boolean;
  /** Messages accepted on this connection so far. */
  readonly messages: number;
  readonly defaultDomain: string | undefined;
};

/** `sender` is canonical and has its domain; '' is the null reverse-path. */
export type AcceptedSender = { readonly sender: string };

/** The value is the sender with its domain; '' is the null reverse-path. */
export function decideMailFrom(path: Path, parameters: MailParameters, facts: MailFromFacts): Verdict<AcceptedSender> {
  const { policy } = facts;
  const rule = `mailFlowPolicies.${policy.name}`;
  if (facts.messages >= policy.maxMessagesPerConnection) {
    return reject(`${rule}.maxMessagesPerConnection`, R.tooManyMessages);
  }
  if (policy.smtpAuth === 'required' && !facts.identified) return reject(`${rule}.smtpAuth`, R.authRequired);
  // RFC 6531 §3.5: 553 where the address needs SMTPUTF8 and the client did not ask for it.
  if (path.utf8 && !parameters.smtpUtf8) return reject('RFC 6531 §3.5', R.utf8Needed);
  const sender = withDefaultDomain(path, facts.defaultDomain);
  if (sender === undefined) return reject('RFC 5321 §4.1.2', R.badSender('a domain is needed'));
  if (parameters.size !== undefined && parameters.size > policy.maxMessageBytes) {
    return reject(`${rule}.maxMessageSize`, R.tooBig);
  }
  return accept(rule, { sender: sender.address });
}

/** RFC 5321 §3.8: after a 421 the server closes the connection. */
export const closes = (reply: Reply): boolean => reply.code === 421;

/** The null path stays; a bare address gets the listener's default domain; without one there is no answer. */
export function withDefaultDomain(path: Path, defaultDomain: string | undefined): Path | undefined {
  if (path.address === '' || path.domain !== '') return path;
  return defaultDomain === undefined ? undefined : withDomain(path, defaultDomain);
}
