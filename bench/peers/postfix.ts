/**
 * Postfix from Debian: client certificates verified, everybody with one may relay; the door `ldap` looks the certificate's
 * fingerprint up in the directory through proxymap. Delivery by discard(8). Limits per client are off.
 * Effects: starts Postfix (as root, as it needs), writes files.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.ts';
import {
  masterPid,
  postfixCommand,
  postfixFolder,
  postfix as runPostfix,
  smtpd,
  writePostfix,
} from '../../test/support/postfix-instance.ts';
import { Account } from '../account.ts';
import { debianVersion, installPackages } from '../debian.ts';
import { BASE_DN, GATEWAY_ACCOUNT } from '../material.ts';
import { answers } from '../ports.ts';
import type { Peer, Site } from './peer.ts';

export const postfix: Peer = {
  name: 'postfix',
  what: 'client certificate verified (no CRL: it has none), mail log, durable queue, delivery by discard(8)',
  doors: ['tls', 'ldap', 'plain'],
  install: () => installPackages(['postfix', 'postfix-ldap']),
  version: () => `Postfix ${debianVersion('postfix')}`,
  async start(site) {
    const folder = join(site.folder, 'postfix');
    mkdirSync(folder);
    const ports = { tls: await freePort(), ldap: await freePort(), plain: await freePort() };
    writePostfix(folder, {
      services: [
        smtpd(ports.tls),
        smtpd(ports.ldap, `smtpd_sender_restrictions=check_ccert_access,proxy:ldap:${peopleFile(folder)},reject`),
        smtpd(ports.plain, 'smtpd_tls_security_level=none', 'smtpd_relay_restrictions=permit_mynetworks,reject'),
      ],
      parameters: parametersOf(site, folder),
    });
    writeFileSync(peopleFile(folder), people(site));
    const account = Account.open('postfix');
    const [program, ...args] = postfixCommand(folder);
    account.start(program, [...args, 'start'], { log: join(folder, 'start.log') });
    for (const port of Object.values(ports)) await answers(port);
    account.addRoot(masterPid(folder));
    return {
      ports,
      account,
      async stop() {
        runPostfix(folder, 'stop');
        await account.end();
      },
    };
  },
};

const people = ({ ldapPort }: Site): string => `server_host = ldap://127.0.0.1:${ldapPort}
version = 3
search_base = ${BASE_DN}
bind = yes
bind_dn = ${GATEWAY_ACCOUNT.dn}
bind_pw = ${GATEWAY_ACCOUNT.password}
query_filter = (description=%s)
result_attribute = uid
result_format = OK
`;

const peopleFile = (folder: string): string => join(postfixFolder(folder), 'people.cf');

const parametersOf = ({ material }: Site, folder: string): Record<string, string> => ({
  myhostname: 'postfix.example.test',
  default_transport: 'discard',
  default_process_limit: '200',
  in_flow_delay: '0',
  smtpd_peername_lookup: 'no',
  smtpd_client_connection_count_limit: '0',
  smtpd_relay_restrictions: 'permit_tls_all_clientcerts, reject',
  smtpd_tls_security_level: 'encrypt',
  smtpd_tls_ask_ccert: 'yes',
  smtpd_tls_req_ccert: 'yes',
  smtpd_tls_fingerprint_digest: 'sha256',
  smtpd_tls_chain_files: `${material.serverKey}, ${material.serverCert}`,
  smtpd_tls_CAfile: material.clientCa,
  smtpd_tls_loglevel: '1',
  proxy_read_maps: `proxy:ldap:${peopleFile(folder)}`,
});
