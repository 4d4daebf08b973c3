/** What may stand in a sender group, and which addresses it means. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIp } from '../core/network.ts';
import { parseSender } from './sender-pattern.ts';

/** `low-high`, `host name`, `within suffix`, or `!fault`. */
function meaning(sender: string): string {
  const pattern = parseSender(sender);
  switch (pattern.kind) {
    case 'host':
      return `host ${pattern.name}`;
    case 'partial-host':
      return `within ${pattern.suffix}`;
    case 'fault':
      return '!';
    case 'addresses':
      return pattern.ranges
        .map(({ version, low, high }) => `${formatIp({ version, value: low })}-${formatIp({ version, value: high })}`)
        .join(' ');
  }
}

const MEANINGS: readonly (readonly [sender: string, means: string])[] = [
  ['192.0.2.1', '192.0.2.1-192.0.2.1'],
  // a partial address is a prefix of octets
  ['192.0.2.', '192.0.2.0-192.0.2.255'],
  ['192.0.2', '192.0.2.0-192.0.2.255'],
  ['192.0.', '192.0.0.0-192.0.255.255'],
  ['10.', '10.0.0.0-10.255.255.255'],
  ['10', '10.0.0.0-10.255.255.255'],
  // a range is in the last given octet, the rest is wild
  ['192.0.2.10-20', '192.0.2.10-192.0.2.20'],
  ['192.0.2.16-192.0.3.31', '192.0.2.16-192.0.3.31'],
  ['192.0.2.7-192.0.2.7', '192.0.2.7-192.0.2.7'],
  ['192.0.2-4.', '192.0.2.0-192.0.4.255'],
  ['192.0.2-4', '192.0.2.0-192.0.4.255'],
  ['10.1-3', '10.1.0.0-10.3.255.255'],
  ['10-11.', '10.0.0.0-11.255.255.255'],
  ['10-11', '10.0.0.0-11.255.255.255'],
  ['0-255', '0.0.0.0-255.255.255.255'],
  // CIDR, octets that are not given are 0
  ['192.0.2.0/24', '192.0.2.0-192.0.2.255'],
  ['192.0.2.77/24', '192.0.2.0-192.0.2.255'],
  ['192.0.2/24', '192.0.2.0-192.0.2.255'],
  ['192.168/16', '192.168.0.0-192.168.255.255'],
  ['10/8', '10.0.0.0-10.255.255.255'],
  ['0.0.0.0/0', '0.0.0.0-255.255.255.255'],
  // IPv6
  ['2001:db8::1', '2001:db8::1-2001:db8::1'],
  ['2001:0DB8::0001', '2001:db8::1-2001:db8::1'],
  ['::1', '::1-::1'],
  ['2001:db8::/32', '2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['2001:db8::1-2001:db8::ff', '2001:db8::1-2001:db8::ff'],
  ['2001:db8::1-ff', '2001:db8::1-2001:db8::ff'],
  ['2001:db8:1-2:0:0:0:0:5', '2001:db8:1::5-2001:db8:1::5 2001:db8:2::5-2001:db8:2::5'],
  ['::ffff:192.0.2.1', '192.0.2.1-192.0.2.1'],
  // names
  ['mail.example.com', 'host mail.example.com'],
  ['MAIL.Example.COM', 'host mail.example.com'],
  ['.example.com', 'within example.com'],
  ['localhost', 'host localhost'],
  ['b\u00fccher.example', 'host xn--bcher-kva.example'],
  // a comment in parentheses, as in exported tables
  ['192.0.2.1 (the old relay)', '192.0.2.1-192.0.2.1'],
  ['.example.com(partners)', 'within example.com'],
];

for (const [sender, means] of MEANINGS) test(`${sender} means ${means}`, () => assert.equal(meaning(sender), means));

const FAULTS = [
  '',
  ' ',
  '256',
  '192.0.2.1.',
  '192.0.2.1.5',
  '192.0.2.300',
  '192.0.2.05',
  '192.0.2.20-10',
  '192.0.2-',
  '-5',
  '1-2-3',
  '192.0.2.9-192.0.2.1',
  '192.0.2-192.0.3.9',
  '192.0.2.1-192.0.2.256',
  '192.0.2.0/33',
  '10/8/8',
  '192.0.2./24',
  '2001:db8::/129',
  '2001:db8::g',
  '2001:db8::ff-1',
  '2001:db8::2-2001:db8::1',
  '2001:0-ffff:0:0:0:0:0:1',
  'fe80::1%eth0',
  '1::2::3',
  '::1-192.0.2.1',
  'exa mple.com',
  '.',
  '..example.com',
  'example..com',
  '*.example.com',
  '-a.example',
  'a@example.com',
];

for (const sender of FAULTS) test(`${JSON.stringify(sender)} is a fault`, () => assert.equal(meaning(sender), '!'));

for (const sender of [
  'SBRS[-10.0:-2.0]',
  'sbrs[none]',
  'SBO:1234',
  'dnslist[bl.example]',
  'geo[de]',
  'country[DE]',
  'nx.domain',
  'serv.fail',
  'not.double.verified',
]) {
  test(`${sender} is a form of a later release, and the fault says so`, () => {
    const pattern = parseSender(sender);
    assert.match(pattern.kind === 'fault' ? pattern.message : '', /later release/);
  });
}

test('ALL among the senders is a fault that names the group ALL', () => {
  const pattern = parseSender('all');
  assert.match(pattern.kind === 'fault' ? pattern.message : '', /senderGroup: ALL/);
});
