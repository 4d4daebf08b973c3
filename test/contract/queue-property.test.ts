/** Any sequence of operations gives the same claims, times and counts in the embedded store as in the model. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Mid, Rid } from '../../src/core/ids.ts';
import type { DueRecipient, QueueStore, Settlement } from '../../src/core/ports.ts';
import { openQueueStore } from '../../src/queue/open-store.io.ts';
import { connectQueue } from '../../src/queue/queue-client.io.ts';
import { newMessage, recordingLog } from './queue-messages.ts';
import { queueModel } from './queue-model.ts';

const time = fc.integer({ min: 0, max: 200 });
const owner = fc.constantFrom('a', 'b');
/** Which of the recipients handed out so far, counted from the last one. */
const pick = fc.array(fc.nat(8), { maxLength: 4 });

const operation = fc.oneof(
  fc.record({ do: fc.constant('accept' as const), receivedMs: time, recipients: fc.integer({ min: 1, max: 3 }) }),
  fc.record({
    do: fc.constant('claim' as const),
    owner,
    nowMs: time,
    leaseMs: fc.integer({ min: 1, max: 100 }),
    limit: fc.nat(4),
  }),
  fc.record({ do: fc.constant('release' as const), owner, pick }),
  fc.record({ do: fc.constant('finish' as const), pick, bounce: fc.boolean(), receivedMs: time }),
  fc.record({ do: fc.constant('retry' as const), pick, nowMs: time, nextAttemptMs: time }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Replays operations on one queue; what it says afterwards is all that a caller can see. */
class Player {
  readonly #queue: QueueStore;
  readonly #handedOut: DueRecipient[] = [];
  #lastMid: number;

  constructor(queue: QueueStore, lastMid: number) {
    this.#queue = queue;
    this.#lastMid = lastMid;
  }

  async play(operation: Operation): Promise<unknown> {
    const said = await this.#apply(operation);
    return { said, summary: await this.#queue.summary(), nextDueMs: await this.#queue.nextDueMs() };
  }

  async #apply(operation: Operation): Promise<unknown> {
    switch (operation.do) {
      case 'accept':
        return this.#queue.accept(this.#message(operation.receivedMs, operation.recipients));
      case 'claim': {
        const rows = await this.#queue.claim(operation.owner, operation.nowMs, operation.leaseMs, operation.limit);
        this.#handedOut.push(...rows);
        return rows;
      }
      case 'release':
        return this.#queue.release(operation.owner, this.#picked(operation.pick));
      case 'finish': {
        const outcome = operation.bounce ? 'bounced' : 'delivered';
        const settlements = this.#picked(operation.pick).map((row): Settlement => ({ ...row, outcome, response: '' }));
        return this.#queue.settle(settlements, operation.bounce ? [this.#message(operation.receivedMs, 1)] : []);
      }
      case 'retry': {
        const { nowMs, nextAttemptMs } = operation;
        const settlements = this.#picked(operation.pick).map(
          (row): Settlement => ({ ...row, outcome: 'retry', nowMs, nextAttemptMs, error: `at ${nowMs}` }),
        );
        return this.#queue.settle(settlements, []);
      }
    }
  }

  #message(receivedMs: number, recipients: number): ReturnType<typeof newMessage> {
    const to = Array.from({ length: recipients }, (_, i) => `r${i}@example.org`);
    return newMessage({ mid: ++this.#lastMid, receivedMs, to });
  }

  #picked(indexes: readonly number[]): { mid: Mid; rid: Rid }[] {
    const rows = indexes.flatMap((index) => this.#handedOut.at(-1 - index) ?? []);
    return rows.map((row) => ({ mid: row.mid, rid: row.recipient.rid }));
  }
}

async function empty(queue: QueueStore): Promise<void> {
  const rows = await queue.claim('end', Number.MAX_SAFE_INTEGER, 1, 10_000);
  await queue.settle(
    rows.map((row) => ({ mid: row.mid, rid: row.recipient.rid, outcome: 'dropped', response: '' })),
    [],
  );
  assert.deepEqual(await queue.summary(), { messages: 0, activeRecipients: 0 });
}

test('the store answers any sequence of operations as the model does', async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'sallyport-queue-'));
  const store = await openQueueStore({ dataDir, log: recordingLog() });
  const queue = connectQueue(store.connect());
  let runs = 0;
  try {
    const property = fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
      // Every run has MIDs of its own, because the one store sees all runs.
      const lastMid = ++runs * 1000;
      const real = new Player(queue, lastMid);
      const model = new Player(queueModel(), lastMid);
      try {
        for (const step of operations) assert.deepEqual(await real.play(step), await model.play(step));
      } finally {
        await empty(queue);
      }
    });
    await fc.assert(property, { numRuns: 150, seed: 20261124, endOnFailure: false });
  } finally {
    await store.close();
    rmSync(dataDir, { recursive: true });
  }
});
