/**
 * kill -9 in the middle of a change of the master key, at every step: strace kills the process at its first, second, …
 * system call on the store's files and the key's, until the change comes through. Whatever is left, the store opens, every
 * secret of every revision and of the candidate is there, and another change of keys works.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { StoreVault } from '../../../src/config/store-vault.io.ts';
import { PATIENCE_MS } from '../../support/eventually.ts';
import { configCommand, temporaryFolder } from '../../support/gateway.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'src', 'main.ts');
const MAX_STEPS = 200;
const FILES = ['config.db', 'config.db-wal', 'config.db-shm', 'master.key', 'master.key.next', 'master.key.next.new'];

/** True where the change came through. */
function rekeyKilledAt(step: number, data: string): boolean {
  const paths = FILES.flatMap((name) => ['-P', join(data, name)]);
  const kill = ['-f', '-o', '/dev/null', ...paths, '-e', `inject=all:signal=SIGKILL:when=${step}`];
  const rekey = [MAIN, 'config', 'rekey', '--data', data];
  const { status, signal } = spawnSync('strace', [...kill, process.execPath, ...rekey], { timeout: PATIENCE_MS });
  assert.ok(status === 0 || signal === 'SIGKILL', `strace ended with ${String(status)} ${String(signal)}`);
  return status === 0;
}

test('kill -9 at every step of a change of the master key leaves a key that opens everything', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'site.yaml');
  const bind = (password: string) => ({ dn: 'cn=gw', password });
  const document = (password: string) => ({
    hostname: 'gw.example.test',
    listeners: {
      in: { type: 'private', address: ['127.0.0.1:1'], hat: [{ senderGroup: 'ALL', policy: 'BLOCKED' }] },
    },
    ldap: { servers: { corp: { hosts: ['ldap://127.0.0.1'], baseDn: 'dc=x', bind: bind(password) } } },
  });
  const base = join(folder, 'base');
  for (const [number, password] of ['first', 'second'].entries()) {
    writeFileSync(file, JSON.stringify(document(`${password}-secret`)));
    const loaded = await configCommand('load', file, '--commit', '--comment', String(number), '--data', base);
    assert.equal(loaded.code, 0, loaded.output);
  }
  assert.equal((await configCommand('set', 'ldap.servers.corp.bind.password', 'third-secret', '--data', base)).code, 0);
  const data = join(folder, 'data');
  const former = readFileSync(join(base, 'master.key'), 'utf8');
  const changed: number[] = [];
  for (let step = 1, done = false; !done; step++) {
    assert.ok(step < MAX_STEPS, 'the change never came through');
    rmSync(data, { recursive: true, force: true });
    cpSync(base, data, { recursive: true });
    done = rekeyKilledAt(step, data);
    const vault = StoreVault.open({ dataDir: data });
    for (const [number, password] of [
      [1, 'first-secret'],
      [2, 'second-secret'],
    ] as const)
      assert.match(JSON.stringify(vault.open(vault.revision(number)?.document ?? {})), new RegExp(password));
    const draft = vault.draft(vault.db.candidates()[0]?.session ?? '');
    assert.match(JSON.stringify(vault.open(draft?.document ?? {})), /third-secret/, `step ${step}`);
    changed.push(readFileSync(join(data, 'master.key'), 'utf8') === former ? 0 : 1);
    vault.rekey(undefined);
    assert.match(JSON.stringify(vault.open(vault.head().document)), /second-secret/, `step ${step}, again`);
    vault.db.close();
  }
  assert.ok(changed.length >= 15, `only ${changed.length} steps`);
  const sorted = changed.toSorted((a, b) => a - b);
  assert.deepEqual(changed, sorted, 'a later step left the older key');
  assert.ok(changed.filter((each) => each === 1).length >= 2, 'never killed after the new key was there');
});
