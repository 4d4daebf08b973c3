/**
 * The control socket: a unix socket in the data folder over which the command line talks to the running gateway, HTTP
 * with JSON. Only the account that runs the gateway (and root) can open it.
 * Effects: listens on a unix socket.
 */
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import type { CrlStore } from '../tls/crl-store.io.ts';

const SOCKET = 'control.sock';

export type ControlServer = { close(): void };
export type ControlParts = { readonly crls: CrlStore };

type Route = {
  readonly method: string;
  readonly path: string;
  readonly answer: (parts: ControlParts, query: URLSearchParams) => unknown;
};

const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/crl', answer: ({ crls }) => crls.list() },
  {
    method: 'POST',
    path: '/crl/update',
    answer: ({ crls }, query) => crls.updateNow(query.get('source') ?? undefined),
  },
];

export async function openControlServer(dataDir: string, parts: ControlParts): Promise<ControlServer> {
  const server = http.createServer((request, response) => {
    respond(request, parts).then(
      ([status, body]) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      (error: unknown) =>
        response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ error: String(error) })),
    );
  });
  const folder = fs.openSync(dataDir, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  fs.rmSync(path.join(dataDir, SOCKET), { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath(folder), () => resolve());
  });
  fs.chmodSync(path.join(dataDir, SOCKET), 0o600);
  return {
    close: () => {
      server.close();
      server.closeAllConnections();
      fs.rmSync(path.join(dataDir, SOCKET), { force: true });
      fs.closeSync(folder);
    },
  };
}

async function respond(request: http.IncomingMessage, parts: ControlParts): Promise<[number, unknown]> {
  const url = new URL(request.url ?? '/', 'http://control');
  const route = ROUTES.find(({ method, path: at }) => method === request.method && at === url.pathname);
  if (route === undefined) return [404, { error: `no such route: ${request.method} ${url.pathname}` }];
  return [200, await route.answer(parts, url.searchParams)];
}

/** A unix socket's path may have 107 octets only; through the open folder's descriptor any data folder will do. */
const socketPath = (folder: number): string => `/proc/self/fd/${folder}/${SOCKET}`;

export type ControlAnswer =
  | { readonly ok: true; readonly body: unknown }
  | { readonly ok: false; readonly why: string };

/** The command line's end. */
export async function askGateway(dataDir: string, method: 'GET' | 'POST', route: string): Promise<ControlAnswer> {
  let folder: number;
  try {
    folder = fs.openSync(dataDir, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  } catch {
    return { ok: false, why: `no data folder ${dataDir}: name the gateway's with --data DIR` };
  }
  try {
    return await new Promise<ControlAnswer>((resolve) => {
      const request = http.request({ socketPath: socketPath(folder), method, path: route }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve(answerOf(response.statusCode ?? 500, text)));
      });
      request.on('error', () => resolve({ ok: false, why: `no gateway is running on ${dataDir}` }));
      request.end();
    });
  } finally {
    fs.closeSync(folder);
  }
}

function answerOf(status: number, text: string): ControlAnswer {
  const body: unknown = JSON.parse(text);
  if (status === 200) return { ok: true, body };
  const { error } = body as { error?: unknown };
  return { ok: false, why: typeof error === 'string' ? error : `status ${status}` };
}
