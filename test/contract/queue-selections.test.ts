/** What an administrator's work on the queue needs of the store: selections, claims by selection, new times, the work queue. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { openQueueStore } from '../../src/queue/open-store.io.ts';
import { connectQueue, type QueueClient, type SelectedRecipients } from '../../src/queue/queue-client.io.ts';
import { QUEUE_START, type QueuePlace, type QueueSelection } from '../../src/core/queue-selection.ts';
import { openSpoolWriter } from '../../src/queue/spool.io.ts';
import { WORK_QUEUE } from '../../src/queue/work-queue.ts';
import { mid, newMessage, recordingLog, rid } from './queue-messages.ts';

const UP_TO = 1e9;
const CLAIM = { owner: 'administrator', nowMs: 2000, leaseMs: 60_000 };
const all = (after: QueuePlace = QUEUE_START) => ({ after, upTo: UP_TO });

async function withQueue(
  body: (queue: QueueClient, reopen: () => Promise<QueueClient>, dataDir: string) => Promise<void>,
): Promise<void> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'sallyport-selections-'));
  const open = async () => {
    const store = await openQueueStore({ dataDir, log: recordingLog(), minFreeBytes: 0 });
    return { store, queue: connectQueue(store.connect()) };
  };
  let opened = await open();
  try {
    await body(
      opened.queue,
      async () => {
        await opened.store.close();
        opened = await open();
        return opened.queue;
      },
      dataDir,
    );
  } finally {
    await opened.store.close();
    rmSync(dataDir, { recursive: true });
  }
}

const names = ({ recipients }: SelectedRecipients): string[] =>
  recipients.map(({ mid: ofMid, recipient }) => `${ofMid}:${recipient.rid}`);

/** Every look until the end. */
async function walk(queue: QueueClient, selection: QueueSelection): Promise<string[]> {
  const found: string[] = [];
  for (let after: QueuePlace | undefined = QUEUE_START; after !== undefined; ) {
    const page: SelectedRecipients = await queue.select({ selection, range: all(after), limit: 1000 });
    found.push(...names(page));
    after = page.after;
  }
  return found;
}

test('recipients are found by host, by sender, by message, and all of them, in pages of bounded work', () =>
  withQueue(async (queue) => {
    for (let n = 1; n <= 1500; n++)
      await queue.accept(
        newMessage({
          mid: n,
          to: n % 500 === 0 ? ['a@rare.example', 'b@example.org'] : ['b@example.org'],
          sender: n % 3 === 0 ? 'carol@example.com' : 'alice@example.com',
        }),
      );
    assert.deepEqual(await walk(queue, { by: 'host', host: 'rare.example' }), ['500:0', '1000:0', '1500:0']);
    assert.equal((await walk(queue, { by: 'host', host: 'example.org' })).length, 1500);
    assert.equal((await walk(queue, { by: 'sender', sender: 'carol@example.com' })).length, 501);
    assert.deepEqual(await walk(queue, { by: 'message', mid: 1000 }), ['1000:0', '1000:1']);
    assert.equal((await walk(queue, { by: 'all' })).length, 1503);
    const first = await queue.select({ selection: { by: 'host', host: 'rare.example' }, range: all(), limit: 10 });
    assert.deepEqual([names(first), first.after], [['500:0'], [999, 0]]);
  }));

test('what came after the work on a selection began is not in it', () =>
  withQueue(async (queue) => {
    for (const n of [1, 2, 3]) await queue.accept(newMessage({ mid: n }));
    const page = await queue.select({ selection: { by: 'all' }, range: { after: QUEUE_START, upTo: 2 }, limit: 10 });
    assert.deepEqual(names(page), ['1:0', '2:0']);
  }));

test('a claim by selection takes what nobody works on, and says what it left out', () =>
  withQueue(async (queue) => {
    for (const n of [1, 2, 3]) await queue.accept(newMessage({ mid: n }));
    const [working] = await queue.claim('delivery', 1000, 60_000, 1);
    assert.equal(working?.mid, 1);
    const claimed = await queue.select({ selection: { by: 'all' }, range: all(), limit: 10, claim: CLAIM });
    assert.deepEqual([names(claimed), claimed.busy], [['2:0', '3:0'], [[1, 0]]]);
    assert.deepEqual(await queue.claim('delivery', 1000, 60_000, 10), [], 'what is claimed is nobody else’s');
    const seen = await queue.select({ selection: { by: 'all' }, range: all(), limit: 10 });
    assert.deepEqual(
      seen.recipients.map(({ leased }) => leased),
      [true, true, true],
    );
    await queue.release('administrator', [{ mid: mid(3), rid: rid(0) }]);
    assert.deepEqual(
      (await queue.claim('delivery', 1000, 60_000, 10)).map((row) => row.mid),
      [3],
    );
  }));

test('a release and a claim by selection of one turn leave nobody a moment in between', () =>
  withQueue(async (queue) => {
    await queue.accept(newMessage({ mid: 1 }));
    await queue.claim('delivery', 1000, 60_000, 1);
    const [, claimed, other] = await Promise.all([
      queue.release('delivery', [{ mid: mid(1), rid: rid(0) }]),
      queue.select({ selection: { by: 'all' }, range: all(), limit: 10, claim: CLAIM }),
      queue.claim('delivery', 1000, 60_000, 1),
    ]);
    assert.deepEqual([names(claimed), other], [['1:0'], []]);
  }));

