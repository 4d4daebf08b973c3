/** The compiled host access table against the rule in its plainest form: walk the table, take the first that matches. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Config } from '../../src/config/schema.ts';
import { inRange, parseIp } from '../../src/core/network.ts';
import { compileHat, matchHat, needsHostname } from '../../src/policy/host-access-table.ts';
import { parseSender } from '../../src/policy/sender-pattern.ts';

const octet = fc.constantFrom(0, 1, 2, 10, 127, 128, 254, 255);
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
const ipv6 = fc
  .tuple(
    fc.constantFrom('2001:db8', '2001:db9', 'ffff:ffff', '0:0'),
    fc.constantFrom('0', '1', '8000', 'ffff'),
    fc.constantFrom('::', ':0:0:0:0:ffff', ':ffff:ffff:ffff:ffff:ffff'),
  )
  .map(([head, middle, tail]) => (tail === '::' ? `${head}:${middle}::1` : `${head}:${middle}${tail}`));
const hostname = fc
  .tuple(
    fc.constantFrom('a', 'b', 'mx'),
    fc.constantFrom('', '.a', '.sub'),
    fc.constantFrom('.example', '.example.com'),
  )
  .map((parts) => parts.join(''));

const sender = fc.oneof(
  ipv4,
  ipv4.map((ip) => ip.split('.').slice(0, 2).join('.')),
  ipv4.map((ip) => `${ip.split('.').slice(0, 3).join('.')}.`),
  fc.tuple(octet, octet, octet).map(([a, b, c]) => `${a}.${Math.min(b, c)}-${Math.max(b, c)}`),
  fc.tuple(ipv4, fc.nat({ max: 32 })).map(([ip, bits]) => `${ip}/${bits}`),
  ipv6,
  fc.tuple(ipv6, fc.nat({ max: 128 })).map(([ip, bits]) => `${ip}/${bits}`),
  hostname,
  hostname.map((name) => `.${name}`),
);

const POLICIES = ['RELAYED', 'ACCEPTED', 'BLOCKED', 'NEXT'] as const;
const group = fc.record({ senders: fc.array(sender, { maxLength: 8 }), policy: fc.constantFrom(...POLICIES) });
const table = fc.array(group, { maxLength: 6 });
const subject = fc.record({ ip: fc.oneof(ipv4, ipv6), hostname: fc.option(hostname, { nil: undefined }) });

type Table = readonly { readonly senders: readonly string[]; readonly policy: string }[];

function naive(groups: Table, { ip, hostname: name }: { ip: string; hostname: string | undefined }): string {
  const address = parseIp(ip);
  for (const [i, { senders, policy }] of groups.entries()) {
    if (policy === 'NEXT') continue;
    for (const text of senders) {
      const pattern = parseSender(text);
      const matches =
        (pattern.kind === 'addresses' &&
          address !== undefined &&
          pattern.ranges.some((range) => inRange(range, address))) ||
        (pattern.kind === 'host' && pattern.name === name) ||
        (pattern.kind === 'partial-host' && name !== undefined && name.endsWith(`.${pattern.suffix}`));
      if (matches) return `${i} ${text}`;
    }
  }
  return 'ALL';
}

function compile(groups: Table) {
  const hat = groups.map(({ senders, policy }, i) => ({ senderGroup: `G${i}`, senders, policy }));
  const config = {
    hostname: 'gw',
    mailFlowPolicies: { NEXT: { behavior: 'continue' } },
    listeners: { in: { type: 'public', hat } },
  };
  const { hat: compiled, faults } = compileHat('in', config as unknown as Config);
  assert.deepEqual(
    faults.filter(({ severity }) => severity === 'error'),
    [],
  );
  assert.ok(compiled !== undefined);
  return compiled;
}

test('the compiled table finds what a walk through the table finds', () => {
  fc.assert(
    fc.property(table, fc.array(subject, { minLength: 1, maxLength: 10 }), (groups, subjects) => {
      const hat = compile(groups);
      for (const each of subjects) {
        const { senderGroup, match } = matchHat(hat, each);
        assert.equal(senderGroup === 'ALL' ? 'ALL' : `${senderGroup.slice(1)} ${match}`, naive(groups, each));
      }
    }),
    { numRuns: 400 },
  );
});

test('where no name is needed, no name changes the outcome', () => {
  fc.assert(
    fc.property(table, subject, (groups, { ip, hostname: name }) => {
      const hat = compile(groups);
      if (!needsHostname(hat, ip)) assert.deepEqual(matchHat(hat, { ip, hostname: name }), matchHat(hat, { ip }));
    }),
    { numRuns: 400 },
  );
});
