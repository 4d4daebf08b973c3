/**
 * `npm run bench`: installs the peers, measures them and Sallyport side by side, and writes docs/benchmarks.md with its
 * picture. `npm run bench -- W1 --peers sallyport,postfix --rounds 3 --seconds 5` runs one row and writes nothing.
 * Effects: everything that measuring needs; see README.md beside this file.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { whyOf } from '../src/core/errors.ts';
import { Account } from './account.ts';
import { type BenchOptions, readArguments } from './arguments.ts';
import { installPackages } from './debian.ts';
import { compile, runLoad } from './load.ts';
import { material } from './material.ts';
import { renderPage } from './page.ts';
import { nodeFile, nodeLog } from './peers/bare-node.ts';
import { cFloor } from './peers/c-floor.ts';
import { exim } from './peers/exim.ts';
import { haraka } from './peers/haraka.ts';
import type { Peer, RunningPeer, Site } from './peers/peer.ts';
import { postfix } from './peers/postfix.ts';
import { sallyport } from './peers/sallyport.ts';
import { smtpServer } from './peers/smtp-server.ts';
import { renderPicture } from './picture.ts';
import type { MachineFacts, PeerFacts, RowResult, WorkloadResult } from './report.ts';
import { type Contestant, playRounds, QUICK_WARM_UP } from './rounds.ts';
import { flat, threads } from './rows/compared.ts';
import { delivery, large, start } from './rows/delivery.ts';
import { groupCommit } from './rows/group-commit.ts';
import { idle } from './rows/idle.ts';
import type { Row } from './rows/row.ts';
import { openScratchDisk } from './scratch-disk.ts';
import { startSlapd } from './slapd.ts';
import { WORKLOADS, type Workload } from './workloads.ts';

const PEERS: readonly Peer[] = [sallyport, postfix, exim, haraka, smtpServer, nodeFile, nodeLog, cFloor];
const ROWS: readonly Row[] = [idle, threads, groupCommit, flat, delivery, start, large];
const DISK_MB = 4000;
const QUICK_DISK_MB = 2500;
const DOCS = join(import.meta.dirname, '..', 'docs');

const tell = (text: string): void => console.log(text);

type RunningPeers = ReadonlyMap<Peer, RunningPeer>;

async function startPeers(site: Site, options: BenchOptions): Promise<RunningPeers> {
  const running = new Map<Peer, RunningPeer>();
  for (const peer of PEERS.filter(({ name }) => options.peers === undefined || options.peers.includes(name))) {
    try {
      peer.install();
      tell(`${peer.name}: ${peer.version()}`);
      running.set(peer, await peer.start(site));
    } catch (error) {
      // Without a registry, say: the others are measured all the same, and the page says who is missing.
      if (peer === sallyport) throw error;
      tell(`${peer.name}: NOT MEASURED: ${whyOf(error)}`);
    }
  }
  return running;
}

/** A door with client certificates must refuse who has none; one that does not would be measured doing less. */
async function mustRefuse(site: Site, peers: RunningPeers): Promise<void> {
  for (const [peer, { ports }] of peers) {
    for (const port of [ports.tls, ports.ldap]) {
      if (port === undefined) continue;
      const load = { tls: 'starttls', concurrency: 1, messages: 1, size: 1000, sessions: 1, seconds: 10 } as const;
      const { messages, failures } = await runLoad(site.loadgen, port, load);
      if (messages > 0 || failures === 0) throw new Error(`${peer.name} takes mail without a client certificate`);
    }
  }
}

async function runWorkload(
  workload: Workload,
  site: Site,
  peers: RunningPeers,
  options: BenchOptions,
): Promise<WorkloadResult> {
  tell(`${workload.name}: ${workload.title} (${workload.unit})`);
  const contestants: Contestant[] = [];
  for (const [{ name }, { ports, account, forget }] of peers) {
    const port = ports[workload.door];
    if (port !== undefined) contestants.push({ name, account, port, ...(forget === undefined ? {} : { forget }) });
  }
  const { rounds, seconds } = options;
  const results = await playRounds({
    workload,
    contestants,
    rounds,
    seconds,
    tell,
    loadgen: site.loadgen,
    certificates: site.material.clients,
    ...(options.quick ? { warmUp: QUICK_WARM_UP } : {}),
  });
  return { name: workload.name, results };
}

async function runRows(site: Site, options: BenchOptions): Promise<RowResult[]> {
  const found: RowResult[] = [];
  for (const row of ROWS.filter(({ name }) => isWanted(options, name))) {
    const { name, title } = row;
    tell(`${name}: ${title}`);
    const { rounds, seconds, quick } = options;
    const findings = await row.run({ site, rounds, seconds, quick, tell });
    for (const { what, value, target, met } of findings) {
      tell(`  ${what}: ${value}${target === undefined ? '' : `  [${target}: ${met === true ? 'met' : 'MISSED'}]`}`);
    }
    found.push({ name, title, findings });
  }
  return found;
}

const isWanted = ({ names }: BenchOptions, name: string): boolean => names.length === 0 || names.includes(name);

async function openSite(folder: string): Promise<Site> {
  const made = await material(tell);
  const directory = join(folder, 'slapd');
  mkdirSync(directory);
  const { port } = await startSlapd(directory, made);
  const [loadgen, floor] = [compile('loadgen', folder), compile('floor', folder)];
  return { folder, material: made, ldapPort: port, loadgen, floor, node: process.execPath };
}

function machineFacts(disk: string): MachineFacts {
  const probe = Account.open('probe');
  void probe.end();
  return {
    processor: (cpus()[0]?.model ?? 'unknown processor').trim(),
    cores: cpus().length,
    memoryMb: totalmem() / 1024 / 1024,
    kernel: release(),
    disk,
    counting: probe.how,
  };
}

const options = readArguments(
  process.argv.slice(2),
  [...WORKLOADS, ...ROWS].map(({ name }) => name),
);
if (options === undefined) process.exit(2);
const from = performance.now();
installPackages(['gcc', 'libc6-dev', 'libssl-dev', 'openssl', 'slapd', 'strace', 'e2fsprogs']);
const disk = openScratchDisk(options.quick ? QUICK_DISK_MB : DISK_MB);
const site = await openSite(disk.folder);
const workloads: WorkloadResult[] = [];
let facts: PeerFacts[] = [];
const wanted = WORKLOADS.filter(({ name }) => isWanted(options, name));
if (wanted.length > 0) {
  const peers = await startPeers(site, options);
  await mustRefuse(site, peers);
  for (const workload of wanted) workloads.push(await runWorkload(workload, site, peers, options));
  facts = PEERS.map((peer) => {
    const { name, what } = peer;
    return peers.has(peer)
      ? { name, version: peer.version(), what }
      : { name, version: '', what: 'not measured in this run' };
  });
  for (const peer of peers.values()) await peer.stop();
}
const rows = await runRows(site, options);
const { rounds, seconds } = options;
const day = new Date().toISOString().slice(0, 10);
const report = { day, machine: machineFacts(disk.what), rounds, seconds, peers: facts, workloads, rows };
if (options.writes) {
  writeFileSync(join(DOCS, 'benchmarks.md'), renderPage(report));
  writeFileSync(join(DOCS, 'benchmarks.svg'), renderPicture(report));
} else if (workloads.length > 0) tell(`\n${renderPage(report)}`);
tell(
  `${((performance.now() - from) / 60_000).toFixed(1)} minutes; load average ${readFileSync('/proc/loadavg', 'utf8').trim()}`,
);
process.exit(0);
