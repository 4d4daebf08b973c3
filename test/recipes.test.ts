/**
 * The recipe pages against the product: what they tell an administrator to write is configuration that exists, the
 * commands are there, and no link leads nowhere. Fragments leave out what they do not speak of; that is no fault here.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type Config, configSchema } from '../src/config/schema.ts';
import { schemaFaults } from '../src/config/schema-faults.ts';
import { parseYaml } from '../src/config/yaml-document.ts';
import type { Fault } from '../src/core/fault.ts';
import { routeFaults } from '../src/config/semantics-delivery.ts';
import { faultsOfRecipientAccess } from '../src/envelope/recipient-access-table.ts';
import { faultsOfPolicy } from '../src/policy/host-access-table.ts';

const root = join(import.meta.dirname, '..');
const PAGES = [
  ...readdirSync(join(root, 'docs/recipes')).map((name) => `docs/recipes/${name}`),
  'README.md',
  'ARCHITECTURE.md',
];
const COMMANDS = new Set(
  [...execFileSync(join(root, 'bin/sallyport'), ['help'], { encoding: 'utf8' }).matchAll(/^ {2}sallyport ([\w-]+)/gm)]
    .map(([, name]) => name ?? '')
    .concat('help'),
);

const read = (page: string): string => readFileSync(join(root, page), 'utf8');

/** Fenced blocks of a language, without the list's indentation. */
function blocks(page: string, language: string): string[] {
  return [...page.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, 'gm'))].map(
    ([, indent = '', text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}

/** Faults of a piece of configuration, in words; keys that it leaves out are none. */
function faultsOf(text: string): string[] {
  const parsed = parseYaml(text);
  if (!parsed.ok) return parsed.faults.map(({ message }) => message);
  const data = { ...AROUND, ...(parsed.data as object) };
  const checked = configSchema.safeParse(data);
  const faults = checked.success ? meaningOf(checked.data) : schemaFaults(checked.error.issues, data);
  return faults
    .filter(({ message }) => !message.startsWith('is missing;'))
    .map(({ path, message }) => `${path.join('.')}: ${message}`);
}

/** What a fragment may leave out. */
const AROUND = {
  hostname: 'gw.example.test',
  listeners: { in: { type: 'private', address: ['127.0.0.1:25'], hat: [{ senderGroup: 'ALL', policy: 'BLOCKED' }] } },
};

/** Of the notations that are read by parts of their own: senders, recipients, routes. */
const meaningOf = (config: Config): Fault[] => [
  ...faultsOfPolicy(config),
  ...faultsOfRecipientAccess(config),
  ...routeFaults(config),
];

const commandsIn = (text: string): string[] =>
  [...text.matchAll(/(?:^|[\s(`])(?:bin\/)?sallyport ([a-z][\w-]*)/gm)].map(([, name]) => name ?? '');

test('a fault in a piece of configuration is seen', () => {
  assert.match(faultsOf('listeners:\n  a: { tpye: private }\n').join(), /listeners\.a\.tpye: unknown key/);
  assert.match(faultsOf('smtpRoutes: { "*.x": [USEDNS] }\n').join(), /smtpRoutes\.\*\.x: a key is/);
});

for (const page of PAGES) {
  const text = read(page);
  test(`${page}: its configuration is one that the gateway knows`, () => {
    for (const block of blocks(text, 'yaml')) assert.deepEqual(faultsOf(block), [], block);
  });
  test(`${page}: its commands exist`, () => {
    for (const block of [
      ...blocks(text, 'sh'),
      ...[...text.matchAll(/`([^`\n]+)`/g)].map(([, inline]) => inline ?? ''),
    ])
      for (const name of commandsIn(block)) assert.ok(COMMANDS.has(name), `${name} in: ${block}`);
  });
  test(`${page}: no link leads nowhere`, () => {
    for (const [, target = ''] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g))
      if (!/^[a-z]+:/.test(target)) assert.ok(existsSync(join(root, dirname(page), target)), target);
  });
}
