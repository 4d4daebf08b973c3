/** The bare Node loops, one with a file for every message and one with a log. Effects: starts them, writes files. */
import { mkdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.ts';
import { Account } from '../account.ts';
import { answers } from '../ports.ts';
import { removeStored } from '../stored-files.ts';
import type { Peer } from './peer.ts';

const PROGRAM = join(import.meta.dirname, '..', 'floor', 'bare-node.ts');

const bareNode = (mode: 'file' | 'log', what: string): Peer => ({
  name: `node-${mode}`,
  what: `bare loop, client certificate verified, ${what}`,
  doors: ['tls', 'ldap', 'plain'],
  install: () => undefined,
  version: () => `Node ${process.version} with OpenSSL ${process.versions.openssl}`,
  async start({ folder, material, ldapPort, node }) {
    const data = join(folder, `node-${mode}`);
    mkdirSync(data);
    const ports = { tls: await freePort(), plain: await freePort(), ldap: await freePort() };
    const account = Account.open(`node-${mode}`);
    const { serverCert, serverKey, clientCa } = material;
    account.start(
      node,
      [
        ...['--disable-warning=ExperimentalWarning', PROGRAM, mode, data, serverCert, serverKey, clientCa],
        ...[String(ports.tls), String(ports.plain), String(ports.ldap), `ldap://127.0.0.1:${ldapPort}`],
      ],
      { log: join(data, 'output') },
    );
    for (const port of Object.values(ports)) await answers(port);
    const forget = (): void => {
      if (mode === 'log') truncateSync(join(data, 'log'));
      else removeStored(data, (name) => /^m\d/.test(name));
    };
    return { ports, account, forget, stop: () => account.end() };
  },
});

export const nodeFile = bareNode('file', 'write, fsync and rename for every message, nothing delivered');
export const nodeLog = bareNode('log', 'one group-committed log, nothing delivered');
