import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Edit, Json } from './configuration-store.ts';
import { applyEdits, EditError } from './document-edits.ts';

const DOCUMENT: Json = {
  hostname: 'gw.example.test',
  certificates: { gateway: { certFile: '/pki/gateway.pem', keyFile: '/pki/gateway.key' } },
  listeners: {
    submission: {
      certificate: 'gateway',
      hat: [
        { senderGroup: 'A', policy: 'P' },
        { senderGroup: 'ALL', policy: 'B' },
      ],
    },
    other: { certificate: 'another' },
  },
};

const GOOD: readonly (readonly [
  title: string,
  edit: Edit,
  path: readonly (string | number)[],
  expected: Json | undefined,
])[] = [
  ['a value is set', { op: 'set', path: ['hostname'], value: 'x' }, ['hostname'], 'x'],
  ['mappings on the way are made', { op: 'set', path: ['a', 'b', 'c'], value: 1 }, ['a'], { b: { c: 1 } }],
  [
    'the index behind the last entry appends',
    { op: 'set', path: ['listeners', 'submission', 'hat', 2], value: 'new' },
    ['listeners', 'submission', 'hat', 2],
    'new',
  ],
  ['the first entry makes the list', { op: 'set', path: ['l', 0], value: 'x' }, ['l'], ['x']],
  ['a key is deleted', { op: 'delete', path: ['listeners', 'other'] }, ['listeners', 'other'], undefined],
  [
    'an entry is deleted and the others move up',
    { op: 'delete', path: ['listeners', 'submission', 'hat', 0] },
    ['listeners', 'submission', 'hat'],
    [{ senderGroup: 'ALL', policy: 'B' }],
  ],
  [
    'an entry is put before another',
    { op: 'insert', path: ['listeners', 'submission', 'hat', 1], value: 'x' },
    ['listeners', 'submission', 'hat', 1],
    'x',
  ],
  [
    'an entry gets another place',
    { op: 'move', path: ['listeners', 'submission', 'hat', 0], to: 1 },
    ['listeners', 'submission', 'hat'],
    [
      { senderGroup: 'ALL', policy: 'B' },
      { senderGroup: 'A', policy: 'P' },
    ],
  ],
  [
    'what refers to a name follows when it is renamed',
    { op: 'rename', path: ['certificates', 'gateway'], to: 'new' },
    ['listeners', 'submission', 'certificate'],
    'new',
  ],
  [
    'what refers to another name stays',
    { op: 'rename', path: ['certificates', 'gateway'], to: 'new' },
    ['listeners', 'other', 'certificate'],
    'another',
  ],
  ['deleting the whole leaves an empty document', { op: 'delete', path: [] }, [], {}],
];

for (const [title, edit, path, expected] of GOOD) {
  test(title, () => {
    const before = structuredClone(DOCUMENT);
    const after = applyEdits(DOCUMENT, [edit]);
    assert.deepEqual(at(after, path), expected);
    assert.deepEqual(DOCUMENT, before, 'the tree itself was changed');
  });
}

const at = (tree: Json, path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((value, step) => (value as Record<string | number, unknown> | undefined)?.[step], tree);

const deep = (levels: number): Json => (levels === 0 ? 1 : { a: deep(levels - 1) });

const REFUSED: readonly (readonly [title: string, edit: Edit, message: RegExp])[] = [
  ['a step into a text', { op: 'set', path: ['hostname', 'x'], value: 1 }, /hostname: is not a mapping of keys/],
  ['an index into a mapping', { op: 'set', path: ['listeners', 0], value: 1 }, /listeners: is not a list/],
  ['a key into a list', { op: 'set', path: ['listeners', 'submission', 'hat', 'x'], value: 1 }, /is not a mapping/],
  [
    'an index far behind the end',
    { op: 'set', path: ['listeners', 'submission', 'hat', 9], value: 1 },
    /has 2 entries/,
  ],
  ['an index below zero', { op: 'set', path: ['listeners', 'submission', 'hat', -1], value: 1 }, /has 2 entries/],
  ['deleting what is not there', { op: 'delete', path: ['nothing'] }, /nothing: there is nothing here/],
  ['what every object answers to', { op: 'delete', path: ['constructor'] }, /there is nothing here/],
  ['the key __proto__', { op: 'set', path: ['__proto__', 'x'], value: 1 }, /__proto__ is not allowed/],
  [
    'the key __proto__ in a value',
    { op: 'set', path: ['x'], value: JSON.parse('{"__proto__":1}') as Json },
    /__proto__/,
  ],
  ['a name that is taken', { op: 'rename', path: ['listeners', 'other'], to: 'submission' }, /exists already/],
  ['renaming an entry', { op: 'rename', path: ['listeners', 'submission', 'hat', 0], to: 'x' }, /has no name/],
  ['moving what is no entry', { op: 'move', path: ['listeners', 'other'], to: 0 }, /is not an entry of a list/],
  ['moving behind the end', { op: 'move', path: ['listeners', 'submission', 'hat', 0], to: 2 }, /has 2 entries/],
  ['what only the store may write', { op: 'set', path: ['x'], value: '\0sealed:AAAA' }, /x: must not contain NUL/],
  ['a tree without end', { op: 'set', path: ['x'], value: deep(40) }, /the nesting is too deep/],
];

for (const [title, edit, message] of REFUSED) {
  test(`refused: ${title}`, () => {
    assert.throws(
      () => applyEdits(DOCUMENT, [{ op: 'set', path: ['hostname'], value: 'first' }, edit]),
      (error) => error instanceof EditError && message.test(error.message),
    );
  });
}
