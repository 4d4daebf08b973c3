import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Mid, Rid } from '../core/ids.ts';
import { type ReportFacts, type ReportRecipient, reportMessage } from './bounce.ts';

const NOW = Date.UTC(2026, 10, 24, 14, 0, 0);
const ORIGINAL = Buffer.from('From: sender@example.org\r\nSubject: hello\r\n\r\nHello there.\r\n');

const failed = (rid: number, address: string, more: Partial<ReportRecipient> = {}): ReportRecipient => ({
  recipient: { rid: rid as Rid, address },
  status: '5.1.1',
  why: '550 5.1.1 no such user',
  remoteHost: 'mx.example.com',
  diagnostic: '550 5.1.1 no such user',
  ...more,
});

const facts = (more: Partial<ReportFacts> = {}): ReportFacts => ({
  mid: 9 as Mid,
  hostname: 'gw.example.test',
  nowMs: NOW,
  random: () => 0.5,
  action: 'failed',
  of: { mid: 8 as Mid, sender: 'sender@example.org', smtpUtf8: false, receivedMs: NOW - 60_000 },
  recipients: [failed(0, 'a@example.com')],
  original: { head: ORIGINAL, bytes: ORIGINAL.length },
  ...more,
});

const textOf = (more: Partial<ReportFacts> = {}): string => {
  const { body } = reportMessage(facts(more));
  assert.ok(body.kind === 'inline');
  return Buffer.from(body.bytes).toString();
};

const golden = (name: string): string =>
  readFileSync(new URL(`./golden/bounce-${name}.eml`, import.meta.url), 'utf8').replaceAll('\n', '\r\n');

test('a bounce names every recipient that failed and carries the original', () => {
  const text = textOf({
    of: { mid: 8 as Mid, sender: 'sender@example.org', smtpUtf8: false, receivedMs: NOW - 60_000, envid: 'QQ+2B1' },
    recipients: [
      failed(0, 'a@example.com', {
        recipient: { rid: 0 as Rid, address: 'a@example.com', orcpt: 'rfc822;alias+2B1@example.com' },
      }),
      {
        recipient: { rid: 1 as Rid, address: 'b@nowhere.test' },
        status: '5.1.2',
        why: 'nowhere.test does not exist, or takes no mail',
      },
    ],
  });
  assert.equal(text, golden('failed'));
});

test('a delay notice says until when delivery is tried, and carries the header only', () => {
  const recipient = failed(0, 'a@example.com', {
    status: '4.4.1',
    why: 'no answer',
    willRetryUntilMs: NOW + 3_600_000,
  });
  const { diagnostic: _, ...silent } = recipient;
  assert.equal(textOf({ action: 'delayed', recipients: [silent] }), golden('delayed'));
});

test('with SMTPUTF8 the parts are message/global and addresses stay as they are', () => {
  const head = Buffer.from('Subject: Grüße\r\n\r\nSchön\r\n');
  const more: Partial<ReportFacts> = {
    of: { mid: 8 as Mid, sender: 'jürgen@example.org', smtpUtf8: true, receivedMs: NOW },
    recipients: [failed(0, 'zoë@example.com')],
    original: { head, bytes: head.length },
  };
  assert.equal(textOf(more), golden('global'));
  const { envelope } = reportMessage(facts(more));
  assert.equal(envelope.smtpUtf8, true);
  assert.equal(envelope.body, '8BITMIME');
});

const sevenBit = (more: Partial<ReportFacts>): string => {
  const { body, envelope } = reportMessage(facts(more));
  assert.ok(body.kind === 'inline');
  assert.deepEqual([envelope.body, envelope.smtpUtf8], ['7BIT', false]);
  const text = Buffer.from(body.bytes).toString('latin1');
  assert.match(text, /^[\t\r\n -~]*$/);
  return text;
};

test('every host can take a notification: an 8-bit original comes back by its header, encoded', () => {
  const head = Buffer.from('Subject: Grüße\r\n\r\nSchön\r\n');
  const text = sevenBit({ original: { head, bytes: head.length } });
  assert.match(text, /Content-Type: text\/rfc822-headers\r\nContent-Transfer-Encoding: quoted-printable\r\n/);
  assert.match(text, /\r\nSubject: Gr=C3=BC=C3=9Fe\r\n/);
});

