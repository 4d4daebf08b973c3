/** nodemailer's smtp-server, the library that Node programs use, made durable. Effects: starts it, writes files. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.ts';
import { Account } from '../account.ts';
import { BASE_DN, GATEWAY_ACCOUNT } from '../material.ts';
import { installFromNpm } from '../npm-peers.ts';
import { answers } from '../ports.ts';
import { removeStored } from '../stored-files.ts';
import type { Peer } from './peer.ts';

const VERSION = '3.21.6';
const install = (): string => installFromNpm('smtp-server', VERSION, ['ldapts@9.2.0']);

export const smtpServer: Peer = {
  name: 'smtp-server',
  what: 'client certificate verified, write, fsync and rename for every message, no log, nothing delivered',
  doors: ['tls', 'ldap', 'plain'],
  install: () => void install(),
  version: () => `smtp-server ${VERSION}, Node ${process.version}`,
  async start({ folder, material, ldapPort, node }) {
    const data = join(folder, 'smtp-server');
    mkdirSync(data);
    const ports = { tls: await freePort(), plain: await freePort(), ldap: await freePort() };
    const account = Account.open('smtp-server');
    const { serverCert, serverKey, clientCa } = material;
    const { dn, password } = GATEWAY_ACCOUNT;
    account.start(
      node,
      [
        ...[join(import.meta.dirname, 'smtp-server-program.mjs'), install(), data, serverCert, serverKey, clientCa],
        ...[
          String(ports.tls),
          String(ports.plain),
          String(ports.ldap),
          `ldap://127.0.0.1:${ldapPort}`,
          BASE_DN,
          dn,
          password,
        ],
      ],
      { log: join(data, 'output') },
    );
    for (const port of Object.values(ports)) await answers(port);
    const forget = (): void => removeStored(data, (name) => /^m\d/.test(name));
    return { ports, account, forget, stop: () => account.end() };
  },
};
