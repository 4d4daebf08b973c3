/**
 * A running gateway with its API, and somebody who asks it: over TLS with what a browser or a script has, or over the
 * control socket as the local account. Every answer is held against the gateway's own OpenAPI document.
 * Effects: starts the gateway, requests on loopback.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import type { ProblemKind } from '../../src/admin/problem.ts';
import type { Role } from '../../src/admin/roles.ts';
import { type Answered, ApiDescription } from './api-description.ts';
import { freePort } from './free-port.ts';
import type { Gateway } from './gateway.ts';
import { type One, Site } from './site.ts';

export type Asking = {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  /** The body as it is, instead of `body` as JSON. */
  readonly raw?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string;
  readonly cookie?: string;
  /** Without it a request by cookie comes from the gateway's own origin. */
  readonly origin?: string;
  readonly ifMatch?: string;
  /** Another loopback address to come from. */
  readonly from?: string;
  readonly certificate?: { readonly cert: string; readonly key: string };
};

export type Got = Answered & {
  readonly body: Record<string, unknown>;
  readonly kind: ProblemKind | undefined;
  readonly etag: string | undefined;
  /** `name=value` of the session's cookie. */
  readonly cookie: string | undefined;
};

export const PASSWORD = 'correct horse battery';
export type Person = { readonly name: string; readonly password: string; readonly token: string };

export class ApiSite {
  readonly site: Site;
  gateway: Gateway;
  readonly port: number;
  /** Of its one listener. */
  readonly mailPort: number;
  readonly origin: string;
  readonly description: ApiDescription;
  readonly #one: One;
  readonly #store: boolean;
  #people = 0;

  private constructor(parts: { site: Site; one: One; port: number; store: boolean; description: ApiDescription }) {
    this.site = parts.site;
    this.#one = parts.one;
    this.#store = parts.store;
    this.gateway = parts.one.gateway;
    this.port = parts.port;
    this.mailPort = parts.one.port;
    this.origin = originOf(parts.port);
    this.description = parts.description;
  }

  /** `admin` is added to the section of the same name. */
  static async open(
    admin: Record<string, unknown> = {},
    change: (config: Record<string, unknown>) => Record<string, unknown> = (config) => config,
    { store = false }: { readonly store?: boolean } = {},
  ): Promise<ApiSite> {
    const site = await Site.open();
    const port = await freePort();
    const one = await site.startOne(
      { policy: { tls: 'off' } },
      (config) => change({ ...config, admin: adminSection(port, admin) }),
      { store },
    );
    const { text } = await request({ socketPath: join(one.gateway.data, 'control.sock') }, 'GET', '/api/openapi.json');
    return new ApiSite({ site, one, port, store, description: new ApiDescription(text) });
  }

  /** Of its listener. */
  get smtpPort(): number {
    return this.#one.port;
  }

  /** Ends the gateway and starts it again on the same data. */
  async restart(): Promise<void> {
    await this.gateway.stop();
    const { config, folder } = this.#one;
    this.gateway = await this.site.start(config, { folder, store: this.#store });
  }

  /** As the local account, over the control socket. */
  local(key: string, asking: Asking = {}): Promise<Got> {
    return this.#ask({ socketPath: join(this.gateway.data, 'control.sock') }, key, asking);
  }

  /** Over TLS. */
  tls(key: string, asking: Asking = {}): Promise<Got> {
    const { certificate, from } = asking;
    const where = {
      ...{ host: '127.0.0.1', port: this.port, ca: this.site.pki.serverCa },
      ...certificate,
      ...(from === undefined ? {} : { localAddress: from }),
    };
    return this.#ask(where, key, asking);
  }

  /** A new account with this role, a password and a token. */
  async person(role: Role, name = `${role}-${++this.#people}`): Promise<Person> {
    await this.good('POST /api/accounts', { body: { name, role, password: PASSWORD } });
    const made = await this.good('POST /api/accounts/{account}/tokens', {
      path: { account: name },
      body: { name: 't' },
    });
    return { name, password: PASSWORD, token: String(made.body['secret']) };
  }

  /** Over the control socket, where nothing else than success will do. */
  async good(key: string, asking: Asking = {}): Promise<Got> {
    const got = await this.local(key, asking);
    assert.equal(got.status, this.description.goodStatus(key), `${key}: ${got.text}`);
    return got;
  }

  /** The cookie of a login by password. */
  async login(account: string, password = PASSWORD): Promise<string> {
    const got = await this.tls('POST /api/login', { body: { account, password } });
    assert.equal(got.status, 200, got.text);
    assert.ok(got.cookie !== undefined);
    return got.cookie;
  }

  async #ask(where: https.RequestOptions, key: string, asking: Asking): Promise<Got> {
    const [method = '', pattern = ''] = key.split(' ');
    const path = pattern.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(asking.path?.[name] ?? `no-${name}`),
    );
    const body = asking.raw ?? (asking.body === undefined ? undefined : JSON.stringify(asking.body));
    const answered = await request(where, method, asking.query === undefined ? path : `${path}?${asking.query}`, {
      headers: this.#headers(asking),
      body,
    });
    // A path or method that does not exist is nobody's route.
    if (this.description.keys.includes(key)) {
      this.description.check(key, answered);
      if (answered.status < 300 && asking.raw === undefined) this.description.checkRequest(key, asking.body);
    }
    const type = String(answered.headers['content-type'] ?? '');
    const value = /json/.test(type) && answered.text !== '' ? (JSON.parse(answered.text) as Got['body']) : {};
    const kind = type === 'application/problem+json' ? String(value['type']).replace(/^.*:/, '') : undefined;
    const cookie = [answered.headers['set-cookie'] ?? []].flat()[0]?.split(';')[0];
    const etag = answered.headers['etag'];
    return {
      ...answered,
      body: value,
      kind: kind as ProblemKind | undefined,
      cookie,
      etag: etag === undefined ? undefined : String(etag),
    };
  }

  #headers({ headers = {}, token, cookie, origin, ifMatch, body, raw }: Asking): Record<string, string> {
    return {
      ...(body === undefined && raw === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(cookie === undefined ? {} : { cookie, origin: this.origin }),
      ...(origin === undefined ? {} : { origin }),
      ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
      ...headers,
    };
  }
}

const originOf = (port: number): string => `https://localhost:${port}`;

const adminSection = (port: number, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  address: [`127.0.0.1:${port}`],
  certificate: 'gateway',
  origins: [originOf(port)],
  ...more,
});

type Sent = { readonly headers?: Record<string, string>; readonly body?: string | Buffer | undefined };

export function request(where: https.RequestOptions, method: string, path: string, sent: Sent = {}): Promise<Answered> {
  const { request: open } = where.socketPath === undefined || where.socketPath === null ? https : http;
  return new Promise((resolve, reject) => {
    // A connection for each: one that was kept may be closed by the gateway at the moment at which it is used again.
    const asked = open({ ...where, agent: false, method, path, headers: sent.headers ?? {} }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    asked.on('error', reject);
    asked.end(sent.body);
  });
}
