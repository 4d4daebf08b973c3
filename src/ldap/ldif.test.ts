import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseLdif } from './ldif.ts';

const entriesOf = (text: string) =>
  parseLdif(text).entries.map(({ dn, attributes }) => [
    dn,
    ...attributes.map(({ description, value }) => `${description}=${String(value)}`),
  ]);
const faultsOf = (text: string) => parseLdif(text).faults.map(({ line, message }) => `${line}: ${message}`);

describe('entries', () => {
  const rows: readonly [title: string, text: string, expected: readonly (readonly string[])[]][] = [
    ['one', 'dn: uid=a\nuid: a\n', [['uid=a', 'uid=a']]],
    ['a version line', 'version: 1\n\ndn: uid=a\nuid: a\n', [['uid=a', 'uid=a']]],
    ['a version line without a blank line after it', 'version: 1\ndn: uid=a\nuid: a\n', [['uid=a', 'uid=a']]],
    [
      'CRLF and no last line end',
      'dn: uid=a\r\nuid: a\r\n\r\ndn: uid=b\r\nuid: b',
      [
        ['uid=a', 'uid=a'],
        ['uid=b', 'uid=b'],
      ],
    ],
    [
      'several empty lines',
      '\n\ndn: uid=a\nuid: a\n\n\n\ndn: uid=b\nuid: b\n\n',
      [
        ['uid=a', 'uid=a'],
        ['uid=b', 'uid=b'],
      ],
    ],
    ['continuation lines', 'dn: uid=a\ncn: Al\n ice\n  Adams\n', [['uid=a', 'cn=Alice Adams']]],
    ['comments, continued too', '# one\n#two\n  more\ndn: uid=a\n# three\nuid: a\n', [['uid=a', 'uid=a']]],
    ['base64', 'dn:: dWlkPWE=\ncn:: R3Jvw58=\n', [['uid=a', 'cn=Groß']]],
    ['base64 over several lines', 'dn: uid=a\ncn:: R3J\n vw58=\n', [['uid=a', 'cn=Groß']]],
    [
      'several values, options and an empty value',
      'dn: uid=a\ncn: x\ncn;lang-de: y\nl:\n',
      [['uid=a', 'cn=x', 'cn;lang-de=y', 'l=']],
    ],
    ['a byte order mark', '\ufeffdn: uid=a\nuid: a\n', [['uid=a', 'uid=a']]],
    ['nothing', '', []],
  ];
  for (const [title, text, expected] of rows) {
    test(title, () => {
      assert.deepEqual(faultsOf(text), []);
      assert.deepEqual(entriesOf(text), expected);
    });
  }
  test('octets that are no text stay octets', () => {
    assert.deepEqual(
      parseLdif('dn: uid=a\njpegPhoto:: /9g=\n').entries[0]?.attributes[0]?.value,
      Buffer.from([0xff, 0xd8]),
    );
  });
});

describe('faults have the line', () => {
  const rows: readonly [text: string, expected: string][] = [
    ['uid: a\n', '1: a record begins with "dn:"'],
    ['dn: uid=a\nnonsense\n', '2: a line is "attribute: value"'],
    ['dn: nonsense\nuid: a\n', '1: this is no distinguished name'],
    ['dn: uid=a\nphoto:< file:///etc/passwd\n', '2: values by URL are not read; write the value itself'],
    ['dn: uid=a\ncn:: ?\n', '2: what follows "::" is not base64'],
    ['dn: uid=a\nchangetype: delete\n', '2: only entries are read here, not changes to them'],
    ['dn: uid=a\nuid: a\n\ndn: UID = a\nuid: a\n', '4: the entry is already there, in line 1'],
    ['dn: uid=a\n', '1: the entry has no attributes'],
    ['dn: uid=a\nuid: a\ndn: uid=b\nuid: b\n', '3: an empty line must stand between entries'],
    ['version: 2\n\ndn: uid=a\nuid: a\n', '1: only version 1 of LDIF exists'],
    [' continued\n', '1: a line is "attribute: value"'],
  ];
  for (const [text, expected] of rows) test(expected, () => assert.deepEqual(faultsOf(text), [expected]));

  test('reading ends after twenty', () => assert.equal(faultsOf('x\n\n'.repeat(100)).length, 20));
  test('no text makes it throw', () => {
    const line = fc.constantFrom(
      'dn: uid=a',
      'uid: a',
      ' x',
      '#',
      '',
      'cn:: YQ==',
      'cn:: ?',
      ':',
      '\r',
      'version: 1',
      'dn:',
      'a;b: c',
    );
    fc.assert(fc.property(fc.array(line), (lines) => void parseLdif(lines.join('\n'))));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseLdif(text)));
  });
});
