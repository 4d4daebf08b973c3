import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalIp, isLoopback, overlap, parseAddressPort, parsePort } from './addresses.ts';

test('an address has a host and a port, and IPv6 stands in brackets', () => {
  const rows: [string, unknown][] = [
    ['127.0.0.1:587', { host: '127.0.0.1', port: 587 }],
    ['[::1]:587', { host: '::1', port: 587 }],
    ['[0:0::1]:587', { host: '::1', port: 587 }],
    [':25', { host: '', port: 25 }],
    ['*:25', { host: '', port: 25 }],
    ['::1:25', undefined],
    ['[127.0.0.1]:25', undefined],
    ['127.0.0.256:25', undefined],
    ['127.1:25', undefined],
    ['localhost:25', undefined],
    ['127.0.0.1', undefined],
    ['127.0.0.1:', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of rows) assert.deepEqual(parseAddressPort(text), expected, text);
});

test('a port is from 1 to 65535 and has no sign and no leading zero', () => {
  for (const text of ['0', '65536', '-1', '+1', '025', '1e3', '', ' 1', '999999'])
    assert.equal(parsePort(text), undefined, text);
  assert.equal(parsePort('1'), 1);
  assert.equal(parsePort('65535'), 65535);
});

test('an IPv6 address is compared in its shortest form', () => {
  assert.equal(canonicalIp('2001:DB8:0:0:0:0:0:1'), '2001:db8::1');
  for (const text of ['', ':', '1::2::3', 'fe80::1%eth0', '::1]', 'g::', '1:2'])
    assert.equal(canonicalIp(text), undefined, text);
});

test('addresses overlap on one port when they are the same or one of them means all', () => {
  const claims = (a: string, b: string): boolean => {
    const [first, second] = [parseAddressPort(a), parseAddressPort(b)];
    assert.ok(first !== undefined && second !== undefined);
    return overlap(first, second);
  };
  assert.ok(claims('127.0.0.1:25', '127.0.0.1:25'));
  assert.ok(claims('[::1]:25', '[0::1]:25'));
  assert.ok(claims(':25', '127.0.0.1:25'));
  assert.ok(claims('127.0.0.1:25', '0.0.0.0:25'));
  assert.ok(!claims('127.0.0.1:25', '127.0.0.2:25'));
  assert.ok(!claims(':25', ':26'));
});

test('loopback is 127.0.0.0/8 and ::1', () => {
  for (const ip of ['127.0.0.1', '127.9.9.9', '::1']) assert.ok(isLoopback(ip), ip);
  for (const ip of ['', '0.0.0.0', '::', '128.0.0.1', '10.127.0.1']) assert.ok(!isLoopback(ip), ip);
});
