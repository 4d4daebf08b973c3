/** DATA: where a message ends, what its octets are, and what makes it faulty. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkReader } from './chunk-reader.ts';
import { DotReader } from './dot-reader.ts';
import type { MessageLimits } from './message-octets.ts';

const LIMITS: MessageLimits = { maxBytes: 1000, bareLineEnds: 'reject' };

type Result = { text: string; fault: string | undefined; rest: string; done: boolean };

function readData(chunks: readonly string[], limits: Partial<MessageLimits> = {}): Result {
  const reader = new DotReader({ ...LIMITS, ...limits });
  const slices: Buffer[] = [];
  let rest = '';
  for (const chunk of chunks) {
    const octets = Buffer.from(chunk, 'latin1');
    const used = reader.push(octets);
    rest += octets.toString('latin1', used);
    slices.push(...reader.take());
  }
  return { text: Buffer.concat(slices).toString('latin1'), fault: reader.fault, rest, done: reader.done };
}

const MESSAGES: readonly (readonly [title: string, wire: string, text: string, rest?: string])[] = [
  ['an ordinary message', 'a\r\nb\r\n.\r\n', 'a\r\nb\r\n'],
  ['an empty message', '.\r\n', ''],
  ['a message of one empty line', '\r\n.\r\n', '\r\n'],
  ['a dot of transparency is taken away', '..\r\n.a\r\n...\r\n.\r\n', '.\r\na\r\n..\r\n'],
  ['a dot within a line stays', 'a.\r\nb.c\r\n.\r\n', 'a.\r\nb.c\r\n'],
  ['what follows the end is not the message', 'a\r\n.\r\nMAIL FROM:<x@y>\r\n', 'a\r\n', 'MAIL FROM:<x@y>\r\n'],
  ['two messages in a row', 'a\r\n.\r\nb\r\n.\r\n', 'a\r\n', 'b\r\n.\r\n'],
];

for (const [title, wire, text, rest = ''] of MESSAGES) {
  const expected = { text, rest, fault: undefined, done: true };
  test(`${title}, in one piece`, () => assert.deepEqual(readData([wire]), expected));
  test(`${title}, octet by octet`, () => assert.deepEqual(readData(wire.split('')), expected));
}

/** Ends that are none: each stands for a way to smuggle commands. The real end follows. */
const NO_ENDS = [
  '\n.\n',
  '\n.\r\n',
  '\r.\r',
  '\r.\r\n',
  '\r\n.\n',
  '\r\n.\r',
  '\r\n.\rx',
  '\n\n.\r\n',
  '\r\r\n.\r.\r\n',
  '\r\n.\u0000\r\n',
];

for (const noEnd of NO_ENDS) {
  const wire = `a${noEnd}MAIL FROM:<evil@example.com>\r\nb\r\n.\r\nQUIT\r\n`;
  for (const [how, chunks] of [
    ['in one piece', [wire]],
    ['octet by octet', wire.split('')],
  ] as const) {
    test(`${JSON.stringify(noEnd)} ends no message and is refused, ${how}`, () => {
      const { text, rest, fault, done } = readData(chunks);
      assert.deepEqual({ rest, done }, { rest: 'QUIT\r\n', done: true });
      assert.ok(fault !== undefined);
      if (chunks.length === 1) assert.equal(text, '');
    });
  }
}

const CLEANED: readonly (readonly [wire: string, text: string])[] = [
  ['a\nb\r\n.\r\n', 'a\r\nb\r\n'],
  ['a\rb\r\n.\r\n', 'a\r\nb\r\n'],
  ['a\r\r\nb\r\n.\r\n', 'a\r\n\r\nb\r\n'],
  ['a\n.\nb\r\n.\r\n', 'a\r\n.\r\nb\r\n'],
  ['a\n.\r\nb\r\n.\r\n', 'a\r\n.\r\nb\r\n'],
  ['a\r\n.\rb\r\n.\r\n', 'a\r\n\r\nb\r\n'],
];

for (const [wire, text] of CLEANED) {
  test(`cleaned, ${JSON.stringify(wire)} is ${JSON.stringify(text)}`, () => {
    const expected = { text, rest: '', fault: undefined, done: true };
    assert.deepEqual(readData([wire], { bareLineEnds: 'clean' }), expected);
    assert.deepEqual(readData(wire.split(''), { bareLineEnds: 'clean' }), expected);
  });
}

test('the largest message passes, one octet more does not, dots of transparency are not counted', () => {
  assert.equal(readData([`..${'x'.repeat(7)}\r\n.\r\n`], { maxBytes: 10 }).fault, undefined);
  assert.equal(readData([`..${'x'.repeat(8)}\r\n.\r\n`], { maxBytes: 10 }).fault, 'too-big');
});

test('a message that is too big is read to its end and kept nowhere', () => {
  const reader = new DotReader({ maxBytes: 100, bareLineEnds: 'reject' });
  for (let i = 0; i < 100; i++) reader.push(Buffer.from(`${'x'.repeat(70)}\r\n`));
  assert.equal(reader.fault, 'too-big');
  assert.deepEqual(reader.take(), []);
  assert.equal(reader.done, false);
  assert.equal(reader.push(Buffer.from('.\r\nQUIT\r\n')), 3);
  assert.equal(reader.done, true);
});

test('a NUL in a message is a fault of its own', () => assert.equal(readData(['a\u0000b\r\n.\r\n']).fault, 'nul'));

test('a line is as long as it likes up to the bound, wherever it is cut', () => {
  const line = 'x'.repeat(98);
  for (const [text, fault] of [
    [`${line}\r\n`, undefined],
    [`${line}x\r\n`, 'line-too-long'],
    [`a\r\n${line}x\r\nb\r\n`, 'line-too-long'],
  ] as const) {
    assert.equal(readData([`${text}.\r\n`], { maxLineBytes: 100 }).fault, fault);
    assert.equal(readData(`${text}.\r\n`.split(''), { maxLineBytes: 100 }).fault, fault);
  }
});

function readChunks(
  chunks: readonly string[],
  limits: Partial<MessageLimits> = {},
): { text: string; fault: string | undefined } {
  const reader = new ChunkReader({ ...LIMITS, ...limits });
  const slices: Buffer[] = [];
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk, 'latin1'));
    slices.push(...reader.take());
  }
  reader.end();
  slices.push(...reader.take());
  return { text: Buffer.concat(slices).toString('latin1'), fault: reader.fault };
}

const CHUNKED: readonly (readonly [title: string, wire: string, text: string, fault?: string])[] = [
  ['dots are content', '.a\r\n.\r\nb\r\n', '.a\r\n.\r\nb\r\n'],
  ['no octets are an empty message', '', ''],
  ['a last line without its end gets one', 'a\r\nb', 'a\r\nb\r\n'],
  ['a bare LF is refused', 'a\nb\r\n', '', 'bare'],
  ['a CR at the very end is bare', 'a\r\nb\r', '', 'bare'],
  ['a NUL is refused', 'a\u0000\r\n', '', 'nul'],
];

for (const [title, wire, text, fault] of CHUNKED) {
  test(`BDAT: ${title}`, () => {
    assert.equal(readChunks([wire]).fault, fault);
    assert.equal(readChunks(wire.split('')).fault, fault);
    if (fault === undefined) assert.deepEqual([readChunks([wire]).text, readChunks(wire.split('')).text], [text, text]);
  });
}

test('BDAT: cleaned, a bare CR at the very end is one line end', () => {
  assert.deepEqual(readChunks(['a\nb\r'], { bareLineEnds: 'clean' }), { text: 'a\r\nb\r\n', fault: undefined });
});
