/** Double DNS: a name counts only if it leads back to the address. The DNS here is a table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dns } from '../core/ports.ts';
import { type Answer, no, unknown, yes } from '../core/verdict.ts';
import { senderFacts } from './sender-facts.io.ts';

type Table = Readonly<Record<string, readonly string[] | 'unknown'>>;

const answerOf = (table: Table, key: string): Answer<readonly string[]> => {
  const found = table[key];
  return found === undefined ? no('no such name') : found === 'unknown' ? unknown('SERVFAIL') : yes(found);
};

const dnsOf = (reverse: Table, forward: Table): Dns => ({
  reverse: async (ip) => answerOf(reverse, ip),
  addresses: async (host) => answerOf(forward, host),
  mx: async () => no('not asked here'),
});

const ROWS: readonly (readonly [title: string, reverse: Table, forward: Table, expected: string])[] = [
  [
    'a name that leads back is verified',
    { '192.0.2.1': ['mail.example.com'] },
    { 'mail.example.com': ['192.0.2.1'] },
    'mail.example.com',
  ],
  [
    'case and a final dot do not count',
    { '192.0.2.1': ['MAIL.example.com.'] },
    { 'mail.example.com': ['192.0.2.9', '192.0.2.1'] },
    'mail.example.com',
  ],
  ['an address without a name has none', {}, {}, 'no'],
  [
    'a name that leads elsewhere is not used',
    { '192.0.2.1': ['mail.bank.example'] },
    { 'mail.bank.example': ['198.51.100.1'] },
    'no',
  ],
  ['a name that does not exist is not used', { '192.0.2.1': ['gone.example'] }, {}, 'no'],
  [
    'of several names the one that leads back counts',
    { '192.0.2.1': ['a.example', 'b.example'] },
    { 'a.example': ['192.0.2.2'], 'b.example': ['192.0.2.1'] },
    'b.example',
  ],
  ['an outage of the reverse zone is unknown', { '192.0.2.1': 'unknown' }, {}, 'unknown'],
  ['an outage of the forward zone is unknown', { '192.0.2.1': ['a.example'] }, { 'a.example': 'unknown' }, 'unknown'],
  [
    'a name with foreign characters is not used',
    { '192.0.2.1': ['a b.example', 'x\r\ny.example'] },
    { 'a b.example': ['192.0.2.1'] },
    'no',
  ],
  ['the fifth name is not looked at', { '192.0.2.1': ['a', 'b', 'c', 'd', 'e'] }, { e: ['192.0.2.1'] }, 'no'],
];

for (const [title, reverse, forward, expected] of ROWS) {
  test(title, async () => {
    const answer = await senderFacts('192.0.2.1', { dns: dnsOf(reverse, forward) });
    assert.equal(answer.answer === 'yes' ? answer.value : answer.answer, expected);
  });
}

test('an IPv6 address is compared as an address, not as text', async () => {
  const dns = dnsOf({ '2001:db8::1': ['v6.example'] }, { 'v6.example': ['2001:DB8:0:0::1'] });
  assert.deepEqual(await senderFacts('2001:db8::1', { dns }), yes('v6.example'));
});

test('DNS that never answers is unknown when the time is over', async () => {
  const silent: Dns = { ...dnsOf({}, {}), reverse: () => new Promise(() => undefined) };
  assert.equal((await senderFacts('192.0.2.1', { dns: silent, timeoutMs: 1 })).answer, 'unknown');
});

test('DNS that fails is unknown', async () => {
  const broken: Dns = { ...dnsOf({}, {}), reverse: () => Promise.reject(new Error('broken')) };
  assert.equal((await senderFacts('192.0.2.1', { dns: broken })).answer, 'unknown');
});
