import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CounterReset } from './counter-reset.ts';

const RECEIVED = 'sallyport_messages_received_total';
const DELIVERED = 'sallyport_recipients_delivered_total';

test('counters count from their reset on, gauges are none of them', () => {
  const counters = new CounterReset();
  const now = { [RECEIVED]: 5, sallyport_queue_messages: 3 };
  assert.deepEqual(counters.since(now), { [RECEIVED]: 5 });
  assert.equal(counters.atMs, undefined);
  counters.reset(now, 1000);
  assert.equal(counters.atMs, 1000);
  assert.deepEqual(counters.since({ [RECEIVED]: 7, [DELIVERED]: 1 }), { [RECEIVED]: 2, [DELIVERED]: 1 });
});

test('a counter that began anew with its thread is not negative', () => {
  const counters = new CounterReset();
  counters.reset({ [RECEIVED]: 100 }, 0);
  assert.deepEqual(counters.since({ [RECEIVED]: 3 }), { [RECEIVED]: 0 });
});