test('a message that is deleted is gone with its body, and the rest stays', () =>
  withQueue(async (queue) => {
    await queue.accept(newMessage({ mid: 1, to: ['a@example.org', 'b@example.org'] }));
    await queue.select({ selection: { by: 'all' }, range: all(), limit: 10, claim: CLAIM });
    const remove = (ofRid: number) =>
      queue.settle([{ mid: mid(1), rid: rid(ofRid), outcome: 'deleted', response: '' }], []);
    assert.deepEqual(await remove(0), []);
    assert.deepEqual(await remove(1), [1]);
    assert.deepEqual(await queue.summary(), { messages: 0, activeRecipients: 0 });
    await assert.rejects(queue.readBody(mid(1)));
  }));

test('a message that is held because its body is gone can still be found and deleted', () =>
  withQueue(async (queue, reopen, dataDir) => {
    const writer = await openSpoolWriter(path.join(dataDir, 'spool'), mid(1));
    await writer.write([Buffer.alloc(70_000)]);
    await queue.accept(newMessage({ mid: 1, body: { kind: 'spooled', ...(await writer.commit()) } }));
    rmSync(path.join(dataDir, 'spool', '1.eml'));
    const again = await reopen();
    const { recipients } = await again.select({ selection: { by: 'all' }, range: all(), limit: 10, claim: CLAIM });
    assert.deepEqual(
      [recipients.length, recipients[0]?.nextAttemptMs, recipients[0]?.inWorkQueue],
      [1, undefined, undefined],
    );
    assert.deepEqual(await again.settle([{ mid: mid(1), rid: rid(0), outcome: 'deleted', response: '' }], []), [1]);
    assert.deepEqual(await again.summary(), { messages: 0, activeRecipients: 0 });
  }));

test('delivernow: the next attempt is now for what waits, and nothing else changes', () =>
  withQueue(async (queue) => {
    for (const n of [1, 2, 3]) await queue.accept(newMessage({ mid: n, to: [`a@host${n}.example`] }));
    await queue.claim('delivery', 1000, 60_000, 3);
    for (const n of [1, 2])
      await queue.settle(
        [{ mid: mid(n), rid: rid(0), outcome: 'retry', nextAttemptMs: 900_000, nowMs: 1000, error: '451 later' }],
        [],
      );
    assert.deepEqual(await queue.hasten({ by: 'host', host: 'host1.example' }, all(), 2000), { hastened: 1 });
    const [row, ...more] = await queue.claim('delivery', 2000, 60_000, 10);
    assert.deepEqual([row?.mid, row?.attempts, row?.lastError, more.length], [1, 1, '451 later', 0]);
    // 1 and 3 are being worked on.
    assert.deepEqual(await queue.hasten({ by: 'all' }, all(), 3000), { hastened: 1 });
    assert.equal(await queue.nextDueMs(), 3000);
  }));

test('while the work queue is paused new messages wait in it, over a restart, and leave it when it is resumed', () =>
  withQueue(async (first, reopen) => {
    await first.accept(newMessage({ mid: 1 }));
    await first.keep(WORK_QUEUE, '{"reason":"maintenance"}');
    await first.accept(newMessage({ mid: 2, to: ['a@example.org', 'b@example.org'] }));
    assert.deepEqual(await first.workQueue(), { messages: 1, more: false });
    const queue = await reopen();
    await queue.accept(newMessage({ mid: 3 }));
    assert.deepEqual([...(await queue.standing())], [[WORK_QUEUE, '{"reason":"maintenance"}']]);
    assert.deepEqual(
      (await queue.claim('delivery', 5000, 60_000, 10)).map((row) => row.mid),
      [1],
      'what was queued before goes on',
    );
    assert.equal(await queue.nextDueMs(), undefined);
    assert.deepEqual(await queue.hasten({ by: 'all' }, all(), 5000), { hastened: 0 });
    const page = await queue.select({ selection: { by: 'message', mid: 2 }, range: all(), limit: 10 });
    assert.deepEqual(page.recipients[0]?.inWorkQueue, true);
    assert.equal(page.recipients[0]?.nextAttemptMs, undefined);
    await queue.keep(WORK_QUEUE, null);
    assert.equal(await queue.leaveWorkQueue(6000, 2), 2);
    assert.equal(await queue.leaveWorkQueue(6000, 500), 1);
    assert.deepEqual(await queue.workQueue(), { messages: 0, more: false });
    assert.deepEqual(
      (await queue.claim('delivery', 6000, 60_000, 10)).map((row) => `${row.mid}:${row.recipient.rid}`),
      ['2:0', '2:1', '3:0'],
    );
    await queue.accept(newMessage({ mid: 4, receivedMs: 6000 }));
    assert.equal((await queue.claim('delivery', 6000, 60_000, 10))[0]?.mid, 4);
  }));
