import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationShape, type Shape } from './describe.ts';
import { FILE_PLACES, REFERENCE_PLACES, SECRET_PLACES } from './document-places.ts';

type Marks = Shape & { readonly secret?: true; readonly file?: true; readonly refersTo?: string };

function places(shape: Marks, above: readonly string[] = []): { readonly at: string; readonly marks: Marks }[] {
  const { properties = {}, additionalProperties: named, items, oneOf = [], anyOf = [] } = shape;
  return [
    { at: above.join('.'), marks: shape },
    ...Object.entries(properties).flatMap(([key, inner]) => places(inner, [...above, key])),
    ...(typeof named === 'object' ? places(named, [...above, '*']) : []),
    ...(items === undefined ? [] : places(items, [...above, '*'])),
    ...[...oneOf, ...anyOf].flatMap((choice) => places(choice, above)),
  ];
}

const all = places(configurationShape());
const marked = (is: (marks: Marks) => unknown): string[] =>
  [...new Set(all.filter(({ marks }) => is(marks) !== undefined).map(({ at }) => at))].sort();
const texts = (list: readonly (readonly string[])[]): string[] => list.map((at) => at.join('.')).sort();

test('the schema was walked', () => assert.ok(all.length > 100, `${all.length} places`));

test('secrets are masked exactly where the schema has one', () => {
  assert.deepEqual(
    texts(SECRET_PLACES),
    marked(({ secret }) => secret),
  );
});

test('paths of files are known exactly where the schema has one', () => {
  assert.deepEqual(
    texts(FILE_PLACES),
    marked(({ file }) => file),
  );
});

test('a rename follows exactly the references that the schema has', () => {
  const known = REFERENCE_PLACES.map(([at, section]) => `${at.join('.')} ${section.join('.')}`);
  const there = all.flatMap(({ at, marks }) => (marks.refersTo === undefined ? [] : [`${at} ${marks.refersTo}`]));
  assert.deepEqual([...known].sort(), [...new Set(there)].sort());
});
