/**
 * Every folder here holds a configuration with something wrong and the lines that `check` prints for it, FILE standing
 * for the file's name. With UPDATE_EXPECTED=1 the lines are written anew; read the difference before keeping it.
 */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { loadConfig, renderFault } from '../../src/config/load.io.ts';
import { CASES, materialFolder, NOW_MS } from './material.ts';

const here = import.meta.dirname;
const folder = await materialFolder();

function check(name: string): { readonly lines: string; readonly ok: boolean } {
  const file = path.join(folder, `${name}.yaml`);
  copyFileSync(path.join(here, name, 'config.yaml'), file);
  const loaded = loadConfig(file, [], NOW_MS);
  const faults = loaded.ok ? loaded.warnings : loaded.faults;
  return { lines: faults.map((fault) => `${renderFault('FILE', fault)}\n`).join(''), ok: loaded.ok };
}

test('there are cases to check', () => assert.ok(CASES.length >= 40, `only ${CASES.length}`));

for (const name of CASES) {
  test(`${name} is reported with its place`, () => {
    const expectedFile = path.join(here, name, 'expected.txt');
    const { lines, ok } = check(name);
    if (process.env['UPDATE_EXPECTED'] === '1') writeFileSync(expectedFile, lines);
    assert.equal(lines, readFileSync(expectedFile, 'utf8'));
    assert.notEqual(lines, '');
    // Only warnings leave the configuration usable.
    assert.equal(
      ok,
      lines.split('\n').every((line) => line === '' || /^FILE:\d+:\d+: warning: /.test(line)),
    );
  });
}
