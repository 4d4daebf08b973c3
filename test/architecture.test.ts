/**
 * The shape of the code: every rule of ARCHITECTURE.md is shown a planted violation first, then the code. A check that
 * sees no code, or that cannot fail, would be worse than none.
 */
import assert from 'node:assert/strict';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import {
  type SourceFile,
  STAGES,
  folderOf,
  importsOf,
  unusedExports,
  violations,
} from './support/architecture-rules.ts';

const root = join(import.meta.dirname, '..');

const readTree = (folder: string): SourceFile[] =>
  globSync('src/**/*.ts', { cwd: folder })
    .sort()
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }));

/** What the rules say about a tree of files on disk, as the real check reads it. */
function plant(files: Record<string, string>): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-architecture-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), `/** Planted. */\n${text}\n`);
    }
    return violations(readTree(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const HOST_TABLE = { 'src/policy/host-access-table.ts': 'export const a = 1;\nexport type A = number;' };
const CRL_STORE = { 'src/tls/crl-store.io.ts': 'export const a = 1;' };

const PLANTED: readonly (readonly [title: string, files: Record<string, string>, expected: RegExp])[] = [
  [
    'a pure file that imports the file system is reported',
    { 'src/tls/crl.ts': "import { readFile } from 'node:fs/promises';" },
    /crl\.ts: a pure file imports node:fs\/promises/,
  ],
  [
    'a pure file that imports an effect of its own folder is reported',
    { ...CRL_STORE, 'src/tls/crl.ts': "import { a } from './crl-store.io.ts';" },
    /a pure file imports effects/,
  ],
  [
    'an import of node:http, which brings undici along, is reported',
    { 'src/log/metrics-server.io.ts': "import { createServer } from 'node:http';" },
    /metrics-server\.io\.ts: node:http comes from/,
  ],
  [
    'an import over several lines is seen',
    { ...CRL_STORE, 'src/tls/crl.ts': "import {\n  a,\n} from './crl-store.io.ts';" },
    /a pure file imports effects/,
  ],
  [
    'a re-export is seen',
    { ...CRL_STORE, 'src/tls/crl.ts': "export { a } from './crl-store.io.ts';" },
    /a pure file imports effects/,
  ],
  [
    'a dynamic import is seen',
    { ...CRL_STORE, 'src/tls/crl.ts': "export const f = () => import('./crl-store.io.ts');" },
    /a pure file imports effects/,
  ],
  [
    'a stage that imports a later stage is reported, even as a type',
    { ...HOST_TABLE, 'src/accept/x.ts': "import type { A } from '../policy/host-access-table.ts';" },
    /accept may not import the types of/,
  ],
  [
    'a stage that imports a value of an earlier stage is reported',
    { ...HOST_TABLE, 'src/tls/x.ts': "import { a } from '../policy/host-access-table.ts';" },
    /tls may not import values of/,
  ],
  [
    'an inline type import counts as a value import',
    { ...HOST_TABLE, 'src/tls/x.ts': "import { type A } from '../policy/host-access-table.ts';" },
    /tls may not import values of/,
  ],
  [
    'a thread entry of a later folder is reported',
    { 'src/tls/x.io.ts': "new URL('../pipeline/receive-thread.io.ts', import.meta.url);" },
    /tls may not import values of/,
  ],
  [
    'a layer that imports a stage is reported',
    { ...HOST_TABLE, 'src/smtp/x.ts': "import type { A } from '../policy/host-access-table.ts';" },
    /smtp may not import the types of/,
  ],
  [
    'a layer that imports values of the configuration is reported',
    { 'src/config/schema.ts': 'export const s = 1;', 'src/ldap/x.ts': "import { s } from '../config/schema.ts';" },
    /ldap may not import values of/,
  ],
  [
    'a core file that imports anything of ours is reported',
    { 'src/config/schema.ts': 'export type S = 1;', 'src/core/x.ts': "import type { S } from '../config/schema.ts';" },
    /core may not import/,
  ],
  [
    'a stage that imports what joins the stages is reported',
    {
      'src/explain/trace.io.ts': 'export const a = 1;',
      'src/tls/x.io.ts': "import { a } from '../explain/trace.io.ts';",
    },
    /tls may not import values of src\/explain/,
  ],
  [
    'a command that decides about mail itself is reported',
    { ...HOST_TABLE, 'src/cli/x.ts': "import { a } from '../policy/host-access-table.ts';" },
    /cli may not import values of/,
  ],
  [
    'an effect in a file beside the composition root is reported, unless its name says so',
    { 'src/threads.ts': "import { Worker } from 'node:worker_threads';" },
    /threads\.ts: a pure file imports node:worker_threads/,
  ],
  [
    'the clock in a pure file is reported',
    { 'src/policy/x.ts': 'export const now = () => Date.now();' },
    /uses Date\.now/,
  ],
  [
    'today in a pure file is reported',
    { 'src/policy/x.ts': 'export const now = () => new Date();' },
    /uses new Date\(\)/,
  ],
  [
    'chance in a pure file is reported',
    { 'src/policy/x.ts': 'export const die = () => Math.random();' },
    /uses Math\.random/,
  ],
  ['a timer in a pure file is reported', { 'src/policy/x.ts': 'setTimeout(() => 1, 5);' }, /uses a timer/],
  [
    'the network in a pure file is reported',
    { 'src/policy/x.ts': "export const f = () => fetch('http://127.0.0.1/');" },
    /uses fetch/,
  ],
  [
    'a file of more than 400 lines is reported',
    { 'src/policy/x.ts': 'export {};\n'.repeat(400) },
    /401 lines|402 lines/,
  ],
  ['an unknown folder is reported', { 'src/misc/x.ts': 'export {};' }, /folder is not one of the architecture/],
  ['a default export is reported', { 'src/policy/x.ts': 'export default 1;' }, /default export/],
  ['a name that says nothing is reported', { 'src/policy/utils.ts': 'export {};' }, /the name says nothing/],
  [
    'ldapts outside the LDAP layer is reported',
    { 'src/identity/x.io.ts': "import { Client } from 'ldapts';" },
    /ldapts belongs to ldap/,
  ],
  [
    'zod outside the configuration is reported',
    { 'src/policy/x.ts': "import { z } from 'zod';" },
    /zod belongs to config/,
  ],
  [
    'yaml outside the configuration is reported',
    { 'src/cli/x.io.ts': "import { parse } from 'yaml';" },
    /yaml belongs to config/,
  ],
  [
    'the database outside the queue and the configuration store is reported',
    { 'src/pipeline/x.io.ts': "import { DatabaseSync } from 'node:sqlite';" },
    /node:sqlite belongs to queue, config/,
  ],
  [
    'croner in two folders is reported',
    { 'src/tls/x.io.ts': "import { Cron } from 'croner';", 'src/queue/x.io.ts': "import { Cron } from 'croner';" },
    /croner is imported in more than one folder/,
  ],
  [
    '@peculiar/x509 in two folders is reported',
    {
      'src/tls/x.ts': "import { X509Certificate } from '@peculiar/x509';",
      'src/cli/x.io.ts': "import { X509Certificate } from '@peculiar/x509';",
    },
    /@peculiar\/x509 is imported in more than one folder/,
  ],
  [
    'pkijs in two folders is reported',
    {
      'src/tls/x.ts': "import { Certificate } from 'pkijs';",
      'src/cli/x.io.ts': "import { Certificate } from 'pkijs';",
    },
    /pkijs is imported in more than one folder/,
  ],
];

for (const [title, files, expected] of PLANTED) {
  test(title, () => {
    const found = plant(files);
    assert.ok(
      found.some((line) => expected.test(line)),
      `not reported; found: ${found.join('; ') || 'nothing'}`,
    );
  });
}

test('a file without an opening comment is reported', () => {
  assert.match(violations([{ path: 'src/policy/x.ts', text: 'export {};\n' }]).join(), /does not open with a comment/);
});

test('what the rules allow is not reported', () => {
  const found = plant({
    ...HOST_TABLE,
    ...CRL_STORE,
    'src/core/reply.ts': 'export const r = 1;',
    'src/config/schema.ts': "import { z } from 'zod';\nexport type S = z.ZodType;",
    'src/ldap/directory.io.ts':
      "import { Client } from 'ldapts';\nimport type { S } from '../config/schema.ts';\nexport const now = () => Date.now();",
    'src/tls/x.ts':
      "import type { A } from '../policy/host-access-table.ts';\n// Date.now() is handed in\nexport const text = 'Date.now() and fetch(x)';",
    'src/pipeline/receipt.io.ts':
      "import { a } from '../policy/host-access-table.ts';\nimport { a as b } from '../tls/crl-store.io.ts';",
    'src/main.ts': "import './pipeline/receipt.io.ts';\nsetTimeout(() => 1, 1);",
    'src/cli/x.ts': "import type { A } from '../policy/host-access-table.ts';\nimport { t } from '../tls/x.ts';",
    'src/explain/trace.io.ts': "import './../pipeline/receipt.io.ts';",
  });
  assert.deepEqual(found, []);
});

const files = readTree(root);

test('the rules see the code', () => {
  const code = files.filter(({ path }) => !path.endsWith('.test.ts'));
  assert.ok(code.length >= 60, `only ${code.length} files`);
  assert.ok(code.reduce((sum, { text }) => sum + importsOf(text).length, 0) >= 200, 'hardly any import was seen');
  for (const stage of STAGES.filter((name) => name !== 'content')) {
    assert.ok(
      code.some(({ path }) => folderOf(path) === stage),
      `no file of the stage ${stage} was seen`,
    );
  }
});

test('every file that ARCHITECTURE.md names is there', () => {
  const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const named = [...page.matchAll(/`(?:src\/)?([\w/.-]+\.ts)`/g)].map(([, name]) => name ?? '');
  assert.ok(named.length >= 30, `only ${named.length} names were seen`);
  const there = (name: string): boolean =>
    files.some(({ path }) => path.endsWith(`/${name}`)) || globSync(name, { cwd: root }).length > 0;
  assert.deepEqual(
    named.filter((name) => !there(name) && !/[A-Z]|^x\./.test(name)),
    [],
  );
});

test('an export that nobody imports is reported, one that only a test or a thread entry takes is not', () => {
  const planted = [
    { path: 'src/tls/a.ts', text: 'export const lost = 1;\nexport const tested = 2;\nexport type T = 3;' },
    { path: 'src/tls/b.io.ts', text: 'export function startB() {}' },
    {
      path: 'src/c.io.ts',
      text: "export class Lost {}\nnew URL('./tls/b.io.ts', import.meta.url);\nconst name = 'startB';",
    },
  ];
  const tests = [{ path: 'test/x.test.ts', text: "import { tested } from '../src/tls/a.ts';" }];
  assert.deepEqual(unusedExports(planted, tests), [
    'src/tls/a.ts: nobody imports lost',
    'src/c.io.ts: nobody imports Lost',
  ]);
});

test('every function, constant and class that is exported has somebody who imports it', () => {
  const others = globSync('{test,bench,scripts}/**/*.ts', { cwd: root }).map((path) => ({
    path,
    text: readFileSync(join(root, path), 'utf8'),
  }));
  assert.deepEqual(unusedExports(files, others), []);
});

test('the code keeps every rule', () => {
  assert.deepEqual(violations(files), []);
});
