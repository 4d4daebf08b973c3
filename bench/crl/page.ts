/** The page docs/benchmarks-crl.md from what was measured. Pure. */
import type { Arrival, Clients, GatewayMeasured } from './gateway.ts';
import type { Measured } from './measure.ts';
import { median, type Waits } from './waits.ts';

export type Row = {
  readonly what: 'load' | 'context' | 'peculiar';
  readonly entries: number;
  /** A process each; empty where it refuses. */
  readonly results: readonly Measured[];
  /** In the words of the program. */
  readonly refused?: string;
};

export type CrlReport = {
  readonly rows: readonly Row[];
  readonly gateway: GatewayMeasured;
  readonly machine: string;
  readonly versions: string;
  /** Load average of the last minute when the run began. */
  readonly load: number;
};

export const MILLION = 1_000_000;

const NAMES = {
  load: 'Sallyport (parsed and verified in a thread of its own)',
  context: '`tls.createSecureContext({ crl })`',
  peculiar: '`@peculiar/x509` (parsed and verified)',
} as const;

const count = (n: number): string => n.toLocaleString('en-US');
const ms = (n: number): string => `${n < 10 ? n.toFixed(1) : Math.round(n)} ms`;
const mb = (n: number): string => `${Math.max(0, n).toFixed(n < 10 ? 1 : 0)} MB`;
const lookup = (us: number): string => (us < 1000 ? `${us.toFixed(2)} µs` : `${(us / 1000).toFixed(1)} ms`);
const most = (values: readonly number[]): number => Math.max(...values);

/** The median, and what the runs were between where they differ. */
function spread(values: readonly number[], unit: (n: number) => string): string {
  const [low, high] = [unit(Math.min(...values)), unit(most(values))];
  return low === high ? low : `${unit(median(values))} (${low.split(' ')[0]}–${high})`;
}

function rowOf({ what, entries, results, refused }: Row): string {
  const all = (field: Exclude<keyof Measured, 'lookupUs'>): number[] => results.map((each) => each[field]);
  const lookups = results.flatMap(({ lookupUs }) => lookupUs ?? []);
  const cells =
    results.length === 0
      ? [`refuses it: ${refused ?? ''}`, '', '', '', '', '']
      : [
          spread(all('loadMs'), ms),
          spread(all('cpuMs'), ms),
          ms(most(all('blockedMs'))),
          mb(most(all('peakMb'))),
          mb(most(all('keptMb'))),
          lookups.length === 0 ? 'inside the handshake' : lookup(median(lookups)),
        ];
  return `| ${NAMES[what]} | ${count(entries)} | ${cells.join(' | ')} |`;
}

const wait = ({ p99Ms, longestMs, ownPauseMs }: Waits): string => `${ms(p99Ms)} | ${ms(longestMs)} | ${ms(ownPauseMs)}`;
const waits = ({ open, fresh }: Clients): string => `${wait(open)} | ${wait(fresh)}`;

const arrivalOf = (each: Arrival): string =>
  `| ${each.title} | ${ms(each.updateMs)} | ${mb(each.beforeMb)} | ${mb(each.peakMb - each.beforeMb)} | ${mb(each.afterMb)} | ${waits(each)} |`;

/** A small table lies in the processor's cache, a big one in memory: a step costs more there. */
const CACHE_FACTOR = 3;

type Target = readonly [what: string, target: string, measured: string, met: boolean];

