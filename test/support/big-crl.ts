/**
 * Signed revocation lists of any length: random serials of 20 octets as public authorities give them, every second entry
 * with a reason code. For P-256 keys. Effects: randomness, key generation.
 */
import { createPrivateKey, type KeyObject, randomFillSync, sign } from 'node:crypto';
import { parseCertificate } from '../../src/tls/certificate.ts';
import { type Credentials, derOf } from './certificate-authority.ts';
import { type Authority, makeCertificate, nameOf, newAuthority, time, toPem } from './crl-maker.ts';

const SERIAL_OCTETS = 20;
const BLOCK = 100_000;
const DAY_MS = 86_400_000;
const ALGORITHM = Buffer.from('300a06082a8648ce3d040302', 'hex');
const REASON = Buffer.from('300c300a0603551d1504030a0101', 'hex');
const VERSION_2 = Buffer.from('020101', 'hex');

/** Its name in DER, its key, its certificate in PEM. */
export type ListAuthority = { readonly name: Uint8Array; readonly key: KeyObject; readonly pem: string };

/** One that can issue certificates as well. */
export function newListAuthority(commonName: string): ListAuthority & { readonly authority: Authority } {
  const authority = newAuthority(commonName);
  const pem = toPem('CERTIFICATE', makeCertificate({ subject: authority, issuer: authority, serial: 1, ca: true }));
  return { name: nameOf(commonName), key: authority.key, pem, authority };
}

export const listAuthorityOf = ({ cert, key }: Credentials): ListAuthority => ({
  name: parseCertificate(derOf(cert)).subject.der,
  key: createPrivateKey(key),
  pem: cert,
});

function head(tag: number, length: number): Buffer {
  if (length < 0x80) return Buffer.of(tag, length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Buffer.of(tag, 0x80 | octets.length, ...octets);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([head(0x30, content.length), content]);
}

export type BigList = {
  /** Random ones. */
  readonly entries: number;
  /** The CRL number, below 128. */
  readonly number: number;
  /** Further serials, as hexadecimal content octets. */
  readonly revoked?: readonly string[];
};

/** DER of a complete list. */
export function makeBigList({ name, key }: ListAuthority, { entries, number, revoked = [] }: BigList): Buffer {
  const nowMs = Date.now();
  const revokedAt = time(nowMs - DAY_MS);
  const further = revoked.map((hex) => sequence(head(0x02, hex.length / 2), Buffer.from(hex, 'hex'), revokedAt));
  const rows = Buffer.concat([randomRows(entries, revokedAt), ...further]);
  const crlNumber = Buffer.from(`a00e300c300a0603551d1404030201${number.toString(16).padStart(2, '0')}`, 'hex');
  const tbs = sequence(
    VERSION_2,
    ALGORITHM,
    name,
    time(nowMs - DAY_MS + number * 1000),
    time(nowMs + 7 * DAY_MS),
    head(0x30, rows.length),
    rows,
    crlNumber,
  );
  const signature = sign('sha256', tbs, key);
  return sequence(tbs, ALGORITHM, head(0x03, signature.length + 1), Buffer.of(0), signature);
}

function randomRows(entries: number, revokedAt: Uint8Array): Buffer {
  const long = 2 + SERIAL_OCTETS + revokedAt.length;
  const rows = Buffer.alloc(entries * (2 + long) + Math.ceil(entries / 2) * REASON.length);
  const serials = Buffer.alloc(BLOCK * SERIAL_OCTETS);
  let at = 0;
  for (let i = 0; i < entries; i++) {
    const inBlock = (i % BLOCK) * SERIAL_OCTETS;
    if (inBlock === 0) randomFillSync(serials);
    const hasReason = i % 2 === 0;
    rows[at] = 0x30;
    rows[at + 1] = long + (hasReason ? REASON.length : 0);
    rows[at + 2] = 0x02;
    rows[at + 3] = SERIAL_OCTETS;
    serials.copy(rows, at + 4, inBlock, inBlock + SERIAL_OCTETS);
    // Positive, and without a leading zero.
    rows[at + 4] = ((rows[at + 4] as number) & 0x3f) | 0x40;
    rows.set(revokedAt, at + 4 + SERIAL_OCTETS);
    at += 2 + long;
    if (hasReason) at += REASON.copy(rows, at);
  }
  return rows.subarray(0, at);
}

/** Serials from all over the list and random ones in turn, as content octets of an INTEGER. For lists of `makeBigList`. */
export function probesOf(list: Buffer, count: number): Buffer[] {
  const starts = serialsOf(list);
  // A prime step: neighbours in the list, and so in memory, are not asked for one after the other.
  const listed = (i: number): Buffer => {
    const at = starts[(i * 7919) % starts.length] as number;
    return Buffer.from(list.subarray(at, at + SERIAL_OCTETS));
  };
  return Array.from({ length: count }, (_, i) =>
    i % 2 === 0 ? listed(i / 2) : randomFillSync(Buffer.alloc(SERIAL_OCTETS)).fill(0x55, 0, 1),
  );
}

/** Where the serials begin: every entry is shorter than 128 octets. */
function serialsOf(list: Buffer): number[] {
  const starts: number[] = [];
  const first = list.indexOf(Buffer.of(0x02, SERIAL_OCTETS), 60) - 2;
  for (let at = first; list[at] === 0x30 && list[at + 2] === 0x02 && list[at + 3] === SERIAL_OCTETS; ) {
    starts.push(at + 4);
    at += 2 + (list[at + 1] as number);
  }
  return starts;
}
