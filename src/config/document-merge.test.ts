import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from './document.ts';
import { finestDifferences } from './document-diff.ts';
import { merge } from './document-merge.ts';

const group = (senderGroup: string, policy: string, senders: string[] = []): Json => ({ senderGroup, policy, senders });
const BASE: Json = {
  hostname: 'gw',
  listeners: { in: { type: 'private', hat: [group('A', 'P'), group('ALL', 'B')] } },
  ldap: { servers: { corp: { baseDn: 'dc=x' } } },
};
const withHat = (...hat: Json[]): Json => ({ ...(BASE as object), listeners: { in: { type: 'private', hat } } });
const withHostname = (hostname: string): Json => ({ ...(BASE as object), hostname });

test('different keys merge', () => {
  const { merged, conflicts } = merge({ base: BASE, mine: withHostname('mine'), theirs: withHat(group('ALL', 'B')) });
  assert.deepEqual(conflicts, []);
  assert.deepEqual(merged, { ...(withHat(group('ALL', 'B')) as object), hostname: 'mine' });
});

test('two who add to a section that was not there merge', () => {
  const mine: Json = { ...(BASE as object), smtpRoutes: { a: ['x'] } };
  const theirs: Json = { ...(BASE as object), smtpRoutes: { b: ['y'] } };
  assert.deepEqual(merge({ base: BASE, mine, theirs }), {
    merged: { ...(BASE as object), smtpRoutes: { b: ['y'], a: ['x'] } },
    conflicts: [],
  });
});

test('the same key with the same result is no conflict', () => {
  const same = withHostname('same');
  assert.deepEqual(merge({ base: BASE, mine: same, theirs: same }), { merged: same, conflicts: [] });
});

test('the same key is a conflict, and theirs stays until mine is chosen', () => {
  const sides = { base: BASE, mine: withHostname('mine'), theirs: withHostname('theirs') };
  const { merged, conflicts } = merge(sides);
  assert.deepEqual(conflicts, [{ path: ['hostname'], mine: 'mine', theirs: 'theirs' }]);
  assert.deepEqual(merged, sides.theirs);
  assert.deepEqual(merge(sides, [{ path: ['hostname'], keep: 'mine' }]), { merged: sides.mine, conflicts: [] });
  assert.deepEqual(merge(sides, [{ path: ['hostname'], keep: 'theirs' }]), { merged: sides.theirs, conflicts: [] });
});

test('two sender groups that stay in their order merge entry by entry', () => {
  const mine = withHat(group('A', 'MINE'), group('ALL', 'B'));
  const theirs = withHat(group('A', 'P'), group('ALL', 'THEIRS'));
  assert.deepEqual(merge({ base: BASE, mine, theirs }), {
    merged: withHat(group('A', 'MINE'), group('ALL', 'THEIRS')),
    conflicts: [],
  });
});

test('a group that was put in before another is a conflict with a change of a group: an index would mean another one', () => {
  const mine = withHat(group('A', 'MINE'), group('ALL', 'B'));
  const theirs = withHat(group('NEW', 'P'), group('A', 'P'), group('ALL', 'B'));
  const { conflicts } = merge({ base: BASE, mine, theirs });
  assert.deepEqual(
    conflicts.map(({ path }) => path),
    [['listeners', 'in', 'hat']],
  );
});

test('a change inside what the other removed is a conflict, in both directions', () => {
  const removed: Json = { hostname: 'gw', listeners: {}, ldap: { servers: { corp: { baseDn: 'dc=x' } } } };
  const changed = withHat(group('A', 'OTHER'), group('ALL', 'B'));
  for (const [mine, theirs] of [
    [removed, changed],
    [changed, removed],
  ] as const) {
    const { conflicts } = merge({ base: BASE, mine, theirs });
    assert.deepEqual(
      conflicts.map(({ path }) => path),
      [['listeners', 'in']],
    );
    const choice = { path: ['listeners', 'in'], keep: 'mine' } as const;
    assert.deepEqual(merge({ base: BASE, mine, theirs }, [choice]), { merged: mine, conflicts: [] });
  }
});

const trees: fc.Arbitrary<Json> = fc.letrec<{ tree: Json }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json>('x', 'y', 1, true),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('tree'), { noNullPrototype: true }) as fc.Arbitrary<Json>,
    fc.array(fc.constantFrom('x', 'y')) as fc.Arbitrary<Json>,
  ),
})).tree;
const documents = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), trees, {
  noNullPrototype: true,
}) as fc.Arbitrary<Json>;

test('property: who changed nothing changes nothing, and who alone changed has all of it', () => {
  fc.assert(
    fc.property(documents, documents, (base, changed) => {
      assert.deepEqual(merge({ base, mine: base, theirs: changed }), { merged: changed, conflicts: [] });
      assert.deepEqual(merge({ base, mine: changed, theirs: base }), { merged: changed, conflicts: [] });
    }),
  );
});

test('property: without a conflict everything that either changed is in the result, and nothing else', () => {
  fc.assert(
    fc.property(documents, documents, documents, (base, mine, theirs) => {
      const { merged, conflicts } = merge({ base, mine, theirs });
      const wanted = (from: Json) => finestDifferences(base, from).map((each) => JSON.stringify(each));
      const there = new Set(finestDifferences(base, merged).map((each) => JSON.stringify(each)));
      const both = new Set([...wanted(mine), ...wanted(theirs)]);
      if (conflicts.length === 0) assert.deepEqual(there, both);
    }),
  );
});

test('property: with a choice for every conflict there is none left', () => {
  fc.assert(
    fc.property(documents, documents, documents, fc.boolean(), (base, mine, theirs, first) => {
      const { conflicts } = merge({ base, mine, theirs });
      const choices = conflicts.map(
        ({ path }, i) => ({ path, keep: (i % 2 === 0) === first ? 'mine' : 'theirs' }) as const,
      );
      assert.deepEqual(merge({ base, mine, theirs }, choices).conflicts, []);
    }),
  );
});
