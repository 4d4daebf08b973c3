/**
 * What a session leaves behind in the client history: the facts that decided it, for a later replay, and a hit for each
 * rule it came by. Never a password. Pure.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../core/ports.ts';
import type { AuthVerdict } from '../identity/smtp-auth-verdict.ts';
import { type ClientFacts, type ClientLedger, RULE } from '../log/client-history.ts';
import type { Session } from './receipt-session.ts';

const MAX_RECIPIENTS = 3;

/** At the end of a session. One that never said who it is or what it sends is no client yet: a scanner, a probe. */
export function noteSession(session: Session, ledger: ClientLedger, nowMs: number): void {
  const { door, seen, tls, certificate, remoteAddress, hostname } = session;
  const password = door.profile?.password;
  if (certificate !== undefined && door.profile !== undefined) ledger.hit(RULE.profile(door.profile.name), nowMs);
  if (seen.login !== undefined && password !== undefined) ledger.hit(RULE.profile(password.name), nowMs);
  if (seen.sender === undefined && certificate === undefined && seen.login === undefined) return;
  const leaf = tls?.leaf;
  const facts: ClientFacts = {
    listener: door.name,
    remoteAddress,
    hostname,
    tls: tls !== undefined,
    certificate: leaf && createHash('sha256').update(leaf).digest('hex'),
    owner: seen.owner,
    login: seen.login,
    sender: seen.sender ?? '',
    recipients: seen.recipients,
  };
  ledger.note(facts, () => (leaf === undefined ? [] : [leaf, ...(tls?.presented() ?? [])]), nowMs);
}

/** Once the host access table has decided. */
export function noteMatch({ door, match }: Pick<Session, 'door' | 'match'>, ledger: ClientLedger, nowMs: number): void {
  ledger.hit(RULE.entry(door.name, match.senderGroup, match.match), nowMs);
  ledger.hit(RULE.policy(match.policy), nowMs);
}

/** Use of an exemption, and of a password that is only monitored: for the reports on both. */
export function noteAuth(
  { kind, rule }: AuthVerdict,
  { user, profile }: { readonly user: string; readonly profile: string },
  { ledger, clock }: { readonly ledger: ClientLedger; readonly clock: Clock },
): void {
  if (kind === 'monitored') ledger.hit(RULE.monitored(profile, user), clock.now());
  if (kind === 'success' && rule.startsWith('exemptions.')) ledger.hit(rule, clock.now());
}

/** A MAIL that was understood, whatever became of it. */
export function noteSender({ seen }: Session, sender: string): void {
  seen.sender = sender;
  seen.recipients = [];
}

export function noteRecipient({ seen }: Session, recipient: string): void {
  if (seen.recipients.length < MAX_RECIPIENTS) seen.recipients.push(recipient);
}
