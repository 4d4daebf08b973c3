/**
 * Writes certificates for tests, octet by octet, so that they can be wrong in every way that a real authority would
 * not sign. Keys are EC P-256 unless said otherwise. Nothing here reads or checks anything. Pure.
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

type Keys = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

export const ecKeys = (): Keys => generateKeyPairSync('ec', { namedCurve: 'P-256' });

export function tlv(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const octets = Buffer.from(length.toString(16).padStart(length > 0xffff ? 6 : length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | octets.length]), octets, content]);
}

export const seq = (...contents: readonly Uint8Array[]): Buffer => tlv(0x30, ...contents);

export function oid(dotted: string): Buffer {
  const [first = 0n, second = 0n, ...rest] = dotted.split('.').map(BigInt);
  const octets: number[] = [];
  for (const arc of [first * 40n + second, ...rest]) {
    const groups = [Number(arc & 0x7fn)];
    for (let high = arc >> 7n; high > 0n; high >>= 7n) groups.unshift(Number(high & 0x7fn) | 0x80);
    octets.push(...groups);
  }
  return tlv(0x06, Buffer.from(octets));
}

export const utf8 = (text: string): Buffer => tlv(0x0c, Buffer.from(text));
export const printable = (text: string): Buffer => tlv(0x13, Buffer.from(text, 'latin1'));
export const integer = (...octets: number[]): Buffer => tlv(0x02, Buffer.from(octets));
export const TRUE = tlv(0x01, Buffer.from([0xff]));

const SHORT: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  C: '2.5.4.6',
  DC: '0.9.2342.19200300.100.1.25',
  E: '1.2.840.113549.1.9.1',
};

export const attribute = (type: string, value: Uint8Array): Buffer => seq(oid(SHORT[type] ?? type), value);

/** `['O=Example', 'OU=a+CN=b']`: least specific first; a value may be given as octets with `rdn`. */
export const name = (...rdns: readonly (string | Uint8Array)[]): Buffer =>
  seq(...rdns.map((each) => (typeof each === 'string' ? rdn(...each.split('+').map(textAttribute)) : each)));

export const rdn = (...attributes: readonly Uint8Array[]): Buffer => tlv(0x31, ...attributes);

function textAttribute(text: string): Buffer {
  const at = text.indexOf('=');
  return attribute(text.slice(0, at), utf8(text.slice(at + 1)));
}

export const extension = (id: string, value: Uint8Array, critical = false): Buffer =>
  seq(oid(id), ...(critical ? [TRUE] : []), tlv(0x04, value));

/** General names by their context tag. */
export const generalName = {
  email: (text: string) => tlv(0x81, Buffer.from(text)),
  dns: (text: string) => tlv(0x82, Buffer.from(text)),
  uri: (text: string) => tlv(0x86, Buffer.from(text)),
  ip: (...octets: number[]) => tlv(0x87, Buffer.from(octets)),
  registered: (id: string) => tlv(0x88, oid(id).subarray(2)),
  directory: (der: Uint8Array) => tlv(0xa4, der),
  other: (typeId: string, value: Uint8Array) => tlv(0xa0, oid(typeId), tlv(0xa0, value)),
  upn: (text: string) => tlv(0xa0, oid('1.3.6.1.4.1.311.20.2.3'), tlv(0xa0, utf8(text))),
};

export const subjectAltName = (...names: readonly Uint8Array[]): Buffer => extension('2.5.29.17', seq(...names));

export const basicConstraints = (ca: boolean, pathLength?: number): Buffer =>
  extension('2.5.29.19', seq(...(ca ? [TRUE] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])), true);

/** `mask`: KeyUsage bit n as `1 << n`, of the first eight. */
export function keyUsage(mask: number): Buffer {
  let octet = 0;
  for (let bit = 0; bit < 8; bit++) if ((mask & (1 << bit)) !== 0) octet |= 0x80 >> bit;
  const unused = octet === 0 ? 0 : 31 - Math.clz32(octet & -octet);
  return extension('2.5.29.15', tlv(0x03, Buffer.from([unused, octet])), true);
}

