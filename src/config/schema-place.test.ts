/** What the schema knows about places, as forms of the command line ask for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultAt, keysAt, nameFault, shapeAt } from './schema-place.ts';

const DOCUMENT = { smtpAuthProfiles: { cac: { type: 'certificate', trust: ['ca'] } } };

test('keys of an object come with those of the objects within it', () => {
  const keys = keysAt(['ldap', 'servers', 'corp'], {}).map(({ path }) => path.join('.'));
  assert.ok(keys.includes('baseDn') && keys.includes('bind') && keys.includes('bind.dn'), keys.join());
});

test('type decides which keys there are', () => {
  const keys = (type: string): string[] =>
    keysAt(['smtpAuthProfiles', 'x'], { type }).map(({ path }) => path.join('.'));
  assert.ok(keys('certificate').includes('trust'));
  assert.ok(!keys('ldap').includes('trust'));
  assert.deepEqual(keys('other'), []);
});

test('a place that is a reference says to what', () =>
  assert.equal(shapeAt(['listeners', 'in', 'certificate'], undefined)?.refersTo, 'certificates'));

test('a value is judged at its place, in the words of check', () => {
  const at = (path: (string | number)[], value: string | number | string[]) => faultAt(DOCUMENT, path, value);
  assert.equal(at(['listeners', 'in', 'tcpQueue'], 50), undefined);
  assert.equal(at(['listeners', 'in', 'tcpQueue'], 0), 'must be at least 1');
  assert.match(at(['listeners', 'in', 'commandTimeout'], 'soon') ?? '', /^a duration is a whole number with ms/);
  assert.match(
    at(['listeners', 'in', 'type'], 'privat') ?? '',
    /"privat" is not allowed, did you mean|"privat" is not allowed/,
  );
  assert.equal(at(['smtpAuthProfiles', 'cac', 'trust'], ['ca']), undefined);
  assert.match(at(['smtpAuthProfiles', 'cac', 'trust'], []) ?? '', /at least 1 entry/);
  assert.match(at(['listeners', 'in', 'address'], ['127.0.0.1']) ?? '', /^0: an address is IPv4:port/);
  assert.equal(at(['listeners', 'in', 'colour'], 'red'), 'there is no such key');
});

test('a name of an object is judged as the schema judges it', () => {
  assert.equal(nameFault(['crl', 'sources'], 'cac'), undefined);
  assert.match(nameFault(['crl', 'sources'], 'c a c') ?? '', /a name has 1 to 64 letters/);
  assert.match(nameFault(['listeners'], 'constructor') ?? '', /reserved/);
});
