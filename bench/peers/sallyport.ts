/**
 * Sallyport with all of the product on: host access table, path validation, a revocation list of 100,000 entries, the
 * certificate query against slapd (the door `ldap` asks at every session, `tls` has the cache that is the default), the
 * whole mail log in a file, metrics, durable queue, delivery to /dev/null. The other rows start it with other tables.
 * Effects: starts the gateway, writes files.
 */
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../../test/support/free-port.ts';
import { Account } from '../account.ts';
import { BASE_DN, GATEWAY_ACCOUNT } from '../material.ts';
import type { Peer, RunningPeer, Site } from './peer.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const READY_LIMIT_MS = 120_000;

export type SallyportOptions = {
  /** Folder and account name; several may run at once. */
  readonly name?: string;
  readonly receiveThreads?: number;
  readonly hatEntries?: number;
  readonly crlEntries?: number;
  /** A queue made beforehand: the data folder. */
  readonly data?: string;
  /** Where mail goes. */
  readonly route?: string;
  readonly delivery?: Readonly<Record<string, number>>;
  /** A program that runs it, strace for example. */
  readonly under?: readonly string[];
};

export type RunningSallyport = RunningPeer & {
  readonly ports: Record<'tls' | 'ldap' | 'plain', number>;
  readonly data: string;
  readonly pid: number;
  /** From the start of the process to the line `ready`. */
  readonly startMs: number;
};

export const sallyport: Peer = {
  name: 'sallyport',
  what: 'HAT, certificate path, CRL of 100,000 entries, LDAP certificate query, full mail log, durable queue, delivery to /dev/null',
  doors: ['tls', 'ldap', 'plain'],
  install: () => undefined,
  version: () =>
    `Sallyport ${(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version}, Node ${process.version}`,
  start: (site) => startSallyport(site),
};

export async function startSallyport(site: Site, options: SallyportOptions = {}): Promise<RunningSallyport> {
  const { name = 'sallyport' } = options;
  const folder = join(site.folder, name);
  mkdirSync(folder, { recursive: true });
  const ports = { tls: await freePort(), ldap: await freePort(), plain: await freePort() };
  const config = join(folder, 'sallyport.yaml');
  writeFileSync(config, JSON.stringify(configuration(site, options, [ports, await freePort()])));
  const data = options.data ?? join(folder, 'data');
  const log = join(folder, 'mail.log');
  writeFileSync(log, '');
  const account = Account.open(name);
  const from = performance.now();
  const [program = '', ...args] = [
    ...(options.under ?? []),
    join(ROOT, 'bin', 'sallyport'),
    ...['run', '--config', config, '--data', data],
  ];
  const child = account.start(program, args, {
    log,
    env: { PATH: `${join(ROOT, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}` },
  });
  while (!/\bready\b/.test(readFileSync(log, 'utf8').slice(0, 65_536))) {
    if (child.exitCode !== null || performance.now() - from > READY_LIMIT_MS) {
      throw new Error(`Sallyport did not start: ${readFileSync(log, 'utf8').slice(0, 2000)}`);
    }
    await wait(5);
  }
  const startMs = performance.now() - from;
  return {
    ports,
    account,
    data,
    pid: child.pid ?? -1,
    startMs,
    async stop() {
      if (child.exitCode === null) {
        const ended = once(child, 'exit');
        // Under strace the gateway is a child of the child, and a strace that is stopped would leave it running.
        if (options.under === undefined) child.kill('SIGTERM');
        else for (const pid of account.pids()) if (pid !== child.pid) process.kill(pid, 'SIGTERM');
        await ended;
      }
      await account.end();
    },
  };
}

type Ports = RunningSallyport['ports'];

function configuration(site: Site, options: SallyportOptions, [ports, metricsPort]: [Ports, number]): object {
  const { receiveThreads, hatEntries = 10, crlEntries = 100_000, route = '/dev/null', delivery } = options;
  const { material, ldapPort } = site;
  const relayed = { behavior: 'relay', maxConnectionsPerAddress: 1_000_000, maxMessagesPerConnection: 1_000_000 };
  const withCertificate = { ...relayed, tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' };
  const server = {
    type: 'openldap',
    hosts: [`ldap://127.0.0.1:${ldapPort}`],
    baseDn: BASE_DN,
    bind: { dn: GATEWAY_ACCOUNT.dn, password: GATEWAY_ACCOUNT.password },
  };
  const query = (name: string): object => ({
    server: name,
    type: 'certificate',
    filter: '(&(caccn={cn})(cacserial={sn}))',
    userIdAttribute: 'uid',
  });
  const listener = (port: number, policy: string, profile?: string): object => ({
    type: 'private',
    address: [`127.0.0.1:${port}`],
    certificate: 'gateway',
    ...(profile === undefined ? {} : { smtpAuthProfile: profile }),
    hat: hostAccessTable(policy, hatEntries),
    maxConcurrency: 100_000,
    tcpQueue: 4096,
  });
  return {
    hostname: 'gw.example.test',
    certificates: { gateway: { certFile: material.serverCert, keyFile: material.serverKey } },
    certificateAuthorities: { cac: { file: material.clientCa } },
    ldap: {
      servers: { cached: server, asked: { ...server, cache: { ttl: '0s' } } },
      queries: { cached: query('cached'), asked: query('asked') },
    },
    smtpAuthProfiles: {
      cached: { type: 'certificate', query: 'cached', trust: ['cac'] },
      asked: { type: 'certificate', query: 'asked', trust: ['cac'] },
    },
    mailFlowPolicies: { CERTIFICATE: withCertificate, PLAIN: { ...relayed, tls: 'off' } },
    crl: {
      checkInbound: true,
      sources: {
        cac: { type: 'pem', primaryUrl: `file://${material.crl(crlEntries)}`, schedule: 'manual', maxSize: '1G' },
      },
    },
    listeners: {
      certificate: listener(ports.tls, 'CERTIFICATE', 'cached'),
      directory: listener(ports.ldap, 'CERTIFICATE', 'asked'),
      plain: listener(ports.plain, 'PLAIN'),
    },
    smtpRoutes: { ALL: [route] },
    ...(delivery === undefined ? {} : { delivery }),
    system: {
      metrics: `127.0.0.1:${metricsPort}`,
      ...(receiveThreads === undefined ? {} : { receiveThreads }),
    },
  };
}

/** The client's address is found behind all the others: a table that is searched in order would show it. */
function hostAccessTable(policy: string, entries: number): object[] {
  const senders = Array.from({ length: entries }, (_, i) => `10.${i >> 14}.${(i >> 6) & 255}.${(i << 2) & 255}/30`);
  const groups: object[] = [];
  for (let i = 0; i < senders.length; i += 1000)
    groups.push({ senderGroup: `BLOCKLIST${i / 1000}`, senders: senders.slice(i, i + 1000), policy: 'BLOCKED' });
  return [
    ...groups,
    { senderGroup: 'RELAYLIST', senders: ['127.0.0.0/8'], policy },
    { senderGroup: 'ALL', policy: 'BLOCKED' },
  ];
}
