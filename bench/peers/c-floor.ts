/** The bare C loop: OpenSSL of the system, client certificate verified, nothing stored. Effects: starts it. */
import { execFileSync } from 'node:child_process';
import { freePort } from '../../test/support/free-port.ts';
import { Account } from '../account.ts';
import { answers } from '../ports.ts';
import type { Peer } from './peer.ts';

export const cFloor: Peer = {
  name: 'c-floor',
  what: 'bare loop, client certificate verified, nothing stored: what the handshake and TCP cost',
  doors: ['tls', 'plain'],
  install: () => undefined,
  version: () =>
    `C with ${execFileSync('openssl', ['version'], { encoding: 'utf8' }).split(' ').slice(0, 2).join(' ')}`,
  async start({ floor, material }) {
    const ports = { tls: await freePort(), plain: await freePort() };
    const account = Account.open('c-floor');
    const tls = ['--cert', material.serverCert, '--key', material.serverKey, '--ca', material.clientCa];
    account.start(floor, ['--port', String(ports.tls), ...tls]);
    account.start(floor, ['--port', String(ports.plain)]);
    for (const port of Object.values(ports)) await answers(port);
    return { ports, account, stop: () => account.end() };
  },
};
