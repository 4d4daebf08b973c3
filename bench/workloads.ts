/**
 * The loads that every server gets, as reference/performance names them, and what of each is compared.
 * Pure.
 */
import type { Load, LoadReport } from './load.ts';
import { type Door, PEER_NAMES, type PeerName } from './peers/peer.ts';

const WORKLOAD_NAMES = ['W1', 'W3', 'W4', 'W5', 'W6'] as const;
export type WorkloadName = (typeof WORKLOAD_NAMES)[number];

export type Workload = {
  readonly name: WorkloadName;
  readonly title: string;
  readonly door: Door;
  readonly load: Omit<Load, 'certificates' | 'seconds'>;
  /** What the CPU time is divided by. */
  readonly per: 'session' | 'message';
  /** CPU-seconds per 1,000, or CPU-milliseconds for one: the same number, another word. */
  readonly unit: string;
  /** The target for Sallyport, in that unit. */
  readonly target: number;
  readonly peers: readonly PeerName[];
};

const FOUR_KB = 4096;
const TEN_MB = 10 * 1024 * 1024;

export const WORKLOADS: readonly Workload[] = [
  {
    name: 'W1',
    title: 'mutual TLS 1.3, full handshake, one 4 KB message',
    door: 'tls',
    load: { tls: 'starttls', concurrency: 32, messages: 1, size: FOUR_KB },
    per: 'session',
    unit: 'CPU-s per 1,000 sessions',
    target: 1.8,
    peers: PEER_NAMES,
  },
  {
    name: 'W3',
    title: 'W1 with one LDAP search for every session',
    door: 'ldap',
    load: { tls: 'starttls', concurrency: 32, messages: 1, size: FOUR_KB },
    per: 'session',
    unit: 'CPU-s per 1,000 sessions',
    target: 1.9,
    peers: PEER_NAMES,
  },
  {
    name: 'W4',
    title: 'plaintext, one 4 KB message',
    door: 'plain',
    load: { tls: 'none', concurrency: 32, messages: 1, size: FOUR_KB },
    per: 'session',
    unit: 'CPU-s per 1,000 sessions',
    target: 0.35,
    peers: PEER_NAMES,
  },
  {
    name: 'W5',
    title: '100 messages of 4 KB in one mutual TLS session, 8 sessions at a time',
    door: 'tls',
    load: { tls: 'starttls', concurrency: 8, messages: 100, size: FOUR_KB },
    per: 'message',
    unit: 'CPU-s per 1,000 messages',
    target: 0.3,
    peers: PEER_NAMES,
  },
  {
    name: 'W6',
    title: 'one 10 MB message in a mutual TLS session, 4 sessions at a time',
    door: 'tls',
    load: { tls: 'starttls', concurrency: 4, messages: 1, size: TEN_MB },
    per: 'message',
    unit: 'CPU-ms per message',
    target: 60,
    peers: PEER_NAMES,
  },
];

/** One run of one load against one server. */
export type Measurement = {
  /** In the unit of the workload. */
  readonly cpu: number;
  /** Sessions or messages a second. */
  readonly rate: number;
  /** From the final dot to 250, in ms. */
  readonly p50: number;
  readonly p99: number;
  readonly failures: number;
  readonly firstFailure: string;
  /** Share of the machine's busy time that neither server nor client used. */
  readonly others: number;
  readonly stolen: number;
};

export type Used = {
  readonly serverCpu: number;
  readonly machineBusy: number;
  readonly machineStolen: number;
};

export function measurement(workload: Pick<Workload, 'per'>, report: LoadReport, used: Used): Measurement {
  const count = workload.per === 'session' ? report.sessions : report.messages;
  const others = used.machineBusy - used.serverCpu - report.clientCpuSeconds;
  return {
    // A load that came to nothing has no cost; NaN shows in the table.
    cpu: count === 0 ? Number.NaN : (used.serverCpu * 1000) / count,
    rate: report.seconds === 0 ? 0 : count / report.seconds,
    p50: report.accepted.p50,
    p99: report.accepted.p99,
    failures: report.failures + (count === 0 ? 1 : 0),
    firstFailure: report.firstFailure,
    others: used.machineBusy === 0 ? 0 : Math.max(0, others / used.machineBusy),
    stolen: used.machineBusy === 0 ? 0 : used.machineStolen / (used.machineBusy + used.machineStolen),
  };
}
