/** The contract suite of the QueueStore port: every adapter passes it, and so does the model. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../src/core/errors.ts';
import type { DueRecipient, QueueStore, Settlement } from '../../src/core/ports.ts';
import { bodyBytes, mid, newMessage, rid } from './queue-messages.ts';

export type QueueFactory = { open(): Promise<QueueStore>; close(queue: QueueStore): Promise<void> };

const LEASE_MS = 60_000;
const namesOf = (rows: readonly DueRecipient[]): string[] => rows.map((row) => `${row.mid}:${row.recipient.rid}`);
const delivered = (ofMid: number, ofRid = 0): Settlement => ({
  mid: mid(ofMid),
  rid: rid(ofRid),
  outcome: 'delivered',
  response: '250 ok',
});
const retry = (ofMid: number, nowMs: number, nextAttemptMs: number): Settlement => ({
  mid: mid(ofMid),
  rid: rid(0),
  outcome: 'retry',
  nextAttemptMs,
  nowMs,
  error: '451 4.7.1 later',
});
const isStorageError = (error: unknown): boolean => error instanceof GatewayError && error.code === 'storage';

export function queueStoreContract(adapter: string, factory: QueueFactory): void {
  const say = (title: string, body: (queue: QueueStore) => Promise<void>): void => {
    test(`${adapter}: ${title}`, async () => {
      const queue = await factory.open();
      try {
        await body(queue);
      } finally {
        await factory.close(queue);
      }
    });
  };
  acceptance(say);
  leases(say);
  settlements(say);
}

type Say = (title: string, body: (queue: QueueStore) => Promise<void>) => void;

function acceptance(say: Say): void {
  say('an empty queue has nothing due', async (queue) => {
    assert.deepEqual(await queue.summary(), { messages: 0, activeRecipients: 0 });
    assert.equal(await queue.nextDueMs(), undefined);
    assert.deepEqual(await queue.claim('a', 1e12, LEASE_MS, 10), []);
  });

  say('what delivery needs of a message comes back as it was accepted', async (queue) => {
    const recipients = [
      { rid: rid(0), address: 'bob@example.org', notify: 'SUCCESS,FAILURE', orcpt: 'rfc822;bob@example.org' },
      { rid: rid(1), address: 'jürgen@exämple.org' },
    ];
    await queue.accept(newMessage({ mid: 5, recipients, sender: '', smtpUtf8: true, ret: 'HDRS', envid: 'QQ314159' }));
    const common = { mid: 5, sender: '', body: '8BITMIME', smtpUtf8: true, ret: 'HDRS', envid: 'QQ314159' };
    const facts = { size: 600, receivedMs: 1000, attempts: 0 };
    const expected = recipients.map((recipient) => ({ ...common, recipient, ...facts }));
    assert.deepEqual(await queue.claim('a', 1000, LEASE_MS, 10), expected);
  });

  say('a body comes back octet by octet', async (queue) => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256);
    await queue.accept(newMessage({ mid: 1, body: { kind: 'inline', bytes: bytes.slice() } }));
    await queue.accept(newMessage({ mid: 2, body: { kind: 'inline', bytes: new Uint8Array(0) } }));
    const first = await queue.readBody(mid(1));
    assert.ok(first.kind === 'inline');
    assert.deepEqual(Buffer.from(first.bytes), Buffer.from(bytes));
    const second = await queue.readBody(mid(2));
    assert.ok(second.kind === 'inline' && second.bytes.byteLength === 0);
  });

  say('a body that is a view into larger memory is kept alone, and the memory stays usable', async (queue) => {
    const memory = Buffer.alloc(1000, 'x');
    memory.write('the body', 100);
    await queue.accept(newMessage({ mid: 1, body: { kind: 'inline', bytes: memory.subarray(100, 108) } }));
    const body = await queue.readBody(mid(1));
    assert.ok(body.kind === 'inline');
    assert.equal(Buffer.from(body.bytes).toString(), 'the body');
    assert.equal(memory.length, 1000);
  });

  say('the body of a message that is not there is an error', async (queue) => {
    await assert.rejects(queue.readBody(mid(9)), isStorageError);
  });

  say('a message without recipients is refused', async (queue) => {
    await assert.rejects(queue.accept(newMessage({ mid: 1, to: [] })), isStorageError);
    assert.equal((await queue.summary()).messages, 0);
  });

  say('a MID that is taken is refused and the first message stays whole', async (queue) => {
    await queue.accept(newMessage({ mid: 1, to: ['first@example.org'] }));
    const second = newMessage({
      mid: 1,
      to: ['x@example.org', 'y@example.org'],
      body: { kind: 'inline', bytes: bodyBytes(2, 9) },
    });
    await assert.rejects(queue.accept(second), isStorageError);
    assert.deepEqual(await queue.summary(), { messages: 1, activeRecipients: 1, oldestReceivedMs: 1000 });
    const [row] = await queue.claim('a', 1000, LEASE_MS, 10);
    assert.equal(row?.recipient.address, 'first@example.org');
    assert.equal(row?.size, 600);
  });

  say('one request that fails does not fail those that came with it', async (queue) => {
    await queue.accept(newMessage({ mid: 1 }));
    const results = await Promise.allSettled([2, 1, 3].map((n) => queue.accept(newMessage({ mid: n }))));
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.equal((await queue.summary()).messages, 3);
  });

  say('the summary counts messages, recipients and the oldest arrival', async (queue) => {
    await queue.accept(newMessage({ mid: 1, receivedMs: 500, to: ['a@example.org', 'b@example.net'] }));
    await queue.accept(newMessage({ mid: 2, receivedMs: 900 }));
    assert.deepEqual(await queue.summary(), { messages: 2, activeRecipients: 3, oldestReceivedMs: 500 });
  });
}

function leases(say: Say): void {
  say('recipients are claimed when due, oldest first, up to the limit', async (queue) => {
    for (const [n, receivedMs] of [
      [1, 300],
      [2, 100],
      [3, 200],
      [4, 900],
    ] as const)
      await queue.accept(newMessage({ mid: n, receivedMs }));
    assert.deepEqual(namesOf(await queue.claim('a', 500, LEASE_MS, 2)), ['2:0', '3:0']);
    assert.deepEqual(namesOf(await queue.claim('a', 500, LEASE_MS, 2)), ['1:0']);
    assert.deepEqual(await queue.claim('a', 500, LEASE_MS, 0), []);
  });

  say('nobody gets a leased recipient, not even its owner', async (queue) => {
    await queue.accept(newMessage({ mid: 1 }));
    assert.deepEqual(namesOf(await queue.claim('a', 1000, LEASE_MS, 10)), ['1:0']);
    assert.deepEqual(await queue.claim('b', 1000, LEASE_MS, 10), []);
    assert.deepEqual(await queue.claim('a', 1000 + LEASE_MS - 1, LEASE_MS, 10), []);
  });

  say('two claims at once never share a recipient', async (queue) => {
    for (let n = 1; n <= 20; n++) await queue.accept(newMessage({ mid: n }));
    const claims = await Promise.all(['a', 'b', 'c'].map((owner) => queue.claim(owner, 1000, LEASE_MS, 8)));
    const names = claims.flatMap(namesOf);
    assert.equal(names.length, 20);
    assert.equal(new Set(names).size, 20);
  });

  say('a lease that ran out makes the recipient free again', async (queue) => {
    await queue.accept(newMessage({ mid: 1 }));
    await queue.claim('a', 1000, LEASE_MS, 10);
    assert.deepEqual(namesOf(await queue.claim('b', 1000 + LEASE_MS, LEASE_MS, 10)), ['1:0']);
  });

  say('a released recipient is free at once and untouched; others cannot release it', async (queue) => {
    await queue.accept(newMessage({ mid: 1 }));
    await queue.claim('a', 1000, LEASE_MS, 10);
    await queue.release('b', [{ mid: mid(1), rid: rid(0) }]);
    assert.deepEqual(await queue.claim('b', 1000, LEASE_MS, 10), []);
    await queue.release('a', [{ mid: mid(1), rid: rid(0) }]);
    const [row] = await queue.claim('b', 1000, LEASE_MS, 10);
    assert.equal(row?.attempts, 0);
  });

  say('mail that arrives with an earlier due time than what is leased is found', async (queue) => {
    await queue.accept(newMessage({ mid: 2, receivedMs: 1000 }));
    await queue.claim('a', 1000, LEASE_MS, 10);
    await queue.accept(newMessage({ mid: 1, receivedMs: 400 }));
    assert.equal(await queue.nextDueMs(), 400);
    assert.deepEqual(namesOf(await queue.claim('a', 1000, LEASE_MS, 10)), ['1:0']);
  });

  say('the next due time is that of the first recipient that nobody holds', async (queue) => {
    await queue.accept(newMessage({ mid: 1, receivedMs: 100 }));
    await queue.accept(newMessage({ mid: 2, receivedMs: 700 }));
    assert.equal(await queue.nextDueMs(), 100);
    await queue.claim('a', 100, LEASE_MS, 10);
    assert.equal(await queue.nextDueMs(), 700);
    await queue.claim('a', 700, LEASE_MS, 10);
    assert.equal(await queue.nextDueMs(), undefined);
  });
}

function settlements(say: Say): void {
  say('a message is removed with its body when its last recipient is finished', async (queue) => {
    await queue.accept(newMessage({ mid: 1, to: ['a@example.org', 'b@example.org', 'c@example.org'] }));
    await queue.claim('a', 1000, LEASE_MS, 10);
    await queue.settle([delivered(1, 0), { mid: mid(1), rid: rid(1), outcome: 'bounced', response: '550 no' }], []);
    assert.deepEqual(await queue.summary(), { messages: 1, activeRecipients: 1, oldestReceivedMs: 1000 });
    await queue.readBody(mid(1));
    assert.deepEqual(await queue.settle([{ mid: mid(1), rid: rid(2), outcome: 'dropped', response: '' }], []), [1]);
    assert.deepEqual(await queue.summary(), { messages: 0, activeRecipients: 0 });
    await assert.rejects(queue.readBody(mid(1)), isStorageError);
  });

  say('a retry waits for its time and remembers the attempts, the first of them and the last error', async (queue) => {
    await queue.accept(newMessage({ mid: 1 }));
    await queue.claim('a', 1000, LEASE_MS, 10);
    await queue.settle([retry(1, 1100, 5000)], []);
    assert.equal(await queue.nextDueMs(), 5000);
    assert.deepEqual(await queue.claim('a', 4999, LEASE_MS, 10), []);
    await queue.claim('a', 5000, LEASE_MS, 10);
    await queue.settle([retry(1, 5100, 9000)], []);
    const [row] = await queue.claim('a', 9000, LEASE_MS, 10);
    assert.equal(row?.attempts, 2);
    assert.equal(row?.firstAttemptMs, 1100);
    assert.equal(row?.lastError, '451 4.7.1 later');
  });

  say('a recipient that is put off waits for its time, and that is no attempt', async (queue) => {
    await queue.accept(newMessage({ mid: 1 }));
    const [row] = await queue.claim('a', 1000, 60_000, 10);
    assert.ok(row !== undefined);
    await queue.settle([{ mid: row.mid, rid: row.recipient.rid, outcome: 'later', nextAttemptMs: 5000 }], []);
    assert.deepEqual(await queue.claim('a', 4999, 60_000, 10), []);
    assert.equal(await queue.nextDueMs(), 5000);
    const [again] = await queue.claim('a', 5000, 60_000, 10);
    assert.deepEqual(again, row);
  });

  say('a retry whose time has come already is found by the next claim', async (queue) => {
    for (const n of [1, 2, 3]) await queue.accept(newMessage({ mid: n }));
    await queue.claim('a', 1000, LEASE_MS, 10);
    await queue.settle([retry(2, 1000, 900)], []);
    assert.deepEqual(namesOf(await queue.claim('a', 1000, LEASE_MS, 10)), ['2:0']);
  });

  say('outcomes and the bounces they cause come together', async (queue) => {
    await queue.accept(newMessage({ mid: 1 }));
    await queue.claim('a', 1000, LEASE_MS, 10);
    const bounce = newMessage({ mid: 2, sender: '', to: ['alice@example.com'], receivedMs: 2000 });
    await queue.settle([{ mid: mid(1), rid: rid(0), outcome: 'bounced', response: '550 no' }], [bounce]);
    assert.deepEqual(await queue.summary(), { messages: 1, activeRecipients: 1, oldestReceivedMs: 2000 });
    const [row] = await queue.claim('a', 2000, LEASE_MS, 10);
    assert.equal(row?.sender, '');
    assert.equal(row?.recipient.address, 'alice@example.com');
  });

  say('if a bounce cannot be stored no outcome is recorded either', async (queue) => {
    await queue.accept(newMessage({ mid: 1 }));
    await queue.accept(newMessage({ mid: 2 }));
    await queue.claim('a', 1000, LEASE_MS, 1);
    await assert.rejects(queue.settle([delivered(1)], [newMessage({ mid: 2 })]), isStorageError);
    assert.equal((await queue.summary()).messages, 2);
    await queue.readBody(mid(1));
    assert.deepEqual(namesOf(await queue.claim('b', 1000 + LEASE_MS, LEASE_MS, 10)), ['1:0', '2:0']);
  });

  say('an outcome that is told twice counts once', async (queue) => {
    await queue.accept(newMessage({ mid: 1, to: ['a@example.org', 'b@example.org'] }));
    await queue.claim('a', 1000, LEASE_MS, 10);
    await queue.settle([delivered(1, 0), delivered(1, 0)], []);
    await queue.settle([delivered(1, 0), retry(77, 1000, 2000)], []);
    assert.deepEqual(await queue.summary(), { messages: 1, activeRecipients: 1, oldestReceivedMs: 1000 });
  });
}