test('to a sender in ASCII also what is international comes in 7 bits', () => {
  const head = Buffer.from('Subject: Grüße\r\n\r\nSchön\r\n');
  const text = sevenBit({
    of: { mid: 8 as Mid, sender: 'sender@example.org', smtpUtf8: true, receivedMs: NOW },
    recipients: [failed(0, 'zoë@example.com')],
    original: { head, bytes: head.length },
  });
  assert.match(
    text,
    /Content-Type: message\/global-delivery-status\r\nContent-Transfer-Encoding: quoted-printable\r\n/,
  );
  assert.match(text, /Final-Recipient: utf-8; zo=C3=AB@example\.com\r\n/);
  assert.match(text, /Content-Type: message\/global\r\nContent-Transfer-Encoding: quoted-printable\r\n/);
  assert.match(text, /\r\nSch=C3=B6n\r\n/);
});

test('who said SMTPUTF8 for a message in ASCII gets an ordinary notification', () => {
  const of = { mid: 8 as Mid, sender: 'sender@example.org', smtpUtf8: true, receivedMs: NOW };
  const text = sevenBit({ of });
  assert.match(text, /Content-Type: message\/delivery-status\r\n/);
  assert.match(text, /Content-Type: message\/rfc822\r\n/);
});

test('the envelope has the null reverse-path, so that a bounce never bounces', () => {
  const { envelope, icid } = reportMessage(facts());
  assert.deepEqual(envelope, {
    sender: '',
    recipients: [{ rid: 0, address: 'sender@example.org' }],
    body: '7BIT',
    smtpUtf8: false,
  });
  assert.equal(icid, 0);
});

test('RET=HDRS and originals of 10 kB or more give the header only', () => {
  const hdrs = textOf({
    of: { mid: 8 as Mid, sender: 's@example.org', smtpUtf8: false, receivedMs: NOW, ret: 'HDRS' },
  });
  assert.match(hdrs, /Content-Type: text\/rfc822-headers\r\n/);
  assert.doesNotMatch(hdrs, /Hello there/);
  const large = Buffer.from(`Subject: large\r\n\r\n${'x'.repeat(20_000)}\r\n`);
  const text = textOf({ original: { head: large, bytes: large.length } });
  assert.match(text, /Subject: large\r\n\r\n--/);
  assert.doesNotMatch(text, /xxx/);
});

test('a remote host that is an address is written as one', () => {
  const remote = (remoteHost: string): string => textOf({ recipients: [failed(0, 'a@example.com', { remoteHost })] });
  assert.match(remote('192.0.2.1'), /\r\nRemote-MTA: dns; \[192\.0\.2\.1\]\r\n/);
  assert.match(remote('2001:db8::1'), /\r\nRemote-MTA: dns; \[IPv6:2001:db8::1\]\r\n/);
});

test('an original that cannot be read leaves two parts', () => {
  assert.doesNotMatch(textOf({ original: undefined }), /rfc822-headers|message\/rfc822/);
});

test('nothing that comes from outside can add a header, a field or a MIME part', () => {
  const evil = 'x\r\nX-Evil: 1\r\n\r\n--=_800000008000000080000000--\r\n';
  const text = textOf({
    of: { mid: 8 as Mid, sender: `s${evil}@example.org`, smtpUtf8: false, receivedMs: NOW, envid: 'a+0D+0AX-Evil: 2' },
    recipients: [
      failed(0, `a${evil}@example.com`, {
        recipient: { rid: 0 as Rid, address: `a${evil}@example.com`, orcpt: 'rfc822;a+0D+0AX-Evil:+203' },
        status: evil,
        why: evil,
        remoteHost: evil,
        diagnostic: evil.repeat(1000),
      }),
    ],
  });
  assert.doesNotMatch(text, /^X-Evil/m);
  assert.equal(text.split('\r\n').filter((line) => line === '--=_800000008000000080000000--').length, 1);
  assert.ok(
    text.split('\r\n').every((line) => line.length < 998),
    'RFC 5322 §2.1.1',
  );
});
