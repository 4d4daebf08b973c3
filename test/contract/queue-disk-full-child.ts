/** Fills the small disk that its first argument names, and prints as JSON what the store did. */
import { closeSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { GatewayError } from '../../src/core/errors.ts';
import { openQueueStore } from '../../src/queue/open-store.io.ts';
import { type QueueClient, connectQueue } from '../../src/queue/queue-client.io.ts';
import { openSpoolWriter } from '../../src/queue/spool.io.ts';
import { bodyBytes, mid, newMessage, recordingLog, sha256 } from './queue-messages.ts';

const [dataDir = '', scenario] = process.argv.slice(2);
const BODY_BYTES = 3000;

const message = (n: number): ReturnType<typeof newMessage> =>
  newMessage({ mid: n, body: { kind: 'inline', bytes: bodyBytes(n, BODY_BYTES) } });

const codeOf = (error: unknown): string => (error instanceof GatewayError ? error.code : String(error));

async function damagedOf(queue: QueueClient, mids: readonly number[]): Promise<number> {
  let damaged = 0;
  for (const n of mids) {
    const body = await queue.readBody(mid(n));
    if (body.kind !== 'inline' || sha256(body.bytes) !== sha256(bodyBytes(n, BODY_BYTES))) damaged++;
  }
  return damaged;
}

/** Accepts until every message of a round is refused; several at a time, so that they share transactions. */
async function fill(queue: QueueClient): Promise<{ accepted: number[]; refusals: Set<string> }> {
  const accepted: number[] = [];
  const refusals = new Set<string>();
  for (let first = 1; first < 10_000; first += 20) {
    const mids = Array.from({ length: 20 }, (_, i) => first + i);
    const results = await Promise.allSettled(mids.map((n) => queue.accept(message(n))));
    const before = accepted.length;
    results.forEach((result, i) => {
      if (result.status === 'fulfilled') accepted.push(mids[i] ?? 0);
      else refusals.add(codeOf(result.reason));
    });
    if (accepted.length === before) break;
  }
  return { accepted, refusals };
}

async function inline(): Promise<unknown> {
  const ballast = path.join(dataDir, 'ballast');
  writeFileSync(ballast, Buffer.alloc(1.4 * 1024 * 1024));
  const store = await openQueueStore({ dataDir, log: recordingLog() });
  const queue = connectQueue(store.connect());
  const { accepted, refusals } = await fill(queue);
  const inQueue = (await queue.summary()).messages;
  const damaged = await damagedOf(queue, accepted);
  rmSync(ballast);
  const [first = 0, ...rest] = accepted;
  await queue.settle(
    [
      {
        mid: mid(first),
        rid: message(1).envelope.recipients[0]?.rid ?? (0 as never),
        outcome: 'delivered',
        response: '',
      },
    ],
    [],
  );
  const acceptedAfterwards = await queue.accept(message(20_000)).then(
    () => true,
    (error: unknown) => codeOf(error),
  );
  await store.close();
  const again = await openQueueStore({ dataDir, log: recordingLog() });
  const afterRestart = (await connectQueue(again.connect()).summary()).messages;
  await again.close();
  return {
    accepted: accepted.length,
    refusals: [...refusals],
    inQueue,
    damaged,
    acceptedAfterwards,
    left: rest.length,
    afterRestart,
  };
}

async function spool(): Promise<unknown> {
  const store = await openQueueStore({ dataDir, log: recordingLog() });
  const dir = path.join(dataDir, 'spool');
  const writer = await openSpoolWriter(dir, mid(1));
  const piece = Buffer.alloc(700_000, 'x');
  let refusal = 'none';
  for (let i = 0; i < 10 && refusal === 'none'; i++) {
    await writer.write([piece, piece]).catch((error: unknown) => {
      refusal = codeOf(error);
    });
  }
  await writer.abort();
  const files = readdirSync(dir);
  const second = await openSpoolWriter(dir, mid(2));
  await second.write([piece]);
  const small = (await second.commit()).size === piece.length;
  await store.close();
  return { refusal, files, small };
}

/** Takes what is left of the disk, to the last octet. */
function takeAll(file: string): void {
  const handle = openSync(file, 'a');
  for (let size = 65_536; size >= 1; size = Math.floor(size / 2)) {
    try {
      for (;;) writeSync(handle, Buffer.alloc(size, 'x'));
    } catch {
      // Smaller pieces may still fit.
    }
  }
  closeSync(handle);
}

async function outcome(): Promise<unknown> {
  const store = await openQueueStore({ dataDir, log: recordingLog() });
  const queue = connectQueue(store.connect());
  await Promise.all([1, 2, 3].map((n) => queue.accept(message(n))));
  const filler = path.join(dataDir, 'filler');
  takeAll(filler);
  const rid = message(1).envelope.recipients[0]?.rid ?? (0 as never);
  const settled: string[] = [];
  for (const n of [1, 2]) {
    const answer = queue.settle([{ mid: mid(n), rid, outcome: 'delivered', response: '' }], []);
    settled.push(await answer.then(() => 'recorded', codeOf));
  }
  takeAll(filler);
  const whileFull = await queue.accept(message(4)).then(() => 'accepted', codeOf);
  rmSync(filler);
  let afterwards = '';
  for (let i = 0; i < 50 && afterwards !== 'accepted'; i++) {
    afterwards = await queue.accept(message(5)).then(() => 'accepted', codeOf);
    if (afterwards !== 'accepted') await setTimeout(100);
  }
  await store.close();
  const again = await openQueueStore({ dataDir, log: recordingLog() });
  const afterRestart = (await connectQueue(again.connect()).summary()).messages;
  await again.close();
  return { settled, whileFull, afterwards, afterRestart };
}

const SCENARIOS: Readonly<Record<string, () => Promise<unknown>>> = { inline, spool, outcome };
process.stdout.write(JSON.stringify(await SCENARIOS[scenario ?? '']?.()));
