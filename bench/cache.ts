/**
 * Where the bench keeps what takes long to make or fetch: certificates, revocation lists, installed peers. Outside of the
 * tracked tree, so that neither Git nor package.json sees it. Effects: makes folders.
 */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export function cacheFolder(...names: readonly string[]): string {
  const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(base, 'sallyport-bench', ...names);
  mkdirSync(folder, { recursive: true });
  return folder;
}
