/**
 * Measures what a revocation list costs: load time, memory kept, look-up time. Not part of the tests.
 * Usage: node scripts/bench-crl.ts [ENTRIES] [SERIAL_OCTETS]   Effects: standard output.
 */
import { randomBytes } from 'node:crypto';
import { findRevoked } from '../src/tls/crl-index.ts';
import { parseCrl } from '../src/tls/crl.ts';

const entries = Number(process.argv[2] ?? 1_000_000);
const octets = Number(process.argv[3] ?? 20);

/** DER with definite lengths. */
function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const n = content.length;
  const length =
    n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : n < 0x10000 ? [0x82, n >> 8, n] : [0x84, n >>> 24, n >> 16, n >> 8, n];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

/** An unsigned list: each second entry has a reason code. */
function makeList(): Buffer {
  const algorithm = Buffer.from('300a06082a8648ce3d040302', 'hex');
  const name = Buffer.from('300d310b3009060355040313024341', 'hex');
  const date = tlv(0x17, Buffer.from('260101000000Z'));
  const reason = Buffer.from('300c300a0603551d1504030a0101', 'hex');
  const random = randomBytes(entries * octets);
  const rows: Buffer[] = [];
  for (let i = 0; i < entries; i++) {
    const serial = random.subarray(i * octets, (i + 1) * octets);
    serial[0] = ((serial[0] as number) & 0x3f) | 0x40;
    rows.push(tlv(0x30, tlv(0x02, serial), date, ...(i % 2 === 0 ? [reason] : [])));
  }
  const tbs = tlv(0x30, Buffer.from('020101', 'hex'), algorithm, name, date, date, tlv(0x30, Buffer.concat(rows)));
  return tlv(0x30, tbs, algorithm, Buffer.from('030100', 'hex'));
}

const list = makeList();
const mb = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
global.gc?.();
const before = process.memoryUsage();
const start = performance.now();
const { facts } = parseCrl(list);
const loadMs = performance.now() - start;
global.gc?.();
const after = process.memoryUsage();
const { table } = facts;
console.log(`${table.count} entries, ${mb(list.length)} of DER: parsed in ${loadMs.toFixed(0)} ms`);
console.log(
  `table ${mb(table.serials.buffer.byteLength)}; resident ${mb(before.rss)} -> ${mb(after.rss)} (with --expose-gc)`,
);

const probes = Array.from({ length: 200_000 }, () => randomBytes(octets));
const from = performance.now();
let hits = 0;
for (const probe of probes) hits += findRevoked(table, probe).length;
console.log(`${(((performance.now() - from) * 1000) / probes.length).toFixed(2)} us per look-up (${hits} hits)`);
