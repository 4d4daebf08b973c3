/** Command lines: only CRLF ends one, and every fault is told once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineReader } from './line-reader.ts';

/** `line`, `!fault`; what is left open is `...`. */
function read(chunks: readonly string[], maxBytes = 20): string[] {
  const reader = new LineReader(maxBytes);
  const out: string[] = [];
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk, 'latin1'));
    for (let line = reader.next(); line !== undefined; line = reader.next()) {
      out.push(line.kind === 'line' ? line.bytes.toString('latin1') : `!${line.fault}`);
    }
  }
  if (reader.buffered > 0) out.push('...');
  return out;
}

const CASES: readonly (readonly [title: string, input: string, expected: readonly string[]])[] = [
  ['CRLF ends a line', 'NOOP\r\nQUIT\r\n', ['NOOP', 'QUIT']],
  ['an empty line is a line', '\r\n\r\n', ['', '']],
  ['a bare LF ends no line', 'NOOP\nQUIT', ['...']],
  ['a bare LF makes one faulty line, not two', 'NOOP\nQUIT\r\nNOOP\r\n', ['!bare-lf', 'NOOP']],
  ['a bare CR makes the line faulty', 'NO\rOP\r\n', ['!bare-cr']],
  ['CR CR LF has a bare CR', 'NOOP\r\r\n', ['!bare-cr']],
  ['a NUL makes the line faulty', 'NO\u0000OP\r\n', ['!nul']],
  ['a line of exactly the limit passes', `${'x'.repeat(18)}\r\n`, ['x'.repeat(18)]],
  ['a longer line is swallowed and told once', `${'x'.repeat(19)}\r\nNOOP\r\n`, ['!too-long', 'NOOP']],
  ['a much longer line likewise', `${'x'.repeat(1000)}\r\nNOOP\r\n`, ['!too-long', 'NOOP']],
  ['a long line with bare LFs is one line', `${'x\n'.repeat(500)}\r\nNOOP\r\n`, ['!too-long', 'NOOP']],
  ['an unfinished line waits', 'NOO', ['...']],
];

for (const [title, input, expected] of CASES) {
  test(`${title}, in one piece`, () => assert.deepEqual(read([input]), expected));
  test(`${title}, octet by octet`, () => assert.deepEqual(read(input.split('')), expected));
}

test('an endless line takes no memory', () => {
  const reader = new LineReader(512);
  for (let i = 0; i < 1000; i++) {
    reader.push(Buffer.alloc(1000, 'x'));
    assert.equal(reader.next(), undefined);
    assert.ok(reader.buffered <= 1);
  }
  reader.push(Buffer.from('\r'));
  assert.equal(reader.next(), undefined);
  reader.push(Buffer.from('\nNOOP\r\n'));
  assert.deepEqual(reader.next(), { kind: 'fault', fault: 'too-long' });
  assert.equal(reader.next()?.kind, 'line');
});

test('lines that were handed out keep their content while more arrives', () => {
  const reader = new LineReader(100);
  reader.push(Buffer.from('first\r\nsec'));
  const first = reader.next();
  for (const octet of 'ond\r\nthird\r\n'.split('')) reader.push(Buffer.from(octet));
  const second = reader.next();
  reader.push(Buffer.from('x'.repeat(50)));
  assert.equal(first?.kind === 'line' && first.bytes.toString(), 'first');
  assert.equal(second?.kind === 'line' && second.bytes.toString(), 'second');
});

test('the rest is handed over raw, and nothing stays behind', () => {
  const reader = new LineReader();
  reader.push(Buffer.from('DATA\r\nSubject: x\r\n\r\nbody\n'));
  assert.equal(reader.next()?.kind, 'line');
  assert.equal(reader.takeRest().toString(), 'Subject: x\r\n\r\nbody\n');
  assert.equal(reader.buffered, 0);
  assert.equal(reader.next(), undefined);
});

test('discard forgets half a line, so that it cannot begin the next session', () => {
  const reader = new LineReader(10);
  reader.push(Buffer.from('MAIL FROM:<evil@example.com>'));
  assert.equal(reader.next(), undefined);
  reader.discard();
  reader.push(Buffer.from('NOOP\r\n'));
  const line = reader.next();
  assert.equal(line?.kind === 'line' && line.bytes.toString(), 'NOOP');
});
