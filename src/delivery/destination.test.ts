import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mid, Rid } from '../core/ids.ts';
import type { DueRecipient } from '../core/ports.ts';
import { controlledWay, groupDue, type Job } from './destination.ts';
import type { DestinationControl } from './destination-control-table.ts';
import { DestinationControls } from './destination-controls.ts';
import { HostMemory } from './host-memory.ts';
import type { Outcome } from './outcome.ts';
import { compileRoutes, domainOf, routeOf } from './smtp-routes.ts';

const due = (mid: number, rid: number, address: string): DueRecipient => ({
  mid: mid as Mid,
  recipient: { rid: rid as Rid, address },
  sender: 's@example.org',
  body: '7BIT',
  smtpUtf8: false,
  size: 100,
  receivedMs: 0,
  attempts: 0,
});
const table = compileRoutes({ 'gone.test': ['/dev/null'], '.routed.test': ['192.0.2.1'] });
const control: DestinationControl = {
  rule: 'destinationControls.default',
  tls: 'preferred',
  maxConnections: 20,
  maxMessagesPerConnection: 50,
  recipientLimit: undefined,
  byDomain: false,
};
const wayBy = (controlled: DestinationControl) => (address: string) =>
  controlledWay(routeOf(table, address), controlled, domainOf(address));
const group = (rows: readonly DueRecipient[], controlled = control) => groupDue(rows, wayBy(controlled), 5);

test('one message to one next hop is one job, however many domains share it', () => {
  const { jobs } = group([
    due(1, 0, 'a@x.routed.test'),
    due(1, 1, 'b@y.routed.test'),
    due(2, 0, 'a@x.routed.test'),
    due(1, 2, 'c@mx.test'),
  ]);
  assert.deepEqual(
    jobs.map(({ route, rows }) => [route.key, rows.map(({ mid, recipient }) => `${mid}:${recipient.rid}`)]),
    [
      ['smtpRoutes..routed.test', ['1:0', '1:1']],
      ['smtpRoutes..routed.test', ['2:0']],
      ['mx.test', ['1:2']],
    ],
  );
});

test('a transaction has at most a hundred recipients', () => {
  const { jobs } = group(Array.from({ length: 250 }, (_, rid) => due(1, rid, `r${rid}@mx.test`)));
  assert.deepEqual(
    jobs.map(({ rows }) => rows.length),
    [100, 100, 50],
  );
});

test('discarded and impossible recipients need no connection', () => {
  const { jobs, discarded, impossible } = group([
    due(1, 0, 'a@gone.test'),
    due(1, 1, 'a@-bad-.test'),
    due(2, 0, 'nobody'),
  ]);
  assert.equal(jobs.length, 0);
  assert.deepEqual(
    discarded.map(({ rule, rows }) => [rule, rows.length]),
    [['smtpRoutes.gone.test', 1]],
  );
  assert.deepEqual(
    impossible.map(({ status, rows }) => [status, rows[0]?.mid]),
    [
      ['5.1.2', 1],
      ['5.1.2', 2],
    ],
  );
});

const job = (key: string, mid = 1, maxConnections = 20): Job => ({
  route: { kind: 'mx', key, rule: '', domain: key, control: { ...control, maxConnections } },
  rows: [due(mid, 0, `a@${key}`)],
  claimedMs: 0,
  tries: 0,
});

test('a next hop starts with one connection and doubles what is established', () => {
  const controls = new DestinationControls({ maxConnections: 100 });
  for (let i = 0; i < 10; i++) controls.add(job('x.test', i));
  const start = (): number => {
    let started = 0;
    while (controls.start() !== undefined) started++;
    return started;
  };
  assert.equal(start(), 1);
  controls.established('x.test');
  assert.equal(start(), 1);
  controls.established('x.test');
  assert.equal(start(), 2);
});

test('limits hold per next hop and in all, and next hops take turns', () => {
  const controls = new DestinationControls({ maxConnections: 3 });
  for (const key of ['a.test', 'b.test', 'a.test', 'b.test', 'a.test', 'b.test']) controls.add(job(key, 1, 2));
  assert.deepEqual([controls.start()?.key, controls.start()?.key, controls.start()], ['a.test', 'b.test', undefined]);
  controls.established('a.test');
  controls.established('b.test');
  assert.equal(controls.start()?.key, 'a.test');
  assert.equal(controls.start(), undefined, 'three in all');
  controls.established('a.test');
  controls.ended('b.test');
  assert.equal(controls.start()?.key, 'b.test', 'two of a.test are its limit');
});

test('a next hop that cannot be reached gives back all its jobs', () => {
  const controls = new DestinationControls({ maxConnections: 9 });
  for (let mid = 0; mid < 5; mid++) controls.add(job('x.test', mid));
  controls.start();
  assert.equal(controls.failed('x.test').length, 5);
  assert.deepEqual([controls.waiting, controls.connections, controls.start()], [0, 0, undefined]);
});

