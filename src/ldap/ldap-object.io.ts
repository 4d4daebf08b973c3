/**
 * The values of one attribute that an LDAP URL names, read anonymously: how directories publish revocation lists. One
 * connection, one search, no referral is followed; bounded in size and time. ldaps is verified with the roots handed in.
 * RFC 4516, RFC 4523 §2. Effects: a connection.
 */
import tls from 'node:tls';
import { DirectoryFailure } from './directory-failure.ts';
import { LdapConnection } from './ldap-connection.io.ts';
import { type HostTarget, openLdapSocket } from './ldap-socket.io.ts';
import { parseLdapUrl } from './ldap-url.ts';
import { ldapError, meaningOfSearch } from './result-codes.ts';

export type ObjectRequest = {
  readonly url: string;
  /** Where the URL names none. */
  readonly attribute: string;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** PEM, for ldaps. */
  readonly roots: readonly string[];
  readonly signal: AbortSignal;
};

const MAX_ENTRIES = 16;
/** Around the values. */
const MESSAGE_OVERHEAD = 64 * 1024;

/** Rejects with DirectoryFailure. */
export async function readLdapObject(request: ObjectRequest): Promise<Uint8Array[]> {
  const url = parseLdapUrl(request.url);
  if (typeof url === 'string') throw new DirectoryFailure('unreachable', url);
  const { secure, hostname, port, dn, scope, filter } = url;
  const security: HostTarget['security'] = secure
    ? { kind: 'ldaps', context: tls.createSecureContext({ ca: [...request.roots], minVersion: 'TLSv1.2' }) }
    : { kind: 'none' };
  const socket = await openLdapSocket({ url: request.url, hostname, port, security }, request.timeoutMs);
  const connection = new LdapConnection(socket, () => undefined, request.maxBytes + MESSAGE_OVERHEAD);
  const abort = (): void => connection.destroy('stopped');
  request.signal.addEventListener('abort', abort, { once: true });
  try {
    const attributes = (url.attributes.length === 0 ? [request.attribute] : url.attributes).map(binary);
    const search = { baseDn: dn, filter, attributes, scope, sizeLimit: MAX_ENTRIES };
    const { code, entries } = await connection.search(search, request.timeoutMs);
    if (meaningOfSearch(code) !== 'entries') throw new DirectoryFailure('unavailable', ldapError(code));
    const values = entries.flatMap((entry) => entry.attributes.flatMap((each) => each.values));
    const octets = values.map((value) => (typeof value === 'string' ? Buffer.from(value) : value));
    if (octets.length === 0) throw new DirectoryFailure('unavailable', `the entry has no ${attributes.join(', ')}`);
    return octets;
  } finally {
    request.signal.removeEventListener('abort', abort);
    connection.end();
  }
}

/** RFC 4523 §2: these syntaxes travel with the option binary. */
const binary = (attribute: string): string => (attribute.includes(';') ? attribute : `${attribute};binary`);
