/**
 * Exim from Debian with GnuTLS: client certificate verified against authority and (short) revocation list; the door `ldap`
 * searches the directory at MAIL FROM. Messages are queued and not delivered (`queue_only`), the cheapest way Exim has.
 * It excludes Postfix as a package, so it runs unpacked, in a mount namespace with an account of its own.
 * Effects: starts Exim (as root), writes files.
 */
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.ts';
import { Account } from '../account.ts';
import { unpackPackage } from '../debian.ts';
import { BASE_DN, GATEWAY_ACCOUNT } from '../material.ts';
import { answers } from '../ports.ts';
import { removeStored } from '../stored-files.ts';
import type { Peer, Site } from './peer.ts';

const PACKAGE = 'exim4-daemon-heavy';
const NOBODY = 65_534;
/** One entry: GnuTLS and Exim read the whole list again for every connection. */
const CRL_ENTRIES = 1;

type Ports = Record<'tls' | 'ldap' | 'plain', number>;

export const exim: Peer = {
  name: 'exim',
  what: 'client certificate verified with a CRL of one entry, main log, durable queue, no delivery (queue_only)',
  doors: ['tls', 'ldap', 'plain'],
  install: () => void unpackPackage(PACKAGE),
  version: () => `Exim ${readFileSync(join(unpackPackage(PACKAGE), 'unpacked'), 'utf8')}`,
  async start(site) {
    const root = join(unpackPackage(PACKAGE), 'root');
    const folder = join(site.folder, 'exim');
    const at = (name: string): string => join(folder, name);
    for (const name of ['', 'spool', 'log']) {
      mkdirSync(at(name), { recursive: true });
      chmodSync(at(name), 0o755);
      chownSync(at(name), NOBODY, NOBODY);
    }
    copyMaterial(site, folder);
    const ports: Ports = { tls: await freePort(), ldap: await freePort(), plain: await freePort() };
    writeFileSync(at('exim.conf'), configuration(site, folder, ports));
    // The binary wants its user to exist; in this namespace, and nowhere else, it does.
    for (const [file, line] of [
      ['passwd', `Debian-exim:x:${NOBODY}:${NOBODY}::/:/usr/sbin/nologin`],
      ['group', `Debian-exim:x:${NOBODY}:`],
    ] as const) {
      writeFileSync(at(file), `${readFileSync(`/etc/${file}`, 'utf8')}${line}\n`);
    }
    const command = `mount --bind ${at('passwd')} /etc/passwd && mount --bind ${at('group')} /etc/group && exec "$0" "$@"`;
    const account = Account.open('exim');
    account.start(
      '/usr/bin/unshare',
      [
        '--mount',
        '/bin/sh',
        '-c',
        command,
        `${root}/usr/sbin/exim4`,
        '-bdf',
        '-C',
        at('exim.conf'),
        '-oP',
        at('exim.pid'),
      ],
      { log: at('start.log'), env: { LD_LIBRARY_PATH: `${root}/usr/lib:${root}/usr/lib/x86_64-linux-gnu` } },
    );
    for (const port of Object.values(ports)) await answers(port);
    const forget = (): void => {
      // The spool is split into folders of one character.
      const input = at('spool/input');
      if (!existsSync(input)) return; // it is made with the first message
      for (const part of readdirSync(input)) removeStored(join(input, part), () => true);
    };
    return { ports, account, forget, stop: () => account.end() };
  },
};

/** Exim reads them as its own user, who may not look into the cache folder. */
function copyMaterial({ material }: Site, folder: string): void {
  for (const [name, file] of [
    ['server.pem', material.serverCert],
    ['server.key', material.serverKey],
    ['client-ca.pem', material.clientCa],
    ['crl.pem', material.crl(CRL_ENTRIES)],
  ] as const) {
    copyFileSync(file, join(folder, name));
    chownSync(join(folder, name), NOBODY, NOBODY);
    chmodSync(join(folder, name), 0o600);
  }
}

function configuration({ ldapPort }: Site, folder: string, { tls, ldap, plain }: Ports): string {
  const search = `user="${GATEWAY_ACCOUNT.dn}" pass=${GATEWAY_ACCOUNT.password} ldap://127.0.0.1:${ldapPort}/${BASE_DN}?uid?sub?`;
  const filter =
    '(&(caccn=${certextract{subject,CN}{$tls_in_peercert}})(cacserial=${uc:${certextract{serial_number}{$tls_in_peercert}}}))';
  return `daemon_smtp_ports = ${tls} : ${ldap} : ${plain}
local_interfaces = <; 127.0.0.1
primary_hostname = exim.example.test
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
split_spool_directory
queue_only
host_lookup =
smtp_accept_max = 500
smtp_accept_reserve = 0
smtp_connect_backlog = 1024
message_size_limit = 100M
tls_advertise_hosts = \${if eq{$received_port}{${plain}}{}{*}}
tls_certificate = ${folder}/server.pem
tls_privatekey = ${folder}/server.key
tls_verify_certificates = ${folder}/client-ca.pem
tls_verify_hosts = \${if eq{$received_port}{${plain}}{}{*}}
tls_crl = ${folder}/crl.pem
acl_smtp_mail = sender
acl_smtp_rcpt = recipient

begin acl
sender:
  accept condition = \${if eq{$received_port}{${ldap}}{no}{yes}}
  accept condition = \${if eq{\${lookup ldap{${search}${filter}}{yes}{no}}}{yes}}
  deny message = unknown certificate

recipient:
  accept condition = \${if eq{$received_port}{${plain}}}
  accept encrypted = *
         verify = certificate
  deny message = certificate required

begin routers
all:
  driver = accept
  transport = nowhere

begin transports
nowhere:
  driver = appendfile
  file = /dev/null
  user = nobody
`;
}
