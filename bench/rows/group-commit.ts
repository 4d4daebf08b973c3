/**
 * Group commit: fsyncs per accepted message at 64 connections, counted by strace, and the order of system calls: between
 * reading a final dot and writing its 250 a sync must have begun and ended. Effects: starts Sallyport under strace.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runLoad } from '../load.ts';
import { startSallyport } from '../peers/sallyport.ts';
import { figure } from '../statistics.ts';
import type { Row, RowContext } from './row.ts';
import { checkOrder, countSyncs, since } from './system-calls.ts';

const CONNECTIONS = 64;
/** Short, so that the header and the final dot come in one read that strace shows whole. */
const SMALL = 400;

async function traced(
  { site, seconds }: RowContext,
  name: string,
  wish: { readonly calls: string; readonly octets: number; readonly seconds?: number },
): Promise<{ readonly trace: string; readonly messages: number; readonly failures: number; readonly rate: number }> {
  const output = join(site.folder, `${name}.strace`);
  const under = [
    '/usr/bin/strace',
    '-f',
    '--seccomp-bpf',
    '-ttt',
    '-s',
    '4096',
    '-e',
    `trace=${wish.calls}`,
    '-o',
    output,
  ];
  const server = await startSallyport(site, { name, under });
  const from = Date.now() / 1000;
  const report = await runLoad(site.loadgen, server.ports.plain, {
    tls: 'none',
    concurrency: CONNECTIONS,
    messages: 10,
    size: wish.octets,
    seconds: wish.seconds ?? seconds,
  });
  await server.stop();
  const { messages, failures } = report;
  return { trace: since(readFileSync(output, 'latin1'), from), messages, failures, rate: messages / report.seconds };
}

export const groupCommit: Row = {
  name: 'fsync',
  title: 'group commit, seen by strace',
  async run(context) {
    const counted = await traced(context, 'strace-count', { calls: 'fsync,fdatasync', octets: 4096 });
    const syncs = countSyncs(counted.trace);
    const each = syncs / counted.messages;
    const calls = 'read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,fsync,fdatasync';
    const ordered = await traced(context, 'strace-order', { calls, octets: SMALL, seconds: 1 });
    const { proven, broken, first } = checkOrder(ordered.trace);
    return [
      {
        what: `fsyncs per accepted message at ${CONNECTIONS} connections, plaintext, 10 messages of 4 KB a session`,
        value: `${each.toFixed(3)} (${syncs} for ${figure(counted.messages)} messages at ${figure(counted.rate)}/s under strace)`,
        target: 'below 0.2',
        met: counted.failures === 0 && each < 0.2,
      },
      {
        what: '250s to a final dot with a whole sync between the reading of the dot and the writing of the 250',
        value: `${proven} of ${ordered.messages} proven, ${broken} without${first === undefined ? '' : ` (first: ${first})`}`,
        target: 'all',
        met: ordered.failures === 0 && broken === 0 && proven >= ordered.messages && proven > 0,
      },
    ];
  },
};
