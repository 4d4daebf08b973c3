/** Rows of the queue. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Icid, Mid, Rid } from '../core/ids.ts';
import type { NewMessage } from '../core/ports.ts';
import { domainOf, messageRows, settlementRow } from './queue-rows.ts';

const message: NewMessage = {
  mid: 5 as Mid,
  icid: 3 as Icid,
  receivedMs: 1000,
  envelope: { sender: '', recipients: [{ rid: 0 as Rid, address: 'bob@example.org' }], body: '7BIT', smtpUtf8: false },
  body: { kind: 'spooled', file: '5.eml', size: 70_000 },
  origin: { listener: 'submission', remoteAddress: '::1', senderGroup: 'RELAYLIST' },
};

test('a spooled message has a file and no octets, an inline one octets and no file', () => {
  const spooled = messageRows(message);
  assert.deepEqual([spooled.message[8], spooled.message[9], spooled.bytes], [70_000, '5.eml', undefined]);
  const bytes = new Uint8Array(9);
  const inline = messageRows({ ...message, body: { kind: 'inline', bytes } });
  assert.deepEqual([inline.message[8], inline.message[9], inline.bytes], [9, null, bytes]);
});

test('a recipient is due as soon as its message has arrived', () => {
  assert.deepEqual(messageRows(message).recipients, [[5, 0, 'bob@example.org', null, null, 1000]]);
});

test('the words of a next hop are kept up to a bound', () => {
  const settlement = { mid: 5 as Mid, rid: 0 as Rid, outcome: 'retry', nextAttemptMs: 2, nowMs: 1 } as const;
  const row = settlementRow({ ...settlement, error: 'x'.repeat(100_000) });
  assert.equal(row.retry?.error.length, 1000);
});

test('the domain is what follows the last @, in lower case', () => {
  assert.equal(domainOf('bob@Example.ORG'), 'example.org');
  assert.equal(domainOf('"a@b"@example.org'), 'example.org');
  assert.equal(domainOf('postmaster'), '');
  assert.equal(domainOf('bob@'), '');
});
