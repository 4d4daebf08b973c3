/**
 * One entry of a sender group: what an administrator writes to name senders. AsyncOS "Sender Group Syntax": addresses,
 * partial addresses, ranges in the last given octet or from address to address, CIDR with or without all octets, IPv6
 * likewise, host names and `.partial` names. Forms that AsyncOS knows and this release does not are recognised, so that a fault can say so
 * instead of a rule silently never matching. A comment in parentheses may follow. Pure.
 */
import { domainToASCII } from 'node:url';
import { blockAround, type IpRange, parseCidr, parseIp, parseIpv4, parseIpv6Groups } from '../core/network.ts';

export type SenderPattern =
  /** One range nearly always; several where a range stands in an inner group of an IPv6 address. */
  | { readonly kind: 'addresses'; readonly ranges: readonly IpRange[] }
  | { readonly kind: 'host'; readonly name: string }
  /** `.example.com`: everything within, not the domain itself. */
  | { readonly kind: 'partial-host'; readonly suffix: string }
  | { readonly kind: 'fault'; readonly message: string };

const FORMS =
  'allowed are an address, a partial address (10.1.), a range (10.1.1-5, 10.1.1.8-10.1.2.3), CIDR, a host name or a .partial host name';
/** An inner range of an IPv6 address stands for one address per value. */
const MAX_INNER_RANGE = 4096;

