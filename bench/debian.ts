/**
 * Debian packages for the bench. Their daemons never start: Debian asks policy-rc.d first, and 101 means no.
 * Effects: installs packages, or unpacks them into the cache folder.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache.ts';

const POLICY = '/usr/sbin/policy-rc.d';
const APT = ['-o', 'DPkg::Lock::Timeout=300', '-q', '-y', '--no-install-recommends'];

const isInstalled = (name: string): boolean => {
  try {
    return execFileSync('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).startsWith('installed');
  } catch {
    return false;
  }
};

export function debianVersion(name: string): string {
  return execFileSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8' });
}

export function installPackages(names: readonly string[]): void {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const ours = !existsSync(POLICY);
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n');
  if (ours) chmodSync(POLICY, 0o755);
  try {
    execFileSync('apt-get', ['-q', 'update'], { stdio: 'ignore' });
    execFileSync('apt-get', [...APT, 'install', ...missing], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  } finally {
    if (ours) rmSync(POLICY);
  }
}

/**
 * Unpacks a package that cannot be installed beside another (Exim and Postfix exclude each other), with what it needs and
 * is not there, into a folder of the cache. The folder.
 */
export function unpackPackage(name: string): string {
  const folder = cacheFolder('debian', name);
  const done = join(folder, 'unpacked');
  if (existsSync(done)) return folder;
  execFileSync('apt-get', ['-q', 'update'], { stdio: 'ignore' });
  const plan = execFileSync('apt-get', [...APT, '--simulate', 'install', name], { encoding: 'utf8' });
  const needed = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, one = '']) => one);
  // `apt-get download` asks nothing of the packages that are installed; its sandbox user may not write here.
  execFileSync('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', ...needed], {
    cwd: folder,
    stdio: 'ignore',
  });
  for (const file of readdirSync(folder).filter((file) => file.endsWith('.deb'))) {
    execFileSync('dpkg', ['-x', file, 'root'], { cwd: folder });
    if (file.startsWith(`${name}_`)) writeFileSync(done, decodeURIComponent(file.split('_')[1] ?? ''));
  }
  return folder;
}
