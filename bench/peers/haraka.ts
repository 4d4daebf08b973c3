/**
 * Haraka with its own plugins for TLS and what it lacks for the comparison in one plugin of ours: the certificate must have
 * verified (it asks Node's TLS layer itself, because Haraka's own field is wrong for STARTTLS), one search in the directory
 * on the third port, write, fsync and rename before 250. Effects: starts Haraka, writes files.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.ts';
import { Account } from '../account.ts';
import { BASE_DN, GATEWAY_ACCOUNT } from '../material.ts';
import { installFromNpm } from '../npm-peers.ts';
import { answers } from '../ports.ts';
import { removeStored } from '../stored-files.ts';
import type { Peer } from './peer.ts';

const VERSION = '3.3.4';
const install = (): string => installFromNpm('Haraka', VERSION, ['ldapts@9.2.0']);

export const haraka: Peer = {
  name: 'haraka',
  what: 'client certificate verified, log, write, fsync and rename for every message, nothing delivered',
  doors: ['tls', 'ldap', 'plain'],
  install: () => void install(),
  version: () => `Haraka ${VERSION}, Node ${process.version}`,
  async start({ folder, material, ldapPort, node }) {
    const home = install();
    const at = (name: string): string => join(folder, 'haraka', name);
    for (const name of ['config', 'plugins', 'queue', 'store']) mkdirSync(at(name), { recursive: true });
    const ports = { tls: await freePort(), plain: await freePort(), ldap: await freePort() };
    const listen = Object.values(ports).map((port) => `127.0.0.1:${port}`);
    const write = (name: string, ...lines: string[]): void =>
      writeFileSync(at(`config/${name}`), `${lines.join('\n')}\n`);
    write('smtp.ini', `listen=${listen.join(',')}`, 'nodes=0');
    const stock = readFileSync(join(home, 'node_modules', 'Haraka', 'config', 'connection.ini'), 'utf8');
    write('connection.ini', stock.replace(/^;?bytes *=.*$/m, 'bytes=104857600'));
    write('databytes', '104857600');
    write('plugins', 'tls', 'bench');
    write('me', 'haraka.example.test');
    write('log.ini', '[main]', 'level=notice', 'timestamps=true');
    write(
      'tls.ini',
      `key=${material.serverKey}`,
      `cert=${material.serverCert}`,
      `ca=${material.clientCa}`,
      'requestCert=true',
      'rejectUnauthorized=false',
      'minVersion=TLSv1.3',
      `no_starttls_ports[]=${ports.plain}`,
    );
    writeFileSync(
      at('config/bench.json'),
      JSON.stringify({
        store: at('store'),
        home,
        plainPort: ports.plain,
        ldapPort: ports.ldap,
        directory: { url: `ldap://127.0.0.1:${ldapPort}`, baseDn: BASE_DN, ...GATEWAY_ACCOUNT },
      }),
    );
    copyFileSync(join(import.meta.dirname, 'haraka-plugin.cjs'), at('plugins/bench.js'));
    const account = Account.open('haraka');
    account.start(node, [join(home, 'node_modules', 'Haraka', 'bin', 'haraka'), '-c', at('')], { log: at('output') });
    for (const port of Object.values(ports)) await answers(port);
    const forget = (): void => removeStored(at('store'), () => true);
    return { ports, account, forget, stop: () => account.end() };
  },
};
