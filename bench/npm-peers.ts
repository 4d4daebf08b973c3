/**
 * Peers from the npm registry, in the cache folder with exact versions: never in package.json. The ordinary npm client
 * finds the registry. Effects: runs npm.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache.ts';

/** The folder in which `node_modules/NAME` is. */
export function installFromNpm(name: string, version: string, more: readonly string[] = []): string {
  const folder = cacheFolder('npm', `${name}-${version}`);
  if (existsSync(join(folder, 'node_modules', name, 'package.json'))) return folder;
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const flags = ['--no-audit', '--no-fund', '--omit=optional', '--ignore-scripts', '--save-exact', '--loglevel=error'];
  execFileSync('npm', ['install', ...flags, `${name}@${version}`, ...more], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return folder;
}
