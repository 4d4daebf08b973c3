/**
 * What all servers are measured with: a server certificate (ECDSA P-256), an issuing authority below a root, 500 client
 * certificates (RSA-2048, as smart cards have), revocation lists of several lengths, and a directory with the 500 people.
 * Made once with the openssl command line and kept in the cache folder. Effects: runs openssl, writes files.
 */
import { execFile, execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './cache.ts';

const CLIENTS = 500;
export const BASE_DN = 'dc=example,dc=test';
export const GATEWAY_ACCOUNT = { dn: `cn=gateway,${BASE_DN}`, password: 'gateway-secret' } as const;
const PARALLEL = 2;
const DAYS = '3650';
const DAY_MS = 86_400_000;
/** Counted up when the material changes, so that an old cache is not used. */
const EDITION = 'material-1';

export type Material = {
  readonly folder: string;
  readonly serverCert: string;
  readonly serverKey: string;
  /** Root and issuing authority of the clients. */
  readonly clientCa: string;
  /** A folder of client-0001.pem …, certificate and key in each. */
  readonly clients: string;
  readonly ldif: string;
  /** PEM with the issuing authority's list of so many entries, and the root's empty one. */
  crl(entries: number): string;
};

const CONFIG = `[req]
distinguished_name=dn
[dn]
[ca]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
[server]
basicConstraints=critical,CA:FALSE
extendedKeyUsage=serverAuth
subjectAltName=DNS:gw.example.test,IP:127.0.0.1
[client]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=clientAuth
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
`;
const RSA = ['-newkey', 'rsa:2048'];
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

const run = promisify(execFile);

type Request = {
  readonly folder: string;
  readonly name: string;
  readonly subject: string;
  readonly serial: string;
  readonly section: 'ca' | 'server' | 'client';
  readonly key: readonly string[];
  /** Name of the authority in the same folder; without it the certificate is self-signed. */
  readonly issuer?: string;
};

/** Writes NAME.pem and NAME.key. */
async function certify({ folder, name, subject, serial, section, key, issuer }: Request): Promise<void> {
  const at = (file: string): string => join(folder, file);
  await run('openssl', [
    ...['req', '-x509', '-new', ...key, '-nodes', '-config', at('openssl.cnf'), '-extensions', section, '-days', DAYS],
    ...['-subj', subject, '-set_serial', `0x${serial}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)],
    ...(issuer === undefined ? [] : ['-CA', at(`${issuer}.pem`), '-CAkey', at(`${issuer}.key`)]),
  ]);
}

const number = (n: number): string => String(n).padStart(4, '0');
const commonName = (n: number): string => `PERSON.NUMBER.${number(n)}`;
const serialOf = (n: number): string => `4A00000000000000000000000000${number(n)}`;

export async function material(tell: (text: string) => void): Promise<Material> {
  const folder = cacheFolder(EDITION);
  const at = (name: string): string => join(folder, name);
  if (!existsSync(at('directory.ldif'))) {
    tell(`making ${CLIENTS} client certificates (once; kept in ${folder})`);
    await makeAll(folder);
  }
  return {
    folder,
    serverCert: at('server.pem'),
    serverKey: at('server.key'),
    clientCa: at('client-ca.pem'),
    clients: at('clients'),
    ldif: at('directory.ldif'),
    crl(entries) {
      const file = at(`crl-${entries}.pem`);
      if (!existsSync(file)) makeCrl(folder, entries, file);
      return file;
    },
  };
}

async function makeAll(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'clients'), { recursive: true });
  writeFileSync(join(folder, 'openssl.cnf'), CONFIG);
  await certify({ folder, name: 'root', subject: '/O=Bench/CN=Root CA', serial: '01', section: 'ca', key: RSA });
  const issued = { folder, issuer: 'root', key: RSA };
  await certify({ ...issued, name: 'issuing', subject: '/O=Bench/CN=Issuing CA', serial: '02', section: 'ca' });
  await certify({
    folder,
    name: 'server',
    subject: '/CN=gw.example.test',
    serial: '03',
    section: 'server' as const,
    key: EC,
  });
  const pem = (name: string): string => readFileSync(join(folder, name), 'utf8');
  writeFileSync(join(folder, 'client-ca.pem'), pem('root.pem') + pem('issuing.pem'));
  let next = 1;
  const work = async (): Promise<void> => {
    for (let n = next++; n <= CLIENTS; n = next++) await makeClient(folder, n);
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  writeFileSync(join(folder, 'directory.ldif'), directory(folder));
}

async function makeClient(folder: string, n: number): Promise<void> {
  const name = `client-${number(n)}`;
  const subject = `/O=Bench/CN=${commonName(n)}`;
  await certify({ folder, name, subject, serial: serialOf(n), section: 'client', key: RSA, issuer: 'issuing' });
  const both = ['pem', 'key'].map((kind) => readFileSync(join(folder, `${name}.${kind}`), 'utf8')).join('');
  writeFileSync(join(folder, 'clients', `${name}.pem`), both);
  for (const kind of ['pem', 'key']) rmSync(join(folder, `${name}.${kind}`));
}

/** People are found by name and serial number, or (Postfix) by the fingerprint of the certificate. */
function directory(folder: string): string {
  const entries = [
    `dn: ${BASE_DN}\nobjectClass: dcObject\nobjectClass: organization\no: Bench\ndc: example\n`,
    `dn: ${GATEWAY_ACCOUNT.dn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: gateway\nuserPassword: ${GATEWAY_ACCOUNT.password}\n`,
  ];
  for (let n = 1; n <= CLIENTS; n++) {
    const certificate = new X509Certificate(readFileSync(join(folder, 'clients', `client-${number(n)}.pem`)));
    entries.push(
      `dn: uid=person${number(n)},${BASE_DN}\nobjectClass: inetOrgPerson\nobjectClass: cacUser\nuid: person${number(n)}\n` +
        `cn: ${commonName(n)}\nsn: ${number(n)}\nmail: person${number(n)}@example.test\ncaccn: ${commonName(n)}\n` +
        `cacserial: ${serialOf(n)}\ndescription: ${certificate.fingerprint256}\n`,
    );
  }
  return entries.join('\n');
}

/** None of the entries is one of the clients: each look-up is a miss, as it is for everybody who gets in. */
function makeCrl(folder: string, entries: number, file: string): void {
  const list = (issuer: string, count: number): string => {
    const work = join(folder, 'crl-work');
    mkdirSync(work, { recursive: true });
    const at = (name: string): string => join(work, name);
    const rows = Array.from(
      { length: count },
      (_, i) =>
        `R\t350101000000Z\t251001000000Z\t4B${(i * 2_654_435_761).toString(16).toUpperCase().padStart(30, '0')}\tunknown\t/CN=x\n`,
    );
    writeFileSync(at('index.txt'), rows.join(''));
    writeFileSync(at('crlnumber'), '01\n');
    writeFileSync(
      at('ca.cnf'),
      `[ca]\ndefault_ca=this\n[this]\ndatabase=${at('index.txt')}\ncrlnumber=${at('crlnumber')}\ncertificate=${folder}/${issuer}.pem\n` +
        `private_key=${folder}/${issuer}.key\ndefault_md=sha256\nunique_subject=no\n[extensions]\nauthorityKeyIdentifier=keyid\n`,
    );
    const until = new Date(Date.now() + 3650 * DAY_MS).toISOString().replace(/[-:T]/g, '').slice(0, 14);
    execFileSync(
      'openssl',
      [
        'ca',
        '-gencrl',
        '-config',
        at('ca.cnf'),
        '-crlexts',
        'extensions',
        '-crl_nextupdate',
        `${until}Z`,
        '-out',
        at('list.pem'),
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const text = readFileSync(at('list.pem'), 'utf8');
    rmSync(work, { recursive: true });
    return text;
  };
  writeFileSync(file, list('issuing', entries) + list('root', 0));
}
