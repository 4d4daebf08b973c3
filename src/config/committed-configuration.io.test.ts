/** Candidates, commits, conflicts, history and roll back, on a real database. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../test/support/eventually.ts';
import type { Administrator } from './configuration-store.ts';
import { StoreVault } from './store-vault.io.ts';
import {
  ANN,
  BOB,
  FIRST,
  good,
  open,
  openWithFirst,
  refused,
  set,
  valueAt,
} from '../../test/support/configuration-store.ts';

test('a candidate is its session’s own, and counts once it is committed', async (t) => {
  const opened = await openWithFirst(t);
  const { store } = opened;
  good(await store.edit(ANN, [set('hostname', 'new.example.test')]));
  assert.equal(await valueAt(opened, 'hostname'), 'gw.example.test');
  assert.equal(good(await store.document(BOB, ['hostname'])).value, 'gw.example.test');
  assert.equal(good(await store.document(ANN, ['hostname'])).value, 'new.example.test');
  const { revision, changes } = good(await store.commit(ANN, { comment: 'a better name' }));
  assert.deepEqual(changes, [
    { path: ['hostname'], op: 'change', before: 'gw.example.test', after: 'new.example.test' },
  ]);
  assert.equal(await valueAt(opened, 'hostname'), 'new.example.test');
  assert.deepEqual(await store.history(), [revision, opened.committed[0]]);
  assert.deepEqual({ ...revision, atMs: 0 }, { number: 2, atMs: 0, author: 'ann', comment: 'a better name' });
  refused(await store.candidate(ANN.session), 'not-found');
  refused(await store.commit(ANN, { comment: '' }), 'no-changes');
});

test('what the schema or the meaning forbids is refused with its path, and the old revision goes on', async (t) => {
  const opened = await openWithFirst(t);
  const { store } = opened;
  good(
    await store.edit(ANN, [
      set('listeners.in.typ', 'x'),
      set('listeners.in.hat', [{ senderGroup: 'ALL', policy: 'NONE' }]),
    ]),
  );
  const { faults } = refused(await store.commit(ANN, { comment: '' }), 'faults');
  assert.deepEqual(
    faults.map(({ path: at }) => at),
    [
      ['listeners', 'in', 'hat', 0, 'policy'],
      ['listeners', 'in', 'typ'],
    ],
  );
  good(await store.edit(ANN, [{ op: 'delete', path: ['listeners', 'in', 'typ'] }]));
  const second = refused(await store.validate(ANN.session), 'faults').faults;
  assert.match(second[0]?.message ?? '', /there is no "NONE" in mailFlowPolicies/);
  assert.deepEqual(opened.built, [1]);
  assert.equal((await store.status()).running.number, 1);
});

test('what cannot be built is refused with the reason, the candidate stays', async (t) => {
  const opened = await openWithFirst(t);
  good(await opened.store.edit(ANN, [set('hostname', 'new.example.test')]));
  opened.failure = 'cannot listen on 127.0.0.1:2525: EADDRINUSE';
  const { why } = refused(await opened.store.commit(ANN, { comment: '' }), 'failed');
  assert.match(why, /the configuration in force goes on: cannot listen on/);
  assert.equal((await opened.store.history()).length, 1);
  opened.failure = undefined;
  assert.equal(good(await opened.store.commit(ANN, { comment: '' })).revision.number, 2);
});

test('who changes the same key second is told which, by whom and when, and must choose', async (t) => {
  const opened = await openWithFirst(t);
  const { store } = opened;
  good(await store.edit(ANN, [set('hostname', 'ann.example.test')]));
  good(await store.edit(BOB, [set('hostname', 'bob.example.test'), set('system.minFreeSpace', '128M')]));
  const { revision } = good(await store.commit(ANN, { comment: 'ann was first' }));
  const { conflicts, why } = refused(await store.commit(BOB, { comment: '' }), 'conflict');
  assert.deepEqual(conflicts, [{ path: ['hostname'], mine: 'bob.example.test', theirs: 'ann.example.test', revision }]);
  assert.match(
    why,
    /^somebody else has changed the same: hostname was changed by ann at \S+ in revision 2 \(ann was first\)/,
  );
  assert.deepEqual(good(await store.candidate(BOB.session)).candidate.conflicts, conflicts);
  assert.equal(await valueAt(opened, 'hostname'), 'ann.example.test', 'silently overwritten');
  refused(await store.rebase(BOB, []), 'conflict');
  good(await store.rebase(BOB, [{ path: ['hostname'], keep: 'theirs' }]));
  const { changes } = good(await store.commit(BOB, { comment: 'only the space' }));
  assert.deepEqual(
    changes.map(({ path: at }) => at.join('.')),
    ['system'],
  );
  assert.equal(await valueAt(opened, 'hostname'), 'ann.example.test');
});

test('the difference is what a commit would change, not what others have committed since', async (t) => {
  const { store } = await openWithFirst(t);
  good(await store.edit(BOB, [set('hostname', 'bob.example.test'), set('ssl.minVersion', 'TLSv1.2')]));
  good(await store.edit(ANN, [set('hostname', 'ann.example.test'), set('system.minFreeSpace', '128M')]));
  good(await store.commit(ANN, { comment: 'ann was first' }));
  const { changes } = good(await store.diff('running', { session: BOB.session }));
  assert.deepEqual(changes, [
    { path: ['hostname'], op: 'change', before: 'ann.example.test', after: 'bob.example.test' },
    { path: ['ssl'], op: 'add', after: { minVersion: 'TLSv1.2' } },
  ]);
});

test('of several commits since, the one that changed the key is named', async (t) => {
  const { store } = await openWithFirst(t);
  good(await store.edit(BOB, [set('hostname', 'bob.example.test')]));
  for (const [at, value] of [
    ['hostname', 'ann.example.test'],
    ['ssl.minVersion', 'TLSv1.3'],
    ['ssl.maxVersion', 'TLSv1.3'],
  ] as const) {
    good(await store.edit(ANN, [set(at, value)]));
    good(await store.commit(ANN, { comment: at }));
  }
  const [conflict] = refused(await store.commit(BOB, { comment: '' }), 'conflict').conflicts;
  assert.equal(conflict?.revision.number, 2);
});

test('different keys merge, and a hundred commits at once leave every change', async (t) => {
  const opened = await openWithFirst(t);
  const { store } = opened;
  const sessions = Array.from({ length: 100 }, (_, i): Administrator => ({ name: `a${i}`, session: `s${i}` }));
  for (const [i, who] of sessions.entries()) good(await store.edit(who, [set(`smtpRoutes.d${i}`, ['127.0.0.1:25'])]));
  const answers = await Promise.all(sessions.map((who) => store.commit(who, { comment: who.name })));
  const numbers = answers.map((answer) => good(answer).revision.number);
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    sessions.map((_, i) => i + 2),
  );
  assert.equal(Object.keys((await valueAt(opened, 'smtpRoutes')) as object).length, 100);
});

test('a hundred commits of one key at once: one wins, all others are told by whom', async (t) => {
  const opened = await openWithFirst(t);
  const { store } = opened;
  const sessions = Array.from({ length: 100 }, (_, i): Administrator => ({ name: `a${i}`, session: `s${i}` }));
  for (const who of sessions) good(await store.edit(who, [set('hostname', `${who.name}.example.test`)]));
  const answers = await Promise.all(sessions.map((who) => store.commit(who, { comment: '' })));
  assert.equal(answers.filter(({ ok }) => ok).length, 1);
  const winner = String(await valueAt(opened, 'hostname')).split('.')[0];
  for (const answer of answers.filter(({ ok }) => !ok))
    assert.equal(refused(answer, 'conflict').conflicts[0]?.revision.author, winner);
});

test('a version or a revision that was not seen is stale', async (t) => {
  const { store } = await openWithFirst(t);
  const { version } = good(await store.edit(ANN, [set('hostname', 'a.example.test')]));
  good(await store.edit(ANN, [set('hostname', 'b.example.test')], { ifVersion: version }));
  assert.equal(
    refused(await store.edit(ANN, [set('hostname', 'c')], { ifVersion: version }), 'stale').actual,
    version + 1,
  );
  assert.equal(refused(await store.commit(ANN, { comment: '', ifRevision: 7 }), 'stale').actual, 1);
  refused(await store.commit(ANN, { comment: '', ifVersion: version }), 'stale');
  good(await store.clear(ANN.session));
  const again = good(await store.edit(ANN, [set('hostname', 'd.example.test')]));
  assert.ok(again.version > version + 1, 'a version came twice');
});

test('roll back is a new revision, and any revision can be gone back to', async (t) => {
  const opened = await openWithFirst(t);
  const { store } = opened;
  for (const name of ['two', 'three']) {
    good(await store.edit(ANN, [set('hostname', `${name}.example.test`)]));
    good(await store.commit(ANN, { comment: name }));
  }
  const { revision } = good(await store.rollback(BOB, { to: 1 }));
  assert.deepEqual(
    { ...revision, atMs: 0 },
    { number: 4, atMs: 0, author: 'bob', comment: 'back to revision 1', rollbackTo: 1 },
  );
  assert.equal(await valueAt(opened, 'hostname'), 'gw.example.test');
  refused(await store.rollback(BOB, { to: 1 }), 'no-changes');
  refused(await store.rollback(BOB, { to: 99 }), 'not-found');
  refused(await store.rollback(BOB, { to: 0 }), 'not-found');
  const { changes } = good(await store.revision(4));
  assert.deepEqual(changes, [
    { path: ['hostname'], op: 'change', before: 'three.example.test', after: 'gw.example.test' },
  ]);
});

test('a revision that nobody confirms goes back by itself, one that is confirmed stays', async (t) => {
  const opened = await openWithFirst(t);
  const { store } = opened;
  good(await store.edit(ANN, [set('hostname', 'risky.example.test')]));
  const { unconfirmed } = good(await store.commit(ANN, { comment: 'risky', confirmMs: 4000 }));
  assert.deepEqual({ ...unconfirmed, deadlineMs: 0 }, { revision: 2, backTo: 1, deadlineMs: 0, author: 'ann' });
  good(await store.edit(BOB, [set('ssl.minVersion', 'TLSv1.3')]));
  refused(await store.commit(BOB, { comment: '' }), 'unconfirmed');
  await eventually(() => assert.equal(opened.committed.length, 3));
  assert.equal(await valueAt(opened, 'hostname'), 'gw.example.test');
  const [newest] = await store.history();
  assert.equal(newest?.author, 'system');
  assert.equal(newest.rollbackTo, 1);
  assert.match(newest.comment, /^revision 2 was not confirmed before /);
  good(await store.edit(ANN, [set('hostname', 'better.example.test')]));
  good(await store.commit(ANN, { comment: 'better', confirmMs: 60_000 }));
  assert.equal(good(await store.confirm(BOB)).revision.number, 4);
  refused(await store.confirm(BOB), 'not-found');
  good(await store.commit(BOB, { comment: 'merges now' }));
  assert.equal(await valueAt(opened, 'hostname'), 'better.example.test');
});

test('a roll back is possible while a revision waits to be confirmed, and ends the waiting', async (t) => {
  const { store } = await openWithFirst(t);
  good(await store.edit(ANN, [set('hostname', 'risky.example.test')]));
  good(await store.commit(ANN, { comment: 'risky', confirmMs: 60_000 }));
  good(await store.rollback(ANN, { to: 1 }));
  assert.equal((await store.status()).unconfirmed, undefined);
});

test('the first revision has nothing to go back to', async (t) => {
  const { store } = open(t);
  good(await store.load(ANN, { document: FIRST }));
  refused(await store.commit(ANN, { comment: '', confirmMs: 60_000 }), 'not-possible');
});

test('candidates, history and what waits to be confirmed survive a restart', async (t) => {
  const first = await openWithFirst(t);
  good(await first.store.edit(ANN, [set('hostname', 'risky.example.test')]));
  good(await first.store.commit(ANN, { comment: 'risky', confirmMs: 60_000 }));
  good(await first.store.edit(BOB, [set('ssl.minVersion', 'TLSv1.3')]));
  const before = await first.store.status();
  await first.store.close();
  const second = open(t, first.folder);
  assert.deepEqual(await second.store.status(), before);
  good(await second.store.confirm(ANN));
  good(await second.store.commit(BOB, { comment: 'after the restart' }));
  assert.equal((await second.store.history()).length, 3);
});

test('a start after the time to confirm goes back before anything runs', async (t) => {
  const first = await openWithFirst(t);
  good(await first.store.edit(ANN, [set('hostname', 'risky.example.test')]));
  good(await first.store.commit(ANN, { comment: 'risky', confirmMs: 60_000 }));
  await first.store.close();
  const vault = StoreVault.open({ dataDir: first.folder });
  assert.ok(vault.goBack(Date.now(), 'not confirmed in time'));
  assert.ok(!vault.goBack(Date.now(), 'twice'));
  assert.deepEqual(vault.head().document, vault.revision(1)?.document);
  assert.equal(vault.head().number, 3);
  vault.db.close();
});

test('a store is one process’s, and says so to another', async (t) => {
  const { folder } = await openWithFirst(t);
  assert.throws(
    () => StoreVault.open({ dataDir: folder }),
    /config\.db is in use: another process works on this data folder/,
  );
});

test('relative paths have no folder to start from in the store', async (t) => {
  const { store } = await openWithFirst(t);
  good(await store.edit(ANN, [set('certificateAuthorities.cac.file', 'pki/ca.pem')]));
  assert.match(
    refused(await store.validate(ANN.session), 'faults').why,
    /certificateAuthorities\.cac\.file: must be an absolute path/,
  );
});

test('a section can be loaded alone', async (t) => {
  const opened = await openWithFirst(t);
  good(await opened.store.load(ANN, { text: 'minVersion: TLSv1.3\n', at: ['ssl'] }));
  good(await opened.store.commit(ANN, { comment: 'ssl' }));
  assert.deepEqual(await valueAt(opened, 'ssl'), { minVersion: 'TLSv1.3' });
});
