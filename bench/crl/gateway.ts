/**
 * A list of a million entries arrives at a running gateway: how long until it is in force, what it costs in memory, and
 * how long open sessions wait meanwhile. Effects: starts a gateway, an HTTP server and clients on loopback.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../../test/support/free-port.ts';
import type { Waits } from './noop.ts';

export type Arrival = {
  /** From `crl update` to the list being in force and on disk, the download included. */
  readonly updateMs: number;
  readonly beforeMb: number;
  readonly peakMb: number;
  readonly afterMb: number;
  readonly waits: Waits;
};

export type GatewayMeasured = {
  readonly idleMb: number;
  /** The same sessions with nothing else to do, as long as an arrival takes. */
  readonly quiet: Waits;
  /** The first million, and another million in its place. */
  readonly arrivals: readonly Arrival[];
};

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'sallyport');
const SESSIONS = 20;
const SETTLED_MS = 15_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const memory = (pid: number, field: 'VmRSS' | 'VmHWM'): number =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

export async function measureGateway(folder: string, ca: string, lists: readonly Buffer[]): Promise<GatewayMeasured> {
  const state = { body: lists[0] as Buffer };
  const server = http.createServer((_request, response) => response.end(state.body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = await freePort();
  writeFileSync(join(folder, 'ca.pem'), ca);
  const config = configOf(port, (server.address() as AddressInfo).port);
  writeFileSync(join(folder, 'sallyport.yaml'), JSON.stringify(config));
  const gateway = spawn(PROGRAM, ['run', '--config', join(folder, 'sallyport.yaml'), '--data', join(folder, 'data')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await line(gateway, /\bready\b/);
    gateway.stdout?.resume();
    await pause(SETTLED_MS);
    const pid = gateway.pid ?? 0;
    const idleMb = memory(pid, 'VmRSS');
    const quiet = await whileNoop(port, () => pause(5000));
    const arrivals: Arrival[] = [];
    for (const list of lists.slice(1)) {
      state.body = list;
      arrivals.push(await arrival(pid, port, join(folder, 'data')));
    }
    return { idleMb, quiet: quiet.waits, arrivals };
  } finally {
    gateway.kill('SIGKILL');
    server.close();
  }
}

async function arrival(pid: number, port: number, data: string): Promise<Arrival> {
  const beforeMb = memory(pid, 'VmRSS');
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const { ms, waits } = await whileNoop(port, () => update(data));
  const peakMb = memory(pid, 'VmHWM');
  await pause(SETTLED_MS);
  return { updateMs: ms, beforeMb, peakMb, afterMb: memory(pid, 'VmRSS'), waits };
}

async function update(data: string): Promise<void> {
  const child = spawn(PROGRAM, ['crl', 'update', '--data', data], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number];
  if (code !== 0) throw new Error(`crl update: exit code ${code}`);
}

async function whileNoop(port: number, work: () => Promise<void>): Promise<{ ms: number; waits: Waits }> {
  const client = spawn(process.execPath, [join(import.meta.dirname, 'noop.ts'), String(port), String(SESSIONS)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await line(client, /^open$/);
  client.stdin?.write('begin');
  const from = performance.now();
  await work();
  const ms = performance.now() - from;
  const result = line(client, /^\{/);
  client.stdin?.end();
  return { ms, waits: JSON.parse(await result) as Waits };
}

async function line(child: ChildProcess, pattern: RegExp): Promise<string> {
  if (child.stdout === null) throw new Error('no output');
  for await (const each of createInterface({ input: child.stdout, terminal: false }))
    if (pattern.test(each)) return each;
  throw new Error(`ended before ${pattern}`);
}

const configOf = (port: number, crlPort: number): object => ({
  hostname: 'gw.example.test',
  certificateAuthorities: { bench: { file: 'ca.pem' } },
  mailFlowPolicies: { BENCH: { behavior: 'relay', tls: 'required' } },
  listeners: {
    submission: {
      type: 'private',
      address: [`127.0.0.1:${port}`],
      tlsMode: 'implicit',
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
