/**
 * RCPT TO: is mail for this recipient taken from this session? In order: SMTPUTF8, default domain, number of recipients,
 * then who may send to whom: an identity or the behaviour RELAY sends to anybody, a private listener likewise, on a
 * public listener the recipient access table decides. An identity lifts nothing else: the limits of the sender group's
 * policy stay. AsyncOS: RELAY skips the RAT, private listeners have none. RFC 5321 §4.1.1.3, §4.5.3.1.8, §4.5.3.1.10. Pure.
 */
import type { EffectivePolicy } from '../config/effective-policy.ts';
import type { ListenerConfig } from '../config/schema.ts';
import { type Path, withDomain } from '../core/address.ts';
import { R } from '../core/reply.ts';
import { accept, reject, type Verdict } from '../core/verdict.ts';
import { withDefaultDomain } from './mail-from.ts';
import { matchRat, ratOf } from './recipient-access-table.ts';

export type RcptToFacts = {
  readonly policy: Pick<EffectivePolicy, 'name' | 'behavior' | 'maxRecipientsPerMessage'>;
  readonly listener: Pick<ListenerConfig, 'type' | 'rat' | 'defaultDomain'>;
  readonly listenerName: string;
  /** The gateway's: where `<postmaster>` lives when there is no default domain. */
  readonly hostname: string;
  /** The session has an identity, by certificate or by password. */
  readonly identified: boolean;
  /** Recipients of the transaction so far. */
  readonly recipients: number;
  /** The transaction's MAIL asked for SMTPUTF8. */
  readonly smtpUtf8: boolean;
};

/** The value is the recipient, canonical and with its domain. */
export function decideRcptTo(path: Path, facts: RcptToFacts): Verdict<string> {
  const { policy } = facts;
  if (path.utf8 && !facts.smtpUtf8) return reject('RFC 6531 §3.5', R.utf8Needed);
  const recipient = complete(path, facts);
  if (recipient === undefined) return reject('RFC 5321 §4.1.2', R.badRecipient('a domain is needed'));
  // RFC 5321 §4.5.3.1.10: 452, so that the client sends the rest in another transaction.
  if (facts.recipients >= policy.maxRecipientsPerMessage) {
    return reject(`mailFlowPolicies.${policy.name}.maxRecipientsPerMessage`, R.tooManyRecipients);
  }
  return mayReceive(recipient, facts);
}

/** As mail_logs names who rejected a recipient: `Rejected by RAT`; the record of the refusal has the entry. */
export const rejecterOf = (rule: string): string => (/^listeners\..*\.rat(\[\d+\])?$/.test(rule) ? 'RAT' : rule);

/** RFC 5321 §4.1.1.3: `<postmaster>` without a domain is always understood. */
function complete(path: Path, { listener, hostname }: RcptToFacts): Path | undefined {
  const postmaster = path.domain === '' && path.localPart.toLowerCase() === 'postmaster';
  return withDefaultDomain(path, listener.defaultDomain) ?? (postmaster ? withDomain(path, hostname) : undefined);
}

function mayReceive(recipient: Path, { identified, policy, listener, listenerName }: RcptToFacts): Verdict<string> {
  const { address } = recipient;
  const rule = `mailFlowPolicies.${policy.name}.behavior`;
  if (identified) return accept('identity', address);
  switch (policy.behavior) {
    case 'relay':
      return accept(rule, address);
    case 'accept': {
      if (listener.type === 'private') return accept(`listeners.${listenerName}.type`, address);
      const entry = matchRat(ratOf(listenerName, listener), recipient);
      return entry.action === 'accept' ? accept(entry.rule, address) : reject(entry.rule, entry.reply);
    }
    case 'reject':
    case 'tcpRefuse':
    case 'continue':
      return reject(rule, R.relayDenied);
  }
}
