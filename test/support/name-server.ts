/**
 * A name server on loopback that answers what a test tells it, also nonsense. Effects: a UDP socket.
 */
import dgram from 'node:dgram';
import { atEnd } from './at-end.ts';

const TYPES: Record<number, string> = { 1: 'A', 12: 'PTR', 15: 'MX', 28: 'AAAA' };
/** Answers to `type name`: records, a response code, or silence; what is not here does not exist. */
export type Zone = Record<string, readonly Buffer[] | number | 'silence'>;

export const nameBytes = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .split('.')
      .filter(Boolean)
      .map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')])),
    Buffer.of(0),
  ]);
export const mx = (preference: number, exchange: string): Buffer =>
  Buffer.concat([Buffer.of(0, preference), nameBytes(exchange)]);
export const ipv4 = (address: string): Buffer => Buffer.from(address.split('.').map(Number));

/** `address` is one of `system.dnsServers`; `asked` grows with the questions. */
export async function startNameServer(
  zone: Zone,
): Promise<{ readonly address: string; readonly asked: readonly string[]; readonly stop: () => void }> {
  const asked: string[] = [];
  const server = dgram.createSocket('udp4');
  server.on('message', (query, from) => {
    let at = 12;
    const labels: string[] = [];
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const type = query.readUInt16BE(at + 1);
    const key = `${TYPES[type] ?? type} ${labels.join('.').toLowerCase()}`;
    asked.push(key);
    const answer = zone[key] ?? 3;
    if (answer === 'silence') return;
    const records = typeof answer === 'number' ? [] : answer;
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180 | (typeof answer === 'number' ? answer : 0), 2);
    header.writeUInt16BE(records.length, 6);
    header.writeUInt32BE(0, 8);
    const rows = records.map((data) => {
      const row = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length]);
      return Buffer.concat([row, data]);
    });
    server.send(Buffer.concat([header, query.subarray(12, at + 5), ...rows]), from.port, from.address);
  });
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  let stopped = false;
  const stop = (): void => {
    if (!stopped) server.close();
    stopped = true;
  };
  atEnd(stop);
  return { address: `127.0.0.1:${server.address().port}`, asked, stop };
}
