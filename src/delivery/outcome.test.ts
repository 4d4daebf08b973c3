import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideOutcome, type Failure, mergeHosts, type Outcome, type Stage } from './outcome.ts';

const brief = (outcome: Outcome): string =>
  outcome.kind === 'delivered'
    ? 'delivered'
    : `${outcome.kind} ${outcome.status}${outcome.elsewhere ? ' elsewhere' : ''}`;
const reply = (stage: Stage, text: string): string =>
  brief(decideOutcome({ kind: 'reply', stage, reply: { code: Number(text.slice(0, 3)), lines: [text.slice(4)] } }));
const failure = (stage: Stage, what: Failure): string =>
  brief(decideOutcome({ kind: 'failure', stage, failure: what, why: 'x' }));

for (const [stage, text, expected] of [
  ['end-of-data', '250 2.0.0 ok', 'delivered'],
  ['end-of-data', '451 4.3.0 later', 'retry 4.3.0'],
  ['end-of-data', '554 5.6.0 spam', 'bounce 5.6.0'],
  ['end-of-data', '421 closing', 'retry 4.3.2'],
  ['end-of-data', '354 what', 'retry 4.5.0'],
  ['rcpt', '550 no such user', 'bounce 5.1.1'],
  ['rcpt', '550 5.7.1 not you', 'bounce 5.7.1'],
  ['rcpt', '450 busy', 'retry 4.2.0'],
  ['rcpt', '452 too many', 'retry 4.5.3'],
  ['rcpt', '599 odd', 'bounce 5.0.0'],
  ['mail', '421 4.3.2 shutting down', 'retry 4.3.2 elsewhere'],
  ['mail', '552 too big', 'bounce 5.2.2'],
  ['data', '250 what', 'retry 4.5.0'],
  ['greeting', '421 busy', 'retry 4.3.2 elsewhere'],
  ['greeting', '554 5.7.1 go away', 'bounce 5.7.1 elsewhere'],
  ['greeting', '521 no mail', 'bounce 5.3.2 elsewhere'],
] as const)
  test(`${text} to ${stage} means ${expected}`, () => assert.equal(reply(stage, text), expected));

for (const [stage, what, expected] of [
  ['connect', 'refused', 'retry 4.4.1 elsewhere'],
  ['connect', 'timeout', 'retry 4.4.1 elsewhere'],
  ['greeting', 'closed', 'retry 4.4.2 elsewhere'],
  ['tls', 'tls', 'retry 4.7.5 elsewhere'],
  ['starttls', 'attack', 'retry 4.7.0 elsewhere'],
  ['rcpt', 'closed', 'retry 4.4.2 elsewhere'],
  ['end-of-data', 'closed', 'retry 4.4.2'],
  ['end-of-data', 'timeout', 'retry 4.4.2'],
  ['end-of-data', 'protocol', 'retry 4.5.0'],
  ['body', 'local', 'retry 4.3.0'],
  ['rcpt', 'stopped', 'retry 4.4.2'],
] as const)
  test(`${what} at ${stage} means ${expected}`, () => assert.equal(failure(stage, what), expected));

test('a reply cannot bring control characters into log or bounce', () => {
  const outcome = decideOutcome({ kind: 'reply', stage: 'rcpt', reply: { code: 550, lines: ['a\u0007b', 'c\rd'] } });
  assert.equal(outcome.kind === 'bounce' && outcome.why, '550 a?b c?d');
});

test('a next hop bounces only when every one of its hosts said so', () => {
  const refused: Outcome = { kind: 'bounce', status: '5.3.2', why: 'no', elsewhere: true };
  const down: Outcome = { kind: 'retry', status: '4.4.1', why: 'down', elsewhere: true };
  assert.equal(brief(mergeHosts([refused, down, refused])), 'retry 4.4.1 elsewhere');
  assert.equal(brief(mergeHosts([refused, refused])), 'bounce 5.3.2 elsewhere');
  assert.equal(mergeHosts([]).kind, 'retry');
});
