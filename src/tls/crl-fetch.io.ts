/**
 * Gets the octets of a revocation list: http, https or a file; bounded in size, time and redirects. What it gets is
 * judged elsewhere; a list is signed, so https here protects against observers, not against forgers.
 * https servers are verified with the default public roots and the configured authorities: lists often come from a
 * server of the same organisation. Effects: network, file system.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';

export type FetchRequest = {
  readonly url: string;
  /** Relative file: URLs start here. */
  readonly baseDir: string;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** PEM. */
  readonly authorities: readonly string[];
  readonly signal: AbortSignal;
};

export type Fetched = { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly why: string };

const MAX_REDIRECTS = 3;
/** Timers hold no more than 2^31 - 1. */
const MAX_TIMER_MS = 2_000_000_000;
const FILE = 'file://';

/** Never rejects; `why` holds no secret of the URL. */
export async function fetchCrl(request: FetchRequest): Promise<Fetched> {
  const deadline = AbortSignal.timeout(Math.min(request.timeoutMs, MAX_TIMER_MS));
  const signal = AbortSignal.any([deadline, request.signal]);
  try {
    const bytes = await raceAbort(signal, fetchBytes({ ...request, signal }));
    return bytes.length === 0 ? { ok: false, why: 'the file is empty' } : { ok: true, bytes };
  } catch (error) {
    if (request.signal.aborted) return { ok: false, why: 'stopped' };
    if (deadline.aborted) return { ok: false, why: `not finished after ${request.timeoutMs / 1000} s` };
    return { ok: false, why: wordsOf(error) };
  }
}

const fetchBytes = (request: FetchRequest): Promise<Uint8Array> =>
  request.url.startsWith(FILE) ? readFile(request) : download(request);

/** A file system that hangs (a network mount) must not hold the source for ever. */
function raceAbort<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(new Error('aborted'));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof FetchError || code === undefined) return message;
  return ERRORS[code] ?? (message.startsWith(code) ? message : `${code}: ${message}`);
}

const ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'the server name does not resolve',
  EAI_AGAIN: 'the server name cannot be resolved now',
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
};

class FetchError extends Error {}

const tooLong = (maxBytes: number): FetchError => new FetchError(`longer than ${maxBytes} octets (maxSize)`);

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
    if (stat.size > maxBytes) throw tooLong(maxBytes);
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

async function download(request: FetchRequest): Promise<Uint8Array> {
  let url = new URL(request.url);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await get(url, request);
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    if (status === 200) return body(response, request.maxBytes);
    response.destroy();
    if (![301, 302, 303, 307, 308].includes(status) || location === undefined)
      throw new FetchError(`the server answers ${status}`);
    url = redirected(url, location);
  }
  throw new FetchError(`more than ${MAX_REDIRECTS} redirects`);
}

function redirected(from: URL, location: string): URL {
  if (!URL.canParse(location, from)) throw new FetchError('redirect to a malformed address');
  const to = new URL(location, from);
  const allowed = to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:');
  if (!allowed) throw new FetchError(`redirect from ${from.protocol} to ${to.protocol} refused`);
  return to;
}

function get(url: URL, { signal, authorities }: FetchRequest): Promise<http.IncomingMessage> {
  const options = {
    signal,
    agent: false as const,
    headers: { accept: 'application/pkix-crl, */*', 'accept-encoding': 'identity', 'user-agent': 'Sallyport' },
  };
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:'
        ? https.get(url, { ...options, ca: [...tls.getCACertificates('default'), ...authorities] }, resolve)
        : http.get(url, options, resolve);
    request.on('error', reject);
  });
}

async function body(response: http.IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) {
    response.destroy();
    throw tooLong(maxBytes);
  }
  if (!['identity', undefined].includes(response.headers['content-encoding'])) {
    response.destroy();
    throw new FetchError('the server compresses although it was asked not to');
  }
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    total += chunk.length;
    if (total > maxBytes) throw tooLong(maxBytes);
    chunks.push(chunk);
  }
  // `complete` is false where the connection ended before the announced length.
  if (!response.complete) throw new FetchError('the download was cut off');
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** For logs and the console: without user name and password. */
export function redactedUrl(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/?#]*@/i, '$1');
}
