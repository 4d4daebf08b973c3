/** Who holds a recipient: nobody twice, and somebody always. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dcid, Icid, Mid, Rid } from '../core/ids.ts';
import type { DueRecipient, NewMessage, Settlement } from '../core/ports.ts';
import { MemoryQueue } from '../../test/support/memory-queue.ts';
import { Errands } from './errands.io.ts';
import { HostCounters } from './host-counters.ts';
import { Ledger } from './ledger.io.ts';

const clock = { now: (): number => 5000 };
const log = { emit: (): void => undefined };
const CLAIM = ['delivery', 5000, 60_000, 10] as const;

/** What it settles is settled at once; the answer comes when the test says so. */
class SlowlyAnsweringQueue extends MemoryQueue {
  readonly answer = Promise.withResolvers<void>();

  override async settle(settlements: readonly Settlement[], bounces: readonly NewMessage[]): Promise<readonly Mid[]> {
    const done = await super.settle(settlements, bounces);
    await this.answer.promise;
    return done;
  }
}

test('a recipient that is claimed anew before the answer about its last attempt was read is held, and by one alone', async () => {
  const queue = new SlowlyAnsweringQueue();
  const errands = new Errands({ log, clock, round: async () => undefined });
  const profile = { maxRetries: 5, maxTimeInQueue: 1e9, initialWait: 0, maxWait: 0, sendBounces: true };
  const ledger = new Ledger({
    queue,
    errands,
    clock,
    log,
    owner: 'delivery',
    spoolDir: '',
    counters: new HostCounters(),
    random: () => 0,
    nextMid: () => 9 as Mid,
    settings: () => ({ hostname: 'gw.example.test', profile }),
    decideRetry: () => ({ action: 'retry', nextAttemptMs: 5000 }),
  });
  await queue.accept({
    mid: 1 as Mid,
    icid: 1 as Icid,
    receivedMs: 1000,
    envelope: {
      sender: 'a@example.test',
      recipients: [{ rid: 0 as Rid, address: 'b@example.test' }],
      body: '7BIT',
      smtpUtf8: false,
    },
    body: { kind: 'inline', bytes: Buffer.from('x') },
    origin: { listener: '', remoteAddress: '', senderGroup: '' },
  });
  const [row] = ledger.hold(await queue.claim(...CLAIM));
  assert.ok(row !== undefined);
  assert.deepEqual(ledger.hold([row]), [], 'what is held is not given again');
  const outcome = { kind: 'retry', status: '4.2.0', why: 'later', elsewhere: false } as const;
  const concluded = ledger.conclude([{ row, outcome }], { dcid: 1 as Dcid });
  let anew: readonly DueRecipient[] = [];
  while (anew.length === 0) anew = await queue.claim(...CLAIM);
  assert.deepEqual(ledger.hold(anew), anew, 'nobody would have it');
  queue.answer.resolve();
  await concluded;
  assert.deepEqual(ledger.hold(anew), [], 'the late answer must not give it to a second one');
  errands.stopRounds();
});
