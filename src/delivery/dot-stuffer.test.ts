import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DotStuffer } from './dot-stuffer.ts';

function stuff(chunks: readonly string[]): string {
  const stuffer = new DotStuffer();
  const parts = chunks.map((chunk) => stuffer.stuff(Buffer.from(chunk)));
  return Buffer.concat([...parts, stuffer.end()]).toString();
}

for (const [text, wire] of [
  ['', '.\r\n'],
  ['a\r\n', 'a\r\n.\r\n'],
  ['a', 'a\r\n.\r\n'],
  ['.\r\n', '..\r\n.\r\n'],
  ['a\r\n.b\r\n..c\r\n', 'a\r\n..b\r\n...c\r\n.\r\n'],
  ['a.b\r\n', 'a.b\r\n.\r\n'],
  ['a\n.\r\n', 'a\n..\r\n.\r\n'],
] as const)
  test(`${JSON.stringify(text)} goes as ${JSON.stringify(wire)}`, () => assert.equal(stuff([text]), wire));

test('however the text is cut, the wire is the same, and the end of data comes once', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', '.', '\r\n', '\r\n.', '..'), { maxLength: 20 }), (parts) => {
      const wire = stuff([parts.join('')]);
      assert.equal(stuff(parts), wire);
      assert.equal(stuff([...parts.join('')]), wire);
      assert.ok(wire === '.\r\n' || wire.indexOf('\r\n.\r\n') === wire.length - 5);
    }),
  );
});
