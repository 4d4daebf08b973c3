/**
 * The Received field that the gateway puts on top: from whom, over which protocol and cipher, with which certificate
 * and user. Every value that a client controls is cut, made printable ASCII and robbed of what could end a comment, so
 * that no name can forge a field. RFC 5321 §4.4, RFC 3848 (ESMTPSA), RFC 6531 §4.3 (UTF8SMTPSA), RFC 5322 §3.3. Pure.
 */
import { mailLogTime } from '../log/timestamp.ts';

export type ReceivedFacts = {
  /** What the client called itself in EHLO or HELO. */
  readonly clientName: string;
  /** Only a name that the address confirms. */
  readonly hostname: string | undefined;
  readonly remoteAddress: string;
  /** The gateway's host name. */
  readonly by: string;
  /** The client said EHLO. */
  readonly extended: boolean;
  readonly smtpUtf8: boolean;
  readonly tls:
    | {
        readonly protocol: string;
        readonly cipher: string;
        readonly keyBits?: number;
        /** Of the key exchange: X25519, X25519MLKEM768. */
        readonly group?: string;
      }
    | undefined;
  /** `verified`: it gave the session its identity. */
  readonly certificate: { readonly subject: string; readonly verified: boolean } | undefined;
  readonly user: string | undefined;
  readonly mid: number;
  /** Named only where it is the only one: a Received field must not tell one recipient of another. */
  readonly recipient: string | undefined;
  readonly atMs: number;
};

const MAX_VALUE_LENGTH = 200;

/** One field with its CRLFs, a clause a line. */
export function receivedField(facts: ReceivedFacts): string {
  const { tls, certificate, user, recipient, remoteAddress } = facts;
  // RFC 5321 §4.1.3
  const literal = remoteAddress.includes(':') ? `IPv6:${remoteAddress}` : remoteAddress;
  const clauses = [
    `from ${word(facts.clientName)} (${word(facts.hostname ?? 'unknown')} [${literal}])`,
    ...(tls === undefined ? [] : [`(${tlsClause(tls)})`]),
    ...(certificate === undefined ? [] : [`(${certificateClause(certificate)})`]),
    ...(user === undefined ? [] : [`(authenticated user "${quoted(user)}")`]),
    `by ${word(facts.by)} (Sallyport) with ${protocolOf(facts)} id ${facts.mid}`,
    ...forClause(recipient, facts.smtpUtf8),
  ];
  return `Received: ${clauses.join('\r\n\t')};\r\n\t${rfc5322Date(facts.atMs)}\r\n`;
}

function tlsClause({ protocol, cipher, keyBits, group }: NonNullable<ReceivedFacts['tls']>): string {
  const bits = keyBits === undefined ? '' : ` (${keyBits} bits)`;
  const exchange = group === undefined ? '' : ` key exchange ${word(group)}`;
  return `using ${word(protocol)} with cipher ${word(cipher)}${bits}${exchange}`;
}

const certificateClause = ({ subject, verified }: NonNullable<ReceivedFacts['certificate']>): string =>
  `client certificate "${quoted(subject)}" ${verified ? 'verified' : 'not verified'}`;

/** RFC 3848: S for TLS, A for a client that has said who it is. Without EHLO there is neither in the registry. */
function protocolOf({ extended, smtpUtf8, tls, user }: ReceivedFacts): string {
  if (!extended) return 'SMTP';
  return `${smtpUtf8 ? 'UTF8SMTP' : 'ESMTP'}${tls === undefined ? '' : 'S'}${user === undefined ? '' : 'A'}`;
}

/** An address is never cut or changed: one that cannot stand here as it is, is left out. */
function forClause(recipient: string | undefined, smtpUtf8: boolean): string[] {
  if (recipient === undefined) return [];
  const safe = smtpUtf8 ? /^[^\s\u0000-\u0020\u007f-\u00a0<>()]+$/ : /^[!-'*-;=?-~]+$/;
  return safe.test(recipient) ? [`for <${recipient}>`] : [];
}

const cut = (text: string): string => (text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}...` : text);
/** A value that stands bare: no blanks, nothing that opens a comment or ends the field. */
const word = (text: string): string => cut(text).replace(/[^!#-'*+\-./0-9:=?@A-Z[\]^-~]/g, '?') || 'unknown';
/** A value in quotes within a comment. Parentheses and quotes become `?`: a quoted pair would be read differently by many. */
const quoted = (text: string): string => cut(text).replace(/[^ !#-'*-[\]-~]/g, '?');

/** In UTC. */
function rfc5322Date(atMs: number): string {
  const [weekday, month, day, clock, year] = mailLogTime(atMs, 0).split(' ');
  return `${weekday}, ${day} ${month} ${year} ${clock} +0000`;
}
