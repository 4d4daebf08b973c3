/**
 * The one HTTP client of the certificate engine, for revocation lists, OCSP and missing issuers: bounded in size, time
 * and redirects. Every address, redirects included, is one that the caller allows; https never becomes http. What it
 * gets is signed and judged elsewhere, so https here protects against observers, not against forgers.
 * https servers are verified with the default public roots and the configured authorities: these servers often belong
 * to the same organisation. RFC 9110. Effects: network.
 */
import type http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { nodeHttp } from '../core/node-http.io.ts';

export type HttpRequest = {
  readonly url: string;
  /** What is wanted, as media types. */
  readonly accept: string;
  /** Makes it a POST. */
  readonly body?: { readonly type: string; readonly bytes: Uint8Array };
  readonly maxBytes: number;
  /** The configuration key of `maxBytes`, for the words of the fault. */
  readonly sizeKey?: string;
  /** Whether an address may be asked: the first one and those of redirects. Absent: any. */
  readonly mayAsk?: (url: URL) => boolean;
  /** PEM. */
  readonly authorities: readonly string[];
  readonly signal: AbortSignal;
};

export type Fetched =
  | { readonly ok: true; readonly bytes: Uint8Array }
  /** `lasting`: the server has answered, or may not be asked, and a moment later it would be the same. */
  | { readonly ok: false; readonly why: string; readonly lasting: boolean };

const MAX_REDIRECTS = 3;
/** Timers hold no more than 2^31 - 1. */
const MAX_TIMER_MS = 2_000_000_000;

/** Its message is meant for logs. */
export class FetchError extends Error {
  readonly lasting: boolean;

  constructor(message: string, { lasting = true }: { readonly lasting?: boolean } = {}) {
    super(message);
    this.lasting = lasting;
  }
}

export const tooLong = (maxBytes: number, key?: string): FetchError =>
  new FetchError(`longer than ${maxBytes} octets${key === undefined ? '' : ` (${key})`}`);

export type Limits = { readonly timeoutMs: number; readonly signal: AbortSignal };

/** Does the work in bounded time. Never rejects; `why` holds no secret of a URL. */
export async function withinTime(
  { timeoutMs, signal }: Limits,
  work: (signal: AbortSignal) => Promise<Uint8Array>,
): Promise<Fetched> {
  const deadline = AbortSignal.timeout(Math.min(timeoutMs, MAX_TIMER_MS));
  const either = AbortSignal.any([deadline, signal]);
  try {
    const bytes = await raceAbort(either, work(either));
    return bytes.length === 0 ? { ok: false, why: 'the file is empty', lasting: true } : { ok: true, bytes };
  } catch (error) {
    if (signal.aborted) return { ok: false, why: 'stopped', lasting: false };
    if (deadline.aborted) return { ok: false, why: `not finished after ${timeoutMs / 1000} s`, lasting: false };
    return { ok: false, why: wordsOf(error), lasting: error instanceof FetchError && error.lasting };
  }
}

/** What hangs without hearing the signal (a network mount) must not hold its caller for ever. */
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

/** The body of a 200. Rejects with FetchError or an error of the network. */
export async function download(request: HttpRequest): Promise<Uint8Array> {
  let url = new URL(request.url);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    if (request.mayAsk?.(url) === false)
      throw new FetchError(`${redirects === 0 ? 'the' : 'redirect to the'} host ${url.host} is not allowed`);
    const response = await send(url, request);
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    if (status === 200) return body(response, request);
    response.destroy();
    if (!redirectsOf(request).includes(status) || location === undefined)
      throw new FetchError(`the server answers ${status}`, { lasting: status < 500 && ![408, 429].includes(status) });
    url = redirected(url, location);
  }
  throw new FetchError(`more than ${MAX_REDIRECTS} redirects`);
}

/** RFC 9110 §15.4: after the others a POST may become a GET. */
const redirectsOf = ({ body: posted }: HttpRequest): readonly number[] =>
  posted === undefined ? [301, 302, 303, 307, 308] : [307, 308];

function redirected(from: URL, location: string): URL {
  if (!URL.canParse(location, from)) throw new FetchError('redirect to a malformed address');
  const to = new URL(location, from);
  const allowed = to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:');
  if (!allowed) throw new FetchError(`redirect from ${from.protocol} to ${to.protocol} refused`);
  return to;
}

function send(url: URL, request: HttpRequest): Promise<http.IncomingMessage> {
  const { signal, authorities, accept, body: posted } = request;
  const options = {
    signal,
    agent: false as const,
    method: posted === undefined ? 'GET' : 'POST',
    headers: {
      accept,
      'accept-encoding': 'identity',
      'user-agent': 'Sallyport',
      ...(posted === undefined ? {} : { 'content-type': posted.type, 'content-length': posted.bytes.length }),
    },
  };
  return new Promise((resolve, reject) => {
    const sent =
      url.protocol === 'https:'
        ? https.request(url, { ...options, ca: [...tls.getCACertificates('default'), ...authorities] }, resolve)
        : nodeHttp.request(url, options, resolve);
    sent.on('error', reject);
    sent.end(posted?.bytes);
  });
}

async function body(response: http.IncomingMessage, { maxBytes, sizeKey }: HttpRequest): Promise<Uint8Array> {
  const announced = Number(response.headers['content-length'] ?? 0);
  if (announced > maxBytes) {
    response.destroy();
    throw tooLong(maxBytes, sizeKey);
  }
  if (!['identity', undefined].includes(response.headers['content-encoding'])) {
    response.destroy();
    throw new FetchError('the server compresses although it was asked not to');
  }
  // One piece of memory from the start: chunks beside the whole would double what a big list costs.
  let bytes = new Uint8Array(Math.min(announced > 0 ? announced : FIRST_BYTES, maxBytes));
  let total = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    if (total + chunk.length > maxBytes) throw tooLong(maxBytes, sizeKey);
    if (total + chunk.length > bytes.length) bytes = grown(bytes, Math.max(total + chunk.length, bytes.length * 2));
    bytes.set(chunk, total);
    total += chunk.length;
    giveBack(chunk);
  }
  // `complete` is false where the connection ended before the announced length.
  if (!response.complete) throw new FetchError('the download was cut off', { lasting: false });
  return total === bytes.length ? bytes : grown(bytes, total);
}

const FIRST_BYTES = 64 * 1024;

/** A chunk is nobody else's. Left to the collector, the chunks of a big list would stay beside it for a while. */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

/** Or shrunk; the old memory is given back at once. */
const grown = (bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(bytes.buffer.transfer(length));

/** For logs and the console: without user name and password. */
export function redactedUrl(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/?#]*@/i, '$1');
}
