/** The message of an alert, and who gets it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Alert } from '../core/alert.ts';
import { type AlertMessageFacts, renderAlert, subjectOf } from './alert-message.ts';
import { subscribersOf } from './subscriptions.ts';

const alert: Alert = { class: 'system', severity: 'warning', key: 'k', text: 'thread receive-1 ended' };
const facts: AlertMessageFacts = {
  alert,
  raised: 1,
  from: 'alert@gw.example.com',
  to: 'ops@example.com',
  hostname: 'gw.example.com',
  version: '0.1.0',
  nowMs: Date.UTC(2026, 10, 25, 14, 0, 0),
  unique: 'ab12',
};

test('the message has the subject of AsyncOS, and says that a program wrote it', () => {
  assert.equal(
    renderAlert(facts).toString(),
    [
      'Date: Wed, 25 Nov 2026 14:00:00 +0000',
      'From: Sallyport <alert@gw.example.com>',
      'To: <ops@example.com>',
      'Subject: [Warning]-[gw.example.com]: (System) thread receive-1 ended',
      'Message-ID: <ab12.1795615200000@gw.example.com>',
      'Auto-Submitted: auto-generated',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=us-ascii',
      'Content-Transfer-Encoding: 7bit',
      '',
      'The Warning message is:',
      '',
      'thread receive-1 ended',
      '',
      'Host: gw.example.com',
      'Class: System',
      'Version: Sallyport 0.1.0',
      'Timestamp: Wed, 25 Nov 2026 14:00:00 +0000',
      '',
    ].join('\r\n'),
  );
});

test('a message after duplicates says how many were held back', () => {
  const text = renderAlert({ ...facts, raised: 12, sinceMs: facts.nowMs - 300_000 }).toString();
  assert.match(
    text,
    /^It was raised 12 times since the last message, of Wed, 25 Nov 2026 13:55:00 \+0000; messages held back: 11\.\r$/m,
  );
});

test('nothing in an alert can add a field or a line that is too long', () => {
  const hostile = { ...alert, text: `x\r\nBcc: victim@example.com\r\n\r\n.\r\n${'y'.repeat(3000)}` };
  const text = renderAlert({ ...facts, alert: hostile }).toString();
  assert.doesNotMatch(text, /^Bcc:/m);
  assert.ok(text.split('\r\n').every((line) => line.length <= 998));
  assert.ok(!text.replaceAll('\r\n', '').match(/[\r\n]/));
});

test('what is not ASCII is encoded: subject by RFC 2047, text by base64', () => {
  const text = renderAlert({ ...facts, alert: { ...alert, text: `CN=Müller ${'é'.repeat(100)}` } }).toString();
  assert.match(text, /^[\r\n -~]*$/);
  const [head = '', body = ''] = text.split('\r\n\r\n');
  assert.ok(head.split('\r\n').every((line) => line.length <= 86));
  const subject = [...head.matchAll(/=\?utf-8\?B\?([^?]*)\?=/g)]
    .map(([, word = '']) => Buffer.from(word, 'base64'))
    .join('');
  assert.equal(subject, subjectOf({ ...alert, text: `CN=Müller ${'é'.repeat(100)}` }, 'gw.example.com'));
  assert.match(Buffer.from(body, 'base64').toString(), /CN=Müller\r\n/);
});

test('who gets it: the entry of the class counts before that of all', () => {
  const recipients = {
    'a@x': { all: ['critical' as const, 'warning' as const] },
    'b@x': { all: ['critical' as const], system: ['information' as const, 'warning' as const] },
    'c@x': { certificates: ['critical' as const] },
  };
  assert.deepEqual(subscribersOf(alert, recipients), ['a@x', 'b@x']);
  assert.deepEqual(subscribersOf({ ...alert, severity: 'critical' }, recipients), ['a@x']);
  assert.deepEqual(subscribersOf({ class: 'certificates', severity: 'critical' }, recipients), ['a@x', 'b@x', 'c@x']);
});
