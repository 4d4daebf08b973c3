/** MAIL and RCPT: who may send what to whom, and which rule says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config, ListenerConfig } from '../config/schema.ts';
import { scanPath } from '../core/address.ts';
import { renderFaultPath } from '../core/fault.ts';
import type { Verdict } from '../core/verdict.ts';
import type { MailParameters } from '../smtp/parameters.ts';
import { closes, decideMailFrom, type MailFromFacts } from './mail-from.ts';
import { decideRcptTo, type RcptToFacts } from './rcpt-to.ts';
import { compileRat, faultsOfRecipientAccess, matchRat } from './recipient-access-table.ts';

const pathOf = (address: string) => {
  const scan = scanPath(`<${address}>`);
  assert.ok(scan.ok);
  return scan.path;
};

/** `code status rule`, or the value that was accepted. */
const short = (verdict: Verdict<unknown>): string =>
  verdict.kind === 'reject' ? `${verdict.reply.code} ${verdict.reply.status} ${verdict.rule}` : verdict.kind;

const POLICY = {
  name: 'P',
  smtpAuth: 'off',
  behavior: 'accept',
  maxMessagesPerConnection: 2,
  maxRecipientsPerMessage: 2,
  maxMessageBytes: 1000,
} as const;

type MailRow = {
  readonly title: string;
  readonly address?: string;
  readonly parameters?: Partial<MailParameters>;
  readonly facts?: Partial<Omit<MailFromFacts, 'policy'>>;
  readonly smtpAuth?: 'off' | 'preferred' | 'required';
  readonly expected: string;
};

const MAIL: readonly MailRow[] = [
  { title: 'a sender', expected: 'a@b.example' },
  { title: 'the null sender', address: '', expected: '' },
  { title: 'the last message of a connection', facts: { messages: 1 }, expected: 'a@b.example' },
  {
    title: 'one message too many',
    facts: { messages: 2 },
    expected: '421 4.7.0 mailFlowPolicies.P.maxMessagesPerConnection',
  },
  {
    title: 'no identity where one is required',
    smtpAuth: 'required',
    expected: '530 5.7.0 mailFlowPolicies.P.smtpAuth',
  },
  {
    title: 'an identity where one is required',
    smtpAuth: 'required',
    facts: { identified: true },
    expected: 'a@b.example',
  },
  { title: 'no identity where one is preferred', smtpAuth: 'preferred', expected: 'a@b.example' },
  { title: 'a size within the limit', parameters: { size: 1000 }, expected: 'a@b.example' },
  {
    title: 'a size above the limit',
    parameters: { size: 1001 },
    expected: '552 5.3.4 mailFlowPolicies.P.maxMessageSize',
  },
  {
    title: 'a size beyond all numbers',
    parameters: { size: 1e20 },
    expected: '552 5.3.4 mailFlowPolicies.P.maxMessageSize',
  },
  { title: 'a bare sender without default domain', address: 'a', expected: '501 5.1.7 RFC 5321 §4.1.2' },
  {
    title: 'a bare sender with default domain',
    address: 'a',
    facts: { defaultDomain: 'x.example' },
    expected: 'a@x.example',
  },
  { title: 'the null sender gets no default domain', address: '', facts: { defaultDomain: 'x.example' }, expected: '' },
  { title: 'UTF-8 without SMTPUTF8', address: 'j\u00f6rg@b.example', expected: '553 5.6.7 RFC 6531 §3.5' },
  {
    title: 'UTF-8 with SMTPUTF8',
    address: 'j\u00f6rg@b.example',
    parameters: { smtpUtf8: true },
    expected: 'j\u00f6rg@b.example',
  },
];

for (const { title, address = 'a@b.example', parameters, facts, smtpAuth = 'off', expected } of MAIL) {
  test(`MAIL: ${title}`, () => {
    const verdict = decideMailFrom(
      address === '' ? { address: '', localPart: '', domain: '', utf8: false } : pathOf(address),
      { body: '7BIT', smtpUtf8: false, ...parameters },
      { policy: { ...POLICY, smtpAuth }, identified: false, messages: 0, defaultDomain: undefined, ...facts },
    );
    assert.equal(verdict.kind === 'accept' ? verdict.value.sender : short(verdict), expected);
    assert.equal(verdict.kind === 'reject' && closes(verdict.reply), expected.startsWith('421'));
  });
}

type Rat = NonNullable<ListenerConfig['rat']>;

const RAT: Rat = [
  { recipients: ['postmaster@'], action: 'accept' },
  { recipients: ['old@example.com'], action: 'reject', response: { code: 551, text: '5.1.6 moved to example.org' } },
  { recipients: ['Example.COM', '.example.com'], action: 'accept' },
  { recipients: ['[192.0.2.1]', 'b\u00fccher.example'], action: 'accept' },
];

type RcptRow = readonly [title: string, address: string, facts: Partial<RcptToFacts>, expected: string];

