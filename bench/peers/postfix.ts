/**
 * Postfix from Debian: client certificates verified, everybody with one may relay; the door `ldap` looks the certificate's
 * fingerprint up in the directory through proxymap. Delivery by discard(8). Limits per client are off.
 * Effects: starts Postfix (as root, as it needs), writes files.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.ts';
import { Account } from '../account.ts';
import { debianVersion, installPackages } from '../debian.ts';
import { BASE_DN, GATEWAY_ACCOUNT } from '../material.ts';
import { answers } from '../ports.ts';
import type { Peer, Site } from './peer.ts';

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
postlog unix-dgram n - n - 1 postlogd
`;

export const postfix: Peer = {
  name: 'postfix',
  what: 'client certificate verified (no CRL: it has none), mail log, durable queue, delivery by discard(8)',
  doors: ['tls', 'ldap', 'plain'],
  install: () => installPackages(['postfix', 'postfix-ldap']),
  version: () => `Postfix ${debianVersion('postfix')}`,
  async start(site) {
    const folder = join(site.folder, 'postfix');
    const at = (name: string): string => join(folder, name);
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    for (const name of ['etc', 'spool', 'data']) mkdirSync(at(name));
    chownSync(at('data'), Number(execFileSync('id', ['-u', 'postfix'], { encoding: 'utf8' })), -1);
    const ports = { tls: await freePort(), ldap: await freePort(), plain: await freePort() };
    const service = (port: number, ...options: string[]): string =>
      `127.0.0.1:${port} inet n - n - - smtpd${options.map((option) => ` -o ${option}`).join('')}\n`;
    writeFileSync(at('etc/main.cf'), mainCf(site, folder));
    writeFileSync(at('etc/people.cf'), people(site));
    writeFileSync(
      at('etc/master.cf'),
      service(ports.tls) +
        service(ports.ldap, `smtpd_sender_restrictions=check_ccert_access,proxy:ldap:${at('etc/people.cf')},reject`) +
        service(ports.plain, 'smtpd_tls_security_level=none', 'smtpd_relay_restrictions=permit_mynetworks,reject') +
        SERVICES,
    );
    const account = Account.open('postfix');
    account.start('/usr/sbin/postfix', ['-c', at('etc'), 'start'], { log: at('start.log') });
    for (const port of Object.values(ports)) await answers(port);
    account.addRoot(Number(readFileSync(at('spool/pid/master.pid'), 'utf8')));
    return {
      ports,
      account,
      async stop() {
        execFileSync('/usr/sbin/postfix', ['-c', at('etc'), 'stop'], { stdio: 'ignore' });
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

function mainCf({ material }: Site, folder: string): string {
  const settings = {
    compatibility_level: '3.6',
    queue_directory: `${folder}/spool`,
    data_directory: `${folder}/data`,
    mail_owner: 'postfix',
    setgid_group: 'postdrop',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    myhostname: 'postfix.example.test',
    mydestination: '',
    local_recipient_maps: '',
    alias_maps: '',
    mynetworks: '127.0.0.0/8',
    maillog_file: `${folder}/mail.log`,
    maillog_file_prefixes: folder,
    message_size_limit: '104857600',
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
    proxy_read_maps: `proxy:ldap:${folder}/etc/people.cf`,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}
