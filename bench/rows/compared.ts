/**
 * Rows that compare Sallyport with itself in alternation: one receive thread and two; short tables and long ones, an empty
 * queue and a long one. What counts is the ratio of CPU time round by round. Effects: starts Sallyport and loads.
 */
import { playRounds, QUICK_WARM_UP, type WarmUp } from '../rounds.ts';
import { startBareNode } from '../peers/bare-node.ts';
import type { RunningPeer, Site } from '../peers/peer.ts';
import { type SallyportOptions, startSallyport } from '../peers/sallyport.ts';
import { figure, median, pairedRatio } from '../statistics.ts';
import { type Measurement, WORKLOADS, type Workload, type WorkloadName } from '../workloads.ts';
import { filledQueue, type Finding, type Row, type RowContext } from './row.ts';

type Side = { readonly label: string; readonly start: (site: Site) => Promise<RunningPeer> };

const ours = (label: string, options: SallyportOptions): Side => ({
  label,
  start: (site) => startSallyport(site, { ...options, name: label.replaceAll(/\W+/g, '-') }),
});

const workloadOf = (name: WorkloadName): Workload => {
  const found = WORKLOADS.find((workload) => workload.name === name);
  if (found === undefined) throw new Error(`no workload ${name}`);
  return found;
};

type Comparison = {
  readonly ratio: number;
  readonly valid: boolean;
  readonly sides: readonly (readonly Measurement[])[];
};

/**
 * A cold receive thread costs a third more until V8 has compiled its path, and two share the sessions of the warm-up: V8 still
 * compiles after 5,000 of each. A difference of a few percent shows only between servers that are warm.
 */
const WARM_UP: WarmUp = { sessions: 14_000, seconds: 20 };
/** Many short rounds: the pairs are close together in time, and one disturbance is one of many. */
const ROUND_SECONDS = 1;

/** CPU of the second over CPU of the first. */
async function compare(context: RowContext, workload: Workload, sides: readonly [Side, Side]): Promise<Comparison> {
  const { site, rounds, quick, tell } = context;
  const running: RunningPeer[] = [];
  for (const { start } of sides) running.push(await start(site));
  const results = await playRounds({
    workload,
    loadgen: site.loadgen,
    certificates: site.material.clients,
    tell,
    rounds: Math.max(rounds, quick ? 3 : 9),
    seconds: ROUND_SECONDS,
    warmUp: quick ? QUICK_WARM_UP : WARM_UP,
    contestants: running.map(({ account, ports, forget }, i) => ({
      name: sides[i]?.label ?? '',
      account,
      port: ports[workload.door] ?? 0,
      ...(forget === undefined ? {} : { forget }),
    })),
  });
  for (const server of running) await server.stop();
  const [first = [], second = []] = [...results.values()];
  return {
    ratio: pairedRatio(
      second.map(({ cpu }) => cpu),
      first.map(({ cpu }) => cpu),
    ),
    valid: [...first, ...second].every(({ failures }) => failures === 0),
    sides: [first, second],
  };
}

const cpuOf = (side: readonly Measurement[] | undefined): string => figure(median((side ?? []).map(({ cpu }) => cpu)));
const rateOf = (side: readonly Measurement[] | undefined): string =>
  figure(median((side ?? []).map(({ rate }) => rate)));
const percent = (ratio: number): string => `${ratio >= 1 ? '+' : '−'}${(Math.abs(ratio - 1) * 100).toFixed(1)} %`;

export const threads: Row = {
  name: 'threads',
  title: 'one receive thread and two',
  async run(context) {
    const findings: Finding[] = [];
    for (const name of ['W1', 'W4'] as const) {
      const workload = workloadOf(name);
      const { ratio, valid, sides } = await compare(context, workload, [
        ours('one-thread', { receiveThreads: 1 }),
        ours('two-threads', { receiveThreads: 2 }),
      ]);
      findings.push({
        what: `${name}: CPU with two threads over CPU with one; sessions/s (client on the same cores)`,
        value: `${percent(ratio)} (${cpuOf(sides[0])} → ${cpuOf(sides[1])}); ${rateOf(sides[0])} → ${rateOf(sides[1])}/s`,
        ...(name === 'W1' ? { target: 'at most +15 %', met: valid && ratio <= 1.15 } : {}),
      });
    }
    const bare = await compare(context, workloadOf('W1'), [
      { label: 'one-bare-loop', start: (site) => startBareNode(site, 'log') },
      { label: 'two-bare-loops', start: (site) => startBareNode(site, 'log', 2) },
    ]);
    findings.push({
      what: 'W1, for comparison: CPU with two bare loops in Node with a log (two processes) over CPU with one',
      value: `${percent(bare.ratio)} (${cpuOf(bare.sides[0])} → ${cpuOf(bare.sides[1])}); ${rateOf(bare.sides[0])} → ${rateOf(bare.sides[1])}/s`,
    });
    return findings;
  },
};

async function flatness(context: RowContext, workload: Workload, sides: readonly [Side, Side]): Promise<Finding> {
  const { ratio, valid, sides: measured } = await compare(context, workload, sides);
  return {
    what: `${workload.name}: CPU with ${sides[1].label} over CPU with ${sides[0].label}`,
    value: `${percent(ratio)} (${cpuOf(measured[0])} → ${cpuOf(measured[1])})`,
    target: 'differs by less than 10 %',
    met: valid && Math.abs(ratio - 1) < 0.1,
  };
}

export const flat: Row = {
  name: 'flat',
  title: 'cost as tables and queue grow',
  async run(context) {
    const { site, quick } = context;
    const hat = quick ? 10_000 : 50_000;
    const crl = quick ? 300_000 : 1_000_000;
    const queued = quick ? 100_000 : 1_000_000;
    const count = (n: number): string => n.toLocaleString('en-US');
    const findings = [
      await flatness(context, workloadOf('W4'), [
        ours('10 HAT entries', { hatEntries: 10 }),
        ours(`${count(hat)} HAT entries`, { hatEntries: hat }),
      ]),
      await flatness(context, workloadOf('W1'), [
        ours('0 CRL entries', { crlEntries: 0 }),
        ours(`${count(crl)} CRL entries`, { crlEntries: crl }),
      ]),
    ];
    context.tell(`  filling a queue with ${queued} messages`);
    const data = filledQueue(site, 'full-queue', { messages: queued, octets: 500, dueInSeconds: 7200 });
    findings.push(
      await flatness(context, workloadOf('W4'), [
        ours('an empty queue', {}),
        ours(`${count(queued)} queued messages`, { data }),
      ]),
    );
    return findings;
  },
};