const relay = { policy: { ...POLICY, behavior: 'relay' } } as const;
const listener = (changes: Partial<RcptToFacts['listener']>) =>
  ({ listener: { type: 'public', rat: RAT, ...changes } }) as const;

const RCPT: readonly RcptRow[] = [
  ['a domain of the table', 'a@example.com', {}, 'a@example.com'],
  ['case does not count', 'A@EXAMPLE.com', {}, 'A@EXAMPLE.com'],
  ['a domain within', 'a@x.y.example.com', {}, 'a@x.y.example.com'],
  ['a domain that only ends likewise', 'a@badexample.com', {}, '550 5.7.1 listeners.in.rat'],
  ['an earlier entry goes first, with its own words', 'old@example.com', {}, '551 undefined listeners.in.rat[1]'],
  ['a user anywhere', 'Postmaster@other.example', {}, 'Postmaster@other.example'],
  ['an address literal', 'a@[192.0.2.1]', {}, 'a@[192.0.2.1]'],
  ['another literal', 'a@[192.0.2.2]', {}, '550 5.7.1 listeners.in.rat'],
  ['a U-label finds its A-label', 'a@xn--bcher-kva.example', {}, 'a@xn--bcher-kva.example'],
  ['all others are denied', 'a@other.example', {}, '550 5.7.1 listeners.in.rat'],
  ['a quoted local part is what it means', '"old"@example.com', {}, '551 undefined listeners.in.rat[1]'],
  ['no table at all denies everyone', 'a@example.com', listener({ rat: undefined }), '550 5.7.1 listeners.in.rat'],
  ['relay does not ask the table', 'a@other.example', relay, 'a@other.example'],
  ['an identity does not ask the table', 'a@other.example', { identified: true }, 'a@other.example'],
  ['a private listener has no table', 'a@other.example', listener({ type: 'private' }), 'a@other.example'],
  [
    'one recipient too many',
    'a@example.com',
    { recipients: 2 },
    '452 4.5.3 mailFlowPolicies.P.maxRecipientsPerMessage',
  ],
  [
    'an identity lifts no limit',
    'a@example.com',
    { recipients: 2, identified: true },
    '452 4.5.3 mailFlowPolicies.P.maxRecipientsPerMessage',
  ],
  ['postmaster without a domain is the gateway’s', 'Postmaster', relay, 'Postmaster@gw.example.test'],
  ['another bare recipient needs a default domain', 'a', relay, '501 5.1.3 RFC 5321 §4.1.2'],
  ['a bare recipient gets the default domain', 'a', listener({ defaultDomain: 'example.com' }), 'a@example.com'],
  ['so does postmaster', 'postmaster', listener({ defaultDomain: 'example.com' }), 'postmaster@example.com'],
  ['UTF-8 without SMTPUTF8', 'j\u00f6rg@example.com', {}, '553 5.6.7 RFC 6531 §3.5'],
  ['UTF-8 with SMTPUTF8', 'j\u00f6rg@example.com', { smtpUtf8: true }, 'j\u00f6rg@example.com'],
  [
    'a policy that refuses connections takes nothing',
    'a@example.com',
    { policy: { ...POLICY, behavior: 'reject' } },
    '550 5.7.1 mailFlowPolicies.P.behavior',
  ],
];

for (const [title, address, facts, expected] of RCPT) {
  test(`RCPT: ${title}`, () => {
    const verdict = decideRcptTo(pathOf(address), {
      policy: POLICY,
      ...listener({}),
      listenerName: 'in',
      hostname: 'gw.example.test',
      identified: false,
      recipients: 0,
      smtpUtf8: false,
      ...facts,
    });
    assert.equal(verdict.kind === 'accept' ? verdict.value : short(verdict), expected);
  });
}

test('ALL takes whoever no earlier entry took', () => {
  const rat: Rat = [
    { recipients: ['a@b.example'], action: 'reject' },
    { recipients: ['ALL'], action: 'accept' },
    { recipients: ['c@b.example'], action: 'reject' },
  ];
  const compiled = compileRat('in', { rat }).rat;
  assert.equal(matchRat(compiled, pathOf('a@b.example')).rule, 'listeners.in.rat[0]');
  assert.equal(matchRat(compiled, pathOf('c@b.example')).rule, 'listeners.in.rat[1]');
});

test('faults of the table name the recipient', () => {
  const rat: Rat = [
    {
      recipients: ['example.com', 'a b@example.com', '@example.com', '.', '.[192.0.2.1]', 'user@', '*.x'],
      action: 'accept',
    },
  ];
  const config = { listeners: { in: { type: 'public', rat } } } as unknown as Config;
  assert.deepEqual(
    faultsOfRecipientAccess(config).map(({ path }) => renderFaultPath(path)),
    [1, 2, 3, 4, 6].map((i) => `listeners.in.rat[0].recipients[${i}]`),
  );
});
