import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAllowedUrl, parseAllowedHost } from './allowed-hosts.ts';

const HOSTS = ['crl.example.com', 'pki.example.com:8080', '.disa.test', '192.0.2.1', '[2001:db8::1]'];

const ALLOWED = [
  'http://crl.example.com/ca.crl',
  'https://CRL.example.com/ca.crl',
  'http://crl.example.com:80/ca.crl',
  'http://crl.example.com./ca.crl',
  'ldap://crl.example.com/cn=CA?certificateRevocationList;binary',
  'ldaps://CRL.EXAMPLE.COM:636/cn=CA',
  'http://pki.example.com:8080/ca.crl',
  'http://crl.disa.test/',
  'http://a.b.disa.test/',
  'http://192.0.2.1/',
  'http://[2001:db8::1]/',
];

const NOT_ALLOWED = [
  'http://crl.example.com:8080/ca.crl',
  'http://pki.example.com/ca.crl',
  'http://disa.test/',
  'http://evildisa.test/',
  'http://crl.example.com.evil.test/',
  'http://evil.test/crl.example.com',
  'http://evil.test\\@crl.example.com/',
  'http://crl.example.com@evil.test/',
  'http://user:word@crl.example.com/',
  'http://192.0.2.2/',
  'http://0xc0000202/',
  'http://169.254.169.254/latest/meta-data',
  'http://[::ffff:192.0.2.1]/',
  'http://localhost/',
  'ldap:///CN=CA,DC=example,DC=com?certificateRevocationList',
  'ftp://crl.example.com/ca.crl',
  'file:///etc/passwd',
  'file://crl.example.com/etc/passwd',
  'gopher://crl.example.com/',
  'data:,x',
  'crl.example.com',
  '',
  'http://crl.example.com/a b',
  'http://crl.example.com/\r\nHost: evil',
  `http://crl.example.com/${'a'.repeat(1000)}`,
];

for (const url of ALLOWED) test(`${url} is on the list`, () => assert.equal(isAllowedUrl(url, HOSTS), true));
for (const url of NOT_ALLOWED)
  test(`${JSON.stringify(url.slice(0, 80))} is not on the list`, () => assert.equal(isAllowedUrl(url, HOSTS), false));

test('an address is below no suffix', () => {
  assert.equal(isAllowedUrl('http://192.0.2.1/', ['.2.1']), false);
});

test('an entry is a host, a host with port, a suffix or an address in brackets', () => {
  assert.deepEqual(parseAllowedHost('CRL.example.com'), { host: 'crl.example.com' });
  assert.deepEqual(parseAllowedHost('[::1]:8080'), { host: '[::1]', port: 8080 });
  for (const entry of ['', '*', '*.example.com', 'http://a', 'a/b', 'a:0', 'a:70000', 'a b', '..a', 'user@a'])
    assert.equal(parseAllowedHost(entry), undefined, entry);
});
