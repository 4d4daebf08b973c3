/** The bare Node loops, one with a file for every message and one with a log. Effects: starts them, writes files. */
import { mkdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.ts';
import { Account } from '../account.ts';
import { answers } from '../ports.ts';
import { removeStored } from '../stored-files.ts';
import type { Peer, RunningPeer, Site } from './peer.ts';

const PROGRAM = join(import.meta.dirname, '..', 'floor', 'bare-node.ts');

type Mode = 'file' | 'log';

/** Each process has a folder of its own; they share the ports. */
export async function startBareNode(
  { folder, material, ldapPort, node }: Site,
  mode: Mode,
  processes = 1,
): Promise<RunningPeer> {
  const ports = { tls: await freePort(), plain: await freePort(), ldap: await freePort() };
  const name = processes === 1 ? `node-${mode}` : `node-${mode}-${processes}`;
  const account = Account.open(name);
  const { serverCert, serverKey, clientCa } = material;
  const folders = Array.from({ length: processes }, (_, i) => join(folder, `${name}-${i + 1}`));
  for (const data of folders) {
    mkdirSync(data, { recursive: true });
    account.start(
      node,
      [
        ...['--disable-warning=ExperimentalWarning', PROGRAM, mode, data, serverCert, serverKey, clientCa],
        ...[String(ports.tls), String(ports.plain), String(ports.ldap), `ldap://127.0.0.1:${ldapPort}`],
      ],
      { log: join(data, 'output') },
    );
  }
  for (const port of Object.values(ports)) await answers(port);
  const forget = (): void => {
    for (const data of folders) {
      if (mode === 'log') truncateSync(join(data, 'log'));
      else removeStored(data, (file) => /^m\d/.test(file));
    }
  };
  return { ports, account, forget, stop: () => account.end() };
}

const bareNode = (mode: Mode, what: string): Peer => ({
  name: `node-${mode}`,
  what: `bare loop, client certificate verified, ${what}`,
  doors: ['tls', 'ldap', 'plain'],
  install: () => undefined,
  version: () => `Node ${process.version} with OpenSSL ${process.versions.openssl}`,
  start: (site) => startBareNode(site, mode),
});

export const nodeFile = bareNode('file', 'write, fsync and rename for every message, nothing delivered');
export const nodeLog = bareNode('log', 'one group-committed log, nothing delivered');
