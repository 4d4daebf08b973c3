import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fault, warning } from '../core/fault.ts';
import { inOrder, renderFault } from './located-fault.ts';

test('a fault is one line: file, line, column, path, words', () => {
  const place = { line: 3, column: 5 };
  assert.equal(
    renderFault('a.yaml', { ...fault(['listeners', 'submission', 'hat', 0, 'policy'], 'is wrong'), ...place }),
    'a.yaml:3:5: listeners.submission.hat[0].policy: is wrong',
  );
  assert.equal(
    renderFault('a.yaml', { ...warning(['smtpRoutes', '.example.com'], 'is odd'), ...place }),
    'a.yaml:3:5: warning: smtpRoutes[".example.com"]: is odd',
  );
});

test('no text in a file can add a line of its own', () => {
  const line = renderFault('a.yaml', { ...fault(['a\nb'], 'x\r\ny\u2028z'), line: 1, column: 1 });
  assert.ok(!/[\r\n\u2028]/.test(line), line);
});

test('faults come in the order of the file, errors before warnings', () => {
  const at = (line: number, column: number) => ({ line, column });
  const sorted = inOrder([
    { ...warning(['c'], ''), ...at(2, 1) },
    { ...fault(['d'], ''), ...at(2, 1) },
    { ...fault(['a'], ''), ...at(1, 9) },
    { ...fault(['e'], ''), ...at(2, 2) },
  ]);
  assert.deepEqual(
    sorted.map(({ path }) => path[0]),
    ['a', 'd', 'c', 'e'],
  );
});
