/** Another master key for a store that has revisions, candidates and secrets that did not change. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ANN, BOB, good, type open, openWithFirst, refused, set } from '../../test/support/configuration-store.ts';
import { StoreVault } from './store-vault.io.ts';

const PASSWORD = 'ldap.servers.corp.bind.password';
const clear = async (store: ReturnType<typeof open>['store'], which: number | 'running') =>
  good(await store.export({ which, secrets: 'clear' })).text.replace(/^#.*\n/gm, '');

test('every secret opens under the new key and none under the old one; nothing else changed', async (t) => {
  const { store, folder } = await openWithFirst(t);
  good(await store.edit(ANN, [set('hostname', 'other.example.test')]));
  good(await store.commit(ANN, { comment: 'second' }));
  good(await store.edit(ANN, [set(PASSWORD, 'hunter3')]));
  good(await store.commit(ANN, { comment: 'third' }));
  good(await store.edit(BOB, [set(PASSWORD, 'hunter4')]));
  const file = path.join(folder, 'master.key');
  const [key, before] = [readFileSync(file, 'utf8'), [await clear(store, 1), await clear(store, 3)]];
  const contents = () =>
    readdirSync(folder)
      .map((name) => readFileSync(path.join(folder, name), 'latin1'))
      .join('');
  const sealed = contents().match(/sealed:[\w+/=]{40,}/g) ?? [];
  assert.ok(sealed.length > 0);
  const done = good(await store.rekey(ANN));
  assert.deepEqual([done.file, done.secrets], [file, 3]);
  assert.notEqual(readFileSync(file, 'utf8'), key);
  assert.deepEqual([await clear(store, 1), await clear(store, 3)], before);
  assert.deepEqual(
    good(await store.diff(1, 2)).changes.map(({ path: at }) => at.join('.')),
    ['hostname'],
  );
  for (const text of sealed) assert.ok(!contents().includes(text), 'what the old key opens is still there');
  good(await store.commit(BOB, { comment: 'fourth, begun under the old key' }));
  assert.match(await clear(store, 'running'), /hunter4/);
  await store.close();
  writeFileSync(file, key);
  assert.throws(() => StoreVault.open({ dataDir: folder }), /is not the master key that/);
});

test('with a file of its own the store needs that file from then on', async (t) => {
  const { store, folder } = await openWithFirst(t);
  const file = path.join(folder, 'elsewhere.key');
  good(await store.rekey(ANN, file));
  await store.close();
  assert.throws(() => StoreVault.open({ dataDir: folder }), /master\.key is not the master key that/);
  const vault = StoreVault.open({ dataDir: folder, keyFile: file });
  assert.match(JSON.stringify(vault.open(vault.head().document)), /hunter2/);
  vault.db.close();
});

test('a change of keys that was cut short before the key took its place is ended at the next start', async (t) => {
  const { store, folder } = await openWithFirst(t);
  const file = path.join(folder, 'master.key');
  const former = readFileSync(file, 'utf8');
  good(await store.rekey(ANN));
  await store.close();
  renameSync(file, `${file}.next`);
  writeFileSync(file, former, { mode: 0o600 });
  const vault = StoreVault.open({ dataDir: folder });
  assert.match(JSON.stringify(vault.open(vault.head().document)), /hunter2/);
  vault.db.close();
  assert.ok(!existsSync(`${file}.next`) && readFileSync(file, 'utf8') !== former);
});

test('a key that is a credential of systemd cannot be changed in place, and the refusal says what to do', async (t) => {
  const { store, folder } = await openWithFirst(t);
  await store.close();
  const vault = StoreVault.open({ dataDir: folder, credentials: folder });
  assert.throws(() => vault.rekey(undefined), /credential of systemd, which nobody can write: .* rekey --to FILE/);
  vault.db.close();
});

test('a commit removes what is too old, but not what a candidate began with; going back there is refused in words', async (t) => {
  const opened = await openWithFirst(t);
  const { store } = opened;
  good(await store.edit(ANN, [set('system.revisionsKept', 3)]));
  good(await store.commit(ANN, { comment: '2' }));
  good(await store.edit(BOB, [set('hostname', 'bob.example.test')]));
  for (let number = 3; number <= 8; number++) {
    good(await store.edit(ANN, [set('ssl.minVersion', number % 2 === 0 ? 'TLSv1.2' : 'TLSv1.3')]));
    good(await store.commit(ANN, { comment: `${number}` }));
  }
  assert.deepEqual(
    (await store.history()).map(({ number }) => number),
    [8, 7, 6],
  );
  // The oldest still says what it changed.
  assert.deepEqual(
    good(await store.revision(6)).changes.map(({ path: at }) => at.join('.')),
    ['ssl.minVersion'],
  );
  for (const number of [1, 5]) {
    const why = new RegExp(`revision ${number} is no longer kept: the oldest is 6 \\(system\\.revisionsKept`);
    assert.match(refused(await store.rollback(ANN, { to: number }), 'not-found').why, why);
    assert.match(refused(await store.revision(number), 'not-found').why, why);
    assert.match(refused(await store.diff(number, 'running'), 'not-found').why, why);
  }
  assert.equal(refused(await store.rollback(ANN, { to: 99 }), 'not-found').why, 'there is no revision 99');
  // What Bob began on revision 2 is still merged with what came since.
  good(await store.commit(BOB, { comment: '9' }));
  const { changes } = good(await store.revision(9));
  assert.deepEqual(
    changes.map(({ path: at }) => at.join('.')),
    ['hostname'],
  );
  good(await store.rollback(ANN, { to: 8 }));
  assert.equal((await store.history()).length, 3);
});
