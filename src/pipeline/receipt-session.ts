/**
 * What is known about one SMTP session: facts that the stages found and decisions they took. Grown by the receipt walk,
 * read by everything. AsyncOS calls it the injection (ICID). Pure: types, the one record of a refusal, what an
 * interruption comes to.
 */
import type { EffectivePolicy } from '../config/effective-policy.ts';
import type { Icid, Mid } from '../core/ids.ts';
import type { Recipient } from '../core/ports.ts';
import { R, type Reply, replyText } from '../core/reply.ts';
import type { CertificateCheck } from '../identity/identify.io.ts';
import type { RecordedLogin, RecordedOwner } from '../log/client-history.ts';
import type { CertificateNames, MailLog, Refusal } from '../log/mail-event.ts';
import type { HatMatch } from '../policy/host-access-table.ts';
import type { ChunkReader } from '../smtp/chunk-reader.ts';
import type { MailParameters } from '../smtp/parameters.ts';
import type { SessionState } from '../smtp/session-state.ts';
import type { Wire, WireEnd } from '../smtp/wire.io.ts';
import type { TlsFacts } from '../tls/tls-doors.io.ts';
import type { BodyReceipt } from './body-receipt.io.ts';
import type { Door } from './doors.io.ts';

export type Identity =
  | { readonly kind: 'none' }
  | { readonly kind: 'certificate'; readonly user: string; readonly names: CertificateNames }
  | { readonly kind: 'password'; readonly user: string; readonly profile: string };

/** What a command came to: a reply to send, the end of the connection, an error to count. */
export type Step = {
  readonly reply?: Reply;
  readonly close?: boolean;
  readonly error?: boolean;
  /** The connection ended in the middle of what the command asked for. */
  readonly ended?: 'lost' | 'aborted';
};

export type Transaction = {
  readonly mid: Mid;
  readonly sender: string;
  readonly parameters: MailParameters;
  readonly recipients: Recipient[];
  /** From DATA or the first BDAT on. */
  body: BodyReceipt | undefined;
  chunks: ChunkReader | undefined;
};

export type Session = {
  readonly icid: Icid;
  readonly door: Door;
  readonly wire: Wire;
  readonly remoteAddress: string;
  /** Only a name that its address confirms; undefined otherwise. */
  readonly hostname: string | undefined;
  readonly match: HatMatch;
  readonly policy: EffectivePolicy;
  /** Monotonic milliseconds, as `WireClock.now`. */
  readonly startedMs: number;
  state: SessionState;
  /** The log has said once that TLS was required and not begun. */
  tlsDemanded: boolean;
  tls: TlsFacts | undefined;
  certificate: CertificateCheck | undefined;
  /** What responders said about it and the log has told. */
  readonly toldResponders: Set<string>;
  identity: Identity;
  /** The certificate is good but the directory could not be asked: MAIL FROM asks again. */
  ownerUnknown: boolean;
  /** A refused session hears one reason, to every command, until it leaves or has heard it often enough. */
  refused: { readonly reply: Reply; readonly untilMs: number; repliesLeft: number } | undefined;
  /** SMTP AUTH refused by the allowance: the same answer to every further AUTH. */
  authRefused: { readonly reply: Reply; repliesLeft: number } | undefined;
  authenticated: boolean;
  transaction: Transaction | undefined;
  /** For the client history: the latest of each. */
  readonly seen: {
    sender?: string;
    recipients: string[];
    owner?: RecordedOwner;
    login?: RecordedLogin;
  };
  /** Messages accepted so far. */
  messages: number;
  errors: number;
};

/** The client went away or said nothing more, or the gateway is stopping: RFC 5321 §3.8 has 421 for whoever still listens. */
export const interrupted = ({ door }: Session, { kind }: WireEnd, timeout: Reply): Step =>
  kind === 'closed'
    ? { ended: 'lost' }
    : { ended: 'aborted', reply: kind === 'timeout' ? timeout : R.shuttingDown(door.hostname) };

/** Without a reason of its own the reply's words are it. */
export type RefusalInput = Pick<Refusal, 'stage' | 'rule' | 'user'> & {
  readonly reply: Reply;
  readonly reason?: string;
};

/** One record per refusal: who, which certificate, which sender group and policy, which rule and why. */
export function recordRefusal(
  session: Session,
  log: MailLog,
  { stage, rule, reply, reason = replyText(reply), user }: RefusalInput,
): void {
  const { icid, door, match, identity, transaction, remoteAddress } = session;
  const names = session.certificate?.names;
  const who = user ?? (identity.kind === 'none' ? undefined : identity.user);
  log.emit({
    event: 'refused',
    icid,
    ...(transaction === undefined ? {} : { mid: transaction.mid }),
    refusal: {
      stage,
      rule,
      reason,
      remoteAddress,
      reply: [reply.code, reply.status, reply.lines[0]].filter((part) => part !== undefined).join(' '),
      listener: door.name,
      senderGroup: match.senderGroup,
      policy: match.policy,
      revision: door.revision,
      ...(who === undefined ? {} : { user: who }),
      ...(names === undefined ? {} : { certificate: names }),
    },
  });
}
