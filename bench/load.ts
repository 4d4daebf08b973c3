/**
 * The programs in C of the bench, compiled when first needed, and what the load generator says of a run.
 * Effects: runs the C compiler and the load generator.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export type Latency = {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
};

/** What the load generator prints. */
export type LoadReport = {
  readonly sessions: number;
  readonly messages: number;
  readonly failures: number;
  readonly resumed: number;
  readonly dropped: number;
  readonly seconds: number;
  readonly clientCpuSeconds: number;
  readonly protocol: string;
  readonly firstFailure: string;
  readonly session: Latency;
  readonly handshake: Latency;
  /** From the write with the final dot to 250. */
  readonly accepted: Latency;
};

export type Load = {
  readonly tls: 'none' | 'starttls' | 'implicit';
  readonly concurrency: number;
  readonly messages: number;
  readonly size: number;
  readonly certificates?: string;
  readonly seconds?: number;
  readonly sessions?: number;
  readonly recipients?: number;
  readonly pipeline?: boolean;
  readonly recipient?: string;
};

/** Compiles `bench/NAME/*.c` into the folder; the path of the program. */
export function compile(name: 'loadgen' | 'floor', folder: string): string {
  const program = join(folder, name);
  const sources = { loadgen: ['loadgen.c', 'session.c', 'histogram.c'], floor: ['floor.c'] }[name];
  const files = sources.map((file) => join(import.meta.dirname, name, file));
  execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, ...files, '-lssl', '-lcrypto'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return program;
}

export function loadArguments(port: number, load: Load): string[] {
  const { tls, concurrency, messages, size, certificates, seconds, sessions, recipients, pipeline, recipient } = load;
  const optional = (name: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [`--${name}`, String(value)];
  return [
    ...['--port', String(port), '--tls', tls, '--concurrency', String(concurrency)],
    ...['--messages', String(messages), '--size', String(size)],
    ...optional('certificates', tls === 'none' ? undefined : certificates),
    ...optional('seconds', seconds),
    ...optional('sessions', sessions),
    ...optional('recipients', recipients),
    ...optional('recipient', recipient),
    ...(pipeline === true ? ['--pipeline'] : []),
  ];
}

/** Runs the load to its end. Failures are in the report; only a load generator that cannot run at all throws. */
export async function runLoad(loadgen: string, port: number, load: Load): Promise<LoadReport> {
  const child = spawn(loadgen, loadArguments(port, load), { stdio: ['ignore', 'pipe', 'pipe'] });
  return readReport(await outputOf(child));
}

export function readReport(output: string): LoadReport {
  const line = output.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`the load generator failed: ${output}`);
  return JSON.parse(line) as LoadReport;
}

async function outputOf(child: ChildProcess): Promise<string> {
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await once(child, 'close');
  return output;
}
