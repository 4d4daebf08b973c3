import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configSchema } from '../config/schema.ts';
import { fromNextStart } from './next-start.ts';

const configOf = (system: object, listener: object = {}) =>
  configSchema.parse({
    hostname: 'gw.example.test',
    listeners: {
      in: {
        type: 'private',
        address: ['127.0.0.1:2525', '[::1]:2525'],
        hat: [{ senderGroup: 'ALL', policy: 'BLOCKED' }],
        ...listener,
      },
    },
    system,
  });

test('what a running gateway takes over is not told', () => {
  const later = configOf({ metrics: '127.0.0.1:9100', dnsServers: ['127.0.0.1'] }, { maxConcurrency: 7 });
  assert.deepEqual(fromNextStart(configOf({}), later), []);
});

test('threads, account and the queue of an open socket count from the next start on', () => {
  const later = configOf({ receiveThreads: 2, user: 'mail', group: 'mail' }, { tcpQueue: 7 });
  assert.deepEqual(
    fromNextStart(configOf({}), later),
    ['system.receiveThreads', 'system.user', 'system.group', 'listeners.in.tcpQueue'].map(
      (key) => `${key} counts from the next start on`,
    ),
  );
});

test('a new address gets the queue that it asks for', () => {
  assert.deepEqual(fromNextStart(configOf({}), configOf({}, { address: ['127.0.0.1:2526'], tcpQueue: 7 })), []);
});
