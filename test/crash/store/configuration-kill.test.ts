/**
 * kill -9 in the middle of a commit, at every step: strace kills the process at its first, second, … system call on the
 * store's files, until a commit comes through. What is left must be the old revision with the candidate still there, or the
 * new one without it, whole, and a gateway must start on it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { StoreVault } from '../../../src/config/store-vault.io.ts';
import { PATIENCE_MS } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { configCommand, Gateway, temporaryFolder } from '../../support/gateway.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'src', 'main.ts');
const MAX_STEPS = 200;

/** Ends with SIGKILL at call number `step` on the database or its log; true where the commit came through. */
function commitKilledAt(step: number, data: string): boolean {
  const paths = ['config.db', 'config.db-wal', 'config.db-shm'].flatMap((name) => ['-P', join(data, name)]);
  const kill = ['-f', '-o', '/dev/null', ...paths, '-e', `inject=all:signal=SIGKILL:when=${step}`];
  const commit = [MAIN, 'config', 'commit', '--comment', 'second', '--data', data];
  const { status, signal } = spawnSync('strace', [...kill, process.execPath, ...commit], { timeout: PATIENCE_MS });
  assert.ok(status === 0 || signal === 'SIGKILL', `strace ended with ${String(status)} ${String(signal)}`);
  return status === 0;
}

test('kill -9 at every step of a commit leaves the old revision or the new one, whole', async () => {
  const folder = temporaryFolder();
  const port = await freePort();
  const file = join(folder, 'site.yaml');
  const hat = [{ senderGroup: 'RELAYLIST', senders: ['127.0.0.1'], policy: 'RELAYED' }];
  const listeners = { in: { type: 'private', address: [`127.0.0.1:${port}`], hat } };
  writeFileSync(file, JSON.stringify({ hostname: 'old.example.test', listeners }));
  const base = join(folder, 'base');
  for (const args of [
    ['load', file, '--commit'],
    ['set', 'hostname', 'new.example.test'],
  ])
    assert.equal((await configCommand(...args, '--data', base)).code, 0);
  const data = join(folder, 'data');
  const seen: number[] = [];
  for (let step = 1, done = false; !done; step++) {
    assert.ok(step < MAX_STEPS, 'the commit never came through');
    rmSync(data, { recursive: true, force: true });
    cpSync(base, data, { recursive: true });
    done = commitKilledAt(step, data);
    const vault = StoreVault.open({ dataDir: data });
    const { number, document } = vault.head();
    const hostname = number === 2 ? 'new.example.test' : 'old.example.test';
    assert.deepEqual(document, { hostname, listeners }, `step ${step}`);
    assert.deepEqual(
      vault.db.history(99, 99).map((revision) => revision.number),
      number === 2 ? [2, 1] : [1],
    );
    const draft = vault.draft(vault.db.candidates()[0]?.session ?? '');
    assert.equal(
      (draft?.document as { hostname?: string } | undefined)?.hostname,
      number === 2 ? undefined : 'new.example.test',
    );
    vault.db.close();
    seen.push(number);
  }
  assert.ok(seen.length >= 20, `only ${seen.length} steps`);
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
    'a later step left an older revision',
  );
  assert.ok(seen.filter((number) => number === 2).length >= 2, 'never killed after the new revision was there');
  const gateway = await Gateway.startStore(data);
  await gateway.line(/Sallyport is ready: revision 2/);
  assert.equal(await gateway.stop(), 0);
});
