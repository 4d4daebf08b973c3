/**
 * Delivery to a sink on loopback, the start with a long queue, and one large message all the way through.
 * Effects: starts Sallyport and a sink, fills queues, reads /proc.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { runLoad } from '../load.ts';
import { startSallyport } from '../peers/sallyport.ts';
import { startSink, type Sink, type SinkCount } from '../sink.ts';
import { figure, median } from '../statistics.ts';
import { filledQueue, type Row } from './row.ts';

const LIMIT_MS = 90_000;
const MB = 1024 * 1024;

async function arrived(sink: Sink, messages: number): Promise<SinkCount> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const count = await sink.count();
    if (count.messages >= messages || performance.now() > deadline) return count;
    await wait(50);
  }
}

export const delivery: Row = {
  name: 'delivery',
  title: 'delivery to a sink on loopback',
  async run({ site, quick, tell }) {
    const messages = quick ? 5000 : 20_000;
    const data = filledQueue(site, 'delivery-data', { messages, octets: 4096, dueInSeconds: 0 });
    const sink = await startSink(site.floor, 'sink');
    const from = performance.now();
    const server = await startSallyport(site, { name: 'delivery', data, route: sink.route });
    const count = await arrived(sink, messages);
    const wall = (performance.now() - from) / 1000;
    await server.account.idle(5000);
    const cpu = (server.account.cpuSeconds() * 1000) / messages;
    await server.stop();
    await sink.stop();
    const rate = (count.messages - 1) / count.seconds;
    tell(`  ${count.messages} messages over ${count.connections} connections, ${figure(rate)}/s`);
    return [
      {
        what: `${figure(messages)} queued messages of 4 KB, first to last at the sink`,
        value: `${figure(rate)} messages/s over ${count.connections} connections; ${figure(cpu)} CPU-s per 1,000, start included; all there ${figure(wall)} s after the start`,
        target: 'at least 2,000 messages/s',
        met: count.messages === messages && rate >= 2000,
      },
    ];
  },
};

export const start: Row = {
  name: 'start',
  title: 'start with a long queue',
  async run({ site, quick, rounds, tell }) {
    const messages = quick ? 20_000 : 100_000;
    const data = filledQueue(site, 'start-data', { messages, octets: 4096, dueInSeconds: 7200 });
    const times: number[] = [];
    for (let i = 0; i < Math.max(3, rounds); i++) {
      const server = await startSallyport(site, { name: `start-${i}`, data });
      times.push(server.startMs);
      tell(`  ready after ${server.startMs.toFixed(0)} ms`);
      await server.stop();
    }
    return [
      {
        what: `from the start of the process to ready, ${figure(messages)} messages of 4 KB in the queue (CRL of 100,000 entries included)`,
        value: `${figure(median(times))} ms (${times.map((ms) => ms.toFixed(0)).join(', ')})`,
        target: 'under 3 s',
        met: median(times) < 3000,
      },
    ];
  },
};

const statusKb = (pid: number, field: 'VmHWM'): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

export const large: Row = {
  name: 'large',
  title: 'large messages all the way through',
  async run({ site }) {
    const sink = await startSink(site.floor, 'large-sink');
    const server = await startSallyport(site, { name: 'large', route: sink.route });
    let expected = 0;
    const send = async (
      size: number,
      sessions: number,
    ): Promise<{ readonly whole: boolean; readonly peakMb: number }> => {
      const load = { tls: 'starttls', certificates: site.material.clients, concurrency: 1, messages: 1 } as const;
      const { failures } = await runLoad(site.loadgen, server.ports.tls, { ...load, size, sessions, seconds: 60 });
      expected += sessions;
      const count = await arrived(sink, expected);
      await server.account.idle(5000);
      const peakMb = statusKb(server.pid, 'VmHWM') / 1024;
      return { whole: failures === 0 && count.messages === expected, peakMb };
    };
    const small = await send(4096, 100);
    const middle = await send(50 * MB, 1);
    // Buffers are collected late, so the peak is where it stays after some more of them.
    const big = await send(95 * MB, 6);
    const more = await send(95 * MB, 3);
    await server.stop();
    await sink.stop();
    const whole = [small, middle, big, more].every((step) => step.whole);
    const growth = [middle.peakMb - small.peakMb, big.peakMb - middle.peakMb, more.peakMb - big.peakMb] as const;
    return [
      {
        what: 'peak memory (VmHWM) after 100 small messages; then one of 50 MB, six of 95 MB, three more of 95 MB, in over TLS and out to a sink',
        value: `${figure(small.peakMb)} MB; ${growth.map((mb) => `+${figure(mb)}`).join(', ')} MB; ${whole ? 'all delivered' : 'NOT ALL DELIVERED'}`,
        target: 'bounded: 285 MB more of mail add less than 10 MB, all of it less than 120 MB',
        met: whole && growth[2] < 10 && more.peakMb - small.peakMb < 120,
      },
    ];
  },
};
