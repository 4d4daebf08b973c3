/** Command lines: what each means, and which reply a wrong one gets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Command, parseCommand } from './command.ts';
import { COMMAND_TABLE, VERBS } from './command-table.ts';

const parse = (text: string): Command => parseCommand(Buffer.from(text));

/** A command in short: the verb and what matters of it. */
function short(command: Command): string {
  switch (command.verb) {
    case 'EHLO':
    case 'HELO':
      return `${command.verb} ${command.domain}`;
    case 'MAIL':
    case 'RCPT':
      return `${command.verb} ${command.path.address} ${JSON.stringify(command.parameters)}`;
    case 'BDAT':
      return `BDAT ${command.size} ${command.last}`;
    case 'AUTH':
      return `AUTH ${command.mechanism} ${command.initialResponse}`;
    case 'VRFY':
    case 'EXPN':
    case 'HELP':
      return `${command.verb} ${command.argument}`;
    case 'invalid':
      return `${command.reply.code} ${command.reply.status} ${command.attempted}`;
    case 'DATA':
    case 'RSET':
    case 'QUIT':
    case 'STARTTLS':
    case 'NOOP':
      return command.verb;
  }
}

const PLAIN = '{"body":"7BIT","smtpUtf8":false}';

const GOOD: readonly (readonly [line: string, expected: string])[] = [
  ['EHLO client.example.com', 'EHLO client.example.com'],
  ['ehlo [192.0.2.1]', 'EHLO [192.0.2.1]'],
  ['HELO bare_name', 'HELO bare_name'],
  ['EHLO client   ', 'EHLO client'],
  ['MAIL FROM:<a@b.example>', `MAIL a@b.example ${PLAIN}`],
  ['mail from: <a@b.example>', `MAIL a@b.example ${PLAIN}`],
  ['MAIL FROM:<>', `MAIL  ${PLAIN}`],
  [
    'MAIL FROM:<a@b.example> SIZE=1000 BODY=8BITMIME',
    'MAIL a@b.example {"body":"8BITMIME","smtpUtf8":false,"size":1000}',
  ],
  ['MAIL FROM:<a@b.example> body=7bit smtputf8', 'MAIL a@b.example {"body":"7BIT","smtpUtf8":true}'],
  ['MAIL FROM:<j\u00f6rg@b.example> SMTPUTF8', 'MAIL j\u00f6rg@b.example {"body":"7BIT","smtpUtf8":true}'],
  ['MAIL FROM:<a@b.example> AUTH=<>', 'MAIL a@b.example {"body":"7BIT","smtpUtf8":false,"auth":"<>"}'],
  [
    'MAIL FROM:<a@b.example> AUTH=e+3Dmc2@example.com',
    'MAIL a@b.example {"body":"7BIT","smtpUtf8":false,"auth":"e+3Dmc2@example.com"}',
  ],
  [
    'MAIL FROM:<a@b.example> RET=hdrs ENVID=QQ314159',
    'MAIL a@b.example {"body":"7BIT","smtpUtf8":false,"ret":"HDRS","envid":"QQ314159"}',
  ],
  ['RCPT TO:<a@b.example>', 'RCPT a@b.example {}'],
  ['RCPT TO: <Postmaster> ', 'RCPT Postmaster {}'],
  [
    'RCPT TO:<a@b.example> NOTIFY=success,failure ORCPT=rfc822;a+2Bx@b.example',
    'RCPT a@b.example {"notify":"SUCCESS,FAILURE","orcpt":"rfc822;a+2Bx@b.example"}',
  ],
  ['RCPT TO:<a@b.example> NOTIFY=NEVER', 'RCPT a@b.example {"notify":"NEVER"}'],
  ['DATA', 'DATA'],
  ['data  ', 'DATA'],
  ['BDAT 86 LAST', 'BDAT 86 true'],
  ['bdat 0 last', 'BDAT 0 true'],
  ['BDAT 1000', 'BDAT 1000 false'],
  ['RSET', 'RSET'],
  ['QUIT', 'QUIT'],
  ['STARTTLS', 'STARTTLS'],
  ['NOOP', 'NOOP'],
  ['NOOP whatever it says', 'NOOP'],
  ['VRFY alice', 'VRFY alice'],
  ['HELP', 'HELP '],
  ['AUTH PLAIN', 'AUTH PLAIN undefined'],
  ['AUTH plain AGEAYg==', 'AUTH PLAIN AGEAYg=='],
  ['AUTH EXTERNAL =', 'AUTH EXTERNAL ='],
];

for (const [line, expected] of GOOD) test(`${line} is ${expected}`, () => assert.equal(short(parse(line)), expected));

