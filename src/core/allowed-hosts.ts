/**
 * Which hosts the gateway may contact because a certificate says so. The addresses in certificates and lists are other
 * people's words: only the schemes named, only hosts (and ports) that the configuration lists, no user name, no IP
 * address unless it is listed as such. Redirects are judged by the same rule.
 * RFC 5280 §4.2.1.13, §8 (fetching on behalf of a certificate). Pure.
 */
const DEFAULT_PORT: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443, 'ldap:': 389, 'ldaps:': 636 };
const MAX_URL_CHARACTERS = 1000;
/** Visible ASCII: what a URL is made of (RFC 3986 §2). */
const VISIBLE = /^[\u0021-\u007e]+$/;
const ENTRY = /^(\[[0-9a-f:.]+\]|\.?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::(\d{1,5}))?$/i;

/**
 * `crl.example.com` (the scheme's own port), `crl.example.com:8080`, `.example.com` (every host below it),
 * `[2001:db8::1]`. Compared in lower case and without a dot at the end.
 */
export type AllowedHosts = readonly string[];

/** Undefined where the entry is none. */
export function parseAllowedHost(entry: string): { readonly host: string; readonly port?: number } | undefined {
  const [, host, port] = ENTRY.exec(entry) ?? [];
  if (host === undefined || (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))) return undefined;
  return { host: host.toLowerCase(), ...(port === undefined ? {} : { port: Number(port) }) };
}

/** http, https, ldap or ldaps, a listed host at a listed port, no user name; anything else is not. */
export function isAllowedUrl(text: string, hosts: AllowedHosts): boolean {
  if (text.length > MAX_URL_CHARACTERS || !VISIBLE.test(text)) return false;
  const url = URL.parse(text);
  const usual = url === null ? undefined : DEFAULT_PORT[url.protocol];
  if (url === null || usual === undefined || url.username !== '' || url.password !== '') return false;
  const host = url.hostname.toLowerCase().replace(/\.$/, '');
  const port = url.port === '' ? usual : Number(url.port);
  if (host === '') return false;
  return hosts.some((entry) => {
    const allowed = parseAllowedHost(entry);
    if (allowed === undefined || port !== (allowed.port ?? usual)) return false;
    return allowed.host.startsWith('.') ? isBelow(host, allowed.host) : host === allowed.host;
  });
}

/** An IPv4 or IPv6 address is below no name. */
const isBelow = (host: string, suffix: string): boolean =>
  host.length > suffix.length && host.endsWith(suffix) && !/^[\d.]+$|^\[/.test(host);
