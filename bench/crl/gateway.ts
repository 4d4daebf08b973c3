/**
 * A list of a million entries arrives at a running gateway: how long until it is in force, what it costs in memory, and
 * how long sessions wait meanwhile, open ones and new ones. Effects: starts a gateway, an HTTP server and clients on
 * loopback.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { connectApi } from '../../src/admin/api-client.io.ts';
import { type Authority, extension, makeCertificate, newAuthority, toPem } from '../../test/support/crl-maker.ts';
import { freePort } from '../../test/support/free-port.ts';
import type { Waits } from './waits.ts';

export type Clients = {
  /** Sessions that are open all the time and say NOOP. */
  readonly open: Waits;
  /** From the connection to the reply to EHLO, with a full handshake, the card's path, revocation and owner. */
  readonly fresh: Waits;
};

export type Arrival = Clients & {
  readonly title: string;
  /** From the wish to have it to the list being in force and on disk, the download included. */
  readonly updateMs: number;
  readonly beforeMb: number;
  readonly peakMb: number;
  readonly afterMb: number;
};

export type GatewayMeasured = {
  readonly idleMb: number;
  /** The same sessions with nothing else to do. */
  readonly quiet: Clients;
  readonly arrivals: readonly Arrival[];
};

export type BenchAuthority = { readonly authority: Authority; readonly pem: string };
export type ArrivingList = { readonly title: string; readonly list: Buffer };

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'sallyport');
const OPEN_SESSIONS = 20;
const SETTLED_MS = 10_000;
const QUIET_MS = 10_000;
/** What a new list leaves behind is collected two seconds later: that is watched too. */
const AFTERWARDS_MS = 4000;

const memory = (pid: number, field: 'VmRSS' | 'VmHWM'): number =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

export type Lists = {
  /** There at the start. */
  readonly first: Buffer;
  /** Arrives before anything is measured. */
  readonly warmUp: Buffer;
  /** One after the other. */
  readonly arriving: readonly ArrivingList[];
};

