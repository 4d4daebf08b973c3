/** The order of commands, as a client meets it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommand } from './command.ts';
import { checkSequence, INITIAL_STATE, nextState, type SessionState, type SessionStep } from './session-state.ts';

const STEPS: Readonly<Record<string, SessionStep>> = {
  EHLO: { step: 'ehlo', clientName: 'client' },
  HELO: { step: 'helo', clientName: 'client' },
  MAIL: { step: 'sender' },
  RCPT: { step: 'recipient' },
  BDAT: { step: 'chunk' },
  RSET: { step: 'transaction-over' },
  TLS: { step: 'tls' },
};

const after = (steps: string): SessionState =>
  steps.split(' ').reduce((state, name) => {
    const step = STEPS[name];
    return step === undefined ? state : nextState(state, step);
  }, INITIAL_STATE);

const LINES: Readonly<Record<string, string>> = {
  MAIL: 'MAIL FROM:<a@b.example>',
  RCPT: 'RCPT TO:<a@b.example>',
  BDAT: 'BDAT 1 LAST',
  AUTH: 'AUTH PLAIN',
  EHLO: 'EHLO client',
  VRFY: 'VRFY a',
};

const ROWS: readonly (readonly [before: string, verb: string, code: number | undefined])[] = [
  ['', 'EHLO', undefined],
  ['', 'NOOP', undefined],
  ['', 'STARTTLS', undefined],
  ['', 'MAIL', 503],
  ['', 'AUTH', 503],
  ['', 'RCPT', 503],
  ['', 'DATA', 503],
  ['', 'BDAT', 503],
  ['HELO', 'MAIL', undefined],
  ['HELO', 'AUTH', 503],
  ['EHLO', 'AUTH', undefined],
  ['EHLO', 'MAIL', undefined],
  ['EHLO', 'RCPT', 503],
  ['EHLO MAIL', 'MAIL', 503],
  ['EHLO MAIL', 'AUTH', 503],
  ['EHLO MAIL', 'RCPT', undefined],
  ['EHLO MAIL', 'DATA', 503],
  ['EHLO MAIL', 'BDAT', 503],
  ['EHLO MAIL RCPT', 'RCPT', undefined],
  ['EHLO MAIL RCPT', 'DATA', undefined],
  ['EHLO MAIL RCPT', 'BDAT', undefined],
  ['EHLO MAIL RCPT BDAT', 'BDAT', undefined],
  ['EHLO MAIL RCPT BDAT', 'DATA', 503],
  ['EHLO MAIL RCPT BDAT', 'RCPT', 503],
  ['EHLO MAIL RCPT BDAT', 'RSET', undefined],
  ['EHLO MAIL RCPT', 'VRFY', undefined],
  ['EHLO MAIL RCPT RSET', 'DATA', 503],
  ['EHLO MAIL RCPT RSET', 'MAIL', undefined],
  ['EHLO MAIL RCPT EHLO', 'MAIL', undefined],
  ['EHLO MAIL RCPT EHLO', 'DATA', 503],
  ['EHLO TLS', 'MAIL', 503],
  ['EHLO TLS', 'AUTH', 503],
  ['EHLO TLS EHLO', 'AUTH', undefined],
];

for (const [before, verb, code] of ROWS) {
  test(`${verb} after ${before === '' ? 'the greeting' : before} ${code === undefined ? 'is in turn' : `gets ${code}`}`, () => {
    const command = parseCommand(Buffer.from(LINES[verb] ?? verb));
    assert.equal(command.verb, verb);
    assert.equal(checkSequence(after(before), command)?.code, code);
  });
}

test('after STARTTLS the client has no name yet', () => {
  assert.equal(after('EHLO').clientName, 'client');
  assert.deepEqual(after('EHLO MAIL RCPT TLS'), INITIAL_STATE);
});
