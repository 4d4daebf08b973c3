import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ReplyReader, statusOfReply, textOfReply } from './reply-reader.ts';

function readAll(chunks: readonly (string | Uint8Array)[]): unknown[] {
  const reader = new ReplyReader();
  const found: unknown[] = [];
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk as string));
    for (let read = reader.next(); read !== undefined; read = reader.next()) {
      found.push(read.kind === 'reply' ? textOfReply(read.reply) : read.kind);
      if (read.kind === 'fault') return found;
    }
  }
  return found;
}

test('a multi-line reply is one reply', () => {
  assert.deepEqual(readAll(['250-a\r\n250-b\r\n250 c\r\n220 d\r\n']), ['250 a b c', '220 d']);
});

test('a reply without text, or with a bare LF, is a reply', () => {
  assert.deepEqual(readAll(['354\r\n', '250 ok\n']), ['354', '250 ok']);
});

for (const [title, input] of [
  ['what is no reply', 'HTTP/1.1 400 Bad Request\r\n'],
  ['a code out of range', '999 x\r\n'],
  ['lines with different codes', '250-a\r\n251 b\r\n'],
  ['a line without end', 'x'.repeat(5000)],
  ['too many lines', '250-x\r\n'.repeat(200)],
  ['a flood', '2'.repeat(200_000)],
] as const)
  test(`${title} is a fault`, () => assert.deepEqual(readAll([input]).at(-1), 'fault'));

test('octets behind a reply are seen', () => {
  const reader = new ReplyReader();
  reader.push(Buffer.from('220 go\r\n250-EVIL\r\n'));
  reader.next();
  assert.ok(reader.unread > 0);
  reader.next();
  assert.ok(reader.unread > 0, 'also when they are the start of a reply');
});

test('the same octets give the same replies however they are cut, and nothing throws', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('250 ok\r\n', '250-a\r\n', '421', '\r', '\n', 'é', ' ', '5'), { maxLength: 30 }),
      (parts) => {
        const whole = parts.join('');
        assert.deepEqual(readAll([...Buffer.from(whole)].map((octet) => Uint8Array.of(octet))), readAll([whole]));
      },
    ),
  );
});

test('an enhanced status counts only where its class fits the code', () => {
  assert.equal(statusOfReply({ code: 550, lines: ['5.7.1 no'] }), '5.7.1');
  assert.equal(statusOfReply({ code: 550, lines: ['4.7.1 no'] }), undefined);
  assert.equal(statusOfReply({ code: 550, lines: ['5.7.1234 no'] }), undefined);
  assert.equal(statusOfReply({ code: 550, lines: ['#5.7.1 no'] }), undefined);
});
