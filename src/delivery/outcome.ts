/**
 * What a reply or an error of a next hop means for a recipient: delivered, try the next host now, retry later, or bounce
 * (RFC 5321 §4.2.1, §4.5.4.1; AsyncOS soft and hard bounce). The status is the reply's own where it has one (RFC 2034),
 * otherwise derived from code and command (RFC 3463).
 * Pure.
 */
import { printable } from '../core/reply.ts';
import { type PeerReply, statusOfReply, textOfReply } from './reply-reader.ts';

export type Stage =
  | 'connect'
  | 'greeting'
  | 'ehlo'
  | 'starttls'
  | 'tls'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'body'
  | 'end-of-data';

/** What happened to one recipient, or to a whole session before any message. */
export type Happening =
  | { readonly kind: 'reply'; readonly stage: Stage; readonly reply: PeerReply }
  /** No reply: time-out, reset, or something that is no SMTP. */
  | { readonly kind: 'failure'; readonly stage: Stage; readonly failure: Failure; readonly why: string }
  /** Our own decision before anything was sent. */
  | { readonly kind: 'unable'; readonly status: string; readonly why: string };

/** `no-tls`: the destination requires TLS and the host, before any handshake, gives none. */
export type Failure = 'refused' | 'timeout' | 'closed' | 'protocol' | 'attack' | 'tls' | 'no-tls' | 'local' | 'stopped';

export type Outcome =
  | { readonly kind: 'delivered'; readonly response: string }
  /** `elsewhere`: another host of the next hop may be tried at once. */
  | ({ readonly kind: 'retry' | 'bounce' } & Trouble);

export type Trouble = {
  readonly status: string;
  readonly why: string;
  readonly elsewhere: boolean;
  /** The remote reply, where there was one (RFC 3464 §2.3.6). */
  readonly diagnostic?: string;
  /** The administrator who decided it, for the log alone. */
  readonly by?: string;
};

const BEFORE_MESSAGE: ReadonlySet<Stage> = new Set(['connect', 'greeting', 'ehlo', 'starttls', 'tls']);

/**
 * 2yz after the final dot is delivered, 4yz a retry, 5yz a bounce (RFC 5321 §4.2.1); `elsewhere`: another host may
 * take it.
 */
export function decideOutcome(happening: Happening): Outcome {
  switch (happening.kind) {
    case 'unable':
      return { kind: 'bounce', status: happening.status, why: happening.why, elsewhere: false };
    case 'failure':
      return decideFailure(happening.stage, happening.failure, happening.why);
    case 'reply':
      return decideReply(happening.stage, happening.reply);
  }
}

function decideReply(stage: Stage, reply: PeerReply): Outcome {
  const text = printable(textOfReply(reply));
  const hundreds = Math.trunc(reply.code / 100);
  if (hundreds === 2 && stage === 'end-of-data') return { kind: 'delivered', response: text };
  const status = statusOfReply(reply) ?? derivedStatus(stage, reply.code);
  if (hundreds === 5)
    // A 5xx before any message is about the host, not about the mail (RFC 7504 §3): others may take it.
    return { kind: 'bounce', status, why: text, elsewhere: BEFORE_MESSAGE.has(stage), diagnostic: text };
  if (hundreds === 4) {
    // RFC 5321 §3.8: 421 ends the session, as a lost connection does; other 4xx are about this mail on every host.
    const elsewhere = BEFORE_MESSAGE.has(stage) || (reply.code === 421 && stage !== 'end-of-data');
    return { kind: 'retry', status, why: text, elsewhere, diagnostic: text };
  }
  return { kind: 'retry', status: '4.5.0', why: `unexpected reply to ${NAMES[stage]}: ${text}`, elsewhere: false };
}

const NAMES: Readonly<Record<Stage, string>> = {
  connect: 'the connection',
  greeting: 'the connection',
  ehlo: 'EHLO',
  starttls: 'STARTTLS',
  tls: 'the TLS handshake',
  mail: 'MAIL FROM',
  rcpt: 'RCPT TO',
  data: 'DATA',
  body: 'the message text',
  'end-of-data': 'the end of data',
};

function decideFailure(stage: Stage, failure: Failure, why: string): Outcome {
  const words = printable(why).slice(0, 400);
  if (failure === 'local') return { kind: 'retry', status: '4.3.0', why: words, elsewhere: false };
  if (failure === 'attack') return { kind: 'retry', status: '4.7.0', why: words, elsewhere: true };
  // RFC 3463 X.7.4: security features are not supported.
  if (failure === 'no-tls')
    return { kind: 'retry', status: '4.7.4', why: `TLS is required: ${words}`, elsewhere: true };
  if (failure === 'tls') return { kind: 'retry', status: '4.7.5', why: words, elsewhere: true };
  if (failure === 'protocol') return { kind: 'retry', status: '4.5.0', why: words, elsewhere: stage !== 'end-of-data' };
  // The reply to the final dot is lost: the host may have the message. Sending it to another host at once would double it
  // for certain; later, the same host may recognise it. RFC 5321 §4.5.3.2.6, §4.2.5; RFC 1047.
  if (stage === 'end-of-data')
    return {
      kind: 'retry',
      status: '4.4.2',
      why: `no reply to the end of data (${words}); the host may have the message`,
      elsewhere: false,
    };
  const status = stage === 'connect' ? '4.4.1' : '4.4.2';
  return { kind: 'retry', status, why: `${words} at ${NAMES[stage]}`, elsewhere: failure !== 'stopped' };
}

const STATUS_OF_CODE: Readonly<Record<number, string>> = {
  421: '4.3.2',
  450: '4.2.0',
  451: '4.3.0',
  452: '4.3.1',
  454: '4.7.0',
  500: '5.5.2',
  501: '5.5.4',
  502: '5.5.1',
  503: '5.5.1',
  504: '5.5.4',
  521: '5.3.2',
  530: '5.7.0',
  535: '5.7.8',
  552: '5.2.2',
  555: '5.5.4',
  556: '5.1.10',
};
const STATUS_OF_RECIPIENT: Readonly<Record<number, string>> = {
  550: '5.1.1',
  551: '5.1.6',
  553: '5.1.3',
  452: '4.5.3',
};

function derivedStatus(stage: Stage, code: number): string {
  const ofRecipient = stage === 'rcpt' ? STATUS_OF_RECIPIENT[code] : undefined;
  return ofRecipient ?? STATUS_OF_CODE[code] ?? (code >= 500 ? '5.0.0' : '4.0.0');
}

/**
 * One outcome for a next hop none of whose hosts gave a session: permanent only where every one of them said so,
 * otherwise the last temporary one. RFC 5321 §4.5.4.1, RFC 7504 §4.
 */
export function mergeHosts(outcomes: readonly Outcome[]): Outcome {
  const temporary = outcomes.findLast((outcome) => outcome.kind === 'retry');
  return (
    temporary ?? outcomes.at(-1) ?? { kind: 'retry', status: '4.4.1', why: 'no host to connect to', elsewhere: false }
  );
}
