/**
 * What a next hop says it can do (EHLO, RFC 5321 §4.1.1.1), and which MAIL and RCPT parameters a message therefore gets:
 * SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), RET, ENVID, NOTIFY, ORCPT (RFC 3461).
 * A message that needs what the host lacks is not sent there: the answer says with which status it fails.
 * Pure.
 */
import type { Envelope, Recipient } from '../core/ports.ts';
import type { PeerReply } from './reply-reader.ts';

export type Extensions = {
  readonly pipelining: boolean;
  readonly startTls: boolean;
  readonly eightBitMime: boolean;
  readonly smtpUtf8: boolean;
  readonly dsn: boolean;
  /** SIZE is offered. */
  readonly size: boolean;
  /** Largest message in bytes; undefined = not told. */
  readonly maxBytes: number | undefined;
};

export const NO_EXTENSIONS: Extensions = {
  pipelining: false,
  startTls: false,
  eightBitMime: false,
  smtpUtf8: false,
  dsn: false,
  size: false,
  maxBytes: undefined,
};

/** What the host offers, by its reply to EHLO (RFC 5321 §4.1.1.1). */
export function parseExtensions(ehlo: PeerReply): Extensions {
  const offered = new Map<string, string>();
  for (const line of ehlo.lines.slice(1)) {
    const [keyword = '', ...parameters] = line.trim().split(/[ =]/);
    offered.set(keyword.toUpperCase(), parameters.join(' '));
  }
  const maxBytes = /^\d{1,15}$/.test(offered.get('SIZE') ?? '') ? Number(offered.get('SIZE')) : 0;
  return {
    pipelining: offered.has('PIPELINING'),
    startTls: offered.has('STARTTLS'),
    eightBitMime: offered.has('8BITMIME'),
    smtpUtf8: offered.has('SMTPUTF8'),
    dsn: offered.has('DSN'),
    size: offered.has('SIZE'),
    maxBytes: maxBytes > 0 ? maxBytes : undefined, // RFC 1870 §4: 0 and no number mean no fixed limit
  };
}

/** One transaction: the envelope with the recipients of this next hop only. `bytes` is the size of the text. */
export type OutboundMessage = Envelope & { readonly bytes: number };

export type Unable = { readonly status: string; readonly why: string };

const NON_ASCII = /[^\u0020-\u007e]/;

/** Where the text really has octets above 127. */
export type EightBit = { readonly header: boolean; readonly text: boolean };

/**
 * Why this host cannot take the message at all; undefined = it can. What a sender asked for and the message does not need
 * keeps it from nobody (RFC 6531 §3.3: SMTPUTF8 is for international addresses and header fields).
 * Deviates: text is never converted to 7 bits (RFC 6152 §3 allows either), because that breaks signatures (DKIM, S/MIME)
 * without telling anyone; a bounce tells.
 */
export function decideUnable(message: OutboundMessage, offered: Extensions, has8bit: EightBit): Unable | undefined {
  if (offered.maxBytes !== undefined && message.bytes > offered.maxBytes)
    return { status: '5.3.4', why: `message of ${message.bytes} octets exceeds the limit of ${offered.maxBytes}` };
  const addresses = [message.sender, ...message.recipients.map((recipient) => recipient.address)];
  const international = (message.smtpUtf8 && has8bit.header) || addresses.some((address) => NON_ASCII.test(address));
  if (!offered.smtpUtf8 && international)
    return { status: '5.6.7', why: 'the message needs SMTPUTF8, which the host does not offer' };
  if (!offered.eightBitMime && message.body === '8BITMIME' && has8bit.text)
    return { status: '5.6.3', why: 'the message has 8-bit text and the host does not offer 8BITMIME' };
  return undefined;
}

/** MAIL with those of the message's parameters that the host offers, without CRLF. */
export function mailCommand(message: OutboundMessage, offered: Extensions): string {
  let command = `MAIL FROM:<${message.sender}>`;
  if (offered.size) command += ` SIZE=${message.bytes}`;
  if (offered.eightBitMime && message.body === '8BITMIME') command += ' BODY=8BITMIME';
  if (offered.smtpUtf8 && message.smtpUtf8) command += ' SMTPUTF8';
  if (offered.dsn && message.ret !== undefined) command += ` RET=${message.ret}`;
  if (offered.dsn && message.envid !== undefined && isParameterValue(message.envid))
    command += ` ENVID=${message.envid}`;
  return command;
}

/** RCPT likewise; a parameter whose value could not stand in a command is left out. */
export function rcptCommand(recipient: Recipient, offered: Extensions): string {
  let command = `RCPT TO:<${recipient.address}>`;
  if (!offered.dsn) return command;
  if (recipient.notify !== undefined && isParameterValue(recipient.notify)) command += ` NOTIFY=${recipient.notify}`;
  const { orcpt } = recipient;
  if (orcpt !== undefined && isParameterValue(orcpt) && (offered.smtpUtf8 || !NON_ASCII.test(orcpt)))
    command += ` ORCPT=${orcpt}`;
  return command;
}

/** RFC 5321 §4.1.2 esmtp-value; UTF-8 in ORCPT with SMTPUTF8 (RFC 6533 §3). Nothing that could add a parameter or a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
const isParameterValue = (value: string): boolean => /^[^\u0000-\u0020\u007f-\u009f=]{1,500}$/.test(value);

/** An address that can stand between angle brackets without ending the command. RFC 5321 §4.1.2. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
export const isSafeAddress = (address: string): boolean =>
  !/[\u0000-\u001f\u007f-\u009f]/.test(address) && address.length <= 1000;
