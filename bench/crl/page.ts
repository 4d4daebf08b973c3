/** The page docs/benchmarks-crl.md from what was measured. Pure. */
import type { Arrival, GatewayMeasured } from './gateway.ts';
import type { Measured } from './measure.ts';
import type { Waits } from './noop.ts';

export type Row = {
  readonly what: 'load' | 'context' | 'peculiar';
  readonly entries: number;
  readonly result?: Measured;
  /** In the words of the program. */
  readonly refused?: string;
};

export type CrlReport = {
  readonly rows: readonly Row[];
  readonly gateway: GatewayMeasured;
  readonly machine: string;
  readonly versions: string;
};

const NAMES = {
  load: 'Sallyport (parsed and verified in a thread of its own)',
  context: '`tls.createSecureContext({ crl })`',
  peculiar: '`@peculiar/x509` (parsed and verified)',
} as const;

const count = (n: number): string => n.toLocaleString('en-US');
const ms = (n: number): string => `${n < 10 ? n.toFixed(1) : Math.round(n)} ms`;
const mb = (n: number): string => `${Math.max(0, n).toFixed(n < 10 ? 1 : 0)} MB`;

function rowOf({ what, entries, result, refused }: Row): string {
  const cells =
    result === undefined
      ? [`refuses it: ${refused ?? ''}`, '', '', '', '']
      : [
          ms(result.loadMs),
          ms(result.blockedMs),
          mb(result.peakMb),
          mb(result.keptMb),
          result.lookupUs === undefined ? 'inside the handshake' : lookup(result.lookupUs),
        ];
  return `| ${NAMES[what]} | ${count(entries)} | ${cells.join(' | ')} |`;
}

const lookup = (us: number): string => (us < 1000 ? `${us.toFixed(2)} µs` : `${(us / 1000).toFixed(1)} ms`);

const waits = ({ replies, longestMs, p999Ms }: Waits): string => `${ms(longestMs)} | ${ms(p999Ms)} | ${count(replies)}`;

const arrivalOf = (title: string, { updateMs, beforeMb, peakMb, afterMb, waits: w }: Arrival): string =>
  `| ${title} | ${ms(updateMs)} | ${mb(beforeMb)} | ${mb(peakMb - beforeMb)} | ${mb(afterMb)} | ${waits(w)} |`;

export function renderPage({ rows, gateway, machine, versions }: CrlReport): string {
  const [small, ...millions] = gateway.arrivals;
  const titles = ['the first million', 'another million in its place', 'and once more'];
  const grown = (millions.at(-1)?.afterMb ?? 0) - (small?.afterMb ?? 0);
  return `# What a big revocation list costs

Made by \`npm run bench:crl\`; every figure below is that run's. Lists are signed with ECDSA P-256, their serials are random and 20
octets long, every second entry has a reason code: a million entries are 48 MB of DER.

- ${machine}
- ${versions}

## Loading and looking up

Each row is a process of its own. *Blocked* is the longest time in which the thread that asked for the list could do nothing else;
*peak* and *kept* are resident memory above what the process had with the file read (for Sallyport *kept* is the table, which all
threads share; a TLS context keeps a copy for each context).

| | entries | load | blocked | peak | kept | one look-up |
| --- | --- | --- | --- | --- | --- | --- |
${rows.map(rowOf).join('\n')}

## A running gateway

Idle: ${mb(gateway.idleMb)}. Twenty sessions inside TLS say NOOP fifty times a second each while \`crl update\` fetches the list over
HTTP, verifies it, puts it in force in every thread and saves it on disk (the time of the command itself is in *update*). *After* is
15 s later; a million entries add ${mb(grown)} to a gateway that has had a small list.

| | update | before | peak above it | after | longest wait | 99.9 % | replies |
| --- | --- | --- | --- | --- | --- | --- | --- |
| nothing happens, 5 s | | | | | ${waits(gateway.quiet)} |
${[small === undefined ? '' : arrivalOf('30,000 entries', small), ...millions.map((each, i) => arrivalOf(titles[i] ?? '', each))].join('\n')}
`;
}