const LATER: readonly (readonly [RegExp, string])[] = [
  [/^sbrs\s*\[/i, 'reputation scores (SBRS)'],
  [/^sbo\s*:/i, 'network owners (SBO)'],
  [/^dnslist\s*\[/i, 'DNS lists'],
  [/^(geo(location)?|country)\s*[[:]/i, 'geolocation'],
  [/^(etf|threatfeed)\s*[[:]/i, 'threat feeds'],
  [/^(nx\.domain|serv\.fail|not\.double\.verified)$/i, 'connecting host DNS verification'],
];

const fault = (message: string): SenderPattern => ({ kind: 'fault', message });
const addresses = (range: IpRange | undefined, message: string): SenderPattern =>
  range === undefined ? fault(message) : { kind: 'addresses', ranges: [range] };

/** AsyncOS "Sender Group Syntax"; a fault says what is allowed. */
export function parseSender(text: string): SenderPattern {
  const sender = text.trim().replace(/\s*\([^()]*\)$/, '');
  if (sender === '') return fault(`an empty sender; ${FORMS}`);
  const later = LATER.find(([form]) => form.test(sender));
  if (later !== undefined) return fault(`${later[1]} as senders come with a later release; ${FORMS}`);
  if (sender.toUpperCase() === 'ALL') return fault('ALL is a group of its own: write senderGroup: ALL without senders');
  if (sender.includes(':')) return parseIpv6Sender(sender);
  if (/^[\d./-]+$/.test(sender)) return parseIpv4Sender(sender);
  return parseHostSender(sender);
}

const OCTET = /^(0|[1-9]\d{0,2})$/;
const NO_IPV4 = `not an IPv4 address, range or CIDR; octets are 0 to 255 without leading zeroes; ${FORMS}`;

function octetsOf(text: string): number[] | undefined {
  const octets = text.split('.');
  if (octets.length > 4 || !octets.every((octet) => OCTET.test(octet) && Number(octet) <= 255)) return undefined;
  return octets.map(Number);
}

const ipv4Of = (octets: readonly number[]): bigint =>
  BigInt([0, 1, 2, 3].reduce((value, i) => value * 256 + (octets[i] ?? 0), 0));

function parseIpv4Sender(sender: string): SenderPattern {
  const slash = sender.indexOf('/');
  if (slash >= 0) {
    // `10/8`, `10.1/16`: octets that are not given are 0.
    const octets = octetsOf(sender.slice(0, slash));
    if (octets === undefined) return fault(NO_IPV4);
    const full = [...octets, 0, 0, 0].slice(0, 4).join('.');
    return addresses(parseCidr(`${full}/${sender.slice(slash + 1)}`), `a prefix of an IPv4 address is /0 to /32`);
  }
  const dash = sender.indexOf('-');
  if (parseIpv4(sender.slice(dash + 1)) !== undefined && dash > 0) {
    return addressesBetween(sender.slice(0, dash), sender.slice(dash + 1), NO_IPV4);
  }
  const partial = sender.endsWith('.');
  const body = partial ? sender.slice(0, -1) : sender;
  const low = octetsOf(dash < 0 ? body : body.slice(0, dash));
  if (low === undefined || (partial && low.length === 4)) return fault(NO_IPV4);
  const last = low.at(-1) ?? 0;
  const highText = dash < 0 ? String(last) : body.slice(dash + 1);
  if (!OCTET.test(highText) || Number(highText) > 255) return fault(NO_IPV4);
  if (Number(highText) < last) return fault(`a range goes from low to high: ${highText} is less than ${last}`);
  // The last given octet has the range; the octets after it may be anything.
  const rest = (1n << BigInt(8 * (4 - low.length))) - 1n;
  const high = [...low.slice(0, -1), Number(highText)];
  return addresses({ version: 4, low: ipv4Of(low), high: ipv4Of(high) + rest }, NO_IPV4);
}

const NO_IPV6 = `not an IPv6 address, range or CIDR; ${FORMS}`;

function parseIpv6Sender(sender: string): SenderPattern {
  if (sender.includes('%')) return fault('a zone (%) has no meaning in a table of senders');
  if (sender.includes('/')) {
    return parseIp(sender.slice(0, sender.indexOf('/'))) === undefined
      ? fault(NO_IPV6)
      : addresses(parseCidr(sender), 'a prefix of an IPv6 address is /0 to /128');
  }
  const dash = sender.indexOf('-');
  if (dash < 0) return addressesBetween(sender, sender, NO_IPV6);
  const [from, to] = [sender.slice(0, dash), sender.slice(dash + 1)];
  if (parseIp(from) !== undefined && parseIp(to) !== undefined && to.includes(':'))
    return addressesBetween(from, to, NO_IPV6);
  return innerRange(sender);
}

function addressesBetween(from: string, to: string, otherwise: string): SenderPattern {
  const [low, high] = [parseIp(from), parseIp(to)];
  if (low === undefined || high === undefined || low.version !== high.version) return fault(otherwise);
  if (low.value === high.value) return addresses(blockAround(low, low.version === 4 ? 32 : 128), otherwise);
  if (high.value < low.value) return fault('a range goes from low to high');
  return addresses({ version: low.version, low: low.value, high: high.value }, otherwise);
}

/** `2001:db8::1-ff`, `2001:db8:1-3:0:0:0:0:5`: one group has a range, all others are as given. */
function innerRange(sender: string): SenderPattern {
  const match = /(?<=^|:)([0-9A-Fa-f]{1,4})-([0-9A-Fa-f]{1,4})(?=$|:)/.exec(sender);
  if (match === null) return fault(NO_IPV6);
  const at = (group: string): string =>
    sender.slice(0, match.index) + group + sender.slice(match.index + match[0].length);
  const [low, high] = [Number.parseInt(match[1] ?? '', 16), Number.parseInt(match[2] ?? '', 16)];
  if (parseIpv6Groups(at('0')) === undefined) return fault(NO_IPV6);
  if (high < low) return fault('a range goes from low to high');
  if (match.index + match[0].length === sender.length)
    return addressesBetween(at(match[1] ?? ''), at(match[2] ?? ''), NO_IPV6);
  if (high - low >= MAX_INNER_RANGE) {
    return fault(`a range within an address may have ${MAX_INNER_RANGE} values; write from-to or CIDR`);
  }
  const each = Array.from({ length: high - low + 1 }, (_, i) => parseIp(at((low + i).toString(16))));
  return {
    kind: 'addresses',
    ranges: each.flatMap((ip) => (ip === undefined ? [] : [{ version: ip.version, low: ip.value, high: ip.value }])),
  };
}

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

function parseHostSender(sender: string): SenderPattern {
  const partial = sender.startsWith('.');
  const written = partial ? sender.slice(1) : sender;
  const name = (/^[\u0000-\u007f]*$/.test(written) ? written : domainToASCII(written)).toLowerCase();
  const good = name.length <= 253 && name.split('.').every((label) => LABEL.test(label));
  if (!good) return fault(`not a sender; ${FORMS}`);
  return partial ? { kind: 'partial-host', suffix: name } : { kind: 'host', name };
}
