/**
 * `npm run bench`: installs the peers, measures them and Sallyport side by side, and writes docs/benchmarks.md with its
 * picture. `npm run bench -- W1 --peers sallyport,postfix --rounds 3 --seconds 5` runs one row and writes nothing.
 * Effects: everything that measuring needs; see README.md beside this file.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compile } from './load.ts';
import { material } from './material.ts';
import { nodeFile, nodeLog } from './peers/bare-node.ts';
import { cFloor } from './peers/c-floor.ts';
import { exim } from './peers/exim.ts';
import { haraka } from './peers/haraka.ts';
import type { Peer, PeerName, RunningPeer, Site } from './peers/peer.ts';
import { postfix } from './peers/postfix.ts';
import { sallyport } from './peers/sallyport.ts';
import { type Contestant, playRounds } from './rounds.ts';
import { smtpServer } from './peers/smtp-server.ts';
import { openScratchDisk } from './scratch-disk.ts';
import { startSlapd } from './slapd.ts';
import { WORKLOADS } from './workloads.ts';

const PEERS: readonly Peer[] = [sallyport, postfix, exim, haraka, smtpServer, nodeFile, nodeLog, cFloor];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2.5' },
  },
});
const tell = (text: string): void => console.log(text);
const wanted = values.peers?.split(',');
const peers = PEERS.filter(({ name }) => wanted === undefined || wanted.includes(name));
const made = await material(tell);
const disk = openScratchDisk(3000);
const directory = join(disk.folder, 'slapd');
mkdirSync(directory);
const slapd = await startSlapd(directory, made);
const site: Site = {
  folder: disk.folder,
  material: made,
  ldapPort: slapd.port,
  loadgen: compile('loadgen', disk.folder),
  floor: compile('floor', disk.folder),
  node: process.execPath,
};
const running = new Map<PeerName, RunningPeer>();
for (const peer of peers) {
  peer.install();
  tell(`${peer.name}: ${peer.version()}`);
  running.set(peer.name, await peer.start(site));
}
for (const workload of WORKLOADS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  tell(`${workload.name}: ${workload.title} (${workload.unit})`);
  const contestants: Contestant[] = [];
  for (const [name, peer] of running) {
    const port = peer.ports[workload.door];
    if (port !== undefined) contestants.push({ name, account: peer.account, port });
  }
  await playRounds({
    workload,
    contestants,
    loadgen: site.loadgen,
    certificates: made.clients,
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    tell,
  });
}
for (const peer of running.values()) await peer.stop();
await slapd.stop();
process.exit(0);
