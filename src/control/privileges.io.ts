/**
 * Giving up root once the ports are bound: the data folder goes to the account first, then group and user change for
 * the whole process. Effects: process credentials, ownership of the data folder.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Config } from '../config/schema.ts';
import { codeOf } from '../core/errors.ts';
import type { MailLog } from '../log/mail-event.ts';

const ROOT_WARNING =
  'running as root: name an account in system.user, and the gateway changes to it once its ports are bound';

/** Throws where the account or the group does not exist. Does nothing for who is not root. */
export function dropPrivileges({ user, group }: Config['system'], dataDir: string, log: MailLog): void {
  if (process.getuid?.() !== 0) return;
  if (user === undefined) {
    log.emit({ event: 'system', level: 'warning', text: ROOT_WARNING });
    return;
  }
  const account = group ?? user;
  const uid = idOf('-u', user);
  const gid = group === undefined ? idOf('-g', user) : groupId(group);
  chownTree(dataDir, uid, gid);
  // Not in Node's types: the supplementary groups of root must go too.
  (process as { initgroups?: (user: string, gid: number) => void }).initgroups?.(user, gid);
  process.setgid?.(gid);
  process.setuid?.(uid);
  log.emit({ event: 'system', level: 'info', text: `running as ${user} (group ${account})` });
}

function idOf(flag: '-u' | '-g', user: string): number {
  const text = execFileSync('id', [flag, '--', user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return Number(text.trim());
}

function groupId(group: string): number {
  const line = fs
    .readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${group}:`));
  const gid = Number(line?.split(':')[2]);
  if (!Number.isInteger(gid)) throw new Error(`system.group: there is no group ${group}`);
  return gid;
}

function chownTree(folder: string, uid: number, gid: number): void {
  fs.lchownSync(folder, uid, gid);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    try {
      fs.lchownSync(path.join(entry.parentPath, entry.name), uid, gid);
    } catch (error) {
      // A list that is being saved has a name of its own for a moment.
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
}
