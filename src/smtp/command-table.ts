/**
 * What is true of each verb wherever it comes: may it come before STARTTLS when TLS is required, may a refused session
 * still use it, must a pipelined group end with it (RFC 2920 §3.1), how long may its line be. A table: one row a
 * verb. Nothing here bounds how often a verb may come: what is bounded is time without a transaction, and errors.
 * RFC 5321 §4.5.3.1.4 and the extensions that lengthen lines. Pure.
 */
export const VERBS = [
  'EHLO',
  'HELO',
  'MAIL',
  'RCPT',
  'DATA',
  'BDAT',
  'RSET',
  'NOOP',
  'QUIT',
  'VRFY',
  'EXPN',
  'HELP',
  'STARTTLS',
  'AUTH',
] as const;

export type Verb = (typeof VERBS)[number];

export type CommandRow = {
  /** Allowed before STARTTLS where TLS is required; all others hear 530. */
  readonly beforeTls: boolean;
  /** Allowed in a session that was refused; all others hear the reason. */
  readonly afterRefusal: boolean;
  /** Nothing may be sent after it before its reply. */
  readonly endsGroup: boolean;
  /** Longest line in octets with CRLF. */
  readonly maxLineBytes: number;
};

const row = (facts: Partial<CommandRow>): CommandRow => ({
  beforeTls: false,
  afterRefusal: false,
  endsGroup: false,
  maxLineBytes: 512,
  ...facts,
});

export const COMMAND_TABLE: Readonly<Record<Verb, CommandRow>> = {
  EHLO: row({ beforeTls: true, endsGroup: true }),
  HELO: row({ endsGroup: true }),
  // 512, SIZE 26 (RFC 1870 §3), BODY 17 (RFC 6152 §2), SMTPUTF8 10 (RFC 6531 §3.4), AUTH 500 (RFC 4954 §3),
  // RET and ENVID 109 (RFC 3461 §4): 1174. The rest is for addresses in UTF-8.
  MAIL: row({ maxLineBytes: 2048 }),
  // 512, NOTIFY and ORCPT 528 (RFC 3461 §4), SMTPUTF8: likewise.
  RCPT: row({ maxLineBytes: 2048 }),
  DATA: row({ endsGroup: true }),
  BDAT: row({}), // RFC 3030 §2: chunks may be pipelined, and `BDAT n LAST` ends nothing that the next MAIL could not follow
  RSET: row({}),
  NOOP: row({ beforeTls: true, afterRefusal: true, endsGroup: true }),
  QUIT: row({ beforeTls: true, afterRefusal: true, endsGroup: true }),
  VRFY: row({ endsGroup: true }),
  EXPN: row({ endsGroup: true }),
  HELP: row({}),
  STARTTLS: row({ beforeTls: true, endsGroup: true }),
  AUTH: row({ endsGroup: true, maxLineBytes: 12_288 }), // RFC 4954 §4
};

/** What a reader of command lines must be able to take in: the longest of all. */
export const MAX_COMMAND_LINE_BYTES = Math.max(...Object.values(COMMAND_TABLE).map(({ maxLineBytes }) => maxLineBytes));
