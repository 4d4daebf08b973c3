/** The JSON Schema as an editor's validator (Ajv, in its strict mode) reads it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describeAsYaml } from './describe-yaml.ts';
import { configurationJsonSchema } from './json-schema.ts';
import { parseYaml } from './yaml-document.ts';

const validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(
  configurationJsonSchema(),
);
const RECIPES = path.join(import.meta.dirname, '..', '..', 'test', 'contract', 'recipes');

function check(text: string): string[] {
  const parsed = parseYaml(text);
  assert.ok(parsed.ok);
  validate(parsed.data);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

test('the recipes and the configuration to start from fit it', () => {
  const recipes = readdirSync(RECIPES).filter((name) => name.endsWith('.yaml'));
  assert.ok(recipes.length >= 3);
  for (const name of recipes) assert.deepEqual(check(readFileSync(path.join(RECIPES, name), 'utf8')), [], name);
  assert.deepEqual(check(describeAsYaml()), []);
});

const BAD: readonly (readonly [title: string, text: string, error: RegExp])[] = [
  ['an unknown key', 'hostname: a\nlisteners: {}\nhostnam: b\n', /^ must NOT have additional properties/],
  ['a missing key', 'hostname: a\n', /must have required property 'listeners'/],
  [
    'a wrong word',
    'hostname: a\nlisteners: {}\nssl: {minVersion: SSLv3}\n',
    /\/ssl\/minVersion must be equal to one of/,
  ],
  ['a wrong type', 'hostname: 1\nlisteners: {}\n', /\/hostname must be string/],
  [
    'a wrong name',
    'hostname: a\nlisteners: {}\ncertificates: {"a b": {}}\n',
    /\/certificates property name must be valid/,
  ],
];

for (const [title, text, error] of BAD) {
  test(`it marks ${title}`, () => {
    const errors = check(text);
    assert.ok(
      errors.some((line) => error.test(line)),
      errors.join('; '),
    );
  });
}
