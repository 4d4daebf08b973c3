/**
 * The measuring itself: every server gets a warm-up, then all get the load in turn, round after round, so that a machine
 * that becomes slower becomes so for all. A run counts until its server does nothing any more: what it still owes its
 * messages (delivery, log, queue) is part of their cost.
 * Effects: runs the load generator against running servers.
 */
import { type Account, machineSeconds } from './account.ts';
import { type Load, runLoad } from './load.ts';
import { type Measurement, measurement, type Workload } from './workloads.ts';

/** What is compiled while it runs has to be compiled; a server runs for days. Whichever comes first. */
const WARM_UP: WarmUp = { sessions: 2000, seconds: 4 };
export const QUICK_WARM_UP: WarmUp = { ...WARM_UP, seconds: 1 };
const IDLE_LIMIT_MS = 6000;

export type Contestant = {
  readonly name: string;
  readonly account: Account;
  readonly port: number;
  /** Called after each run. */
  readonly forget?: () => void;
};
export type Results = ReadonlyMap<string, readonly Measurement[]>;

export type WarmUp = Required<Pick<Load, 'sessions' | 'seconds'>>;

export type RoundOptions = {
  readonly workload: Pick<Workload, 'load' | 'per'>;
  readonly contestants: readonly Contestant[];
  readonly loadgen: string;
  readonly certificates: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUp?: WarmUp;
  readonly tell: (text: string) => void;
};

export async function playRounds(options: RoundOptions): Promise<Results> {
  const { workload, contestants, certificates, rounds, seconds, warmUp = WARM_UP, tell } = options;
  const load: Load = { ...workload.load, certificates };
  const results = new Map<string, Measurement[]>(contestants.map(({ name }) => [name, []]));
  for (const one of contestants) await measureOnce(options, one, { ...load, ...warmUp });
  for (let round = 0; round < rounds; round++) {
    // Every other round goes backwards, so that none always comes after the same other.
    for (const one of round % 2 === 0 ? contestants : contestants.toReversed()) {
      const found = await measureOnce(options, one, { ...load, seconds });
      results.get(one.name)?.push(found);
      tell(describe(one.name, found));
    }
  }
  return results;
}

async function measureOnce({ workload, loadgen }: RoundOptions, one: Contestant, load: Load): Promise<Measurement> {
  await one.account.idle(IDLE_LIMIT_MS);
  const before = { cpu: one.account.cpuSeconds(), ...machineSeconds() };
  const report = await runLoad(loadgen, one.port, load);
  await one.account.idle(IDLE_LIMIT_MS);
  const after = { cpu: one.account.cpuSeconds(), ...machineSeconds() };
  one.forget?.();
  return measurement(workload, report, {
    serverCpu: after.cpu - before.cpu,
    machineBusy: after.busy - before.busy,
    machineStolen: after.stolen - before.stolen,
  });
}

function describe(name: string, { cpu, rate, p50, p99, failures, firstFailure, others }: Measurement): string {
  const trouble = failures === 0 ? '' : `  INVALID: ${failures} failures (${firstFailure})`;
  const noise = others > 0.25 ? `  (other programs ${(others * 100).toFixed(0)} %)` : '';
  return `  ${name.padEnd(14)} cpu ${cpu.toFixed(3).padStart(8)}  ${rate.toFixed(0).padStart(6)}/s  dot-250 p50 ${p50.toFixed(1)} p99 ${p99.toFixed(1)} ms${noise}${trouble}`;
}
