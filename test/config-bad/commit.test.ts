/**
 * The same faults through the configuration store: every broken configuration becomes a candidate, and its commit is
 * refused with the lines of `check`, without file and position; the revision in force goes on. Where the text is no
 * configuration tree at all, loading it is refused with line and column.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { withAbsolutePaths } from '../../src/config/document-files.ts';
import { readDocument } from '../../src/config/document-text.io.ts';
import { renderFault, renderPlainFault } from '../../src/config/located-fault.ts';
import { ANN, FIRST, good, open, refused } from '../support/configuration-store.ts';
import { CASES, materialFolder, NOW_MS } from './material.ts';

const here = import.meta.dirname;
const folder = await materialFolder();

async function openRunning(t: TestContext) {
  const opened = open(t);
  opened.nowMs = NOW_MS;
  good(await opened.store.load(ANN, { document: FIRST }));
  good(await opened.store.commit(ANN, { comment: 'good' }));
  return opened;
}

/** `FILE:3:7: warning: listeners: …` → `warning: listeners: …`. */
const withoutPlace = (line: string): string =>
  line.replace(/^FILE:\d+:\d+: /, '').replace(/^((?:warning: )?)\(file\)/, '$1(configuration)');
const sorted = (lines: readonly string[]): string[] => [...lines].sort();

test('there are cases to commit', () => assert.ok(CASES.length >= 40, `only ${CASES.length}`));

for (const name of CASES) {
  test(`${name} cannot be committed, and says why as check does`, async (t) => {
    const expected = readFileSync(path.join(here, name, 'expected.txt'), 'utf8')
      .trimEnd()
      .split('\n');
    const text = readFileSync(path.join(here, name, 'config.yaml'), 'utf8');
    const { store } = await openRunning(t);
    const read = await readDocument({ text });
    if (!read.ok) {
      const { faults } = refused(await store.load(ANN, { text }), 'faults');
      assert.deepEqual(
        faults.map((fault) => renderFault('FILE', { line: 0, column: 0, ...fault })),
        expected,
      );
      return;
    }
    const value = withAbsolutePaths(read.document, folder);
    good(await store.edit(ANN, [{ op: 'set', path: [], value }]));
    const answer = await store.commit(ANN, { comment: 'broken' });
    const found = answer.ok ? answer.warnings : refused(answer, 'faults').faults;
    const lines = found.map((fault) => renderPlainFault(fault).replaceAll(`${folder}/`, ''));
    assert.deepEqual(sorted(lines), sorted(expected.map(withoutPlace)));
    assert.ok(!lines.some((line) => /\n|\bat \S+:\d+:\d+/.test(line)), 'a stack trace');
    // Only warnings let a revision into force.
    assert.equal((await store.status()).running.number, expected.every((line) => /: warning: /.test(line)) ? 2 : 1);
  });
}
