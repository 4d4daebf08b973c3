/**
 * Certificates and revocation lists octet by octet, for tests that need what no tool makes: indirect lists, deltas,
 * unknown extensions, needless zeros. P-256 with SHA-256. Effects: key generation.
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const n = content.length;
  const length =
    n < 0x80
      ? [n]
      : n < 0x100
        ? [0x81, n]
        : n < 0x10000
          ? [0x82, n >> 8, n & 255]
          : [0x83, n >> 16, (n >> 8) & 255, n & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const text = (tag: number, value: string): Buffer => tlv(tag, Buffer.from(value));
const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts);
const TRUE = tlv(1, Buffer.of(0xff));

/** One-octet-per-arc identifiers below 2.5.29, or the hexadecimal content of any other. */
const oid = (id: number | string): Buffer =>
  tlv(6, typeof id === 'number' ? Buffer.of(0x55, 0x1d, id) : Buffer.from(id, 'hex'));

export const integer = (value: number | bigint): Buffer => {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return tlv(2, Buffer.from(Number.parseInt(even.slice(0, 2), 16) >= 0x80 ? `00${even}` : even, 'hex'));
};

export const time = (ms: number): Buffer =>
  text(0x18, `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`);
export const nameOf = (commonName: string): Buffer =>
  sequence(tlv(0x31, sequence(tlv(6, Buffer.of(0x55, 4, 3)), text(0x0c, commonName))));
export const extension = (id: number | string, value: Uint8Array, critical = false): Buffer =>
  sequence(oid(id), ...(critical ? [TRUE] : []), tlv(4, value));

const ALGORITHM = Buffer.from('300a06082a8648ce3d040302', 'hex');

function signed(tbs: Uint8Array, key: KeyObject): Buffer {
  return sequence(tbs, ALGORITHM, tlv(3, Buffer.of(0), sign('sha256', tbs, key)));
}

export type Authority = { readonly commonName: string; readonly key: KeyObject; readonly spki: Buffer };

export function newAuthority(commonName: string): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { commonName, key: privateKey, spki: publicKey.export({ format: 'der', type: 'spki' }) };
}

export type CertificateRequest = {
  readonly subject: Authority;
  readonly issuer: Authority;
  readonly serial: number | bigint;
  readonly ca: boolean;
  /** Octet of KeyUsage: keyCertSign 0x04, cRLSign 0x02. Default: both for an authority. */
  readonly keyUsage?: number;
  readonly extensions?: readonly Uint8Array[];
  readonly validMs?: readonly [from: number, to: number];
};

export function makeCertificate({
  subject,
  issuer,
  serial,
  ca,
  keyUsage = 0x06,
  extensions = [],
  validMs = [0, 4e12],
}: CertificateRequest): Buffer {
  const own = ca ? [extension(19, sequence(TRUE), true), extension(15, tlv(3, Buffer.of(1, keyUsage)), true)] : [];
  const all = [...own, ...extensions];
  const tbs = sequence(
    tlv(0xa0, integer(2)),
    integer(serial),
    ALGORITHM,
    nameOf(issuer.commonName),
    sequence(time(validMs[0]), time(validMs[1])),
    nameOf(subject.commonName),
    subject.spki,
    ...(all.length === 0 ? [] : [tlv(0xa3, sequence(...all))]),
  );
  return signed(tbs, issuer.key);
}

export type EntryRequest = {
  /** Content octets in hexadecimal, as they are to stand there. */
  readonly serial: string;
  readonly atMs?: number;
  readonly reason?: number;
  readonly certificateIssuer?: string;
  readonly extensions?: readonly Uint8Array[];
};

export type CrlRequest = {
  readonly issuer: Authority;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs?: number;
  readonly number?: number;
  /** Makes it a delta. */
  readonly base?: number;
  /** Content of issuingDistributionPoint. */
  readonly scope?: Uint8Array;
  readonly entries?: readonly EntryRequest[];
  readonly extensions?: readonly Uint8Array[];
};

export function makeCrl(request: CrlRequest): Buffer {
  const { issuer, thisUpdateMs, nextUpdateMs, number, base, scope, entries = [], extensions = [] } = request;
  const all = [
    ...(number === undefined ? [] : [extension(20, integer(number))]),
    ...(base === undefined ? [] : [extension(27, integer(base), true)]),
    ...(scope === undefined ? [] : [extension(28, scope, true)]),
    ...extensions,
  ];
  const tbs = sequence(
    integer(1),
    ALGORITHM,
    nameOf(issuer.commonName),
    time(thisUpdateMs),
    ...(nextUpdateMs === undefined ? [] : [time(nextUpdateMs)]),
    ...(entries.length === 0 ? [] : [sequence(...entries.map(entryOf))]),
    ...(all.length === 0 ? [] : [tlv(0xa0, sequence(...all))]),
  );
  return signed(tbs, issuer.key);
}

function entryOf({
  serial,
  atMs = 1_700_000_000_000,
  reason,
  certificateIssuer,
  extensions = [],
}: EntryRequest): Buffer {
  const all = [
    ...(reason === undefined ? [] : [extension(21, tlv(0x0a, Buffer.of(reason)))]),
    ...(certificateIssuer === undefined ? [] : [extension(29, sequence(tlv(0xa4, nameOf(certificateIssuer))), true)]),
    ...extensions,
  ];
  return sequence(tlv(2, Buffer.from(serial, 'hex')), time(atMs), ...(all.length === 0 ? [] : [sequence(...all)]));
}

/** Content of issuingDistributionPoint. */
export const Scope = {
  of: (...fields: readonly Uint8Array[]): Buffer => sequence(...fields),
  uri: (uri: string): Buffer => tlv(0xa0, tlv(0xa0, text(0x86, uri))),
  onlyUser: tlv(0x81, Buffer.of(0xff)),
  onlyCa: tlv(0x82, Buffer.of(0xff)),
  indirect: tlv(0x84, Buffer.of(0xff)),
  /** Octets of the ReasonFlags, the first with seven unused bits or none. */
  reasons: (...octets: readonly number[]): Buffer => tlv(0x83, Buffer.of(octets.length > 1 ? 7 : 0, ...octets)),
} as const;

/** cRLDistributionPoints with one point. */
export const distributionPoint = (...fields: readonly Uint8Array[]): Buffer =>
  extension(31, sequence(sequence(...fields)));
export const crlIssuerField = (commonName: string): Buffer => tlv(0xa2, tlv(0xa4, nameOf(commonName)));

export const toPem = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})(?=.)/g, '$1\n')}\n-----END ${label}-----\n`;
