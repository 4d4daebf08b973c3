import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describedKeys } from './describe.ts';
import { describeAsYaml } from './describe-yaml.ts';
import { configurationJsonSchema } from './json-schema.ts';
import { checkDocument } from './load.io.ts';
import type { Json } from './document.ts';
import { parseYaml } from './yaml-document.ts';

const text = describeAsYaml();

/** As the page says: remarks stay, every setting loses its "#". */
const uncommented = text.replaceAll(/^#(?! [^ ])/gm, '');

function parsed(yaml: string): Json {
  const document = parseYaml(yaml);
  assert.ok(document.ok, document.ok ? '' : JSON.stringify(document.faults));
  return document.data as Json;
}

/** Paths as the reference writes them: names of choices (`PROFILE-ldap`) without the choice. */
function keysOf(value: unknown, above = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => keysOf(each, `${above}[]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const name = key.replace(/^([A-Z]+)-.*$/, '$1');
    const at = above === '' ? name : `${above}.${name}`;
    return [at, ...keysOf(inner, at)];
  });
}

test('what describe prints is a configuration that check accepts', () => {
  const loaded = checkDocument(parsed(text), []);
  assert.deepEqual(loaded.ok ? loaded.warnings : loaded.faults, []);
});

test('with the "#" of every setting taken away it is YAML with every key that the schema has, and no other', () => {
  const there = new Set(keysOf(parsed(uncommented)).filter((at) => !/(^|\.)[A-Z]+$/.test(at)));
  const known = new Set(describedKeys().map(({ path }) => path));
  assert.ok(known.size > 80, `only ${known.size} keys`);
  assert.deepEqual([...known.difference(there)], []);
  // A schedule is one value for the reference and a mapping in YAML.
  const isLeaf = (at: string): boolean => known.has(at) && ![...known].some((other) => other.startsWith(`${at}.`));
  const stranger = [...there.difference(known)].filter((at) => !isLeaf(at.slice(0, at.lastIndexOf('.'))));
  assert.deepEqual(stranger, []);
});

test('no line is longer than an editor shows', () => {
  assert.deepEqual(
    text.split('\n').filter((line) => line.length > 120),
    [],
  );
});

test('the JSON Schema has descriptions and no words of our own', () => {
  const schema = JSON.stringify(configurationJsonSchema());
  for (const mark of ['"asyncos":', '"refersTo":', '"otherwise":']) assert.ok(!schema.includes(mark), mark);
  assert.match(schema, /"description":"Where it listens\. AsyncOS: Interface and TCP Port\."/);
  assert.match(schema, /"writeOnly":true/);
});
