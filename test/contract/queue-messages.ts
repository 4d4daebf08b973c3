/** Messages for the tests of the queue store. A body follows from its MID, so that any body can be checked later. */
import { createHash } from 'node:crypto';
import type { Icid, Mid, Rid } from '../../src/core/ids.ts';
import type { Body, NewMessage, Recipient } from '../../src/core/ports.ts';
import type { MailEvent, MailLog } from '../../src/log/mail-event.ts';

export const mid = (value: number): Mid => value as Mid;
export const rid = (value: number): Rid => value as Rid;

type Wish = {
  readonly mid: number;
  readonly receivedMs?: number;
  readonly to?: readonly string[];
  readonly recipients?: readonly Recipient[];
  readonly sender?: string;
  readonly body?: Body;
  readonly smtpUtf8?: boolean;
  readonly ret?: 'FULL' | 'HDRS';
  readonly envid?: string;
};

export function newMessage(wish: Wish): NewMessage {
  const { to = ['bob@example.org'], receivedMs = 1000, sender = 'alice@example.com', ret, envid } = wish;
  return {
    mid: mid(wish.mid),
    icid: 7 as Icid,
    receivedMs,
    envelope: {
      sender,
      recipients: wish.recipients ?? to.map((address, i) => ({ rid: rid(i), address })),
      body: '8BITMIME',
      smtpUtf8: wish.smtpUtf8 ?? false,
      ...(ret === undefined ? {} : { ret }),
      ...(envid === undefined ? {} : { envid }),
    },
    body: wish.body ?? { kind: 'inline', bytes: bodyBytes(wish.mid, 600) },
    origin: { listener: 'submission', remoteAddress: '127.0.0.1', senderGroup: 'RELAYLIST', user: 'alice' },
  };
}

/** Octets that follow from the MID, so that a body that was mixed up or cut short is noticed. */
export function bodyBytes(ofMid: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const seed = createHash('sha256').update(`MID ${ofMid}`).digest();
  for (let at = 0; at < size; at += seed.length) bytes.set(seed.subarray(0, Math.min(seed.length, size - at)), at);
  return bytes;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A log that remembers. */
export function recordingLog(): MailLog & { readonly events: MailEvent[] } {
  const events: MailEvent[] = [];
  return { events, emit: (event) => void events.push(event) };
}
