/**
 * One measurement in a process of its own, so that nothing of another one is counted: `node measure.ts WHAT LIST CA`
 * prints one line of JSON. `load`: our parser, as the control thread calls it; `context`: tls.createSecureContext({crl});
 * `peculiar`: @peculiar/x509. Effects: reads files, standard output.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { findRevoked } from '../../src/tls/crl-index.ts';
import { CrlParser } from '../../src/tls/crl-parse.io.ts';
import { probesOf } from '../../test/support/big-crl.ts';
import { toPem } from '../../test/support/crl-maker.ts';

export type Measured = {
  readonly entries: number;
  /** Wall clock and processor time of making the list usable. */
  readonly loadMs: number;
  readonly cpuMs: number;
  /** How long the thread that asked for it could do nothing else. */
  readonly blockedMs: number;
  /** Megabytes above what the process had with the file read: at most, and afterwards. */
  readonly peakMb: number;
  readonly keptMb: number;
  readonly lookupUs?: number;
};

const memory = (field: 'VmRSS' | 'VmHWM'): number =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
const resetPeak = (): void => writeFileSync('/proc/self/clear_refs', '5');
/** Longest time between two turns of the event loop while the work is under way. */
async function watched<T>(work: () => Promise<T>): Promise<{ value: T; ms: number; cpuMs: number; blockedMs: number }> {
  let last = performance.now();
  let blockedMs = 0;
  const look = (): void => {
    const now = performance.now();
    blockedMs = Math.max(blockedMs, now - last);
    last = now;
  };
  const timer = setInterval(look, 1);
  await wait(20);
  blockedMs = 0;
  last = performance.now();
  const from = performance.now();
  const cpu = process.cpuUsage();
  const value = await work();
  const ms = performance.now() - from;
  const { user, system } = process.cpuUsage(cpu);
  await wait(5);
  look();
  clearInterval(timer);
  return { value, ms, cpuMs: (user + system) / 1000, blockedMs };
}

async function load(file: string, caFile: string): Promise<Measured> {
  const parser = new CrlParser([readFileSync(caFile, 'utf8')]);
  // The worker's code is compiled once, as in a running gateway.
  await parser.parse({ bytes: new Uint8Array(2_000_000), type: 'asn1', nowMs: Date.now(), strangers: false });
  // Held to the end: what is freed meanwhile would hide what is taken.
  const list = readFileSync(file);
  const bytes = new Uint8Array(list);
  const before = memory('VmRSS');
  resetPeak();
  const { value, ms, cpuMs, blockedMs } = await watched(() =>
    parser.parse({ bytes, type: 'asn1', nowMs: Date.now(), strangers: false }),
  );
  const peakMb = memory('VmHWM') - before;
  const [loaded] = value.lists;
  if (loaded === undefined) throw new Error(value.faults.join('; '));
  const { table } = loaded.crl;
  const probes = probesOf(list, 200_000);
  const from = performance.now();
  let hits = 0;
  for (const probe of probes) hits += findRevoked(table, probe).length;
  const lookupUs = ((performance.now() - from) * 1000) / probes.length;
  if (hits !== probes.length / 2) throw new Error(`${hits} of ${probes.length / 2} found`);
  const keptMb = table.serials.buffer.byteLength / 1024 / 1024;
  return { entries: table.count, loadMs: ms, cpuMs, blockedMs, peakMb, keptMb, lookupUs };
}

async function context(file: string): Promise<Measured> {
  const pem = toPem('X509 CRL', readFileSync(file));
  const before = memory('VmRSS');
  resetPeak();
  const { value, ms, cpuMs, blockedMs } = await watched(async () => createSecureContext({ crl: pem }));
  const peakMb = memory('VmHWM') - before;
  await settle();
  const keptMb = memory('VmRSS') - before;
  return { entries: value === undefined ? 0 : 1, loadMs: ms, cpuMs, blockedMs, peakMb, keptMb };
}

async function peculiar(file: string, caFile: string): Promise<Measured> {
  await import('reflect-metadata');
  const { X509Certificate, X509Crl } = await import('@peculiar/x509');
  const list = readFileSync(file);
  const before = memory('VmRSS');
  resetPeak();
  const { value, ms, cpuMs, blockedMs } = await watched(async () => {
    const crl = new X509Crl(list);
    if (!(await crl.verify({ publicKey: new X509Certificate(readFileSync(caFile, 'utf8')) })))
      throw new Error('the signature does not verify');
    return { crl, entries: crl.entries.length };
  });
  const peakMb = memory('VmHWM') - before;
  const probes = probesOf(list, 200).map((probe) => probe.toString('hex'));
  const from = performance.now();
  const found = probes.filter((probe) => value.crl.findRevoked(probe) !== null);
  const lookupUs = ((performance.now() - from) * 1000) / probes.length;
  if (found.length !== probes.length / 2) throw new Error(`${found.length} of ${probes.length / 2} found`);
  await settle();
  return { entries: value.entries, loadMs: ms, cpuMs, blockedMs, peakMb, keptMb: memory('VmRSS') - before, lookupUs };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await wait(100);
  }
}

const [what, file = '', caFile = ''] = process.argv.slice(2);
if (what === 'load') console.log(JSON.stringify(await load(file, caFile)));
if (what === 'context') console.log(JSON.stringify(await context(file)));
if (what === 'peculiar') console.log(JSON.stringify(await peculiar(file, caFile)));
