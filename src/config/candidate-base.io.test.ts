/** What a change was made from: nothing that others have committed since is overwritten without a word. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MASK } from './configuration-store.ts';
import type { Json, Mapping } from './document.ts';
import {
  ANN,
  BOB,
  good,
  type Opened,
  openWithFirst,
  refused,
  set,
  valueAt,
} from '../../test/support/configuration-store.ts';

async function commitOfAnn({ store }: Opened, at: string, value: Json): Promise<void> {
  good(await store.edit(ANN, [set(at, value)]));
  good(await store.commit(ANN, { comment: `ann changes ${at}` }));
}

const whole = async ({ store }: Opened, which: 'running' | typeof BOB = 'running'): Promise<Mapping> =>
  good(await store.document(which, [])).value as Mapping;

test('a whole candidate that is put back after another commit still tells of the same key', async (t) => {
  const opened = await openWithFirst(t);
  const { store } = opened;
  good(await store.edit(BOB, [set('hostname', 'bob.example.test')]));
  const mine = await whole(opened, BOB);
  await commitOfAnn(opened, 'hostname', 'ann.example.test');
  const loaded = good(await store.load(BOB, { document: { ...mine, ssl: { minVersion: 'TLSv1.3' } } }));
  assert.equal(loaded.base, 1);
  assert.deepEqual(
    loaded.conflicts.map(({ path, theirs }) => [path, theirs]),
    [[['hostname'], 'ann.example.test']],
  );
  refused(await store.commit(BOB, { comment: '' }), 'conflict');
  assert.equal(await valueAt(opened, 'hostname'), 'ann.example.test');
});

test('what another has committed elsewhere stays when a whole candidate is put back, and that is said', async (t) => {
  const opened = await openWithFirst(t);
  const { store } = opened;
  good(await store.edit(BOB, [set('ssl.minVersion', 'TLSv1.2')]));
  const mine = await whole(opened, BOB);
  await commitOfAnn(opened, 'hostname', 'ann.example.test');
  const { stays, changes, conflicts } = good(
    await store.load(BOB, { document: { ...mine, ssl: { minVersion: 'TLSv1.3' } } }),
  );
  assert.deepEqual(stays, [{ path: ['hostname'], op: 'change', before: 'gw.example.test', after: 'ann.example.test' }]);
  assert.deepEqual([changes.map(({ path }) => path), conflicts], [[['ssl']], []]);
  const done = good(await store.commit(BOB, { comment: '' }));
  assert.deepEqual(done.changes, changes);
  assert.equal(await valueAt(opened, 'hostname'), 'ann.example.test');
});

test('a document that was made from an earlier revision is merged where that is named, and replaces where not', async (t) => {
  const opened = await openWithFirst(t);
  const { store } = opened;
  const seen = await whole(opened);
  await commitOfAnn(opened, 'hostname', 'ann.example.test');
  await commitOfAnn(opened, 'system.minFreeSpace', '128M');
  const mine = { ...seen, hostname: 'bob.example.test' };
  const { conflicts } = good(await store.load(BOB, { document: mine, base: 1 }));
  assert.deepEqual(
    conflicts.map(({ path, revision }) => [path, revision.author, revision.number]),
    [[['hostname'], 'ann', 2]],
  );
  refused(await store.commit(BOB, { comment: '' }), 'conflict');
  good(await store.clear(BOB.session));
  const { changes } = good(await store.load(BOB, { document: mine }));
  assert.deepEqual(
    changes.map(({ path, op }) => [path, op]),
    [
      [['hostname'], 'change'],
      [['system'], 'remove'],
    ],
  );
});

test('a first edit begins at the revision that was looked at: an object that is set whole takes nothing back', async (t) => {
  const opened = await openWithFirst(t);
  const { store } = opened;
  const listener = good(await store.document(BOB, ['listeners', 'in']));
  assert.deepEqual([listener.revision, listener.version], [1, undefined]);
  await commitOfAnn(opened, 'listeners.in.tcpQueue', 70);
  const value = { ...(listener.value as Mapping), defaultDomain: 'example.test' };
  const { base } = good(
    await store.edit(BOB, [{ op: 'set', path: ['listeners', 'in'], value }], { ifVersion: 0, base: 1 }),
  );
  assert.equal(base, 1);
  good(await store.commit(BOB, { comment: 'both' }));
  assert.equal(await valueAt(opened, 'listeners', 'in', 'tcpQueue'), 70);
  assert.equal(await valueAt(opened, 'listeners', 'in', 'defaultDomain'), 'example.test');
});

test('a base that is not that of the candidate, or no revision, is refused', async (t) => {
  const opened = await openWithFirst(t);
  const { store } = opened;
  good(await store.edit(BOB, [set('hostname', 'bob.example.test')]));
  await commitOfAnn(opened, 'ssl.minVersion', 'TLSv1.3');
  const edit = [set('hostname', 'x.example.test')];
  assert.equal(refused(await store.edit(BOB, edit, { base: 2 }), 'stale').actual, 1);
  refused(await store.edit(ANN, edit, { base: 99 }), 'not-found');
  refused(await store.load(ANN, { text: 'minVersion: TLSv1.3\n', at: ['ssl'], base: 99 }), 'not-found');
  assert.equal(refused(await store.load(BOB, { document: {}, ifVersion: 0 }), 'stale').actual > 0, true);
  refused(await store.edit(ANN, edit, { ifVersion: 7 }), 'stale');
  assert.equal(good(await store.load(BOB, { document: await whole(opened), base: 2 })).base, 2);
});

test('a masked secret of a document made from an earlier revision is the secret of that revision', async (t) => {
  const opened = await openWithFirst(t);
  const { store } = opened;
  const seen = await whole(opened);
  await commitOfAnn(opened, 'ldap.servers.corp.bind.password', 'hunter3');
  const { changes, conflicts } = good(
    await store.load(BOB, { document: { ...seen, hostname: 'bob.example.test' }, base: 1 }),
  );
  assert.ok(JSON.stringify(seen).includes(MASK));
  assert.deepEqual([changes.map(({ path }) => path), conflicts], [[['hostname']], []]);
  good(await store.commit(BOB, { comment: '' }));
  const { text } = good(await store.export({ which: 'running', secrets: 'clear' }));
  assert.match(text, /hunter3/);
});
