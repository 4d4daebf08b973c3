/**
 * The verdict on a message that has been read to its end: faults of form, and mail loops (RFC 5321 §6.3). Pure.
 */
import { R, type Reply } from '../core/reply.ts';
import type { MessageFault } from '../smtp/message-octets.ts';
import { MAX_HOPS } from './hops.ts';

export type ContentRefusal = { readonly reply: Reply; readonly rule: string };

const FAULTS: Readonly<Record<MessageFault, ContentRefusal>> = {
  bare: { reply: R.bareInMessage, rule: 'bareLineEnds: reject' },
  nul: { reply: R.nulInMessage, rule: 'RFC 5321 §4.5.2' },
  'too-big': { reply: R.tooBig, rule: 'maxMessageSize' },
  'line-too-long': { reply: R.messageLineTooLong, rule: 'longest line of a message' },
};

/** `hops`: its Received fields, ours among them. Undefined when nothing speaks against the message. */
export function contentRefusal(fault: MessageFault | undefined, hops: number): ContentRefusal | undefined {
  if (fault !== undefined) return FAULTS[fault];
  return hops > MAX_HOPS ? { reply: R.mailLoop, rule: 'RFC 5321 §6.3' } : undefined;
}