export const extendedKeyUsage = (...purposes: readonly string[]): Buffer =>
  extension('2.5.29.37', seq(...purposes.map(oid)));

export const nameConstraints = (permitted: readonly Uint8Array[], excluded: readonly Uint8Array[] = []): Buffer =>
  extension(
    '2.5.29.30',
    seq(
      ...(permitted.length > 0 ? [tlv(0xa0, ...permitted.map((base) => seq(base)))] : []),
      ...(excluded.length > 0 ? [tlv(0xa1, ...excluded.map((base) => seq(base)))] : []),
    ),
    true,
  );

export const policies = (...ids: readonly string[]): Buffer =>
  extension('2.5.29.32', seq(...ids.map((id) => seq(oid(id)))));

export const policyMappings = (...pairs: readonly (readonly [string, string])[]): Buffer =>
  extension('2.5.29.33', seq(...pairs.map(([from, to]) => seq(oid(from), oid(to)))), true);

export type Issuer = { readonly subject: Uint8Array; readonly keys: Keys; readonly der: Buffer };

export type Wish = {
  readonly subject?: Uint8Array;
  readonly issuer?: Issuer;
  readonly keys?: Keys;
  /** SubjectPublicKeyInfo in place of the key's own. */
  readonly spki?: Uint8Array;
  /** Content octets. */
  readonly serial?: readonly number[];
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly extensions?: readonly Uint8Array[];
  readonly version?: 1 | 2 | 3;
  /** Issuer name in place of the issuer's. */
  readonly issuerName?: Uint8Array;
  /** AlgorithmIdentifier, hash and options of the signature. */
  readonly algorithm?: Uint8Array;
  readonly outerAlgorithm?: Uint8Array;
  readonly signWith?: (tbs: Uint8Array, key: KeyObject) => Uint8Array;
};

export const ECDSA_SHA256 = seq(oid('1.2.840.10045.4.3.2'));

/** Self-signed without an issuer; valid from 2020 to 2040 unless said otherwise. */
export function certificate(wish: Wish): Issuer {
  const keys = wish.keys ?? ecKeys();
  const subject = wish.subject ?? name('CN=test');
  const algorithm = wish.algorithm ?? ECDSA_SHA256;
  const signer = wish.issuer?.keys.privateKey ?? keys.privateKey;
  const extensions = wish.extensions ?? [];
  const tbs = seq(
    ...((wish.version ?? 3) === 1 ? [] : [tlv(0xa0, integer((wish.version ?? 3) - 1))]),
    integer(...(wish.serial ?? [1])),
    algorithm,
    wish.issuerName ?? wish.issuer?.subject ?? subject,
    seq(time(wish.notBefore ?? '200101000000Z'), time(wish.notAfter ?? '400101000000Z')),
    subject,
    wish.spki ?? keys.publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length > 0 ? [tlv(0xa3, seq(...extensions))] : []),
  );
  const signature = (wish.signWith ?? ((bytes, key) => sign('sha256', bytes, key)))(tbs, signer);
  const bits = tlv(0x03, Buffer.from([0]), signature);
  return { subject, keys, der: seq(tbs, wish.outerAlgorithm ?? algorithm, bits) };
}

const time = (text: string): Buffer => tlv(text.length === 13 ? 0x17 : 0x18, Buffer.from(text));

/** A root with basicConstraints and keyCertSign. */
export const authority = (subject: Uint8Array, wish: Wish = {}): Issuer =>
  certificate({ subject, extensions: [basicConstraints(true), keyUsage(1 << 5)], ...wish });

/** A client's certificate with clientAuth and digitalSignature. */
export const client = (issuer: Issuer, wish: Wish = {}): Issuer =>
  certificate({
    subject: name('O=Example', 'CN=ADAMS.ALICE.A.1000000001'),
    issuer,
    extensions: [extendedKeyUsage('1.3.6.1.5.5.7.3.2'), keyUsage(1)],
    ...wish,
  });

export const pem = (der: Uint8Array, label = 'CERTIFICATE'): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`;
