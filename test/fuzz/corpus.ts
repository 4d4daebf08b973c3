/**
 * The kept inputs: `corpus/TARGET/` holds what reached new code or once broke something, a file each, named by its
 * SHA-256 (`broke-` in front of the latter). Effects: reads and writes that folder.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'corpus');

export function keptInputs(target: string): ReadonlyMap<string, Uint8Array> {
  const folder = folderOf(target);
  return new Map(
    readdirSync(folder)
      .sort()
      .map((file) => [file, readFileSync(join(folder, file))]),
  );
}

export function keep(target: string, input: Uint8Array, prefix = ''): string {
  const file = prefix + createHash('sha256').update(input).digest('hex').slice(0, 16);
  writeFileSync(join(folderOf(target), file), input);
  return file;
}

export const drop = (target: string, file: string): void => rmSync(join(folderOf(target), file));

function folderOf(target: string): string {
  const folder = join(FOLDER, target);
  mkdirSync(folder, { recursive: true });
  return folder;
}
