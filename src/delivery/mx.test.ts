import assert from 'node:assert/strict';
import { test } from 'node:test';
import { no, unknown, yes } from '../core/verdict.ts';
import { type MxRecord, planAddresses, planMx } from './mx.ts';

const plan = (records: readonly MxRecord[], random = () => 0.5) =>
  planMx({ domain: 'x.test', answer: yes(records), self: 'gw.example.test', random });
const mx = (preference: number, exchange: string): MxRecord => ({ exchange, preference });
const hosts = (result: ReturnType<typeof plan>) =>
  result.kind === 'hosts' ? result.hosts : `${result.kind} ${result.status}`;

test('lower preference comes first, and equal preference is shuffled with the randomness handed in', () => {
  const records = [mx(20, 'c.test'), mx(10, 'a.test'), mx(10, 'b.test')];
  assert.deepEqual(hosts(plan(records)), ['a.test', 'b.test', 'c.test']);
  const falling = [0.9, 0.8, 0.1];
  assert.deepEqual(hosts(plan(records, () => falling.shift() ?? 0)), ['b.test', 'a.test', 'c.test']);
});

test('a null MX is permanent', () => {
  assert.equal(hosts(plan([mx(0, '')])), 'bounce 5.1.10');
  assert.equal(hosts(plan([mx(0, '.')])), 'bounce 5.1.10');
});

test('the root beside other records counts for nothing', () => {
  assert.deepEqual(hosts(plan([mx(0, '.'), mx(5, 'a.test')])), ['a.test']);
});

test('without MX records the domain is its own host', () => {
  const result = planMx({ domain: 'x.test', answer: no('none'), self: 'gw.example.test', random: () => 0 });
  assert.deepEqual(result, { kind: 'hosts', hosts: ['x.test'], implicit: true });
});

test('no answer is not no record', () => {
  assert.equal(
    hosts(planMx({ domain: 'x.test', answer: unknown('SERVFAIL'), self: 'gw', random: () => 0 })),
    'retry 4.4.3',
  );
});

test('our own name ends the list there, and at its head the mail would loop', () => {
  assert.deepEqual(hosts(plan([mx(5, 'a.test'), mx(10, 'GW.example.test.'), mx(10, 'b.test'), mx(20, 'c.test')])), [
    'a.test',
  ]);
  assert.equal(hosts(plan([mx(5, 'gw.example.test'), mx(10, 'b.test')])), 'bounce 5.4.6');
});

test('records that name no host are an error, not a reason to try the domain itself', () => {
  assert.equal(hosts(plan([mx(1, 'a b'), mx(2, 'localhost'), mx(3, '192.0.2.1')])), 'bounce 5.4.4');
  assert.equal(hosts(plan([])), 'bounce 5.4.4');
});

test('a zone with hundreds of hosts is cut short', () => {
  const result = plan(Array.from({ length: 300 }, (_, i) => mx(i, `h${i}.test`)));
  assert.equal(result.kind === 'hosts' && result.hosts.length, 16);
});

test('addresses keep the order of their hosts, and unusable ones are left out', () => {
  const result = planAddresses(
    'x.test',
    [
      { host: 'a.test', port: 25, answer: yes(['0.0.0.0', '224.0.0.1', '2001:db8::1', '192.0.2.1']) },
      { host: 'b.test', port: 25, answer: unknown('time-out') },
      { host: 'c.test', port: 25, answer: yes(['192.0.2.2']) },
    ],
    'mx',
  );
  assert.deepEqual(result.kind === 'addresses' && result.addresses.map(({ address }) => address), [
    '2001:db8::1',
    '192.0.2.1',
    '192.0.2.2',
  ]);
});

const noAddress: [string, Parameters<typeof planAddresses>[2], 'no' | 'unknown', string][] = [
  ['a domain that does not exist bounces', 'implicit', 'no', 'bounce 5.1.2'],
  ['MX records that lead nowhere bounce', 'mx', 'no', 'bounce 5.4.4'],
  ['a route whose host does not exist waits for the administrator', 'route', 'no', 'retry 4.4.4'],
  ['an address that cannot be looked up waits', 'implicit', 'unknown', 'retry 4.4.3'],
];
for (const [title, kind, answer, expected] of noAddress)
  test(title, () => {
    const result = planAddresses(
      'x.test',
      [{ host: 'x.test', port: 25, answer: answer === 'no' ? no('') : unknown('') }],
      kind,
    );
    assert.equal(result.kind === 'addresses' ? '' : `${result.kind} ${result.status}`, expected);
  });
