/**
 * A Postfix of its own: configuration, queue and log in one folder, nothing of the system's. Needs root, as Postfix
 * does. Ended by its own `postfix stop`. Effects: starts and ends Postfix, writes files.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** master.cf below the doors. What deliveries go through (smtp, virtual) is the caller's. */
const SERVICES = `pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;

export type PostfixInstance = {
  /** master.cf: a line per door and per transport. */
  readonly services: readonly string[];
  /** main.cf beyond what every instance has. */
  readonly parameters: Readonly<Record<string, string>>;
};

/** Where its configuration is: for tables that main.cf names. */
export const postfixFolder = (folder: string): string => join(folder, 'etc');

/** Writes the instance into an existing folder, which Postfix's own user must be able to walk through. */
export function writePostfix(folder: string, { services, parameters }: PostfixInstance): void {
  chmodSync(folder, 0o755);
  for (const name of ['etc', 'spool', 'data']) mkdirSync(join(folder, name), { recursive: true });
  chownSync(join(folder, 'data'), Number(execFileSync('id', ['-u', 'postfix'], { encoding: 'utf8' })), -1);
  const settings = {
    compatibility_level: '3.6',
    queue_directory: `${folder}/spool`,
    data_directory: `${folder}/data`,
    mail_owner: 'postfix',
    setgid_group: 'postdrop',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    mydestination: '',
    local_recipient_maps: '',
    alias_maps: '',
    mynetworks: '127.0.0.0/8',
    maillog_file: `${folder}/mail.log`,
    maillog_file_prefixes: folder,
    message_size_limit: '104857600',
    ...parameters,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
  writeFileSync(join(postfixFolder(folder), 'main.cf'), lines.join(''));
  writeFileSync(
    join(postfixFolder(folder), 'master.cf'),
    services.map((service) => `${service}\n`).join('') + SERVICES,
  );
}

/** A door of master.cf. */
export const smtpd = (port: number, ...options: readonly string[]): string =>
  `127.0.0.1:${port} inet n - n - - smtpd${options.map((option) => ` -o ${option}`).join('')}`;

export const postfixCommand = (folder: string): [program: string, ...args: string[]] => [
  '/usr/sbin/postfix',
  '-c',
  postfixFolder(folder),
];

export function postfix(folder: string, command: 'start' | 'stop'): void {
  const [program, ...args] = postfixCommand(folder);
  execFileSync(program, [...args, command], { stdio: 'ignore' });
}

/** What it has logged so far; its log begins a moment after its start. */
export function postfixLog(folder: string): string {
  const file = join(folder, 'mail.log');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

export const masterPid = (folder: string): number => Number(readFileSync(join(folder, 'spool/pid/master.pid'), 'utf8'));