test('a host that refuses one more connection keeps those it has, and their jobs', () => {
  const controls = new DestinationControls({ maxConnections: 9 });
  for (let mid = 0; mid < 5; mid++) controls.add(job('x.test', mid));
  controls.start();
  controls.established('x.test');
  controls.start();
  assert.deepEqual(controls.failed('x.test'), []);
  assert.equal(controls.start(), undefined);
  controls.ended('x.test');
  assert.equal(controls.start()?.key, 'x.test');
});

test('a job wakes a resting connection instead of starting another', async () => {
  const controls = new DestinationControls({ maxConnections: 9 });
  controls.add(job('x.test'));
  controls.start();
  controls.established('x.test');
  controls.take('x.test');
  const rest = controls.rest('x.test');
  controls.add(job('x.test', 2));
  await rest.work;
  assert.equal(controls.start(), undefined);
  rest.over();
  assert.equal(controls.take('x.test')?.rows[0]?.mid, 2);
});

test('a stop gets every job that nobody has begun', () => {
  const controls = new DestinationControls({ maxConnections: 9 });
  for (let mid = 0; mid < 3; mid++) controls.add(job(`${mid}.test`, mid));
  controls.start();
  controls.established('0.test');
  controls.take('0.test');
  assert.equal(controls.drain().length, 2);
});

const host = { host: 'mx.test', address: '192.0.2.1', port: 25 };
const outcome: Outcome = { kind: 'retry', status: '4.4.1', why: 'refused', elsewhere: true };
const failure = (nowMs: number) => ({ outcome, nowMs, initialWaitMs: 60_000, maxWaitMs: 3_600_000 });

test('a host that failed is left alone for half of the wait of a message, longer each time, until it works', () => {
  const memory = new HostMemory();
  memory.failed(host, failure(0));
  assert.deepEqual(memory.usable([host], 29_999), { try: [], down: [outcome] });
  assert.deepEqual(memory.usable([host], 30_000).try, [host]);
  memory.failed(host, failure(30_000));
  assert.deepEqual(memory.usable([host], 89_999).try, []);
  assert.deepEqual(memory.usable([host], 90_000).try, [host]);
  memory.worked(host);
  memory.failed(host, failure(100_000));
  assert.deepEqual(memory.usable([host], 130_000).try, [host]);
});

test('a host is never left alone for longer than ten minutes, and another port is another host', () => {
  const memory = new HostMemory();
  for (let i = 0; i < 50; i++) memory.failed(host, failure(0));
  assert.deepEqual(memory.usable([host], 600_000).try, [host]);
  assert.equal(memory.usable([{ ...host, port: 26 }], 0).try.length, 1);
});

test('what an administrator takes back is out of its job, and only that; nothing of it is begun any more', () => {
  const controls = new DestinationControls({ maxConnections: 9 });
  const { jobs } = group([
    due(1, 0, 'a@mx.test'),
    due(1, 1, 'b@mx.test'),
    due(2, 0, 'a@mx.test'),
    due(3, 0, 'a@other.test'),
  ]);
  for (const job of jobs) controls.add(job);
  const names = (rows: readonly DueRecipient[] = []): string[] =>
    rows.map(({ mid, recipient }) => `${mid}:${recipient.rid}`);
  assert.deepEqual(names(controls.withdraw(({ recipient }) => recipient.address.startsWith('a@mx'))), ['1:0', '2:0']);
  assert.equal(controls.waiting, 2);
  assert.deepEqual(controls.load('mx.test'), { connecting: 0, established: 0, waiting: 1 });
  assert.deepEqual(names(controls.take('mx.test')?.rows), ['1:1']);
  assert.equal(controls.take('mx.test'), undefined);
  assert.deepEqual(names(controls.withdraw(() => true)), ['3:0']);
  assert.equal(controls.start(), undefined, 'there is nothing left to connect for');
});

test('what is no good with required TLS may do for a destination that only prefers it', () => {
  const memory = new HostMemory();
  memory.failed({ ...host, tls: 'required' }, failure(0));
  assert.deepEqual(memory.usable([{ ...host, tls: 'required' }], 0).try, []);
  assert.equal(memory.usable([host], 0).try.length, 1);
});

test('domains that share a route share connections; a row of their own, required TLS or a limit sets them apart', () => {
  const rows = [due(1, 0, 'a@x.routed.test'), due(1, 1, 'b@Y.routed.test'), due(1, 2, 'c@mx.test')];
  const keys = (change: Partial<DestinationControl>) =>
    group(rows, { ...control, ...change }).jobs.map(({ route }) => `${route.key} (${route.domain})`);
  assert.equal(keys({}).length, 2);
  assert.deepEqual(keys({ byDomain: true, tls: 'required' }), [
    'smtpRoutes..routed.test x.routed.test tls=required (x.routed.test)',
    'smtpRoutes..routed.test y.routed.test tls=required (y.routed.test)',
    'mx.test tls=required (mx.test)',
  ]);
  assert.equal(keys({ tls: 'off' })[0], 'smtpRoutes..routed.test tls=off (x.routed.test)');
});
