/** The embedded store and the model against the contract of QueueStore, and what only the embedded store promises. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { GatewayError } from '../../src/core/errors.ts';
import type { QueueStore } from '../../src/core/ports.ts';
import { UnderWay } from '../../src/queue/commit-company.ts';
import { COUNTER_BLOCK, nextId } from '../../src/queue/id-counters.ts';
import { type QueueStoreHandle, openQueueStore } from '../../src/queue/open-store.io.ts';
import { type QueueClient, connectQueue } from '../../src/queue/queue-client.io.ts';
import { openSpoolWriter } from '../../src/queue/spool.io.ts';
import { queueStoreContract } from './queue-contract.ts';
import { bodyBytes, mid, newMessage, recordingLog, rid, sha256 } from './queue-messages.ts';
import { queueModel } from './queue-model.ts';

type Opened = {
  readonly store: QueueStoreHandle;
  readonly queue: QueueClient;
  readonly log: ReturnType<typeof recordingLog>;
};

const stores = new Map<string, QueueStoreHandle[]>();

async function openIn(dataDir: string, minFreeBytes = 0): Promise<Opened> {
  const log = recordingLog();
  const store = await openQueueStore({ dataDir, log, minFreeBytes });
  stores.set(dataDir, [...(stores.get(dataDir) ?? []), store]);
  return { store, queue: connectQueue(store.connect()), log };
}

async function inFolder(body: (dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'sallyport-queue-'));
  try {
    await body(dataDir);
  } finally {
    // A store that a failed test left open would keep the process alive.
    for (const store of stores.get(dataDir) ?? []) await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const withStore = (body: (opened: Opened, dataDir: string) => Promise<void>): Promise<void> =>
  inFolder(async (dataDir) => body(await openIn(dataDir), dataDir));

const opened = new Map<QueueStore, { store: QueueStoreHandle; dataDir: string }>();
queueStoreContract('embedded', {
  async open() {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'sallyport-queue-'));
    const { store, queue } = await openIn(dataDir);
    opened.set(queue, { store, dataDir });
    return queue;
  },
  async close(queue) {
    const { store, dataDir } = opened.get(queue) ?? {};
    await store?.close();
    if (dataDir !== undefined) rmSync(dataDir, { recursive: true });
  },
});
queueStoreContract('model', { open: async () => queueModel(), close: async () => {} });

async function spool(
  dataDir: string,
  ofMid: number,
  size: number,
): Promise<{ kind: 'spooled'; file: string; size: number }> {
  const writer = await openSpoolWriter(path.join(dataDir, 'spool'), mid(ofMid));
  await writer.write([bodyBytes(ofMid, size)]);
  return { kind: 'spooled', ...(await writer.commit()) };
}

const spoolFiles = (dataDir: string): string[] => readdirSync(path.join(dataDir, 'spool')).sort();

test('messages that arrive together share a commit', () =>
  withStore(async ({ queue }) => {
    await Promise.all(Array.from({ length: 200 }, (_, i) => queue.accept(newMessage({ mid: i + 1 }))));
    const { accepted, commits } = await queue.stats();
    assert.equal(accepted, 200);
    assert.ok(commits >= 1 && commits <= 20, `${commits} commits for 200 messages`);
  }));

test('while other threads have messages on their way, those that have arrived wait a moment for a commit together', () =>
  withStore(async ({ queue, store }) => {
    const accepting: Promise<void>[] = [];
    const acceptOneByOne = async (from: number): Promise<number> => {
      const { commits } = await queue.stats();
      for (let i = from; i < from + 20; i++) {
        accepting.push(queue.accept(newMessage({ mid: i })));
        await queue.stats(); // the store has seen it
      }
      await Promise.all(accepting);
      return (await queue.stats()).commits - commits;
    };
    assert.equal(await acceptOneByOne(1), 20);
    for (const lane of [1, 2]) {
      const thread = new UnderWay(store.underWay, lane);
      for (let i = 0; i < 100; i++) thread.begin();
    }
    const commits = await acceptOneByOne(101);
    assert.ok(commits < 20, `${commits} commits for 20 messages`);
  }));

test('reading and claiming cost no commit', () =>
  withStore(async ({ queue }) => {
    await queue.accept(newMessage({ mid: 1 }));
    const before = (await queue.stats()).commits;
    await queue.claim('a', 1000, 1000, 10);
    await queue.readBody(mid(1));
    await queue.summary();
    assert.equal((await queue.stats()).commits, before);
  }));

test('what was accepted is there after a restart, and a restart ends all leases', () =>
  inFolder(async (dataDir) => {
    const first = await openIn(dataDir);
    await first.queue.accept(newMessage({ mid: 1 }));
    await first.queue.accept(newMessage({ mid: 2, body: await spool(dataDir, 2, 100_000) }));
    await first.queue.claim('a', 1000, 1e9, 10);
    await first.store.close();
    const second = await openIn(dataDir);
    const rows = await second.queue.claim('b', 1000, 1000, 10);
    assert.deepEqual(
      rows.map((row) => [row.mid, row.size]),
      [
        [1, 600],
        [2, 100_000],
      ],
    );
    assert.deepEqual(await second.queue.readBody(mid(2)), { kind: 'spooled', file: '2.eml', size: 100_000 });
    const body = await second.queue.readBody(mid(1));
    assert.ok(body.kind === 'inline' && sha256(body.bytes) === sha256(bodyBytes(1, 600)));
    await second.store.close();
  }));

test('queue and spool are readable by the gateway only', () =>
  withStore(async ({ queue }, dataDir) => {
    await queue.accept(newMessage({ mid: 1, body: await spool(dataDir, 1, 70_000) }));
    for (const name of ['queue.db', 'queue.db-wal', 'spool/1.eml'])
      assert.equal(statSync(path.join(dataDir, name)).mode & 0o077, 0, name);
    assert.equal(statSync(path.join(dataDir, 'spool')).mode & 0o077, 0);
  }));

test('a second gateway on the same data folder is refused in words', () =>
  withStore(async (_, dataDir) => {
    await assert.rejects(openIn(dataDir), (error) => {
      assert.ok(error instanceof GatewayError && error.code === 'storage');
      assert.match(error.message, /queue\.db is in use: another gateway runs on this data folder/);
      return true;
    });
  }));

test('a damaged database refuses to start and says what to do', () =>
  inFolder(async (dataDir) => {
    writeFileSync(path.join(dataDir, 'queue.db'), Buffer.alloc(8192, 'not a database '));
    await assert.rejects(openIn(dataDir), /queue\.db is damaged .*restore it from a copy, or move it away/);
  }));

test('a database with a torn page refuses to start', () =>
  inFolder(async (dataDir) => {
    const { store, queue } = await openIn(dataDir);
    await Promise.all(Array.from({ length: 200 }, (_, i) => queue.accept(newMessage({ mid: i + 1 }))));
    await store.close();
    const file = path.join(dataDir, 'queue.db');
    truncateSync(file, statSync(file).size - 40_960);
    await assert.rejects(openIn(dataDir), /queue\.db is damaged/);
  }));

test('spool files that no message refers to are removed at start; other files are left alone', () =>
  inFolder(async (dataDir) => {
    const first = await openIn(dataDir);
    await first.queue.accept(newMessage({ mid: 1, body: await spool(dataDir, 1, 70_000) }));
    await spool(dataDir, 2, 70_000);
    writeFileSync(path.join(dataDir, 'spool', '3.eml.tmp'), 'half');
    writeFileSync(path.join(dataDir, 'spool', 'README'), 'not ours');
    await first.store.close();
    const second = await openIn(dataDir);
    assert.deepEqual(spoolFiles(dataDir), ['1.eml', 'README']);
    assert.deepEqual(second.log.events, [
      { event: 'system', level: 'info', text: 'removed 2 spool files that no message refers to' },
    ]);
    await second.store.close();
  }));

test('a message whose spool file is gone or cut short is reported and held, and let go when it is back', () =>
  inFolder(async (dataDir) => {
    const first = await openIn(dataDir);
    for (const n of [1, 2, 3]) await first.queue.accept(newMessage({ mid: n, body: await spool(dataDir, n, 70_000) }));
    await first.store.close();
    unlinkSync(path.join(dataDir, 'spool', '1.eml'));
    truncateSync(path.join(dataDir, 'spool', '2.eml'), 5);
    const second = await openIn(dataDir);
    const text = 'held 2 messages whose spool file is missing or incomplete: MID 1, 2';
    assert.deepEqual(second.log.events, [{ event: 'system', level: 'critical', text }]);
    assert.deepEqual(
      (await second.queue.claim('a', 1e12, 1000, 10)).map((row) => row.mid),
      [3],
    );
    assert.deepEqual(await second.queue.summary(), { messages: 3, activeRecipients: 1, oldestReceivedMs: 1000 });
    const listed = await second.queue.listMessages({ limit: 10 });
    assert.deepEqual(
      listed.map(({ recipients }) => recipients[0]?.nextAttemptMs),
      [undefined, undefined, 1000],
    );
    await second.store.close();
    writeFileSync(path.join(dataDir, 'spool', '1.eml'), bodyBytes(1, 70_000));
    const third = await openIn(dataDir);
    assert.deepEqual(
      (await third.queue.claim('a', 1e12, 1000, 10)).map((row) => row.mid),
      [1, 3],
    );
    await third.store.close();
  }));

test('the spool file goes with the last recipient', () =>
  inFolder(async (dataDir) => {
    const { store, queue } = await openIn(dataDir);
    await queue.accept(
      newMessage({ mid: 1, to: ['a@example.org', 'b@example.org'], body: await spool(dataDir, 1, 70_000) }),
    );
    await queue.settle([{ mid: mid(1), rid: rid(0), outcome: 'delivered', response: '250' }], []);
    assert.deepEqual(spoolFiles(dataDir), ['1.eml']);
    await queue.settle([{ mid: mid(1), rid: rid(1), outcome: 'delivered', response: '250' }], []);
    await store.close();
    assert.deepEqual(spoolFiles(dataDir), []);
  }));

test('a spooled message whose file is not whole is refused, and the file removed', () =>
  withStore(async ({ queue }, dataDir) => {
    const body = await spool(dataDir, 1, 70_000);
    await assert.rejects(queue.accept(newMessage({ mid: 1, body: { ...body, size: 70_001 } })), /instead of 70001/);
    assert.deepEqual(spoolFiles(dataDir), []);
    const outside = { kind: 'spooled', file: '../queue.db', size: 1 } as const;
    await assert.rejects(queue.accept(newMessage({ mid: 2, body: outside })), /not the name of a spool file/);
    assert.ok(statSync(path.join(dataDir, 'queue.db')).isFile());
  }));

test('too little free space refuses new mail with storage-full, deletes its spool file and goes on delivering', () =>
  withStore(async ({ store, queue }, dataDir) => {
    await queue.accept(newMessage({ mid: 1 }));
    const body = await spool(dataDir, 2, 70_000);
    store.setMinFreeBytes(Number.MAX_SAFE_INTEGER);
    await assert.rejects(
      queue.accept(newMessage({ mid: 2, body })),
      (error) => error instanceof GatewayError && error.code === 'storage-full',
    );
    assert.deepEqual(spoolFiles(dataDir), []);
    await queue.settle([{ mid: mid(1), rid: rid(0), outcome: 'delivered', response: '250' }], []);
    assert.deepEqual(await queue.summary(), { messages: 0, activeRecipients: 0 });
    store.setMinFreeBytes(0);
    await queue.accept(newMessage({ mid: 3 }));
  }));

test('numbers start at 1, go on after a clean stop without a gap, and stay above every MID in the queue', () =>
  inFolder(async (dataDir) => {
    const first = await openIn(dataDir);
    assert.deepEqual(
      [nextId(first.store.ids, 'mid'), nextId(first.store.ids, 'mid'), nextId(first.store.ids, 'icid')],
      [1, 2, 1],
    );
    await first.store.close();
    const second = await openIn(dataDir);
    assert.deepEqual(
      [nextId(second.store.ids, 'mid'), nextId(second.store.ids, 'icid'), nextId(second.store.ids, 'dcid')],
      [3, 2, 1],
    );
    await second.queue.accept(newMessage({ mid: COUNTER_BLOCK * 3 }));
    await second.store.close();
    const third = await openIn(dataDir);
    assert.equal(nextId(third.store.ids, 'mid'), COUNTER_BLOCK * 3 + 1);
    await third.store.close();
  }));

test('client threads work side by side, and one that dies gives back what it had claimed', () =>
  withStore(async ({ store, queue }) => {
    const workers = [1, 2].map((n) => {
      const port = store.connect();
      const workerData = { port, firstMid: n * 1000, count: 100 };
      return new Worker(new URL('./queue-client-thread.ts', import.meta.url), { workerData, transferList: [port] });
    });
    const done = workers.map(
      (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
    );
    for (const worker of workers) worker.unref();
    assert.deepEqual(await Promise.all(done), [100, 100]);
    const { accepted, commits } = await queue.stats();
    assert.equal(accepted, 200);
    assert.ok(commits < 200);
    let arrive = (): void => {};
    const arrival = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    queue.onArrival(() => arrive());
    // Each of them has claimed 50 recipients of the 200 and holds them.
    assert.equal((await queue.claim('c', 1e12, 1e9, 1000)).length, 100);
    await workers[0]?.terminate();
    await arrival;
    assert.equal((await queue.claim('c', 1e12, 1e9, 1000)).length, 50);
    await queue.accept(newMessage({ mid: 1 }));
    await workers[1]?.terminate();
  }));

test('a listener is told once at first, and of arrivals once until its next claim', () =>
  withStore(async ({ store, queue }) => {
    await queue.accept(newMessage({ mid: 1 }));
    const delivery = connectQueue(store.connect());
    let announced = 0;
    delivery.onArrival(() => announced++);
    await delivery.summary();
    assert.equal(announced, 1);
    await delivery.claim('d', 1000, 1000, 10);
    await queue.accept(newMessage({ mid: 2 }));
    await queue.accept(newMessage({ mid: 3 }));
    await delivery.summary();
    assert.equal(announced, 2);
    await delivery.claim('d', 1000, 1000, 10);
    await queue.accept(newMessage({ mid: 4 }));
    await delivery.summary();
    assert.equal(announced, 3);
  }));

test('when the store stops, what is pending rejects and so does everything after it', () =>
  inFolder(async (dataDir) => {
    const { store, queue } = await openIn(dataDir);
    const answered = queue.accept(newMessage({ mid: 1 }));
    await answered;
    await store.close();
    await assert.rejects(
      queue.accept(newMessage({ mid: 2 })),
      (error) => error instanceof GatewayError && error.code === 'storage',
    );
  }));

test('a closed client rejects what is pending', () =>
  withStore(async ({ store }) => {
    const client = connectQueue(store.connect());
    const pending = client.summary();
    client.close();
    await assert.rejects(pending, (error) => error instanceof GatewayError && error.code === 'closed');
  }));

test('an administrator lists messages by MID and domain, and counts recipients by domain', () =>
  withStore(async ({ queue }) => {
    const to = (n: number): string[] => (n % 100 === 0 ? ['a@Rare.example', 'b@example.org'] : ['b@example.org']);
    await Promise.all(Array.from({ length: 500 }, (_, i) => queue.accept(newMessage({ mid: i + 1, to: to(i + 1) }))));
    const page = await queue.listMessages({ limit: 2, afterMid: mid(10) });
    assert.deepEqual(
      page.map((message) => message.mid),
      [11, 12],
    );
    assert.deepEqual(page[0]?.origin, newMessage({ mid: 1 }).origin);
    const rare = await queue.listMessages({ limit: 10, domain: 'rare.example' });
    assert.deepEqual(
      rare.map((message) => message.mid),
      [100, 200, 300, 400, 500],
    );
    assert.deepEqual(
      (await queue.hosts()).map(({ host, recipients, attempted, oldestMid }) => [
        host,
        recipients,
        attempted,
        oldestMid,
      ]),
      [
        ['example.org', 500, 0, 1],
        ['rare.example', 5, 0, 100],
      ],
    );
  }));
