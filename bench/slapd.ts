/**
 * The directory that W3 asks: Debian's slapd with the 500 people, in a folder of its own, indexed. Its CPU time is not
 * counted as the server's. Effects: starts slapd, writes files.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../test/support/free-port.ts';
import { Account } from './account.ts';
import { BASE_DN, GATEWAY_ACCOUNT, type Material } from './material.ts';
import { answers } from './ports.ts';

const SCHEMA = join(import.meta.dirname, '..', 'test', 'contract', 'recipes', 'cac.schema');

export type Directory = { readonly port: number; readonly url: string; stop(): Promise<void> };

export async function startSlapd(folder: string, { ldif }: Material): Promise<Directory> {
  const at = (name: string): string => join(folder, name);
  mkdirSync(at('db'), { recursive: true });
  writeFileSync(
    at('slapd.conf'),
    [
      ...['core', 'cosine', 'inetorgperson'].map((schema) => `include /etc/ldap/schema/${schema}.schema`),
      `include ${SCHEMA}`,
      `pidfile ${at('slapd.pid')}`,
      'modulepath /usr/lib/ldap',
      'moduleload back_mdb',
      'threads 4',
      'database mdb',
      'maxsize 16777216',
      `suffix "${BASE_DN}"`,
      `directory ${at('db')}`,
      'index caccn,cacserial,description eq',
      `access to attrs=userPassword by dn.exact="${GATEWAY_ACCOUNT.dn}" read by anonymous auth by * none`,
      `access to * by dn.exact="${GATEWAY_ACCOUNT.dn}" read by * none`,
      '',
    ].join('\n'),
  );
  execFileSync('/usr/sbin/slapadd', ['-q', '-f', at('slapd.conf'), '-l', ldif], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const port = await freePort();
  const account = Account.open('slapd');
  account.start('/usr/sbin/slapd', ['-d', '0', '-f', at('slapd.conf'), '-h', `ldap://127.0.0.1:${port}`], {
    log: at('slapd.log'),
  });
  await answers(port, { greeting: false });
  return { port, url: `ldap://127.0.0.1:${port}`, stop: () => account.end() };
}
