/** Who connects most, over all receive threads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeTopSenders, TopSenders } from './top-senders.ts';

const mx = { listener: 'mx', remoteAddress: '192.0.2.1' };

test('connections, messages and recipients count by listener and address, and the confirmed name stays', () => {
  const senders = new TopSenders();
  senders.connected(mx, 'mail.example.org', 1000);
  senders.connected(mx, undefined, 2000);
  senders.connected({ ...mx, listener: 'submission' }, undefined, 1500);
  senders.accepted(mx, 3);
  senders.accepted(mx, 1);
  senders.accepted({ ...mx, remoteAddress: '192.0.2.9' }, 5);
  const [first, second, ...more] = senders.top(10);
  assert.deepEqual(first, {
    ...mx,
    hostname: 'mail.example.org',
    connections: 2,
    atMostTooMany: 0,
    messages: 2,
    recipients: 4,
    lastMs: 2000,
  });
  assert.deepEqual([second?.listener, second?.connections, more], ['submission', 1, []]);
});

test('threads are added up, and the latest name counts', () => {
  const [one, two] = [new TopSenders(), new TopSenders()];
  one.connected(mx, 'old.example.org', 1000);
  one.accepted(mx, 2);
  two.connected(mx, 'new.example.org', 2000);
  two.connected({ ...mx, remoteAddress: '192.0.2.2' }, undefined, 2000);
  const merged = mergeTopSenders([one.top(10), two.top(10)]);
  assert.deepEqual(
    merged.map(({ remoteAddress, connections, recipients, hostname }) => [
      remoteAddress,
      connections,
      recipients,
      hostname,
    ]),
    [
      ['192.0.2.1', 2, 2, 'new.example.org'],
      ['192.0.2.2', 1, 0, undefined],
    ],
  );
});
