/** The host access table as an administrator reads it: groups from top to bottom, the first that matches decides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config, MailFlowPolicyConfig, SenderGroupConfig } from '../config/schema.ts';
import { renderFaultPath } from '../core/fault.ts';
import { type CompiledHat, compileHat, faultsOfPolicy, matchHat, needsHostname } from './host-access-table.ts';

type Group = readonly [senderGroup: string, senders: readonly string[] | undefined, policy: string];

function configOf(
  groups: readonly Group[],
  type: 'public' | 'private' = 'public',
  policies: Record<string, MailFlowPolicyConfig> = {},
): Config {
  const hat = groups.map(
    ([senderGroup, senders, policy]): SenderGroupConfig => ({
      senderGroup,
      policy,
      ...(senders ? { senders: [...senders] } : {}),
    }),
  );
  return {
    hostname: 'gw.example.test',
    mailFlowPolicies: policies,
    listeners: { in: { type, hat } },
  } as unknown as Config;
}

function hatOf(
  groups: readonly Group[],
  type: 'public' | 'private' = 'public',
  policies: Record<string, MailFlowPolicyConfig> = {},
): CompiledHat {
  const { hat, faults } = compileHat('in', configOf(groups, type, policies));
  assert.deepEqual(faults, []);
  assert.ok(hat !== undefined);
  return hat;
}

const HAT: readonly Group[] = [
  ['RELAYLIST', ['10.1.2.3', '2001:db8:1::/48'], 'RELAYED'],
  ['ALLOWED', ['mx.partner.example', '.friend.example', '192.0.2.128/25'], 'TRUSTED'],
  ['BLOCKED_LIST', ['10.', '192.0.2.', '.bad.example', 'friend.example', '::/0'], 'BLOCKED'],
  ['ALL', undefined, 'ACCEPTED'],
];

const ROWS: readonly (readonly [
  title: string,
  ip: string,
  hostname: string | undefined,
  group: string,
  match: string,
])[] = [
  ['an address in the first group', '10.1.2.3', undefined, 'RELAYLIST', '10.1.2.3'],
  ['its neighbour falls into a wider later group', '10.1.2.4', undefined, 'BLOCKED_LIST', '10.'],
  ['a narrow earlier block goes before a wide later one', '192.0.2.200', undefined, 'ALLOWED', '192.0.2.128/25'],
  ['the rest of the wide block', '192.0.2.1', undefined, 'BLOCKED_LIST', '192.0.2.'],
  ['a host name', '203.0.113.1', 'mx.partner.example', 'ALLOWED', 'mx.partner.example'],
  ['names have no case', '203.0.113.1', 'MX.Partner.Example.', 'ALLOWED', 'mx.partner.example'],
  ['a host name does not match what is within it', '203.0.113.1', 'a.mx.partner.example', 'ALL', 'ALL'],
  ['a partial host name matches what is within', '203.0.113.1', 'a.b.friend.example', 'ALLOWED', '.friend.example'],
  [
    'a partial host name does not match the domain itself',
    '203.0.113.1',
    'friend.example',
    'BLOCKED_LIST',
    'friend.example',
  ],
  ['a partial host name goes by labels, not by letters', '203.0.113.1', 'notbad.example', 'ALL', 'ALL'],
  [
    'a name in an earlier group goes before an address in a later one',
    '10.9.9.9',
    'mx.partner.example',
    'ALLOWED',
    'mx.partner.example',
  ],
  [
    'an address in an earlier group goes before a name in a later one',
    '10.1.2.3',
    'x.bad.example',
    'RELAYLIST',
    '10.1.2.3',
  ],
  ['without a verified name only the address counts', '203.0.113.1', undefined, 'ALL', 'ALL'],
  ['an IPv6 block', '2001:db8:1::5', undefined, 'RELAYLIST', '2001:db8:1::/48'],
  ['::/0 takes every other IPv6 address', '2001:db8:2::5', undefined, 'BLOCKED_LIST', '::/0'],
  ['::/0 takes no IPv4 address', '203.0.113.9', undefined, 'ALL', 'ALL'],
];

for (const [title, ip, hostname, senderGroup, match] of ROWS) {
  test(title, () => {
    const found = matchHat(hatOf(HAT), { ip, hostname });
    assert.deepEqual([found.senderGroup, found.match], [senderGroup, match]);
  });
}

test('a match names its rule and its policy', () => {
  assert.deepEqual(matchHat(hatOf(HAT), { ip: '10.1.2.4' }), {
    senderGroup: 'BLOCKED_LIST',
    policy: 'BLOCKED',
    match: '10.',
    rule: 'listeners.in.hat[2]',
  });
});

test('a group whose policy continues does not end the search', () => {
  const groups: readonly Group[] = [
    ['WATCHED', ['10.'], 'NEXT'],
    ['RELAYLIST', ['10.1.'], 'RELAYED'],
    ['ALL', undefined, 'BLOCKED'],
  ];
  const hat = hatOf(groups, 'public', { NEXT: { behavior: 'continue' } });
  assert.equal(matchHat(hat, { ip: '10.1.0.1' }).rule, 'listeners.in.hat[1]');
  assert.equal(matchHat(hat, { ip: '10.2.0.1' }).rule, 'listeners.in.hat[2]');
});

test('without a group ALL a public listener accepts the rest and a private one blocks it', () => {
  const groups: readonly Group[] = [['RELAYLIST', ['10.'], 'RELAYED']];
  const rest = { senderGroup: 'ALL', match: 'ALL', rule: 'listeners.in.hat' };
  assert.deepEqual(matchHat(hatOf(groups, 'public'), { ip: '192.0.2.1' }), { ...rest, policy: 'ACCEPTED' });
  assert.deepEqual(matchHat(hatOf(groups, 'private'), { ip: '192.0.2.1' }), { ...rest, policy: 'BLOCKED' });
});

test('what is no address matches no address', () => {
  assert.equal(
    matchHat(hatOf([['X', ['0.0.0.0/0', '::/0'], 'RELAYED']], 'private'), { ip: 'not an address' }).policy,
    'BLOCKED',
  );
});

test('a name is needed only where it could match before the address does', () => {
  const hat = hatOf(HAT);
  assert.equal(needsHostname(hat, '10.1.2.3'), false);
  assert.equal(needsHostname(hat, '10.1.2.4'), true);
  assert.equal(needsHostname(hat, '203.0.113.1'), true);
  assert.equal(needsHostname(hatOf([['X', ['10.'], 'RELAYED']]), '203.0.113.1'), false);
});

test('a compiled table survives the way to another thread and shares its memory', () => {
  const hat = hatOf(HAT);
  const clone = structuredClone(hat);
  assert.equal(clone.ipv4.starts.buffer instanceof SharedArrayBuffer, true);
  for (const [, ip, hostname] of ROWS)
    assert.deepEqual(matchHat(clone, { ip, hostname }), matchHat(hat, { ip, hostname }));
});

test('faults name the sender, and a table with faults is not compiled', () => {
  const config = configOf([
    ['A', ['10.', '10.0.0.300'], 'RELAYED'],
    ['B', ['sbrs[-10:-1]', '192.0.2.1', '192.0.2.1'], 'BLOCKED'],
  ]);
  assert.equal(compileHat('in', config).hat, undefined);
  assert.deepEqual(
    faultsOfPolicy(config).map(({ path, severity }) => `${severity} ${renderFaultPath(path)}`),
    [
      'error listeners.in.hat[0].senders[1]',
      'error listeners.in.hat[1].senders[0]',
      'warning listeners.in.hat[1].senders[2]',
    ],
  );
});

test('50,000 entries are found as quickly as five', () => {
  const senders = Array.from({ length: 50_000 }, (_, i) => `${10 + (i >> 14)}.${(i >> 6) & 255}.${(i & 63) * 4}.0/23`);
  const hat = hatOf([
    ['MANY', senders, 'BLOCKED'],
    ['ALL', undefined, 'ACCEPTED'],
  ]);
  assert.equal(matchHat(hat, { ip: '10.0.1.9' }).match, '10.0.0.0/23');
  assert.equal(matchHat(hat, { ip: '10.0.3.9' }).senderGroup, 'ALL');
  // 16 steps of a binary search for a hundred thousand borders; a walk through the list would take seconds here.
  for (let i = 0; i < 50_000; i++) matchHat(hat, { ip: `10.${i & 255}.${i & 127}.1` });
});
