/** Connection limits, counted across threads. Here threads are several views of one buffer; at the end real ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ConnectionLimits, createConnectionLimits } from './connection-limits.ts';

const SHAPE = { lanes: 3, listeners: 4, addresses: 16 };

function threads(shape = SHAPE): [ConnectionLimits, ConnectionLimits, ConnectionLimits] {
  const buffer = createConnectionLimits(shape);
  return [new ConnectionLimits(buffer, 0), new ConnectionLimits(buffer, 1), new ConnectionLimits(buffer, 2)];
}

test('a listener takes as many connections as its limit, over all threads', () => {
  const [a, b] = threads();
  assert.equal(a.enterListener(1, 2), 'ok');
  assert.equal(b.enterListener(1, 2), 'ok');
  assert.equal(a.enterListener(1, 2), 'listener');
  assert.equal(a.enterListener(2, 2), 'ok');
  b.leaveListener(1);
  assert.equal(a.enterListener(1, 2), 'ok');
  assert.equal(b.connectionsTo(1), 2);
});

test('an address may have as many connections as its limit, over all threads, per listener', () => {
  const [a, b] = threads();
  assert.equal(a.enterAddress(0, '192.0.2.1', 2), 'ok');
  assert.equal(b.enterAddress(0, '192.0.2.1', 2), 'ok');
  assert.equal(b.enterAddress(0, '192.0.2.1', 2), 'address');
  assert.equal(b.enterAddress(0, '192.0.2.2', 2), 'ok');
  assert.equal(b.enterAddress(1, '192.0.2.1', 2), 'ok');
  a.leaveAddress(0, '192.0.2.1');
  assert.equal(b.enterAddress(0, '192.0.2.1', 2), 'ok');
  assert.equal(a.connectionsFrom(0, '192.0.2.1'), 2);
});

test('leaving undoes both, and never more than was entered', () => {
  const [a] = threads();
  a.enterListener(0, 10);
  a.enterAddress(0, '::1', 10);
  for (let i = 0; i < 3; i++) a.leave(0, '::1');
  assert.deepEqual([a.connectionsTo(0), a.connectionsFrom(0, '::1')], [0, 0]);
});

test('addresses that cannot be told apart are counted together, not for free', () => {
  const [a] = threads();
  assert.equal(a.enterAddress(0, 'unknown', 1), 'ok');
  assert.equal(a.enterAddress(0, 'other', 1), 'address');
});

test('a full table refuses, and takes again when an address has left', () => {
  const [a] = threads();
  for (let i = 0; i < 16; i++) assert.equal(a.enterAddress(0, `192.0.2.${i}`, 5), 'ok');
  assert.equal(a.enterAddress(0, '192.0.2.99', 5), 'address');
  assert.equal(a.enterAddress(0, '192.0.2.3', 5), 'ok');
  a.leaveAddress(0, '192.0.2.7');
  assert.equal(a.enterAddress(0, '192.0.2.99', 5), 'ok');
  for (let i = 0; i < 16; i++) {
    if (i !== 7) assert.equal(a.connectionsFrom(0, `192.0.2.${i}`), i === 3 ? 2 : 1, `192.0.2.${i}`);
  }
});

test('what a dead thread had counted is forgotten, its lock too', () => {
  const buffer = createConnectionLimits(SHAPE);
  const [control, dead] = [new ConnectionLimits(buffer, 0), new ConnectionLimits(buffer, 2)];
  dead.enterListener(0, 9);
  dead.enterAddress(0, '192.0.2.1', 9);
  control.enterListener(0, 9);
  Atomics.store(new Int32Array(buffer), 0, 3); // lane 2 died holding the lock
  control.clearLane(2);
  assert.deepEqual([control.connectionsTo(0), control.connectionsFrom(0, '192.0.2.1')], [1, 0]);
});

test('a listener or lane that does not exist is a bug, not a limit', () => {
  const [a] = threads();
  assert.throws(() => a.enterListener(4, 1), RangeError);
  assert.throws(() => new ConnectionLimits(createConnectionLimits(SHAPE), 3), RangeError);
});

test('counts agree with a plain map through any order of coming and going', () => {
  const [a, b] = threads();
  const counts = new Map<string, number>();
  let random = 12_345;
  const next = (below: number): number => {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
    return (random >>> 8) % below;
  };
  for (let i = 0; i < 5000; i++) {
    const lane = next(2);
    const ip = `2001:db8::${next(14).toString(16)}`;
    const key = `${lane} ${ip}`;
    const have = counts.get(key) ?? 0;
    const limits = lane === 0 ? a : b;
    if (next(2) === 0 || have === 0) {
      assert.equal(limits.enterAddress(0, ip, 1000), 'ok');
      counts.set(key, have + 1);
    } else {
      limits.leaveAddress(0, ip);
      counts.set(key, have - 1);
    }
    assert.equal(a.connectionsFrom(0, ip), (counts.get(`0 ${ip}`) ?? 0) + (counts.get(`1 ${ip}`) ?? 0));
  }
});

test('real threads never exceed a limit together', async () => {
  const buffer = createConnectionLimits({ lanes: 4, listeners: 1, addresses: 64 });
  const code = `
    const { workerData: { buffer, lane, module }, parentPort } = require('node:worker_threads');
    import(module).then(({ ConnectionLimits }) => {
      const limits = new ConnectionLimits(buffer, lane);
      let worst = 0;
      let entered = 0;
      for (let i = 0; i < 20000; i++) {
        if (limits.enterAddress(0, '192.0.2.1', 2) !== 'ok') continue;
        entered += 1;
        worst = Math.max(worst, limits.connectionsFrom(0, '192.0.2.1'));
        limits.leaveAddress(0, '192.0.2.1');
      }
      parentPort.postMessage({ worst, entered });
    });`;
  const module = new URL('./connection-limits.ts', import.meta.url).href;
  const results = await Promise.all(
    [1, 2, 3].map(
      (lane) =>
        new Promise<{ worst: number; entered: number }>((resolve, reject) => {
          const worker = new Worker(code, { eval: true, workerData: { buffer, lane, module } });
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    ),
  );
  assert.ok(
    results.every(({ worst, entered }) => entered > 0 && worst <= 2),
    JSON.stringify(results),
  );
  assert.equal(new ConnectionLimits(buffer).connectionsFrom(0, '192.0.2.1'), 0);
});
