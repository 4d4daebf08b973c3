/**
 * A full disk, on a real small file system: a tmpfs that a child process mounts in a mount namespace of its own, so
 * that nothing stays behind whatever happens. The child reports what it saw.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { PATIENCE_MS } from '../support/eventually.ts';

const CHILD = path.join(import.meta.dirname, 'queue-disk-full-child.ts');

async function onSmallDisk(scenario: string): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sallyport-full-'));
  const script = 'mount -t tmpfs -o size=4m,mode=700 tmpfs "$1" && exec "$2" "$3" "$1" "$4"';
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const args = ['--mount', ...asRoot, 'sh', '-c', script, 'sh', folder, process.execPath, CHILD, scenario];
  try {
    const { stdout } = await promisify(execFile)('unshare', args, { timeout: PATIENCE_MS });
    return JSON.parse(stdout) as Record<string, unknown>;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a full disk refuses mail with storage-full, keeps every accepted message whole, and accepts again once there is space', async () => {
  const seen = await onSmallDisk('inline');
  assert.deepEqual(seen['refusals'], ['storage-full']);
  assert.ok(Number(seen['accepted']) > 100, `${String(seen['accepted'])} messages fit into 4 MiB`);
  assert.equal(seen['inQueue'], seen['accepted']);
  assert.equal(seen['damaged'], 0);
  assert.equal(seen['acceptedAfterwards'], true);
  assert.equal(seen['afterRestart'], Number(seen['left']) + 1);
});

test('a body that does not fit into the spool folder is refused with storage-full and leaves nothing behind', async () => {
  const seen = await onSmallDisk('spool');
  assert.deepEqual(seen, { refusal: 'storage-full', files: [], small: true });
});

test('what became of mail is recorded on a disk that is full to the last octet, and new mail waits until there is room again', async () => {
  const seen = await onSmallDisk('outcome');
  assert.deepEqual(seen, {
    settled: ['recorded', 'recorded'],
    whileFull: 'storage-full',
    afterwards: 'accepted',
    afterRestart: 2,
  });
});
