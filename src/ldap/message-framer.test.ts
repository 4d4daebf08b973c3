import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FramingError, MessageFramer } from './message-framer.ts';

function message(content: Uint8Array): Buffer {
  const n = content.length;
  const length = n < 0x80 ? [n] : n < 0x10000 ? [0x82, n >> 8, n & 255] : [0x83, n >> 16, (n >> 8) & 255, n & 255];
  return Buffer.concat([Buffer.of(0x30, ...length), content]);
}

test('however the octets are cut, the same messages come out', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(sizes, fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }), (lengths, cuts) => {
      const messages = lengths.map((length, i) => message(Buffer.alloc(length, i)));
      const octets = Buffer.concat(messages);
      const framer = new MessageFramer(1000);
      const found: Buffer[] = [];
      for (let at = 0, i = 0; at < octets.length; i++) {
        const end = at + (cuts[i % cuts.length] as number);
        found.push(...framer.push(octets.subarray(at, end)));
        at = end;
      }
      assert.deepEqual(
        found.map((each) => each.toString('hex')),
        messages.map((each) => each.toString('hex')),
      );
    }),
    { numRuns: 300, seed: 4 },
  );
});

test('a message that is too long, or is none, is refused from its head', () => {
  assert.throws(() => new MessageFramer(100).push(message(Buffer.alloc(99))), FramingError);
  assert.throws(() => new MessageFramer(100).push(Buffer.of(0x30, 0x84, 0x7f, 0xff, 0xff, 0xff)), FramingError);
  for (const head of [
    [0x04, 0x01],
    [0x30, 0x80],
    [0x30, 0x85, 0, 0, 0, 0, 1],
  ])
    assert.throws(() => new MessageFramer(100).push(Buffer.from(head)), FramingError);
});
