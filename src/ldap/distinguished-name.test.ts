import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { dnText, isWithin, parseDn } from './distinguished-name.ts';

describe('two spellings of one name', () => {
  const rows: readonly [string, string][] = [
    ['uid=alice,dc=example,dc=test', 'UID = Alice , DC=Example,dc=TEST'],
    ['cn=a+uid=b,dc=x', 'uid=b + cn=a,dc=x'],
    ['cn=a\\,b,dc=x', 'cn=a\\2cb,dc=x'],
    ['cn=a\\,b,dc=x', 'cn="a,b",dc=x'],
    ['cn=Gro\\c3\\9f', 'cn=groß'],
    ['OID.2.5.4.3=x', '2.5.4.3=X'],
    ['', '  '],
  ];
  for (const [a, b] of rows) {
    test(`${a} and ${b}`, () => {
      const [left, right] = [parseDn(a), parseDn(b)];
      assert.ok(left && right);
      assert.equal(dnText(left), dnText(right));
    });
  }
});

describe('what is no name', () => {
  for (const text of ['alice', 'uid=a,', ',uid=a', '=a', 'uid=a,b', 'cn="a', 'cn=a\\', 'u id=a', 'cn=a"b']) {
    test(JSON.stringify(text), () => assert.equal(parseDn(text), undefined));
  }
});

test('an escaped separator does not make a deeper name', () => {
  const name = parseDn('cn=x\\,dc=example\\,dc=test');
  const base = parseDn('dc=example,dc=test');
  assert.ok(name && base);
  assert.equal(isWithin(name, base), false);
});
test('a name is within itself, its parents and the root', () => {
  const name = parseDn('uid=a,ou=people,dc=x') ?? [];
  assert.ok([name, ['ou=people', 'dc=x'], []].every((base) => isWithin(name, base)));
  assert.equal(isWithin(['dc=x'], name), false);
});
test('no text makes it throw', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('=', ',', '+', '\\', '"', ' ', 'a', '2', 'c', '\n') }),
      (text) => void parseDn(text),
    ),
  );
});
