/**
 * The command line's end of the API: calls over the control socket in the data folder, typed by the route table, of
 * which only types are needed here. Effects: the control socket.
 */
import fs from 'node:fs';
import type http from 'node:http';
import { nodeHttp } from '../core/node-http.io.ts';
import { LOCAL_ACCOUNT_HEADER } from './api-headers.ts';
import { CONTROL_SOCKET, openFolder, socketPath } from './control-socket.io.ts';
import { localAccount } from './local-account.io.ts';
import type { ProblemError } from './problem.ts';
import type { RouteOutput, RouteRequest } from './route.ts';
import type { Api, ApiKey } from './routes.ts';

/** A problem document as it arrived; kind `unreachable`: no gateway answered. */
export type ApiRefusal = {
  readonly kind: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors: readonly ProblemError[];
  readonly document: Readonly<Record<string, unknown>>;
};

export type ApiAnswer<Body> =
  | { readonly ok: true; readonly body: Body; readonly etag: string | undefined }
  | { readonly ok: false; readonly refusal: ApiRefusal };

type NeedsNothing<Key extends ApiKey> = Record<never, never> extends RouteRequest<Api[Key]> ? true : false;
type Given<Key extends ApiKey> =
  NeedsNothing<Key> extends true ? [request?: RouteRequest<Api[Key]>] : [request: RouteRequest<Api[Key]>];

export type ApiClient = {
  call<Key extends ApiKey>(key: Key, ...given: Given<Key>): Promise<ApiAnswer<RouteOutput<Api[Key]>>>;
};

type AnyRequest = {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly ifMatch?: string;
};

/** Asks the gateway that runs on this data folder; every call has a connection of its own. */
export function connectApi(dataDir: string): ApiClient {
  const call = async (key: string, request: AnyRequest = {}): Promise<ApiAnswer<unknown>> => {
    const [method = '', path = ''] = key.split(' ');
    return await ask(dataDir, { method, target: targetOf(path, request), request });
  };
  // The table knows what each route takes and answers.
  return { call: call as ApiClient['call'] };
}

function targetOf(path: string, { path: parameters = {}, query = {} }: AnyRequest): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parameters[name] ?? ''));
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return search === '' ? filled : `${filled}?${search}`;
}

type Asked = { readonly method: string; readonly target: string; readonly request: AnyRequest };

async function ask(dataDir: string, asked: Asked): Promise<ApiAnswer<unknown>> {
  let folder: number;
  try {
    folder = openFolder(dataDir);
  } catch {
    return unreachable(`no data folder ${dataDir}: name the gateway's with --data DIR`);
  }
  try {
    return await exchange(socketPath(folder, CONTROL_SOCKET), asked);
  } catch {
    return unreachable(`no gateway is running on ${dataDir}`);
  } finally {
    fs.closeSync(folder);
  }
}

function exchange(socket: string, { method, target, request }: Asked): Promise<ApiAnswer<unknown>> {
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const headers = {
    [LOCAL_ACCOUNT_HEADER]: localAccount(),
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
    ...(request.ifMatch === undefined ? {} : { 'if-match': request.ifMatch === '*' ? '*' : `"${request.ifMatch}"` }),
  };
  return new Promise((resolve, reject) => {
    const sent = nodeHttp.request({ socketPath: socket, method, path: target, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve(answerOf(response, text)));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function answerOf({ statusCode = 500, headers }: http.IncomingMessage, text: string): ApiAnswer<unknown> {
  const type = headers['content-type'] ?? '';
  const etag = headers.etag?.replaceAll('"', '');
  if (statusCode < 300) {
    const body: unknown = type.startsWith('application/json') ? JSON.parse(text) : text;
    return { ok: true, body: statusCode === 204 ? undefined : body, etag };
  }
  const document = (type.startsWith('application/problem+json') ? JSON.parse(text) : {}) as Record<string, unknown>;
  return {
    ok: false,
    refusal: {
      kind: textOf(document['type']).replace('urn:sallyport:problem:', ''),
      status: statusCode,
      title: textOf(document['title']) || `status ${statusCode}`,
      detail: textOf(document['detail']),
      errors: Array.isArray(document['errors']) ? (document['errors'] as ProblemError[]) : [],
      document,
    },
  };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const unreachable = (detail: string): ApiAnswer<never> => ({
  ok: false,
  refusal: { kind: 'unreachable', status: 0, title: 'No gateway answers', detail, errors: [], document: {} },
});
