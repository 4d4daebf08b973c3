/**
 * The API on the network: HTTP/1.1 over TLS on the addresses of `admin.address`, and in the clear over a unix socket
 * that only the gateway's own account can open. Headers, bodies, times and connections are bounded. A client certificate
 * is asked for where logins by certificate are configured; the handshake succeeds whatever it is, because the judgement
 * is ours; nothing is resumed then, because a resumed session would carry an old one.
 * RFC 9110, RFC 9112. Effects: listens, TLS handshakes.
 */
import { constants } from 'node:crypto';
import type http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type IpRange, normaliseIp } from '../core/network.ts';
import { nodeHttp } from '../core/node-http.io.ts';
import { type Answer, type ApiResponse, problemResponse } from './api-response.ts';
import { ConnectionGate } from './connection-gate.ts';
import { problem } from './problem.ts';
import type { CertificateChain } from './sessions.io.ts';

export type TlsMaterial = {
  readonly certPem: string;
  readonly keyPem: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers: string | undefined;
  /** Ask for client certificates and name these authorities (PEM). */
  readonly authorities: readonly string[] | undefined;
};

const MAX_HEADER_BYTES = 16 * 1024;
const MAX_TARGET_CHARS = 4096;
const HEADERS_MS = 10_000;
const REQUEST_MS = 60_000;
const IDLE_MS = 5_000;
const HANDSHAKE_MS = 10_000;
const MAX_CONNECTIONS = 256;
const MAX_PRESENTED_CERTIFICATES = 16;
const BODY_MS = 20_000;
const ANSWER_MS = 20_000;
const DRAIN_BYTES = 8 * 1024 * 1024;

const ALWAYS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
};
const OVER_TLS = { 'strict-transport-security': 'max-age=31536000' };
const HTTP_OPTIONS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_MS,
  requestTimeout: REQUEST_MS,
  keepAliveTimeout: IDLE_MS,
  connectionsCheckingInterval: 2_000,
} as const;

export type ApiListener = {
  /** New connections get the new certificate; open ones stay. */
  renew(material: TlsMaterial): void;
  /** Networks that may connect; undefined: every one. */
  allow(networks: readonly IpRange[] | undefined): void;
  close(): void;
};

type TlsAddress = { readonly host: string; readonly port: number };

/** Rejects with the system's error where the address cannot be bound, and with OpenSSL's where the material is wrong. */
export async function listenWithTls(
  { host, port }: TlsAddress,
  material: TlsMaterial,
  api: () => Promise<Answer>,
): Promise<ApiListener> {
  const server = https.createServer({ ...HTTP_OPTIONS, ...secureOptions(material) }, (request, response) => {
    serve(request, response, api);
  });
  const gate = new ConnectionGate();
  server.on('connection', (socket: Socket) => {
    const leave = gate.enter(normaliseIp(socket.remoteAddress) ?? 'unknown');
    if (leave === undefined) socket.destroy();
    else socket.once('close', leave);
  });
  server.on('tlsClientError', (_, socket) => socket.destroy());
  await listening(server, { host, port });
  return {
    renew: (next) => server.setSecureContext(secureOptions(next)),
    allow: (networks) => {
      gate.networks = networks;
    },
    close: () => closeNow(server),
  };
}

/** The socket's folder must let nobody else in. */
export async function listenOnSocket(path: string, api: () => Promise<Answer>): Promise<{ close(): void }> {
  const server = nodeHttp.createServer(HTTP_OPTIONS, (request, response) => {
    serve(request, response, api);
  });
  await listening(server, { path });
  return { close: () => closeNow(server) };
}

