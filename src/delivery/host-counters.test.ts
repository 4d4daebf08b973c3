/** What delivery has seen of each recipient host. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fate, HostCounters, HopStates } from './host-counters.ts';

const at = { nowMs: 1000 };

test('each fate counts once, hard bounces by their kind', () => {
  const counters = new HostCounters();
  const fates: Fate[] = [
    { kind: 'delivered' },
    { kind: 'delivered' },
    { kind: 'retry' },
    { kind: 'deleted' },
    { kind: 'bounce', status: '5.1.1', diagnostic: '550 5.1.1 no such user' },
    { kind: 'bounce', status: '5.4.7', diagnostic: '451 4.7.1 later' },
    { kind: 'bounce', status: '5.4.7' },
    { kind: 'bounce', status: '5.1.2' },
    { kind: 'bounce', status: '5.1.10' },
    { kind: 'bounce', status: '5.0.0' },
  ];
  for (const fate of fates) counters.count('example.org', fate, { ...at, remoteHost: 'mx.example.org' });
  const { delivered, softBounced, deleted, hardBounced, last5xx } = counters.get('example.org') ?? {};
  assert.deepEqual([delivered, softBounced, deleted], [2, 1, 1]);
  assert.deepEqual(hardBounced, { dns: 2, fiveXX: 1, expired: 2, other: 1 });
  assert.deepEqual(last5xx, { text: '550 5.1.1 no such user', atMs: 1000, remoteHost: 'mx.example.org' });
});

test('memory is bounded: the oldest host that has been quiet longest makes room', () => {
  const counters = new HostCounters();
  for (let n = 0; n < 10_000; n++) counters.count(`h${n}.example`, { kind: 'delivered' }, { nowMs: n });
  counters.count('h0.example', { kind: 'delivered' }, { nowMs: 20_000 });
  counters.count('one-more.example', { kind: 'delivered' }, { nowMs: 20_001 });
  assert.equal([...counters.all()].length, 10_000);
  assert.equal(counters.get('h1.example'), undefined);
  assert.equal(counters.get('h0.example')?.delivered, 2);
});

test('a next hop is as it was when last asked', () => {
  const hops = new HopStates();
  assert.equal(hops.get('ALL'), undefined);
  hops.note('ALL', { state: 'down', atMs: 1000, why: 'refused' });
  hops.note('ALL', { state: 'up', atMs: 2000 });
  assert.deepEqual(hops.get('ALL'), { state: 'up', atMs: 2000 });
});
