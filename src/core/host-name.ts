/**
 * What is a host name and what an address literal, in routes, recipients and DNS answers, and how domains are compared.
 * RFC 5321 §4.1.3, RFC 1123 §2.1, RFC 5891 §4.4. Pure.
 */
import { domainToASCII } from 'node:url';
import { isIpv4, isIpv6 } from './network.ts';

/** Underscores occur in the names of real mail hosts. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const MAX_HOST_CHARACTERS = 253;

/** A DNS name in lower case without its final dot, or undefined for what is none (a name in digits only is no name). */
export function hostName(text: string): string | undefined {
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
  if (name.length === 0 || name.length > MAX_HOST_CHARACTERS) return undefined;
  const labels = name.split('.');
  if (!labels.every((label) => LABEL.test(label))) return undefined;
  return /^\d+$/.test(labels.at(-1) ?? '') ? undefined : name;
}

/** A domain as it is compared: A-labels, lower case, no final dot; undefined for what no DNS name can be. */
export const comparableDomain = (domain: string): string | undefined =>
  hostName(isAscii(domain) ? domain : domainToASCII(domain));

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII is meant
  return /^[\u0000-\u007f]*$/.test(text);
}

/** `[192.0.2.1]` or `[IPv6:2001:db8::1]` as an address; undefined for any other text. RFC 5321 §4.1.3. */
export function addressOfLiteral(domain: string): string | undefined {
  if (!domain.startsWith('[') || !domain.endsWith(']')) return undefined;
  const inner = domain.slice(1, -1);
  if (/^ipv6:/i.test(inner)) return isIpv6(inner.slice(5)) ? inner.slice(5).toLowerCase() : undefined;
  return isIpv4(inner) ? inner : undefined;
}
