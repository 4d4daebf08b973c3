/** The pages that people wrote say what is there: every token is explained, every link leads somewhere. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { CERTIFICATE_TOKENS } from '../src/identity/certificate-fields.ts';

const pages = ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', ...globSync('docs/**/*.md')];

test('every certificate token is on the page of tokens', () => {
  const page = readFileSync('docs/tokens.md', 'utf8');
  assert.ok(CERTIFICATE_TOKENS.length > 20);
  for (const token of CERTIFICATE_TOKENS) assert.ok(page.includes(`\`{${token}}\``), `{${token}} is not explained`);
});

test('every link of every page leads to a file', () => {
  let links = 0;
  for (const page of pages) {
    for (const [, target = ''] of readFileSync(page, 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^https?:/.test(target)) continue;
      links += 1;
      assert.ok(existsSync(join(dirname(page), target)), `${page} links to ${target}, which is not there`);
    }
  }
  assert.ok(links >= 10, `only ${links} links were seen`);
});

test('every file and folder that the architecture page names exists', () => {
  for (const [, file = ''] of readFileSync('ARCHITECTURE.md', 'utf8').matchAll(/`(src\/[\w./-]+|test\/[\w./-]+)`/g)) {
    assert.ok(existsSync(file), `${file} is not there`);
  }
});
