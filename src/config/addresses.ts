/**
 * Socket addresses as the configuration writes them: `127.0.0.1:587`, `[::1]:587`, `:587` and `*:587` (every address).
 * Decides what is well formed, what is loopback, and whether two of them would claim the same port.
 * RFC 4291 §2.2. Pure.
 */
import { isIpv4 } from '../core/network.ts';

/** `host` is an IPv4 address, an IPv6 address in its shortest form without brackets, or '' for every address. */
export type AddressPort = { readonly host: string; readonly port: number };

/** The shortest form of an IPv6 address (an IPv4 one as it is), or undefined where the text is no address. */
export function canonicalIp(text: string): string | undefined {
  if (isIpv4(text)) return text;
  if (!/^[0-9A-Fa-f:.]{2,45}$/.test(text) || !text.includes(':')) return undefined;
  return URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1);
}

/** A port from 1 to 65535 without a sign or leading zeroes, or undefined. */
export function parsePort(text: string): number | undefined {
  if (!/^[1-9]\d{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

/** Undefined where the text is none. A port is needed. */
export function parseAddressPort(text: string): AddressPort | undefined {
  const colon = text.lastIndexOf(':');
  const port = parsePort(text.slice(colon + 1));
  const host = text.slice(0, colon);
  if (colon < 0 || port === undefined) return undefined;
  if (host === '' || host === '*') return { host: '', port };
  const bracketed = host.startsWith('[') && host.endsWith(']');
  const ip = canonicalIp(bracketed ? host.slice(1, -1) : host);
  return ip === undefined || bracketed !== ip.includes(':') ? undefined : { host: ip, port };
}

/** `ip` in its shortest form. */
export const isLoopback = (ip: string): boolean => ip.startsWith('127.') || ip === '::1';

const isWildcard = (host: string): boolean => host === '' || host === '0.0.0.0' || host === '::';

/** Whether a connection to one address could also be meant for the other. */
export const overlap = (a: AddressPort, b: AddressPort): boolean =>
  a.port === b.port && (a.host === b.host || isWildcard(a.host) || isWildcard(b.host));
