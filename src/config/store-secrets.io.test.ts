/** Secrets in the store: at rest, in views, in exports, and the master key. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { MASK } from './configuration-store.ts';
import { StoreVault } from './store-vault.io.ts';
import { ANN, BOB, good, open, openWithFirst, refused, set } from '../../test/support/configuration-store.ts';

test('no secret is in any file of the store, in no view, and in an export only on demand', async (t) => {
  const { store, folder } = await openWithFirst(t);
  const at = ['ldap', 'servers', 'corp', 'bind', 'password'];
  // At a place that the schema does not know, too: candidates are encrypted whole.
  good(await store.edit(BOB, [set('ldap.servers.corp.bind.pasword', 'hunter2')]));
  const files = readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'latin1'));
  assert.ok(files.length >= 3 && !files.some((text) => text.includes('hunter2')));
  assert.equal(good(await store.document('running', at)).value, MASK);
  const masked = good(await store.export({ which: 'running', secrets: 'masked' })).text;
  const sealed = good(await store.export({ which: 'running', secrets: 'sealed', passphrase: 'open sesame' })).text;
  const clear = good(await store.export({ which: 'running', secrets: 'clear' })).text;
  assert.ok(!masked.includes('hunter2') && masked.includes(MASK));
  assert.ok(!sealed.includes('hunter2') && sealed.includes('sealed:scrypt:'));
  assert.ok(clear.includes('hunter2') && clear.includes('SECRETS ARE IN THE CLEAR'));
  refused(await store.export({ which: 'running', secrets: 'sealed', passphrase: '' }), 'not-possible');
});

test('a masked export keeps the secrets that are there; where there are none it is refused with the place', async (t) => {
  const { store } = await openWithFirst(t);
  const { text } = good(await store.export({ which: 'running', secrets: 'masked' }));
  const changed = text.replace('gw.example.test', 'other.example.test');
  const { changes } = good(await store.load(ANN, { text: changed }));
  assert.deepEqual(
    changes.map(({ path: at }) => at.join('.')),
    ['hostname'],
  );
  good(await store.commit(ANN, { comment: 'loaded' }));
  assert.match(good(await store.export({ which: 'running', secrets: 'clear' })).text, /hunter2/);
  const empty = open(t);
  const { faults } = refused(await empty.store.load(ANN, { text }), 'faults');
  const line = text.split('\n').findIndex((each) => each.includes(MASK)) + 1;
  assert.equal(faults[0]?.line, line);
  assert.match(faults[0].message, /the secret is masked, and there is none here to keep/);
});

test('a file with encrypted secrets loads with its passphrase only', async (t) => {
  const { store } = await openWithFirst(t);
  const { text } = good(await store.export({ which: 'running', secrets: 'sealed', passphrase: 'open sesame' }));
  const empty = open(t);
  assert.match(refused(await empty.store.load(ANN, { text }), 'faults').why, /the passphrase is needed/);
  assert.match(refused(await empty.store.load(ANN, { text, passphrase: 'sesame' }), 'faults').why, /does not open/);
  good(await empty.store.load(ANN, { text, passphrase: 'open sesame' }));
  good(await empty.store.commit(ANN, { comment: 'moved' }));
  const there = good(await empty.store.export({ which: 'running', secrets: 'clear' })).text;
  assert.match(there, /password: hunter2/);
});

test('a secret that was changed is a change that shows neither value', async (t) => {
  const { store } = await openWithFirst(t);
  const at = ['ldap', 'servers', 'corp', 'bind', 'password'];
  good(await store.edit(ANN, [{ op: 'set', path: at, value: 'hunter3' }]));
  const { changes } = good(await store.diff('running', ANN));
  assert.deepEqual(changes, [{ path: at, op: 'change', before: MASK, after: MASK, secret: true }]);
  good(await store.edit(ANN, [{ op: 'set', path: at, value: 'hunter2' }]));
  assert.deepEqual(good(await store.diff('running', ANN)).changes.length, 1, 'the old value is another text now');
});

test('a secret cannot be moved to where it would be shown', async (t) => {
  const { store } = await openWithFirst(t);
  const edit = { op: 'rename', path: ['ldap', 'servers', 'corp', 'bind', 'password'], to: 'dn2' } as const;
  assert.match(refused(await store.edit(ANN, [edit]), 'not-possible').why, /a secret cannot be moved/);
});

test('without its master key, or with another, a store does not open', async (t) => {
  const { store, folder } = await openWithFirst(t);
  await store.close();
  const file = path.join(folder, 'master.key');
  const key = readFileSync(file);
  rmSync(file);
  assert.throws(() => StoreVault.open({ dataDir: folder }), /master\.key is missing: without the master key/);
  writeFileSync(file, `${Buffer.alloc(32).toString('base64')}\n`, { mode: 0o600 });
  assert.throws(() => StoreVault.open({ dataDir: folder }), /is not the master key that .*config\.db was written with/);
  writeFileSync(file, key, { mode: 0o600 });
  StoreVault.open({ dataDir: folder }).db.close();
});
