import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { attribute, certificate, name, pem, printable, rdn, tlv, utf8 } from '../../test/pkits/certificate-writer.ts';
import { readDer } from './der.ts';
import { keyWithRdn, type Name, parseName, renderName } from './distinguished-name.ts';

const parse = (der: Uint8Array): Name => parseName(readDer(der));
const cn = (value: Uint8Array): Name => parse(name(rdn(attribute('CN', value))));
const same = (a: Name, b: Name): boolean => a.key === b.key;

test('names differ in case, white space and string type and are still the same name', () => {
  assert.ok(same(cn(utf8('Example  CA')), cn(printable(' example ca '))));
  assert.ok(same(cn(utf8('STRASSE')), cn(utf8('straße'))));
  assert.ok(same(cn(utf8('caf\u00e9')), cn(utf8('CAFE\u0301'))));
  assert.ok(same(cn(tlv(0x1e, Buffer.from('00410042', 'hex'))), cn(utf8('ab'))));
  assert.ok(same(cn(utf8('a\u00adb')), cn(utf8('ab'))));
});

test('names with another value, attribute, order or border between RDNs are others', () => {
  assert.ok(!same(cn(utf8('a')), cn(utf8('b'))));
  assert.ok(!same(parse(name('CN=a')), parse(name('O=a'))));
  assert.ok(!same(parse(name('O=a', 'CN=b')), parse(name('CN=b', 'O=a'))));
  assert.ok(!same(parse(name('O=a', 'CN=b')), parse(name('O=a+CN=b'))));
  assert.ok(!same(parse(name('CN=a;2.5.4.3=1:b')), parse(name('CN=a+CN=b'))));
  assert.ok(!same(cn(tlv(0x14, Buffer.from([0xe9]))), cn(utf8('é'))));
});

test('the attributes of one RDN have no order', () => {
  assert.ok(same(parse(name('O=a+CN=b')), parse(name('CN=b+O=a'))));
});

test('a name continued by an RDN is the whole name', () => {
  const [issuer, whole] = [parse(name('O=a')), parse(name('O=a', 'CN=b'))];
  assert.equal(keyWithRdn(issuer, whole.rdns[1] ?? []), whole.key);
});

test('RFC 4514: the most specific RDN comes first, with short names where the RFC has them', () => {
  const der = name('C=US', 'O=Example', 'OU=People+CN=Alice', 'E=a@example.test', 'DC=test');
  assert.equal(renderName(parse(der)), 'DC=test,1.2.840.113549.1.9.1=a@example.test,OU=People+CN=Alice,O=Example,C=US');
});

test('RFC 4514: special characters are escaped', () => {
  assert.equal(renderName(cn(utf8(' #a,b+c"d\\e<f>g;h '))), 'CN=\\ #a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h\\ ');
  assert.equal(renderName(cn(utf8('#a'))), 'CN=\\#a');
  assert.equal(renderName(cn(utf8(' '))), 'CN=\\ ');
  assert.equal(renderName(cn(utf8(''))), 'CN=');
});

test('characters that would break or reorder a log line are hex pairs', () => {
  assert.equal(renderName(cn(utf8('a\r\nb\0c\u202e'))), 'CN=a\\0D\\0Ab\\00c\\E2\\80\\AE');
});

test('a value that is no string, or not a well-formed one, is its encoding', () => {
  assert.equal(renderName(cn(tlv(0x04, Buffer.from('0102', 'hex')))), 'CN=#04020102');
  assert.equal(renderName(cn(tlv(0x0c, Buffer.from('ff', 'hex')))), 'CN=#0c01ff');
  assert.equal(renderName(cn(tlv(0x04, Buffer.alloc(200)))).slice(0, 16), 'CN=#0481c8000000');
});

test('strings of every type are decoded', () => {
  const texts = [
    tlv(0x0c, Buffer.from('é')),
    tlv(0x14, Buffer.from('e9', 'hex')),
    tlv(0x1e, Buffer.from('00e9', 'hex')),
    tlv(0x1c, Buffer.from('000000e9', 'hex')),
  ].map((value) => cn(value).rdns[0]?.[0]?.text);
  assert.deepEqual(texts, ['é', 'é', 'é', 'é']);
});

test('badly encoded strings have no text', () => {
  for (const bad of ['0cc3', '1300e9', '16e9', '1e00', '1ed800', '1c00110000']) {
    const bytes = Buffer.from(bad, 'hex');
    const value = tlv(bytes[0] as number, bytes.subarray(1));
    assert.equal(cn(value).rdns[0]?.[0]?.text, undefined, bad);
  }
});

test('a byte order mark in a value is part of the value', () => {
  assert.equal(cn(utf8('\ufeffa')).rdns[0]?.[0]?.text, '\ufeffa');
});

test('names are rendered as openssl renders them where it follows RFC 2253', () => {
  const subject = name('C=US', 'ST=a, b', 'O=x"y', rdn(attribute('CN', utf8('Jörg + Söhne'))));
  const args = ['x509', '-noout', '-subject', '-nameopt', 'RFC2253,-esc_msb,utf8'];
  const printed = execFileSync('openssl', args, { input: pem(certificate({ subject }).der), encoding: 'utf8' }).trim();
  assert.equal(printed, `subject=${renderName(parse(subject))}`);
});