const BAD: readonly (readonly [line: string, expected: string])[] = [
  ['', '500 5.5.1 undefined'],
  [' NOOP', '500 5.5.1 undefined'],
  ['HELLO x', '500 5.5.1 undefined'],
  ['constructor', '500 5.5.1 undefined'],
  ['NOOPx', '500 5.5.1 undefined'],
  ['GET / HTTP/1.1', '500 5.5.1 undefined'],
  ['\u0016\u0003\u0001', '500 5.5.2 undefined'],
  ['EHLO', '501 5.5.4 EHLO'],
  ['EHLO two names', '501 5.5.4 EHLO'],
  ['EHLO a\u0000b', '500 5.5.2 EHLO'],
  ['EHLO a\u0085b', '500 5.5.2 EHLO'],
  ['MAIL', '501 5.5.4 MAIL'],
  ['MAIL TO:<a@b.example>', '501 5.5.4 MAIL'],
  ['MAIL FROM:a@b.example', '501 5.1.7 MAIL'],
  ['MAIL FROM:<a@b.example>SIZE=1', '501 5.1.7 MAIL'],
  ['MAIL FROM:<a@b.example> SIZE', '501 5.5.4 MAIL'],
  ['MAIL FROM:<a@b.example> SIZE=-1', '501 5.5.4 MAIL'],
  ['MAIL FROM:<a@b.example> SIZE=1 SIZE=2', '501 5.5.4 MAIL'],
  ['MAIL FROM:<a@b.example> size=1 SIZE=1', '501 5.5.4 MAIL'],
  ['MAIL FROM:<a@b.example> BODY=BINARYMIME', '501 5.5.4 MAIL'],
  ['MAIL FROM:<a@b.example> SMTPUTF8=yes', '501 5.5.4 MAIL'],
  ['MAIL FROM:<a@b.example> FOO=bar', '555 5.5.4 MAIL'],
  ['MAIL FROM:<a@b.example> toString', '555 5.5.4 MAIL'],
  ['MAIL FROM:<a@b.example> NOTIFY=NEVER', '555 5.5.4 MAIL'],
  ['MAIL FROM:<a@b.example> =x', '501 5.5.4 MAIL'],
  ['MAIL FROM:<a@b.example> AUTH=a+zz', '501 5.5.4 MAIL'],
  ['MAIL FROM:<a@b.example> ENVID=', '501 5.5.4 MAIL'],
  [`MAIL FROM:<a@b.example> ENVID=${'x'.repeat(101)}`, '501 5.5.4 MAIL'],
  ['RCPT TO:<>', '501 5.1.3 RCPT'],
  ['RCPT TO:<a b@c.example>', '501 5.1.3 RCPT'],
  ['RCPT TO:<a@b.example> SIZE=1', '555 5.5.4 RCPT'],
  ['RCPT TO:<a@b.example> NOTIFY=NEVER,SUCCESS', '501 5.5.4 RCPT'],
  ['RCPT TO:<a@b.example> NOTIFY=DELAY,DELAY', '501 5.5.4 RCPT'],
  ['RCPT TO:<a@b.example> ORCPT=a@b.example', '501 5.5.4 RCPT'],
  ['DATA now', '501 5.5.4 DATA'],
  ['STARTTLS now', '501 5.5.4 STARTTLS'],
  ['RSET x', '501 5.5.4 RSET'],
  ['QUIT x', '501 5.5.4 QUIT'],
  ['VRFY', '501 5.5.4 VRFY'],
  ['BDAT', '501 5.5.4 BDAT'],
  ['BDAT x', '501 5.5.4 BDAT'],
  ['BDAT -1', '501 5.5.4 BDAT'],
  ['BDAT 1e3', '501 5.5.4 BDAT'],
  ['BDAT 5 LASTX', '501 5.5.4 BDAT'],
  ['AUTH', '501 5.5.4 AUTH'],
  ['AUTH PLAIN one two', '501 5.5.4 AUTH'],
  [`NOOP ${'x'.repeat(520)}`, '500 5.5.6 NOOP'],
  [`AUTH PLAIN ${'A'.repeat(12_300)}`, '500 5.5.6 AUTH'],
];

for (const [line, expected] of BAD) {
  test(`${JSON.stringify(line.slice(0, 60))} gets ${expected}`, () => assert.equal(short(parse(line)), expected));
}

test('octets that are no UTF-8 are refused', () => {
  const line = Buffer.from('MAIL FROM:<j\u00f6rg@b.example>', 'latin1');
  assert.equal(short(parseCommand(line)), '500 5.5.2 undefined');
});

test('AUTH may carry an initial response of 12,288 octets in all', () => {
  assert.equal(parse(`AUTH PLAIN ${'A'.repeat(12_275)}`).verb, 'AUTH');
});

test('only EHLO, NOOP, QUIT and STARTTLS come before TLS where it is required', () => {
  assert.deepEqual(
    VERBS.filter((verb) => COMMAND_TABLE[verb].beforeTls),
    ['EHLO', 'NOOP', 'QUIT', 'STARTTLS'],
  );
});

test('a refused session keeps NOOP and QUIT', () => {
  assert.deepEqual(
    VERBS.filter((verb) => COMMAND_TABLE[verb].afterRefusal),
    ['NOOP', 'QUIT'],
  );
});
