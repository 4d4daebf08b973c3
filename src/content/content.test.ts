/** The Received field, and what the receipt reads from a message's header. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentRefusal } from './content-verdict.ts';
import { headerFacts } from './header.ts';
import { HopCounter, hopsOf, MAX_HOPS } from './hops.ts';
import { receivedField, type ReceivedFacts } from './received.ts';

const FACTS: ReceivedFacts = {
  clientName: 'client.example.com',
  hostname: 'host.example.com',
  remoteAddress: '192.0.2.1',
  by: 'gw.example.test',
  extended: true,
  smtpUtf8: false,
  tls: undefined,
  certificate: undefined,
  user: undefined,
  mid: 42,
  recipient: 'bob@example.net',
  atMs: Date.UTC(2026, 10, 24, 14, 5, 9),
};

test('the field says from whom, by whom, how, for whom and when', () => {
  assert.equal(
    receivedField(FACTS),
    'Received: from client.example.com (host.example.com [192.0.2.1])\r\n' +
      '\tby gw.example.test (Sallyport) with ESMTP id 42\r\n' +
      '\tfor <bob@example.net>;\r\n' +
      '\tTue, 24 Nov 2026 14:05:09 +0000\r\n',
  );
});

test('protocol, certificate and user stand in clauses of their own', () => {
  const field = receivedField({
    ...FACTS,
    hostname: undefined,
    remoteAddress: '2001:db8::1',
    tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', keyBits: 256, group: 'X25519MLKEM768' },
    certificate: { subject: 'CN=DOE.JOHN.1234567890,OU=USN,C=US', verified: true },
    user: 'jdoe',
    recipient: undefined,
  });
  assert.equal(
    field,
    'Received: from client.example.com (unknown [IPv6:2001:db8::1])\r\n' +
      '\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256 bits) key exchange X25519MLKEM768)\r\n' +
      '\t(client certificate "CN=DOE.JOHN.1234567890,OU=USN,C=US" verified)\r\n' +
      '\t(authenticated user "jdoe")\r\n' +
      '\tby gw.example.test (Sallyport) with ESMTPSA id 42;\r\n' +
      '\tTue, 24 Nov 2026 14:05:09 +0000\r\n',
  );
});

const tls = { protocol: 'TLSv1.3', cipher: 'X' };
const PROTOCOLS: readonly (readonly [facts: Partial<ReceivedFacts>, protocol: string])[] = [
  [{ extended: false }, 'SMTP'],
  [{}, 'ESMTP'],
  [{ tls }, 'ESMTPS'],
  [{ user: 'a' }, 'ESMTPA'],
  [{ tls, user: 'a' }, 'ESMTPSA'],
  [{ smtpUtf8: true }, 'UTF8SMTP'],
  [{ smtpUtf8: true, tls, user: 'a' }, 'UTF8SMTPSA'],
];

for (const [facts, protocol] of PROTOCOLS) {
  test(`with ${protocol}`, () =>
    assert.match(receivedField({ ...FACTS, ...facts }), new RegExp(` with ${protocol} id 42`)));
}

test('no name can forge a field, end a comment or grow without bounds', () => {
  const evil = `x") \r\nBcc: a@b (\u0000${'y'.repeat(5000)}\u2028\u00fc`;
  const field = receivedField({
    ...FACTS,
    clientName: evil,
    hostname: evil,
    tls,
    certificate: { subject: evil, verified: false },
    user: evil,
    recipient: 'a@b>\r\nBcc: <c@d',
  });
  const lines = field.split('\r\n').slice(0, -1);
  assert.ok(lines.slice(1).every((line) => line.startsWith('\t')));
  assert.match(field, /^[\t\r\n -~]*$/);
  assert.ok(lines.every((line) => line.length < 998));
  assert.doesNotMatch(field, /for </);
  for (const line of lines.slice(0, 4)) {
    assert.equal(line.split('(').length, line.split(')').length, line);
    assert.ok((line.match(/"/g)?.length ?? 0) % 2 === 0, line);
  }
});

test('a recipient in UTF-8 is named only in a field that may hold it', () => {
  assert.match(
    receivedField({ ...FACTS, smtpUtf8: true, recipient: 'j\u00f6rg@example.net' }),
    /for <j\u00f6rg@example\.net>/,
  );
  assert.doesNotMatch(receivedField({ ...FACTS, recipient: 'j\u00f6rg@example.net' }), /for </);
});

const facts = (text: string) => headerFacts(Buffer.from(text));
const hops = (text: string) => hopsOf(Buffer.from(text));

test('Message-ID and Subject are found in any case, unfolded, from the header only', () => {
  assert.deepEqual(
    facts('Received: x\r\nMESSAGE-ID:\r\n <1@example.com>\r\nsubject: one\r\n\ttwo\r\n\r\nSubject: body\r\n'),
    {
      messageId: '<1@example.com>',
      subject: 'one\ttwo',
    },
  );
  assert.deepEqual(facts('X: y\r\n\r\nMessage-ID: <2@example.com>\r\nReceived: z\r\n'), {
    messageId: undefined,
    subject: undefined,
  });
});

test('a message without a header has no facts, whatever its body looks like', () => {
  assert.deepEqual(facts('\r\nSubject: body\r\n\r\n'), { messageId: undefined, subject: undefined });
  assert.deepEqual(facts(''), { messageId: undefined, subject: undefined });
});

test('values are cut, and octets that are no UTF-8 do no harm', () => {
  assert.equal(facts(`Subject: ${'x'.repeat(900)}\r\n\r\n`).subject?.length, 503);
  assert.equal(headerFacts(Buffer.from('Subject: \xff\r\n\r\n', 'latin1')).subject, '\ufffd');
  assert.equal(facts('Subject: Gr\u00fc\u00dfe\r\n\r\n').subject, 'Gr\u00fc\u00dfe');
});

test('only fields count as hops, folded or not', () => {
  assert.equal(
    hops('Received: a\r\nX-Received: b\r\nreceived : c\r\n Received: d\r\nSubject: Received: e\r\n\r\nReceived: f\r\n'),
    2,
  );
});

test('a hundred hops pass, one more is a loop', () => {
  const passed = (n: number) => hops(`${'Received: x\r\n'.repeat(n)}\r\n`);
  assert.equal(contentRefusal(undefined, passed(MAX_HOPS)), undefined);
  assert.equal(contentRefusal(undefined, passed(MAX_HOPS + 1))?.reply.status, '5.4.6');
});

test('hops are counted to the end of the header, however long its fields are', () => {
  const seal = `ARC-Seal: ${'x'.repeat(3000)}\r\n`;
  assert.equal(hops(`${`Received: x\r\n${seal}`.repeat(MAX_HOPS + 1)}\r\nReceived: body\r\n`), MAX_HOPS + 1);
});

test('whatever the chunks, the hops are the same', () => {
  const message = Buffer.from(
    'Received: a\r\nX: Received: b\r\nRECEIVED\t:\r\n c\r\nReceivedness: d\r\n\r\nReceived: e\r\n',
  );
  for (let size = 1; size <= message.length; size++) {
    const counter = new HopCounter();
    for (let at = 0; at < message.length; at += size) counter.push(message.subarray(at, at + size));
    assert.equal(counter.hops, 2, `chunks of ${size}`);
  }
});

test('a fault of form goes before the hops', () => {
  assert.equal(contentRefusal('bare', 0)?.reply.code, 550);
  assert.equal(contentRefusal('bare', 0)?.reply.status, '5.6.11');
  assert.equal(contentRefusal('nul', 0)?.reply.code, 554);
  assert.equal(contentRefusal('too-big', 0)?.reply.code, 552);
  assert.equal(contentRefusal('line-too-long', 0)?.reply.code, 554);
});

test('an enormous header costs little', () => {
  const head = Buffer.from('Subject:'.padEnd(64 * 1024, ' \t'));
  for (let i = 0; i < 50; i++) headerFacts(head);
});
