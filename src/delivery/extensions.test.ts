import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rid } from '../core/ids.ts';
import {
  decideUnable,
  isSafeAddress,
  mailCommand,
  NO_EXTENSIONS,
  type OutboundMessage,
  parseExtensions,
  rcptCommand,
} from './extensions.ts';

const all = parseExtensions({
  code: 250,
  lines: [
    'mx.example.com hello',
    'pipelining',
    'SIZE 1000',
    '8BITMIME',
    'SmtpUtf8',
    'DSN',
    'STARTTLS',
    'AUTH=LOGIN',
    '',
  ],
});
const message: OutboundMessage = {
  sender: 's@example.org',
  recipients: [{ rid: 0 as Rid, address: 'a@example.com' }],
  body: '7BIT',
  smtpUtf8: false,
  bytes: 500,
};

test('keywords are read whatever their case', () => {
  assert.deepEqual(all, {
    pipelining: true,
    startTls: true,
    eightBitMime: true,
    smtpUtf8: true,
    dsn: true,
    size: true,
    maxBytes: 1000,
  });
});

test('the greeting line of EHLO offers nothing', () => {
  assert.deepEqual(parseExtensions({ code: 250, lines: ['PIPELINING'] }), NO_EXTENSIONS);
});

for (const line of ['SIZE', 'SIZE 0', 'SIZE x', 'SIZE -5'])
  test(`${line} sets no limit`, () => {
    const { size, maxBytes } = parseExtensions({ code: 250, lines: ['h', line] });
    assert.deepEqual([size, maxBytes], [true, undefined]);
  });

test('MAIL carries what the message needs and the host offers', () => {
  const full: OutboundMessage = { ...message, body: '8BITMIME', smtpUtf8: true, ret: 'FULL', envid: 'id1' };
  assert.equal(mailCommand(full, all), 'MAIL FROM:<s@example.org> SIZE=500 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=id1');
  assert.equal(mailCommand(full, NO_EXTENSIONS), 'MAIL FROM:<s@example.org>');
  assert.equal(mailCommand({ ...message, sender: '' }, NO_EXTENSIONS), 'MAIL FROM:<>');
});

test('RCPT carries NOTIFY and ORCPT only where DSN is offered', () => {
  const recipient = { rid: 0 as Rid, address: 'a@example.com', notify: 'NEVER', orcpt: 'rfc822;b@example.com' };
  assert.equal(rcptCommand(recipient, all), 'RCPT TO:<a@example.com> NOTIFY=NEVER ORCPT=rfc822;b@example.com');
  assert.equal(rcptCommand(recipient, NO_EXTENSIONS), 'RCPT TO:<a@example.com>');
});

test('a parameter value cannot add a parameter or a line', () => {
  const recipient = { rid: 0 as Rid, address: 'a@example.com', notify: 'NEVER ORCPT=x', orcpt: 'rfc822;b\r\nRSET' };
  assert.equal(rcptCommand(recipient, all), 'RCPT TO:<a@example.com>');
  assert.equal(mailCommand({ ...message, envid: 'a b' }, all), 'MAIL FROM:<s@example.org> SIZE=500');
  assert.equal(isSafeAddress('a\r\nb@example.com'), false);
});

test('an ORCPT in UTF-8 goes to hosts with SMTPUTF8 only', () => {
  const recipient = { rid: 0 as Rid, address: 'a@example.com', orcpt: 'utf-8;zoë@example.com' };
  assert.equal(rcptCommand(recipient, all), 'RCPT TO:<a@example.com> ORCPT=utf-8;zoë@example.com');
  assert.equal(rcptCommand(recipient, { ...all, smtpUtf8: false }), 'RCPT TO:<a@example.com>');
});

const plain = { ...NO_EXTENSIONS };
const none = { header: false, text: false };
const header = { header: true, text: true };
const text = { header: false, text: true };
for (const [title, change, offered, has8bit, status] of [
  ['a message above the announced size is not sent', { bytes: 1001 }, all, none, '5.3.4'],
  ['a message of exactly that size is', { bytes: 1000 }, all, none, undefined],
  ['SMTPUTF8 is needed by an international header', { smtpUtf8: true }, plain, header, '5.6.7'],
  ['SMTPUTF8 is not needed by a message that only said so', { smtpUtf8: true }, plain, none, undefined],
  ['nor by one whose text alone is 8-bit', { smtpUtf8: true }, { ...plain, eightBitMime: true }, text, undefined],
  ['SMTPUTF8 is needed by an international address', { sender: 'jürgen@example.org' }, plain, none, '5.6.7'],
  ['8-bit text needs 8BITMIME', { body: '8BITMIME' }, plain, text, '5.6.3'],
  ['text that is declared 8-bit and is not does not', { body: '8BITMIME' }, plain, none, undefined],
] as const)
  test(title, () => assert.equal(decideUnable({ ...message, ...change }, offered, has8bit)?.status, status));
