import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { renderFaultPath } from './fault.ts';
import { parseFaultPath } from './fault-path.ts';

test('a path is read as it is printed', () => {
  const step = fc.oneof(fc.string({ minLength: 1 }), fc.nat(1000));
  fc.assert(
    fc.property(fc.tuple(fc.string({ minLength: 1 }), fc.array(step)), ([first, rest]) => {
      assert.deepEqual(parseFaultPath(renderFaultPath([first, ...rest])), [first, ...rest]);
    }),
  );
});

test('what is no path is refused', () => {
  for (const text of ['.a', 'a.', 'a..b', 'a[', 'a[x]', 'a["x]', 'a b', 'a[0]b', 'a["\\x"]'])
    assert.equal(parseFaultPath(text), undefined, text);
});