export async function measureGateway(
  folder: string,
  authority: BenchAuthority,
  { first, warmUp, arriving }: Lists,
): Promise<GatewayMeasured> {
  const state = { body: first };
  const server = http.createServer((_request, response) => response.end(state.body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const site = { folder, port: await freePort() };
  writeSite(site, authority, (server.address() as AddressInfo).port);
  const data = join(folder, 'data');
  const gateway = spawn(PROGRAM, ['run', '--config', join(folder, 'sallyport.yaml'), '--data', data], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await until(linesOf(gateway), /\bready\b/);
    gateway.stdout?.resume();
    await wait(SETTLED_MS);
    const pid = gateway.pid ?? 0;
    const idleMb = memory(pid, 'VmRSS');
    state.body = warmUp;
    await arrival(pid, site, data);
    const quiet = await withClients(site, () => wait(QUIET_MS));
    const arrivals: Arrival[] = [];
    for (const { title, list } of arriving) {
      state.body = list;
      arrivals.push({ title, ...(await arrival(pid, site, data)) });
    }
    return { idleMb, quiet: quiet.clients, arrivals };
  } finally {
    gateway.kill('SIGKILL');
    server.close();
    server.closeAllConnections();
  }
}

type Site = { readonly folder: string; readonly port: number };

async function arrival(pid: number, site: Site, data: string): Promise<Omit<Arrival, 'title'>> {
  const beforeMb = memory(pid, 'VmRSS');
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const { value: updateMs, clients } = await withClients(site, async () => {
    const from = performance.now();
    const answer = await connectApi(data).call('POST /api/crl/update', { body: {} });
    if (!answer.ok) throw new Error(answer.refusal.detail);
    const ms = performance.now() - from;
    await wait(AFTERWARDS_MS);
    return ms;
  });
  const peakMb = memory(pid, 'VmHWM');
  await wait(SETTLED_MS);
  return { updateMs, beforeMb, peakMb, afterMb: memory(pid, 'VmRSS'), ...clients };
}

async function withClients<T>(site: Site, work: () => Promise<T>): Promise<{ value: T; clients: Clients }> {
  const open = startClient(site, 'noop', OPEN_SESSIONS);
  const fresh = startClient(site, 'new', 1);
  await Promise.all([until(open.lines, /^open$/), until(fresh.lines, /^open$/)]);
  await wait(1000);
  for (const { child } of [open, fresh]) child.stdin?.write('begin');
  const value = await work();
  for (const { child } of [open, fresh]) child.stdin?.end();
  const [openWaits, freshWaits] = await Promise.all([until(open.lines, /^\{/), until(fresh.lines, /^\{/)]);
  return { value, clients: { open: JSON.parse(openWaits) as Waits, fresh: JSON.parse(freshWaits) as Waits } };
}

type Client = { readonly child: ChildProcess; readonly lines: Interface };

function startClient({ folder, port }: Site, what: 'noop' | 'new', sessions: number): Client {
  const script = join(import.meta.dirname, 'sessions.ts');
  const identity = [join(folder, 'card.pem'), join(folder, 'card.key')];
  const child = spawn(process.execPath, [script, String(port), ...identity, what, String(sessions)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return { child, lines: linesOf(child) };
}

function linesOf({ stdout }: ChildProcess): Interface {
  if (stdout === null) throw new Error('no output');
  return createInterface({ input: stdout, terminal: false });
}

function until(lines: Interface, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error(`ended before ${pattern}`));
    const look = (line: string): void => {
      if (!pattern.test(line)) return;
      lines.off('line', look).off('close', ended);
      resolve(line);
    };
    lines.on('line', look).once('close', ended);
  });
}

const CLIENT_AUTH = Buffer.from('300a06082b06010505070302', 'hex');

/** An authority, a card of it with an owner in an embedded directory, and a listener that asks for it. */
function writeSite({ folder, port }: Site, { pem, authority }: BenchAuthority, crlPort: number): void {
  const card = newAuthority('bench.user');
  const certificate = makeCertificate({
    subject: card,
    issuer: authority,
    serial: 0x1001,
    ca: false,
    extensions: [extension(37, CLIENT_AUTH), extension(15, Buffer.from('03020780', 'hex'), true)],
  });
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  put('ca.pem', pem);
  put('card.pem', toPem('CERTIFICATE', certificate));
  put('card.key', card.key.export({ format: 'pem', type: 'pkcs8' }) as string);
  put('directory.ldif', LDIF);
  put('sallyport.yaml', JSON.stringify(configOf(port, crlPort)));
}

const LDIF = `dn: dc=bench
objectClass: domain
dc: bench

dn: uid=bench,dc=bench
objectClass: inetOrgPerson
uid: bench
cn: bench.user
sn: user
`;

const configOf = (port: number, crlPort: number): object => ({
  hostname: 'gw.example.test',
  certificateAuthorities: { bench: { file: 'ca.pem' } },
  ldap: {
    servers: { bench: { ldif: 'directory.ldif', baseDn: 'dc=bench' } },
    queries: { card: { server: 'bench', type: 'certificate', filter: '(cn={cn})', userIdAttribute: 'uid' } },
  },
  smtpAuthProfiles: { cards: { type: 'certificate', query: 'card', trust: ['bench'] } },
  mailFlowPolicies: {
    BENCH: { behavior: 'relay', tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' },
  },
  listeners: {
    submission: {
      type: 'private',
      address: [`127.0.0.1:${port}`],
      tlsMode: 'implicit',
      smtpAuthProfile: 'cards',
      hat: [
        { senderGroup: 'RELAYLIST', senders: ['127.0.0.0/8'], policy: 'BENCH' },
        { senderGroup: 'ALL', policy: 'BLOCKED' },
      ],
    },
  },
  crl: {
    checkInbound: true,
    sources: { bench: { type: 'asn1', primaryUrl: `http://127.0.0.1:${crlPort}/bench.crl`, schedule: 'manual' } },
  },
});
