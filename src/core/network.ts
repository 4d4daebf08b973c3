/**
 * IP addresses and CIDR blocks as numbers and in one spelling each: IPv4 dotted, IPv6 in the shortest form of
 * RFC 5952, an IPv4-mapped IPv6 address (::ffff:192.0.2.1) as the IPv4 address it stands for.
 * Leading zeroes in an IPv4 octet are refused: some programs read them as octal. RFC 4291 §2.2, RFC 5952 §4. Pure.
 */
export type Ip = { readonly version: 4 | 6; readonly value: bigint };
/** All addresses from `low` to `high`, both included. */
export type IpRange = { readonly version: 4 | 6; readonly low: bigint; readonly high: bigint };

const MAPPED_PREFIX = 0xffffn;
const V4_MAX = 0xffff_ffffn;
const V6_MAX = (1n << 128n) - 1n;
const GROUP = /^[0-9A-Fa-f]{1,4}$/;

/** The 32 bits of a dotted address, or undefined. */
export function parseIpv4(text: string): number | undefined {
  if (text.length < 7 || text.length > 15) return undefined;
  let value = 0;
  let octets = 0;
  for (const part of text.split('.')) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part)) return undefined;
    const octet = Number(part);
    if (octet > 255 || ++octets > 4) return undefined;
    value = value * 256 + octet;
  }
  return octets === 4 ? value : undefined;
}

/** The groups of one side of `::`; a dotted tail counts as two. */
function groupsOf(text: string, mayEndDotted: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = mayEndDotted && i === parts.length - 1 ? parseIpv4(part) : undefined;
      if (v4 === undefined) return undefined;
      groups.push(Math.floor(v4 / 65_536), v4 % 65_536);
    } else {
      if (!GROUP.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

/** The eight groups of an IPv6 address without zone, or undefined. */
export function parseIpv6Groups(text: string): readonly number[] | undefined {
  if (text.length < 2 || text.length > 45) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? '', halves.length === 1);
  if (halves.length === 1) return head?.length === 8 ? head : undefined;
  const tail = groupsOf(halves[1] ?? '', true);
  if (head === undefined || tail === undefined || head.length + tail.length > 7) return undefined;
  const zeroes = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  return [...head, ...zeroes, ...tail];
}

const joinGroups = (groups: readonly number[]): bigint =>
  groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);

/** A zone such as `%eth0` is dropped: it says where a link-local address was seen, not who it is. */
export function parseIp(text: string): Ip | undefined {
  if (!text.includes(':')) {
    const v4 = parseIpv4(text);
    return v4 === undefined ? undefined : { version: 4, value: BigInt(v4) };
  }
  const zone = text.indexOf('%');
  const groups = parseIpv6Groups(zone < 0 ? text : text.slice(0, zone));
  if (groups === undefined) return undefined;
  const value = joinGroups(groups);
  return value >> 32n === MAPPED_PREFIX ? { version: 4, value: value & V4_MAX } : { version: 6, value };
}

export const isIpv4 = (text: string): boolean => parseIpv4(text) !== undefined;

/** Without a zone, and without brackets. */
export const isIpv6 = (text: string): boolean => text.includes(':') && parseIpv6Groups(text) !== undefined;

export const isIp = (text: string): boolean => isIpv4(text) || isIpv6(text);

const formatIpv4 = (value: number): string =>
  `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;

/** IPv6 as RFC 5952 writes it. */
export function formatIp({ version, value }: Ip): string {
  if (version === 4) return formatIpv4(Number(value));
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  const { start, length } = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  // RFC 5952 §4.2.2: one zero group alone is not shortened.
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
}

/** The one spelling of an address, as logs, limits and tables use it; undefined where the text is no address. */
export function normaliseIp(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  // What a dual-stack socket reports for every IPv4 peer.
  const dotted = text.startsWith('::ffff:') ? text.slice(7) : text;
  if (parseIpv4(dotted) !== undefined) return dotted;
  const ip = parseIp(text);
  return ip === undefined ? undefined : formatIp(ip);
}

/** The address as 16 octets in network order; IPv4 as its mapped form, so that every address has one key. */
export function ipBytes(ip: Ip): Uint8Array {
  const value = ip.version === 4 ? (MAPPED_PREFIX << 32n) | ip.value : ip.value;
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, value >> 64n);
  view.setBigUint64(8, value & 0xffff_ffff_ffff_ffffn);
  return bytes;
}

/** The block of `bits` leading bits around an address; undefined where there are not that many bits. */
export function blockAround({ version, value }: Ip, bits: number): IpRange | undefined {
  const width = version === 4 ? 32 : 128;
  if (!Number.isInteger(bits) || bits < 0 || bits > width) return undefined;
  const mask = (version === 4 ? V4_MAX : V6_MAX) >> BigInt(bits);
  const low = value & ~mask;
  return { version, low, high: low | mask };
}

/** `192.0.2.0/24`, `2001:db8::/32`; host bits are ignored. A mapped block of at least 96 bits is an IPv4 block. */
export function parseCidr(text: string): IpRange | undefined {
  const slash = text.indexOf('/');
  const bitsText = text.slice(slash + 1);
  if (slash < 0 || !/^(0|[1-9]\d{0,2})$/.test(bitsText)) return undefined;
  const address = text.slice(0, slash);
  const ip = address.includes('%') ? undefined : parseIp(address);
  if (ip === undefined) return undefined;
  const mapped = ip.version === 4 && address.includes(':');
  return blockAround(ip, Number(bitsText) - (mapped ? 96 : 0));
}

export const inRange = (range: IpRange, ip: Ip): boolean =>
  range.version === ip.version && ip.value >= range.low && ip.value <= range.high;