/** The promises of the issue. Each is judged by its worst run. */
function targetsOf({ rows, gateway }: CrlReport): Target[] {
  const own = rows.filter(({ what }) => what === 'load').map((row) => [row.entries, row.results] as const);
  const million = own.find(([entries]) => entries === MILLION)?.[1] ?? [];
  const [fewest, smallest] = own.toSorted(([a], [b]) => a - b)[0] ?? [1, []];
  const loads = million.map(({ loadMs }) => loadMs);
  const peaks = million.map(({ peakMb }) => peakMb);
  const kept = million.map(({ keptMb }) => keptMb);
  const gatewayPeaks = gateway.arrivals.map(({ peakMb, beforeMb }) => peakMb - beforeMb);
  const openWaits = gateway.arrivals.map(({ open }) => open);
  const lookups = (results: readonly Measured[]): number => median(results.flatMap(({ lookupUs }) => lookupUs ?? []));
  const growth = lookups(million) / lookups(smallest);
  const steps = Math.log(MILLION) / Math.log(fewest);
  return [
    [
      'a million entries: wall time of loading, off the serving threads',
      'under 2 s',
      ms(most(loads)),
      most(loads) < 2000,
    ],
    [
      'a million entries: memory at most while they are parsed',
      'under 150 MB',
      `${mb(most(gatewayPeaks))} in the gateway, the download included; ${mb(most(peaks))} beside the file`,
      most([...gatewayPeaks, ...peaks]) < 150,
    ],
    ['a million entries: memory afterwards, shared by all threads', 'under 40 MB', mb(most(kept)), most(kept) < 40],
    [
      'the longest wait of an open session while a list of a million entries arrives',
      'at most 50 ms',
      `${ms(most(openWaits.map(({ longestMs }) => longestMs)))} (99 %: ${ms(most(openWaits.map(({ p99Ms }) => p99Ms)))})`,
      openWaits.every(({ longestMs }) => longestMs <= 50),
    ],
    [
      `a look-up among a million entries, beside one among ${count(fewest)}`,
      'O(log n)',
      `${lookup(lookups(million))}, ${growth.toFixed(1)} × (log n: ${steps.toFixed(1)} ×; n: ${count(MILLION / fewest)} ×)`,
      growth <= steps * CACHE_FACTOR,
    ],
  ];
}

const targetRow = ([what, target, measured, met]: Target): string =>
  `| ${what} | ${target} | ${measured} | ${met ? 'met' : '**missed**'} |`;

export function renderPage(report: CrlReport): string {
  const { rows, gateway, machine, versions, load } = report;
  const [before, after] = [gateway.arrivals[0]?.beforeMb ?? 0, gateway.arrivals.at(-1)?.afterMb ?? 0];
  return `# What a big revocation list costs

Made by \`npm run bench:crl\`; every figure below is that run's. Lists are signed with ECDSA P-256, their serials are random and 20
octets long, every second entry has a reason code: a million entries are 48 MB of DER.

- ${machine}; load average ${load.toFixed(1)} when the run began
- ${versions}

## Targets

| what | target | measured, worst of all runs | |
| --- | --- | --- | --- |
${targetsOf(report).map(targetRow).join('\n')}

## Loading and looking up

Each run is a process of its own; where several differ, the median and what they were between. *CPU* is of all its threads. *Blocked*
is the longest time in which the thread that asked for the list could do nothing else; *peak* and *kept* are resident memory above
what the process had with the file read, the most of all runs (for Sallyport *kept* is the table, which all threads share; a TLS
context keeps a copy for each context).

| | entries | load | CPU | blocked | peak | kept | one look-up |
| --- | --- | --- | --- | --- | --- | --- | --- |
${rows.map(rowOf).join('\n')}

## A running gateway

Twenty open sessions with mutual TLS say NOOP fifty times a second each, and one client after the other opens a new session (full
handshake, path, revocation, owner in the directory) up to the reply to EHLO, with 20 ms between. Meanwhile the list is fetched over
HTTP, verified, put in force in every thread and saved on disk (*update*); four seconds more are watched, in which the former list's
memory is given back. Clients and gateway share the processors; *own* is the client's longest pause that has nothing to do with the
gateway. *Before* and *after* are the gateway's resident memory, *after* ten seconds later. Idle, with a list of 30,000 entries, it had
${mb(gateway.idleMb)}; all these lists added ${mb(after - before)}.

| | update | before | peak above it | after | open: 99 % | longest | own | new: 99 % | longest | own |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| nothing happens | | | | | ${waits(gateway.quiet)} |
${gateway.arrivals.map(arrivalOf).join('\n')}
`;
}
