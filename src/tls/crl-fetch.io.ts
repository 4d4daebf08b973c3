/**
 * Gets the octets of a revocation list: http, https, ldap, ldaps or a file; bounded in size, time and redirects. What it
 * gets is judged elsewhere. Effects: network, file system.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { type AllowedHosts, isAllowedUrl } from '../core/allowed-hosts.ts';
import { download, type Fetched, FetchError, tooLong, withinTime } from './http-fetch.io.ts';

export type { Fetched } from './http-fetch.io.ts';

export type FetchRequest = {
  readonly url: string;
  /** Relative file: URLs start here. */
  readonly baseDir: string;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** PEM. */
  readonly authorities: readonly string[];
  readonly signal: AbortSignal;
  /** Hosts that may be asked, redirects included; absent: any, because an administrator wrote the address. */
  readonly allowHosts?: AllowedHosts;
};

const FILE = 'file://';
const LDAP = /^ldaps?:/i;
/** A value this long has a message, and so a piece of memory, of its own. */
const OWN_BYTES = 256 * 1024;
const ACCEPT = 'application/pkix-crl, */*';

/** Never rejects; `why` holds no secret of the URL. */
export const fetchCrl = (request: FetchRequest): Promise<Fetched> =>
  withinTime(request, (signal) => {
    const { url, allowHosts } = request;
    if (url.startsWith(FILE) && allowHosts === undefined) return readFile(request);
    if (LDAP.test(url)) return readDirectory({ ...request, signal });
    const mayAsk = allowHosts && ((each: URL): boolean => isAllowedUrl(each.href, allowHosts));
    return download({
      ...request,
      accept: ACCEPT,
      sizeKey: 'maxSize',
      signal,
      ...(mayAsk === undefined ? {} : { mayAsk }),
    });
  });

async function readDirectory({ allowHosts, ...request }: FetchRequest): Promise<Uint8Array> {
  const { url, maxBytes, authorities } = request;
  if (allowHosts !== undefined && !isAllowedUrl(url, allowHosts)) throw new FetchError('the host is not allowed');
  const roots = [...tls.getCACertificates('default'), ...authorities];
  // The LDAP client takes 2 MB: only where a list comes from a directory.
  const { readLdapObject } = await import('../ldap/ldap-object.io.ts');
  const values = await readLdapObject({ ...request, attribute: 'certificateRevocationList', roots });
  const bytes = values.length === 1 ? (values[0] as Uint8Array) : Buffer.concat(values);
  if (bytes.length > maxBytes) throw tooLong(maxBytes);
  // Memory of its own: the parser takes it.
  return bytes.byteLength > OWN_BYTES ? bytes : Uint8Array.from(bytes);
}

/** `file:///absolute`, `file://localhost/absolute`, or `file://relative` to the configuration file. */
export function filePathOf(url: string, baseDir: string): string {
  const rest = url.slice(FILE.length);
  if (rest.startsWith('/') || rest.startsWith('localhost/')) return fileURLToPath(url);
  return path.resolve(baseDir, decodeURIComponent(rest));
}

async function readFile({ url, baseDir, maxBytes }: FetchRequest): Promise<Uint8Array> {
  // Non-blocking: opening a FIFO would wait for its writer.
  const file = await open(filePathOf(url, baseDir), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new FetchError('not a regular file');
    if (stat.size > maxBytes) throw tooLong(maxBytes, 'maxSize');
    const bytes = new Uint8Array(stat.size);
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled === bytes.length ? bytes : bytes.slice(0, filled);
  } finally {
    await file.close();
  }
}
