/** What a whole run found: what page and picture are made of. Types, and what both need. Pure. */
import type { PeerName } from './peers/peer.ts';
import type { Finding } from './rows/row.ts';
import { pairedRatio, type Summary, summary } from './statistics.ts';
import { type Measurement, WORKLOADS, type Workload, type WorkloadName } from './workloads.ts';

export type MachineFacts = {
  readonly processor: string;
  readonly cores: number;
  readonly memoryMb: number;
  readonly kernel: string;
  readonly disk: string;
  readonly counting: string;
};

export type PeerFacts = { readonly name: PeerName; readonly version: string; readonly what: string };
export type WorkloadResult = {
  readonly name: WorkloadName;
  readonly results: ReadonlyMap<string, readonly Measurement[]>;
};
export type RowResult = { readonly name: string; readonly title: string; readonly findings: readonly Finding[] };

export type Report = {
  readonly day: string;
  readonly machine: MachineFacts;
  readonly rounds: number;
  readonly seconds: number;
  readonly peers: readonly PeerFacts[];
  readonly workloads: readonly WorkloadResult[];
  readonly rows: readonly RowResult[];
};

export type Standing = {
  readonly peer: string;
  readonly cpu: Summary;
  readonly rate: Summary;
  readonly p50: number;
  readonly p99: number;
  /** CPU over Sallyport's, round by round; 1 for Sallyport itself. */
  readonly ratio: number;
  /** Runs with a wrong reply; they are in none of the figures. */
  readonly invalid: number;
  readonly firstFailure: string;
  /** The most that other programs took of the machine in one of the runs. */
  readonly others: number;
};

export function workloadOf(name: WorkloadName): Workload {
  const found = WORKLOADS.find((workload) => workload.name === name);
  if (found === undefined) throw new Error(`no workload ${name}`);
  return found;
}

const isValid = ({ failures }: Measurement): boolean => failures === 0;

/** Cheapest first; servers without a valid run come last. */
export function standings({ results }: WorkloadResult): Standing[] {
  const ours = results.get('sallyport') ?? [];
  const all = [...results].map(([peer, runs]): Standing => {
    const valid = runs.filter(isValid);
    // Rounds are compared in pairs, so both of a pair must be valid.
    const pairs = runs.flatMap((run, i) => {
      const own = ours[i];
      return own !== undefined && isValid(run) && isValid(own) ? [[run.cpu, own.cpu] as const] : [];
    });
    return {
      peer,
      cpu: summary(valid.map(({ cpu }) => cpu)),
      rate: summary(valid.map(({ rate }) => rate)),
      p50: summary(valid.map(({ p50 }) => p50)).median,
      p99: summary(valid.map(({ p99 }) => p99)).median,
      ratio: pairedRatio(
        pairs.map(([theirs]) => theirs),
        pairs.map(([, own]) => own),
      ),
      invalid: runs.length - valid.length,
      firstFailure: runs.find((run) => !isValid(run))?.firstFailure ?? '',
      others: Math.max(0, ...runs.map(({ others }) => others)),
    };
  });
  const cost = ({ cpu }: Standing): number => (Number.isNaN(cpu.median) ? Number.POSITIVE_INFINITY : cpu.median);
  return all.sort((a, b) => cost(a) - cost(b));
}
