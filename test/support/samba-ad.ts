/**
 * A real Active Directory by Samba in a temporary folder: provisioned anew, served over LDAP and LDAPS on a loopback
 * address of its own, because its ports are fixed. Searches need a bind, as in every Active Directory.
 * Effects: runs samba-tool, starts and ends samba by its process id, writes files.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accepting } from './accepting.ts';
import { atEnd } from './at-end.ts';
import { PATIENCE_MS } from './eventually.ts';

export const AD_BASE = 'DC=ad,DC=example,DC=test';
export const AD_ACCOUNT = { dn: `CN=Administrator,CN=Users,${AD_BASE}`, password: 'Gateway-Secret-1' } as const;

export type Certified = { readonly certFile: string; readonly keyFile: string; readonly caFile: string };

export class SambaAd {
  readonly url: string;
  readonly ldapsUrl: string;
  readonly #address: string;
  readonly #config: string;
  #child: ChildProcess | undefined;

  private constructor(folder: string, address: string) {
    this.#address = address;
    this.url = `ldap://${address}`;
    this.ldapsUrl = `ldaps://${address}`;
    this.#config = join(folder, 'dc', 'etc', 'smb.conf');
  }

  /** `certify` makes the certificate of LDAPS for the server's address. */
  static async start(certify: (folder: string, address: string) => Certified): Promise<SambaAd> {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-samba-'));
    const address = `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(1, 255)}`;
    const samba = new SambaAd(folder, address);
    atEnd(async () => {
      await samba.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    samba.#provision(folder, certify(folder, address));
    await samba.restart();
    return samba;
  }

  #provision(folder: string, { certFile, keyFile, caFile }: Certified): void {
    const domain = ['--realm=AD.EXAMPLE.TEST', '--domain=ADTEST', '--server-role=dc', '--dns-backend=NONE'];
    const host = ['--host-name=dc1', `--host-ip=${this.#address}`, `--adminpass=${AD_ACCOUNT.password}`];
    const log = join(folder, 'provision.log');
    try {
      execFileSync('samba-tool', ['domain', 'provision', ...domain, ...host, `--targetdir=${join(folder, 'dc')}`], {
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: PATIENCE_MS,
      });
    } catch (error) {
      writeFileSync(log, error instanceof Error && 'stderr' in error ? String(error.stderr) : '');
      throw new Error(`samba-tool could not provision: ${readFileSync(log, 'utf8').slice(-500)}`, { cause: error });
    }
    const run = join(folder, 'run');
    mkdirSync(run);
    const settings = {
      'server services': 'ldap',
      interfaces: `${this.#address}/8`,
      'bind interfaces only': 'yes',
      'ldap server require strong auth': 'no',
      'tls certfile': certFile,
      'tls keyfile': keyFile,
      'tls cafile': caFile,
      'log file': join(folder, 'log.%m'),
      'pid directory': run,
      'lock directory': run,
      'ncalrpc dir': join(run, 'ncalrpc'),
    };
    const lines = Object.entries(settings).map(([key, value]) => `\t${key} = ${value}`);
    const provisioned = readFileSync(this.#config, 'utf8').replace(
      /^\s*(server services|log file|lock directory) =.*\n/gm,
      '',
    );
    writeFileSync(this.#config, provisioned.replace('[global]\n', `[global]\n${lines.join('\n')}\n`));
  }

  /** Starts it again, or for the first time; resolves when it accepts connections. */
  async restart(): Promise<void> {
    await this.stop();
    const child = spawn('/usr/sbin/samba', ['-F', '--no-process-group', '--model=single', '-s', this.#config], {
      stdio: 'ignore',
    });
    this.#child = child;
    await accepting(child, 636, this.#address);
  }

  /** Adds entries. */
  add(ldif: string): void {
    const login = ['-x', '-H', this.url, '-D', AD_ACCOUNT.dn, '-w', AD_ACCOUNT.password];
    execFileSync('ldapadd', login, { input: ldif, stdio: ['pipe', 'ignore', 'pipe'] });
  }

  /** Changes entries: LDIF with `changetype: modify`. */
  modify(ldif: string): void {
    const login = ['-x', '-H', this.url, '-D', AD_ACCOUNT.dn, '-w', AD_ACCOUNT.password];
    execFileSync('ldapmodify', login, { input: ldif, stdio: ['pipe', 'ignore', 'pipe'] });
  }

  /** `S-1-5-21-...` of an account. */
  sidOf(account: string): string {
    const asked = ['user', 'show', account, '--attributes=objectSid', '-s', this.#config];
    const sid = /^objectSid: (S-\S+)$/m.exec(execFileSync('samba-tool', asked, { encoding: 'utf8' }))?.[1];
    if (sid === undefined) throw new Error(`no objectSid of ${account}`);
    return sid;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}
