/**
 * Every SMTP reply the gateway can send: code, RFC 3463 status, text (RFC 5321 §4.2, RFC 2034).
 * Text is for the person who reads it in a mail client: it says what to do, never what the directory holds.
 * Pure.
 */
export type Reply = {
  readonly code: number;
  /** RFC 3463 status such as `5.7.1`; absent where RFC 2034 §4 forbids it (220, 354, EHLO) or an administrator chose the text. */
  readonly status?: string | undefined;
  readonly lines: readonly string[];
};

const reply = (code: number, status: string, text: string): Reply => ({ code, status, lines: [text] });

/** A reply as it goes over the wire. Control characters are replaced, so that no value can add a line of its own. */
export function renderReply({ code, status, lines }: Reply): string {
  const prefix = status === undefined ? '' : `${status} `;
  const last = lines.length - 1;
  return lines.map((line, i) => `${code}${i === last ? ' ' : '-'}${prefix}${printable(line)}\r\n`).join('');
}

/** Printable text on one line, for replies and logs: everything below space, and DEL, becomes `?`. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?');
}

/** The words of a reply on one line, for logs. */
export const replyText = ({ lines }: Reply): string => lines.join(' ');

export const R = {
  banner: (code: number, text: string): Reply => ({ code, lines: [text] }),
  custom: (code: number, text: string): Reply => ({ code, lines: text.split(/\r?\n/) }),
  helo: (hostname: string): Reply => ({ code: 250, lines: [hostname] }),
  ehlo: (hostname: string, keywords: readonly string[]): Reply => ({ code: 250, lines: [hostname, ...keywords] }),
  ok: reply(250, '2.0.0', 'ok'),
  bye: (hostname: string) => reply(221, '2.0.0', `${hostname} closing connection`),
  startTls: reply(220, '2.0.0', 'go ahead with TLS'),
  senderOk: (address: string) => reply(250, '2.1.0', `sender <${address}> ok`),
  recipientOk: (address: string) => reply(250, '2.1.5', `recipient <${address}> ok`),
  startData: { code: 354, lines: ['go ahead; end with a dot on a line of its own'] } as Reply,
  chunkOk: (bytes: number) => reply(250, '2.0.0', `${bytes} octets received`),
  queued: (mid: number) => reply(250, '2.0.0', `ok: message ${mid} queued as MID ${mid}`),
  authenticated: reply(235, '2.7.0', 'authentication succeeded'),
  authContinue: (challenge: string): Reply => ({ code: 334, lines: [challenge] }),
  cannotVerify: reply(252, '2.5.0', 'cannot verify; send mail and see'),
  help: reply(
    214,
    '2.0.0',
    'see RFC 5321; commands: EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT',
  ),

  badConnection: reply(554, '5.7.1', 'your access to this mail system has been refused'),
  shuttingDown: (hostname: string) => reply(421, '4.3.2', `${hostname} is shutting down, try again later`),
  /** RFC 5321 §4.2.3: 421 for a service that is not available. */
  receivingSuspended: (hostname: string) =>
    reply(421, '4.3.2', `${hostname} service not available, closing transmission channel`),
  idleTimeout: (hostname: string) => reply(421, '4.4.2', `${hostname} timed out waiting for a command`),
  dataTimeout: (hostname: string) => reply(421, '4.4.2', `${hostname} timed out waiting for the message`),
  noTransactionInTime: reply(421, '4.4.2', 'timed out waiting for successful message injection, disconnecting'),
  connectionTooLong: reply(421, '4.4.2', 'exceeded allowable connection time, disconnecting'),
  tooManyErrors: reply(421, '4.7.0', 'too many errors, disconnecting'),
  tooManyFromHost: reply(421, '4.4.5', 'too many connections from your host'),
  tooManyToListener: reply(421, '4.4.5', 'too many connections to this listener'),
  tooManyMessages: reply(421, '4.7.0', 'too many messages for this connection'),

  unknownCommand: reply(500, '5.5.1', 'command not recognised'),
  lineTooLong: reply(500, '5.5.6', 'line too long'),
  badCharacters: reply(500, '5.5.2', 'command line contains a character that is not allowed'),
  bareLineEnd: reply(500, '5.5.2', 'lines must end with CRLF'),
  syntax: (what: string) => reply(501, '5.5.4', what),
  badSender: (why: string) => reply(501, '5.1.7', `sender address: ${why}`),
  badRecipient: (why: string) => reply(501, '5.1.3', `recipient address: ${why}`),
  utf8Needed: reply(553, '5.6.7', 'this address needs the SMTPUTF8 parameter'),
  // The words of RFC 5321 §4.2.2 for a command that is known and not offered, as EXPN is.
  notImplemented: reply(502, '5.5.1', 'command not implemented'),
  tlsNotOffered: reply(502, '5.5.1', 'STARTTLS is not available here'),
  tlsActive: reply(503, '5.5.1', 'TLS is already active'),
  badSequence: (what: string) => reply(503, '5.5.1', what),
  badParameter: (name: string) => reply(555, '5.5.4', `parameter ${name} not recognised`),
  tlsPipelined: reply(554, '5.5.1', 'nothing may follow STARTTLS before the TLS handshake'),
  mustStartTls: reply(530, '5.7.0', 'must issue a STARTTLS command first'),
  certificateRefused: (reason: string) => reply(554, '5.7.1', reason),

  authRequired: reply(530, '5.7.0', 'authentication required'),
  authOff: reply(503, '5.5.1', 'AUTH is not available here'),
  authDone: reply(503, '5.5.1', 'already authenticated'),
  authInTransaction: reply(503, '5.5.1', 'AUTH is not allowed during a mail transaction'),
  authNeedsTls: reply(538, '5.7.11', 'encryption required for the requested authentication mechanism'),
  authMechanism: reply(504, '5.5.4', 'authentication mechanism not available'),
  authMalformed: reply(501, '5.5.2', 'cannot decode the authentication response'),
  authCancelled: reply(501, '5.7.0', 'authentication cancelled'),
  authTooLong: reply(500, '5.5.6', 'authentication exchange line is too long'),
  authFailed: reply(535, '5.7.8', 'authentication credentials invalid'),
  authUnavailable: reply(
    454,
    '4.7.0',
    'temporary authentication failure: the directory cannot be asked, try again later',
  ),
  certificateIncomplete: reply(
    454,
    '4.7.0',
    'an issuer of the client certificate cannot be fetched now, try again later',
  ),
  certificateUnchecked: reply(
    454,
    '4.7.0',
    'it is not known yet whether the client certificate is revoked, try again later',
  ),

  relayDenied: reply(550, '5.7.1', 'relaying denied'),
  recipientRejected: reply(550, '5.1.1', 'recipient address rejected'),
  tooManyRecipients: reply(452, '4.5.3', 'too many recipients'),
  noRecipients: reply(503, '5.5.1', 'no valid recipients'),
  tooBig: reply(552, '5.3.4', 'message size exceeds limit'),
  mailLoop: reply(554, '5.4.6', 'too many hops: the message is in a mail loop'),
  bareInMessage: reply(550, '5.6.11', 'message contains a bare CR or LF'),
  messageLineTooLong: reply(554, '5.6.0', 'message contains a line that is too long'),
  nulInMessage: reply(554, '5.6.0', 'message contains a NUL character'),
  storageFull: reply(452, '4.3.1', 'insufficient system storage, try again later'),
  internal: reply(451, '4.3.0', 'temporary local problem, try again later'),
} as const;
