import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRoutes, routeOf } from './smtp-routes.ts';

const table = compileRoutes({
  'example.com': ['one.example.net', 'two.example.net:2525'],
  '.example.com': ['[192.0.2.1]:26'],
  '.deep.example.com': ['[2001:db8::1]'],
  'drop.test': ['/dev/null'],
  'dns.test': ['USEDNS'],
  'bücher.example': ['127.0.0.1:2526'],
  ALL: ['smart.example.net'],
});

const hostsOf = (address: string) => {
  const route = routeOf(table, address);
  return route.kind === 'hosts' ? route.hosts : route.kind;
};

test('the exact domain comes first, whatever its case or final dot', () => {
  const expected = [
    { kind: 'name', name: 'one.example.net', port: 25, mx: true },
    { kind: 'name', name: 'two.example.net', port: 2525, mx: false },
  ];
  assert.deepEqual(hostsOf('u@example.com'), expected);
  assert.deepEqual(hostsOf('u@EXAMPLE.com.'), expected);
});

test('a partial domain excludes the domain itself, and the longest wins', () => {
  assert.deepEqual(hostsOf('u@a.example.com'), [{ kind: 'address', address: '192.0.2.1', port: 26 }]);
  assert.deepEqual(hostsOf('u@a.b.example.com'), [{ kind: 'address', address: '192.0.2.1', port: 26 }]);
  assert.deepEqual(hostsOf('u@x.deep.example.com'), [{ kind: 'address', address: '2001:db8::1', port: 25 }]);
  assert.deepEqual(hostsOf('u@deep.example.com'), [{ kind: 'address', address: '192.0.2.1', port: 26 }]);
  assert.deepEqual(hostsOf('u@notexample.com'), [{ kind: 'name', name: 'smart.example.net', port: 25, mx: true }]);
});

test('ALL takes everything else, also address literals and what is no domain', () => {
  for (const address of ['u@elsewhere.test', 'u@[192.0.2.9]', 'u@-', 'nobody'])
    assert.deepEqual(hostsOf(address), [{ kind: 'name', name: 'smart.example.net', port: 25, mx: true }], address);
});

test('/dev/null discards, and USEDNS takes a domain out of ALL', () => {
  assert.equal(hostsOf('u@drop.test'), 'discard');
  assert.deepEqual(routeOf(table, 'u@dns.test'), {
    kind: 'mx',
    key: 'dns.test',
    rule: 'smtpRoutes.dns.test',
    domain: 'dns.test',
  });
});

test('an international domain is compared in its ASCII form', () => {
  assert.deepEqual(hostsOf('u@BÜCHER.example'), [{ kind: 'address', address: '127.0.0.1', port: 2526 }]);
  assert.deepEqual(hostsOf('u@xn--bcher-kva.example'), [{ kind: 'address', address: '127.0.0.1', port: 2526 }]);
});

test('without any route the domain is looked up, and a literal is its own host', () => {
  const none = compileRoutes({});
  assert.equal(routeOf(none, 'u@example.org').kind, 'mx');
  assert.deepEqual(routeOf(none, 'u@[IPv6:2001:DB8::5]'), {
    kind: 'hosts',
    key: '[2001:db8::5]',
    rule: 'no SMTP route',
    hosts: [{ kind: 'address', address: '2001:db8::5', port: 25 }],
  });
  assert.equal(routeOf(none, 'u@a..b').kind, 'impossible');
  assert.equal(routeOf(none, 'u@192.0.2.1').kind, 'impossible', 'an address without brackets is no domain');
});

test('the last @ ends the local part', () => {
  assert.equal(routeOf(table, '"u@elsewhere"@drop.test').kind, 'discard');
});

test('a bare IPv4 address is an address, not a name', () => {
  const routes = compileRoutes({ ALL: ['127.0.0.1:2526'] });
  assert.deepEqual(routeOf(routes, 'u@x.test'), {
    kind: 'hosts',
    key: 'smtpRoutes.ALL',
    rule: 'smtpRoutes.ALL',
    hosts: [{ kind: 'address', address: '127.0.0.1', port: 2526 }],
  });
});
