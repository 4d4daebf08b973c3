/**
 * A real OpenLDAP server in a temporary folder, with the schema of the recipes. Searches need the gateway's account:
 * anonymous ones find nothing, so that a lost bind shows. It can be stopped, frozen (SIGSTOP) and started again on the
 * same port. Effects: starts and ends slapd by its process id, writes files.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accepting } from './accepting.ts';
import { atEnd } from './at-end.ts';
import { freePort } from './free-port.ts';

const RECIPES = join(import.meta.dirname, '..', 'contract', 'recipes');
const SCHEMAS = ['core', 'cosine', 'inetorgperson'];

export const GATEWAY_ACCOUNT = { dn: 'cn=gateway,dc=example,dc=test', password: 'gateway-secret' } as const;
export const RECIPE_LDIF = readFileSync(join(RECIPES, 'directory.ldif'), 'utf8');

export type SlapdOptions = {
  /** Entries; those of the recipes unless said. */
  readonly ldif?: string;
  /** Files; with them StartTLS and ldaps are offered. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
  /** An entry that anybody may read, with all below it. */
  readonly published?: string;
  /** Further lines of the global part of slapd.conf. */
  readonly settings?: readonly string[];
};

export class Slapd {
  readonly url: string;
  readonly ldapsUrl: string;
  readonly port: number;
  readonly #urls: string;
  readonly #config: string;
  #child: ChildProcess | undefined;

  private constructor(folder: string, ports: readonly [number, number], tls: boolean) {
    this.port = ports[0];
    this.url = `ldap://127.0.0.1:${ports[0]}`;
    this.ldapsUrl = `ldaps://127.0.0.1:${ports[1]}`;
    this.#urls = tls ? `${this.url} ${this.ldapsUrl}` : this.url;
    this.#config = join(folder, 'slapd.conf');
  }

  static async start({ ldif = RECIPE_LDIF, tls, settings = [], published }: SlapdOptions = {}): Promise<Slapd> {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-slapd-'));
    mkdirSync(join(folder, 'db'));
    const slapd = new Slapd(folder, [await freePort(), await freePort()], tls !== undefined);
    writeFileSync(slapd.#config, configText(folder, { settings, tls, published }));
    writeFileSync(join(folder, 'entries.ldif'), ldif);
    execFileSync('slapadd', ['-q', '-f', slapd.#config, '-l', join(folder, 'entries.ldif')], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
    });
    atEnd(async () => {
      await slapd.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    await slapd.restart();
    return slapd;
  }

  /** Starts it again, or for the first time; resolves when it accepts connections. */
  async restart(): Promise<void> {
    await this.stop();
    const child = spawn('/usr/sbin/slapd', ['-d', '0', '-f', this.#config, '-h', this.#urls], { stdio: 'ignore' });
    this.#child = child;
    await accepting(child, this.port);
  }

  /** Ends it; every connection drops. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** It accepts connections (the kernel does) and answers nothing. Returns once every thread of it has stopped. */
  pause(): void {
    const pid = this.#child?.pid;
    this.#child?.kill('SIGSTOP');
    while (pid !== undefined && this.#child?.exitCode === null && !isStopped(pid));
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }
}

/** All threads of the process in the state T (stopped): signals reach them one by one. */
function isStopped(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((task) =>
    / T /.test(readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8')),
  );
}

function configText(
  folder: string,
  {
    settings,
    tls,
    published,
  }: Record<'settings', readonly string[]> & { tls: SlapdOptions['tls']; published: string | undefined },
): string {
  const gateway = `dn.exact="${GATEWAY_ACCOUNT.dn}" read`;
  return `${[
    ...SCHEMAS.map((schema) => `include /etc/ldap/schema/${schema}.schema`),
    `include ${join(RECIPES, 'cac.schema')}`,
    `pidfile ${join(folder, 'slapd.pid')}`,
    'modulepath /usr/lib/ldap',
    'moduleload back_mdb',
    'threads 4',
    ...(tls === undefined
      ? []
      : [
          `TLSCertificateFile ${tls.certFile}`,
          `TLSCertificateKeyFile ${tls.keyFile}`,
          `TLSCACertificateFile ${tls.caFile}`,
        ]),
    ...settings,
    'database mdb',
    'maxsize 16777216',
    'suffix "dc=example,dc=test"',
    `directory ${join(folder, 'db')}`,
    ...(published === undefined ? [] : [`access to dn.subtree="${published}" by * read`]),
    `access to attrs=userPassword by ${gateway} by anonymous auth by * none`,
    `access to * by ${gateway} by * none`,
  ].join('\n')}\n`;
}
