/**
 * Which command may follow which: greeting → EHLO → MAIL → RCPT … → DATA or BDAT … LAST, and what resets what. States are
 * values: the walk applies a step only after its reply says that it has happened. After STARTTLS nothing survives
 * (RFC 3207 §4.2). RFC 5321 §4.1.4, §3.3; RFC 3030 §2; RFC 4954 §4. Pure.
 */
import { R, type Reply } from '../core/reply.ts';
import type { Command } from './command.ts';

export type SessionState = {
  readonly greeted: 'none' | 'helo' | 'ehlo';
  /** What the client called itself; '' before. */
  readonly clientName: string;
  /** none; a sender; at least one recipient; chunks of a message on their way. */
  readonly transaction: 'none' | 'sender' | 'recipients' | 'chunks';
};

export const INITIAL_STATE: SessionState = { greeted: 'none', clientName: '', transaction: 'none' };

/** Things that have happened: a command of that kind was answered positively. */
export type SessionStep =
  | { readonly step: 'ehlo' | 'helo'; readonly clientName: string }
  /** `transaction-over`: RSET, the reply after DATA or the last chunk, a failed chunk. */
  | { readonly step: 'sender' | 'recipient' | 'chunk' | 'transaction-over' | 'tls' };

/** The state after something has happened; the caller has asked `checkSequence` before. */
export function nextState(state: SessionState, step: SessionStep): SessionState {
  switch (step.step) {
    case 'ehlo':
    case 'helo':
      return { greeted: step.step, clientName: step.clientName, transaction: 'none' };
    case 'tls':
      return INITIAL_STATE;
    case 'sender':
      return { ...state, transaction: 'sender' };
    case 'recipient':
      return state.transaction === 'recipients' ? state : { ...state, transaction: 'recipients' };
    case 'chunk':
      return state.transaction === 'chunks' ? state : { ...state, transaction: 'chunks' };
    case 'transaction-over':
      return state.transaction === 'none' ? state : { ...state, transaction: 'none' };
  }
}

const HELLO_FIRST = R.badSequence('send EHLO first');
const EHLO_FIRST = R.badSequence('send EHLO before AUTH');
const NESTED = R.badSequence('a mail transaction is already open');
const MAIL_FIRST = R.badSequence('send MAIL first');
const CHUNKS_OPEN = R.badSequence('a message is being sent with BDAT; send the last chunk or RSET');

/** Verbs that have a turn; all others may come at any time. */
const TURNS: { readonly [verb in Command['verb']]?: (state: SessionState) => Reply | undefined } = {
  MAIL({ greeted, transaction }) {
    if (greeted === 'none') return HELLO_FIRST;
    return transaction === 'none' ? undefined : NESTED;
  },
  RCPT({ transaction }) {
    if (transaction === 'none') return MAIL_FIRST;
    return transaction === 'chunks' ? CHUNKS_OPEN : undefined;
  },
  DATA(state) {
    // RFC 3030 §2: DATA and BDAT do not mix.
    return state.transaction === 'chunks' ? CHUNKS_OPEN : messageTurn(state);
  },
  BDAT: messageTurn,
  AUTH({ greeted, transaction }) {
    if (greeted !== 'ehlo') return EHLO_FIRST;
    return transaction === 'none' ? undefined : R.authInTransaction;
  },
};

function messageTurn({ transaction }: SessionState): Reply | undefined {
  if (transaction === 'none') return MAIL_FIRST;
  return transaction === 'sender' ? R.noRecipients : undefined;
}

/** The reply to a command that comes out of turn, or undefined. After a refused BDAT its octets must still be read. */
export const checkSequence = (state: SessionState, command: Command): Reply | undefined => TURNS[command.verb]?.(state);
