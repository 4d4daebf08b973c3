import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseYaml } from './yaml-document.ts';

function good(text: string) {
  const parsed = parseYaml(text);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed;
}

test('off, no and yes are text, as YAML 1.2 says', () => {
  assert.deepEqual(good('a: off\nb: no\nc: yes\nd: true\n').data, { a: 'off', b: 'no', c: 'yes', d: true });
});

test('a key, a list item and what is missing have a place', () => {
  const { positionOf } = good('a:\n  b:\n    - x\n    - { c: 1 }\n"quoted.key": 2\n');
  assert.deepEqual(positionOf(['a', 'b']), { line: 2, column: 3 });
  assert.deepEqual(positionOf(['a', 'b', 1]), { line: 4, column: 7 });
  assert.deepEqual(positionOf(['a', 'b', 1, 'c']), { line: 4, column: 9 });
  assert.deepEqual(positionOf(['a', 'b', 1, 'missing', 'deeper']), { line: 4, column: 7 });
  assert.deepEqual(positionOf(['quoted.key']), { line: 5, column: 1 });
  assert.deepEqual(positionOf([]), { line: 1, column: 1 });
});

test('what an alias stands for has the place of its anchor', () => {
  const { data, positionOf } = good('base: &b\n  x: 1\nuse: *b\n');
  assert.deepEqual(data, { base: { x: 1 }, use: { x: 1 } });
  assert.deepEqual(positionOf(['use', 'x']), { line: 2, column: 3 });
});

test('line ends may be CRLF', () => {
  assert.deepEqual(good('a: 1\r\nb:\r\n  c: 2\r\n').positionOf(['b', 'c']), { line: 3, column: 3 });
});

test('deep nesting is a fault, however it is written', () => {
  for (const text of [
    '['.repeat(100_000),
    '{a: '.repeat(50_000),
    `a: ${'['.repeat(33)}${']'.repeat(33)}`,
    '- '.repeat(20_000),
  ]) {
    const parsed = parseYaml(text);
    assert.ok(!parsed.ok, text.slice(0, 20));
    assert.ok(parsed.faults.length <= 10);
  }
});

test('whatever the text, the answer is data or faults with a place', () => {
  const fragment = fc.constantFrom(
    'a: 1\n',
    '  ',
    '- ',
    '*x',
    '&x ',
    '!!t ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '|\n',
    '? ',
    '<<: ',
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '\t',
    '#c\n',
    '\u0000',
    'é',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(fragment, fc.string({ maxLength: 5 })), { maxLength: 30 }), (parts) => {
      const parsed = parseYaml(parts.join(''));
      if (parsed.ok) return;
      assert.ok(parsed.faults.length > 0);
      for (const { line, column, message } of parsed.faults) {
        assert.ok(line >= 1 && column >= 1 && message !== '');
      }
    }),
    { numRuns: 400, seed: 7 },
  );
});
