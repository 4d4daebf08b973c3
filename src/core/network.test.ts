/** Addresses and CIDR blocks: one spelling each, nothing ambiguous accepted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockAround, formatIp, inRange, ipBytes, normaliseIp, parseCidr, parseIp } from './network.ts';

const NORMAL: readonly (readonly [text: string, expected: string | undefined])[] = [
  ['192.0.2.1', '192.0.2.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['255.255.255.255', '255.255.255.255'],
  ['256.0.0.1', undefined],
  ['1.2.3', undefined],
  ['1.2.3.4.5', undefined],
  ['01.2.3.4', undefined],
  ['1.2.3.+4', undefined],
  ['', undefined],
  ['::', '::'],
  ['::1', '::1'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ['fe80::1%eth0', 'fe80::1'],
  ['1::2::3', undefined],
  [':1', undefined],
  ['1:2:3:4:5:6:7:8:9', undefined],
  ['1:2:3:4:5:6:7:8::', undefined],
  ['12345::', undefined],
  ['::1.2.3.4:1', undefined],
  ['g::', undefined],
];

for (const [text, expected] of NORMAL) {
  test(`${text === '' ? 'the empty text' : text} is ${expected ?? 'no address'}`, () =>
    assert.equal(normaliseIp(text), expected));
}

test('no address at all is no address', () => assert.equal(normaliseIp(undefined), undefined));

const BLOCKS: readonly (readonly [block: string, inside: string, outside: string])[] = [
  ['192.0.2.0/24', '192.0.2.255', '192.0.3.0'],
  ['192.0.2.77/24', '192.0.2.0', '192.0.1.255'],
  ['127.0.0.0/8', '127.255.255.255', '128.0.0.0'],
  ['192.0.2.1/32', '192.0.2.1', '192.0.2.2'],
  ['2001:db8::/32', '2001:db8:ffff::1', '2001:db9::'],
  ['::1/128', '::1', '::2'],
  ['::ffff:192.0.2.0/120', '192.0.2.9', '192.0.3.9'],
  ['0.0.0.0/0', '203.0.113.9', '2001:db8::1'],
];

for (const [block, inside, outside] of BLOCKS) {
  test(`${block} holds ${inside} and not ${outside}`, () => {
    const range = parseCidr(block);
    const [yes, no] = [parseIp(inside), parseIp(outside)];
    assert.ok(range !== undefined && yes !== undefined && no !== undefined);
    assert.ok(inRange(range, yes));
    assert.ok(!inRange(range, no));
  });
}

for (const text of [
  '192.0.2.0',
  '192.0.2.0/33',
  '::/129',
  '::ffff:1.2.3.4/95',
  '1.2.3.4/',
  '1.2.3.4/08',
  'fe80::%e/64',
]) {
  test(`${text} is no CIDR block`, () => assert.equal(parseCidr(text), undefined));
}

test('an IPv4 address and its mapped form have the same 16 octets', () => {
  const [plain, mapped] = [parseIp('192.0.2.1'), parseIp('::ffff:192.0.2.1')];
  assert.ok(plain !== undefined && mapped !== undefined);
  assert.deepEqual([...ipBytes(plain)], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1]);
  assert.deepEqual(ipBytes(plain), ipBytes(mapped));
});

test('a block has no more bits than its address', () => {
  assert.equal(blockAround({ version: 4, value: 1n }, 33), undefined);
  assert.equal(formatIp({ version: 6, value: 1n << 127n }), '8000::');
});
