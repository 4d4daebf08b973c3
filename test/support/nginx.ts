/**
 * nginx (Debian) in a process of its own, as a web server that gives out files of an authority: what a test puts into
 * its folder, under addresses that answer, redirect, are slow or fail. What it was asked is read from its access log.
 * Effects: starts and ends a process, writes files in a temporary folder, listens on loopback.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accepting } from './accepting.ts';
import { atEnd } from './at-end.ts';
import { freePort } from './free-port.ts';
import { temporaryFolder } from './gateway.ts';

export type NginxOptions = {
  /** Lines of the server block: `location = /x { return 302 http://…; }`. */
  readonly locations?: readonly string[];
  /** Certificate and key files. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
};

export class Nginx {
  readonly port: number;
  readonly #folder: string;
  readonly #scheme: 'http' | 'https';
  #child: ChildProcess | undefined;

  private constructor(port: number, folder: string, scheme: 'http' | 'https') {
    this.port = port;
    this.#folder = folder;
    this.#scheme = scheme;
  }

  static async start({ locations = [], tls }: NginxOptions = {}): Promise<Nginx> {
    const [port, folder] = [await freePort(), temporaryFolder()];
    mkdirSync(join(folder, 'www'));
    const listen = `listen 127.0.0.1:${port}${tls === undefined ? '' : ' ssl'};`;
    const identity =
      tls === undefined ? [] : [`ssl_certificate ${tls.certFile};`, `ssl_certificate_key ${tls.keyFile};`];
    writeFileSync(join(folder, 'nginx.conf'), configOf(folder, [listen, ...identity, ...locations]));
    const nginx = new Nginx(port, folder, tls === undefined ? 'http' : 'https');
    atEnd(() => nginx.stop());
    await nginx.up();
    return nginx;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  url(path: string): string {
    return `${this.#scheme}://${this.host}/${path}`;
  }

  put(file: string, content: string | Uint8Array): string {
    writeFileSync(join(this.#folder, 'www', file), content);
    return this.url(file);
  }

  /** The paths that were asked for, with the status of the answer: `/ca.der 200`. An answer is logged when it is over. */
  asked(): string[] {
    const file = join(this.#folder, 'access.log');
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  }

  async up(): Promise<void> {
    const child = spawn('nginx', ['-p', this.#folder, '-c', 'nginx.conf', '-e', 'error.log'], { stdio: 'ignore' });
    this.#child = child;
    await accepting(child, this.port);
  }

  /** From here on connections are refused. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
}

/** One process in the foreground; as root it reads the folder as root. */
const configOf = (folder: string, server: readonly string[]): string => `
daemon off;
master_process off;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid nginx.pid;
error_log error.log;
events {}
http {
  log_format asked '$request_uri $status';
  access_log access.log asked;
  default_type application/octet-stream;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  root ${folder}/www;
  server {
    ${server.join('\n    ')}
  }
}
`;
