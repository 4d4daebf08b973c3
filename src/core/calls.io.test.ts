/** Calls between threads: answers, errors with their codes, and what is pending when the other side goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { callsOver, serveCalls } from './calls.io.ts';
import { GatewayError } from './errors.ts';

class Counter {
  #count = 0;
  async add(by: number): Promise<number> {
    this.#count += by;
    return this.#count;
  }
  async full(): Promise<never> {
    throw new GatewayError('storage-full', 'the disk is full');
  }
  async never(): Promise<never> {
    return new Promise(() => undefined);
  }
}

type Groups = { readonly counter: Counter; readonly other: { missing(): Promise<void> } };

function connected(): { readonly calls: Groups; readonly close: () => void } {
  const { port1, port2 } = new MessageChannel();
  serveCalls(port1, { counter: new Counter() });
  return { calls: callsOver<Groups>(port2), close: () => port1.close() };
}

test('a call runs the method of the object in the other thread, and the object keeps its state', async () => {
  const { calls, close } = connected();
  assert.equal(await calls.counter.add(2), 2);
  assert.deepEqual(await Promise.all([calls.counter.add(1), calls.counter.add(10)]), [3, 13]);
  close();
});

test('an error arrives with its words, and a GatewayError with its code', async () => {
  const { calls, close } = connected();
  await assert.rejects(calls.counter.full(), {
    name: 'GatewayError',
    code: 'storage-full',
    message: 'the disk is full',
  });
  await assert.rejects(calls.other.missing(), /there is no call other\.missing/);
  close();
});

test('when the other thread is gone, what is pending and what comes later rejects', async () => {
  const { calls, close } = connected();
  const pending = assert.rejects(calls.counter.never(), { code: 'closed' });
  close();
  await pending;
  await assert.rejects(calls.counter.add(1), { code: 'closed' });
});