function listening(server: http.Server | https.Server, where: { path: string } | TlsAddress): Promise<void> {
  server.maxConnections = MAX_CONNECTIONS;
  server.on('clientError', (_, socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.removeAllListeners('error');
      // EMFILE and the like while accepting: the connection is lost, the listener is not.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

function closeNow(server: http.Server | https.Server): void {
  server.close();
  server.closeAllConnections();
}

function secureOptions({ certPem, keyPem, minVersion, maxVersion, ciphers, authorities }: TlsMaterial) {
  return {
    cert: certPem,
    key: keyPem,
    minVersion,
    maxVersion,
    ...(ciphers === undefined ? {} : { ciphers }),
    // An empty list trusts nothing; `undefined` would trust the public CAs.
    ca: [...(authorities ?? [])],
    requestCert: authorities !== undefined,
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_MS,
    honorCipherOrder: true,
    secureOptions: authorities === undefined ? 0 : constants.SSL_OP_NO_TICKET,
    ALPNProtocols: ['http/1.1'],
  };
}

function serve(request: http.IncomingMessage, response: http.ServerResponse, api: () => Promise<Answer>): void {
  answer(request, api).then(
    (answered) => send(request, response, answered),
    // Only a module that cannot be loaded: the API itself never throws.
    (error: unknown) => send(request, response, problemResponse(problem('internal', String(error)))),
  );
}

async function answer(request: http.IncomingMessage, api: () => Promise<Answer>): Promise<ApiResponse> {
  const { socket, method = 'GET', url: target = '/' } = request;
  if (target.length > MAX_TARGET_CHARS || !target.startsWith('/'))
    return problemResponse(problem('malformed', 'the request target is too long or no path'));
  const secure = socket instanceof TLSSocket;
  const ask = await api();
  return ask({
    method,
    target,
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    channel: secure ? 'tls' : 'local',
    address: secure ? (normaliseIp(socket.remoteAddress) ?? 'unknown') : 'local',
    chain: secure ? chainOf(socket) : undefined,
    readBody: (maxBytes) => readBody(request, maxBytes),
  });
}

/** What the client gave; that it is nobody's or forged is for others to say. */
function chainOf(socket: TLSSocket): CertificateChain | undefined {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return undefined;
  const presented: Uint8Array[] = [];
  let next = leaf.issuerCertificate;
  while (next !== undefined && presented.length < MAX_PRESENTED_CERTIFICATES) {
    presented.push(next.raw);
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return { leaf: leaf.raw, presented };
}

async function readBody(
  request: http.IncomingMessage,
  maxBytes: number,
): Promise<Uint8Array | 'too-large' | 'cut-off'> {
  const chunks: Buffer[] = [];
  let size = 0;
  // A connection that closes while the client still sends would take the answer with it: what is too much is read and
  // forgotten, up to a bound.
  const worthReading = Number(request.headers['content-length'] ?? 0) <= maxBytes + DRAIN_BYTES;
  const timer = setTimeout(() => request.destroy(new Error('the body took too long')), BODY_MS);
  try {
    if (worthReading) {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size <= maxBytes) chunks.push(chunk);
        else chunks.length = 0;
        if (size > maxBytes + DRAIN_BYTES) break;
      }
    }
  } catch {
    // The client went away in the middle, or was too slow: nobody reads the answer.
    return 'cut-off';
  } finally {
    clearTimeout(timer);
  }
  return worthReading && size <= maxBytes ? Buffer.concat(chunks) : 'too-large';
}

function send(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  { status, headers, body }: ApiResponse,
): void {
  const secure = request.socket instanceof TLSSocket;
  // Who asks and does not read the answer must not keep the connection.
  const { socket } = request;
  const timer = setTimeout(() => socket.destroy(), ANSWER_MS);
  response.once('close', () => clearTimeout(timer));
  // What was not read of a body would be taken for the next request.
  const rest = request.complete ? {} : { connection: 'close' };
  response.writeHead(status, {
    ...ALWAYS,
    ...(secure ? OVER_TLS : {}),
    ...headers,
    ...rest,
    ...(status === 204 ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
  });
  response.end(status === 204 ? undefined : body);
}
