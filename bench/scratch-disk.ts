/**
 * A fresh, journalled file system for every run: queues are on it and nothing else is, so that no peer pays for what lay on
 * the disk before. A loop device with direct I/O on a file written beforehand; as another user than root, or where there
 * is no loop device, a plain temporary folder, which the page then says.
 * Effects: makes and mounts a file system, undone at exit.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from './ending.ts';

const CHUNK = Buffer.alloc(8 * 1024 * 1024);

export type ScratchDisk = { readonly folder: string; readonly what: string };

export function openScratchDisk(megabytes: number): ScratchDisk {
  const base = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  chmodSync(base, 0o755);
  atExit(() => rmSync(base, { recursive: true, force: true }));
  const folder = join(base, 'disk');
  mkdirSync(folder);
  try {
    mountNew(join(base, 'disk.img'), folder, megabytes);
    atExit(() => execFileSync('umount', [folder], { stdio: 'ignore' }));
    return { folder, what: `ext4 with a journal on a loop device (direct I/O) of ${megabytes} MB` };
  } catch {
    rmSync(join(base, 'disk.img'), { force: true });
    return { folder, what: `the file system of ${tmpdir()}, because no loop device can be mounted here` };
  }
}

function mountNew(image: string, folder: string, megabytes: number): void {
  const file = openSync(image, 'w');
  for (let written = 0; written < megabytes * 1024 * 1024; written += CHUNK.length) writeSync(file, CHUNK);
  closeSync(file);
  // Without lazy_*_init the kernel would go on writing tables while the first rows are measured.
  execFileSync('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image], { stdio: 'ignore' });
  const device = execFileSync('losetup', ['--find', '--show', '--direct-io=on', image], { encoding: 'utf8' }).trim();
  atExit(() => execFileSync('losetup', ['-d', device], { stdio: 'ignore' }));
  execFileSync('mount', ['-o', 'noatime', device, folder], { stdio: 'ignore' });
}
