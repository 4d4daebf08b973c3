/**
 * `GET /metrics` for Prometheus on a loopback address, and nothing else. Connections, headers and time are bounded;
 * requests that come while metrics are collected share the collection.
 * Effects: an HTTP server.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '../core/errors.ts';
import { nodeHttp } from '../core/node-http.io.ts';

const MAX_CONNECTIONS = 32;
const REQUEST_TIMEOUT_MS = 5000;
const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

export type MetricsServer = {
  /** `127.0.0.1:9100`, with the port that was bound. */
  readonly address: string;
  close(): void;
};

/** The server where the configuration in force wants it; a change opens the new one before it closes the former. */
export class MetricsEndpoint {
  readonly #collect: () => Promise<string>;
  #address: string | undefined;
  #server: MetricsServer | undefined;

  constructor(collect: () => Promise<string>) {
    this.#collect = collect;
  }

  /** Rejects, and leaves what is there alone, where the address cannot be had. */
  async prepare(address: string | undefined): Promise<{ adopt(): void; abandon(): void }> {
    const same = address === this.#address;
    const next = same || address === undefined ? undefined : await openMetricsServer(address, this.#collect);
    return {
      adopt: () => {
        if (same) return;
        this.#server?.close();
        this.#server = next;
        this.#address = address;
      },
      abandon: () => next?.close(),
    };
  }

  close(): void {
    this.#server?.close();
  }
}

/**
 * Listens on `127.0.0.1:PORT` or `[::1]:PORT`. Rejects with GatewayError `config` for an address that is not loopback,
 * and with the system's error when it cannot bind. A collection that fails answers 503.
 */
export async function openMetricsServer(address: string, collect: () => Promise<string>): Promise<MetricsServer> {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  if (!host.startsWith('127.') && host !== '::1') {
    throw new GatewayError('config', `metrics are for this machine only: ${address} is not a loopback address`);
  }
  let collecting: Promise<string> | undefined;
  const shared = (): Promise<string> => {
    collecting ??= collect().finally(() => {
      collecting = undefined;
    });
    return collecting;
  };
  const server = nodeHttp.createServer(
    { maxHeaderSize: 8192, requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: 1000 },
    (request, response) => {
      answer(request, response, shared);
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(REQUEST_TIMEOUT_MS);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(address.slice(colon + 1)), host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.unref();
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    address: `${address.slice(0, colon)}:${port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, collect: () => Promise<string>): void {
  const { method, url = '' } = request;
  const send = (code: number, text: string): void => {
    response.writeHead(code, { 'content-type': TEXT, 'cache-control': 'no-store', connection: 'close' });
    response.end(method === 'HEAD' ? undefined : text);
  };
  if ((method !== 'GET' && method !== 'HEAD') || url.split('?', 1)[0] !== '/metrics') {
    send(404, 'only GET /metrics is here\n');
    return;
  }
  collect().then(
    (text) => send(200, text),
    () => send(503, 'metrics cannot be collected now\n'),
  );
}
