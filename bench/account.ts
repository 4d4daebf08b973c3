/**
 * What a server used: the CPU time of all its processes, and their memory. A control group counts exactly, ended children
 * included (cpuacct of cgroup v1, else cpu.stat of v2); where none can be made, the process tree in /proc is summed with the
 * children that were waited for. The group also knows every process, so that each is ended by its id.
 * Effects: makes control groups, starts and ends processes, reads /proc.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { atExit } from './ending.ts';

const CLOCK_TICKS = 100;
const END_LIMIT_MS = 10_000;
const IDLE_STEP_MS = 100;

/** Candidates for a group of our own, and how each tells the CPU time in seconds. */
const HIERARCHIES: readonly { readonly folder: string; readonly cpu: (group: string) => number }[] = [
  { folder: '/sys/fs/cgroup/cpuacct', cpu: (group) => Number(readFileSync(`${group}/cpuacct.usage`, 'utf8')) / 1e9 },
  ...['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].map((folder) => ({
    folder,
    cpu: (group: string) =>
      Number(/^usage_usec (\d+)$/m.exec(readFileSync(`${group}/cpu.stat`, 'utf8'))?.[1] ?? Number.NaN) / 1e6,
  })),
];

export type StartOptions = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A file for both outputs; without it standard output is a pipe. */
  readonly log?: string;
};

export class Account {
  /** How the CPU time was counted, for the page. */
  readonly how: string;
  readonly #group: string | undefined;
  readonly #cpu: (group: string) => number;
  readonly #roots: number[] = [];

  private constructor(group: string | undefined, cpu: (group: string) => number) {
    this.#group = group;
    this.#cpu = cpu;
    this.how = group === undefined ? 'process trees in /proc' : 'a control group around the server';
    atExit(() => this.#endNow());
  }

  static open(name: string): Account {
    for (const { folder, cpu } of HIERARCHIES) {
      const group = join(folder, `sallyport-bench-${process.pid}-${name}`);
      try {
        mkdirSync(group);
      } catch {
        continue; // read-only or not mounted here: the next way
      }
      if (existsSync(join(group, 'cgroup.procs')) && Number.isFinite(readCpu(cpu, group)))
        return new Account(group, cpu);
      rmdirSync(group);
    }
    return new Account(undefined, () => Number.NaN);
  }

  /** Starts a program inside the account. */
  start(program: string, args: readonly string[], { cwd, env = {}, log }: StartOptions = {}): ChildProcess {
    const file = log === undefined ? undefined : openSync(log, 'a');
    const enter = this.#group === undefined ? ':' : `echo $$ >${this.#group}/cgroup.procs`;
    const child = spawn('/bin/sh', ['-c', `${enter} && exec "$0" "$@"`, program, ...args], {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      stdio: ['pipe', file ?? 'pipe', file ?? 'inherit'],
    });
    child.stdin?.on('error', () => undefined); // it may end before it has read everything
    if (file !== undefined) closeSync(file);
    if (child.pid !== undefined) this.#roots.push(child.pid);
    return child;
  }

  /** A daemon that left its parent; only the process tree needs to know. */
  addRoot(pid: number): void {
    this.#roots.push(pid);
  }

  cpuSeconds(): number {
    return this.#group === undefined ? treeSeconds(this.#roots) : this.#cpu(this.#group);
  }

  pids(): number[] {
    if (this.#group === undefined) return treeOf(this.#roots, statistics()).map(({ pid }) => pid);
    if (!existsSync(this.#group)) return [];
    return readFileSync(join(this.#group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  }

  /** Proportional set size of all processes, in KB. */
  memoryKb(): number {
    let total = 0;
    for (const pid of this.pids()) {
      try {
        total += Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
      } catch {
        // It ended in between.
      }
    }
    return total;
  }

  /** Waits until the server does nothing any more: what it still owes the messages that it took belongs to them. */
  async idle(limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    let before = this.cpuSeconds();
    while (performance.now() < deadline) {
      await wait(IDLE_STEP_MS);
      const after = this.cpuSeconds();
      if (after - before < 0.04 * (IDLE_STEP_MS / 1000)) return;
      before = after;
    }
  }

  /** Ends every process of the account, by its id. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#signalAll(signal);
    const deadline = performance.now() + END_LIMIT_MS;
    while (this.pids().length > 0) {
      if (performance.now() > deadline) this.#signalAll('SIGKILL');
      await wait(20);
    }
    if (this.#group !== undefined && existsSync(this.#group)) rmdirSync(this.#group);
  }

  #signalAll(signal: 'SIGTERM' | 'SIGKILL'): void {
    for (const pid of this.pids()) {
      try {
        process.kill(pid, signal);
      } catch {
        // It ended in between.
      }
    }
  }

  /** Without the event loop, when the bench itself ends: what holds files of the scratch disk must be gone before it is. */
  #endNow(): void {
    this.#signalAll('SIGKILL');
    const pause = new Int32Array(new SharedArrayBuffer(4));
    const deadline = performance.now() + END_LIMIT_MS;
    while (this.pids().length > 0 && performance.now() < deadline) Atomics.wait(pause, 0, 0, 10);
    if (this.#group !== undefined && existsSync(this.#group)) rmdirSync(this.#group);
  }
}

function readCpu(cpu: (group: string) => number, group: string): number {
  try {
    return cpu(group);
  } catch {
    return Number.NaN;
  }
}

type Statistics = { readonly pid: number; readonly parent: number; readonly seconds: number };

/** Every process: user and system time with those of the children it waited for. proc(5). */
function statistics(): Statistics[] {
  const found: Statistics[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z') continue; // ended, and counted by its parent once that has waited for it
      const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
      found.push({ pid: Number(name), parent: Number(fields[1]), seconds: ticks / CLOCK_TICKS });
    } catch {
      // It ended in between.
    }
  }
  return found;
}

function treeOf(roots: readonly number[], all: readonly Statistics[]): Statistics[] {
  const inside = new Set(roots);
  for (let size = -1; size !== inside.size; ) {
    size = inside.size;
    for (const { pid, parent } of all) if (inside.has(parent)) inside.add(pid);
  }
  return all.filter(({ pid }) => inside.has(pid));
}

const treeSeconds = (roots: readonly number[]): number =>
  treeOf(roots, statistics()).reduce((sum, { seconds }) => sum + seconds, 0);

/** Busy time of the whole machine in seconds, and what the hypervisor took. proc_stat(5). */
export function machineSeconds(): { readonly busy: number; readonly stolen: number } {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.split(/\s+/).slice(1).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return { busy: (user + nice + system + irq + softirq) / CLOCK_TICKS, stolen: steal / CLOCK_TICKS };
}
