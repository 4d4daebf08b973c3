/**
 * A real 389 Directory Server in a temporary folder, from the templates of its package, with the schema of the recipes
 * and of Active Directory's mapping attribute. Anonymous searches find nothing, so that a lost bind shows.
 * Effects: starts and ends ns-slapd by its process id, writes files.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { accepting } from './accepting.ts';
import { atEnd } from './at-end.ts';
import { freePort } from './free-port.ts';

const TEMPLATES = '/usr/share/dirsrv/data';
export const DS_BASE = 'dc=example,dc=test';
export const DS_ACCOUNT = { dn: 'cn=Directory Manager', password: 'gateway-secret' } as const;

export class Directory389 {
  readonly url: string;
  #child: ChildProcess | undefined;

  private constructor(port: number) {
    this.url = `ldap://127.0.0.1:${port}`;
  }

  /** `schema`: files in OpenLDAP's form. */
  static async start(schema: readonly string[]): Promise<Directory389> {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-389-'));
    const port = await freePort();
    const directory = new Directory389(port);
    atEnd(async () => {
      await directory.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    writeInstance(folder, port, schema);
    const child = spawn(
      '/usr/sbin/ns-slapd',
      ['-D', join(folder, 'config'), '-i', join(folder, 'run', 'pid'), '-d', '0'],
      {
        stdio: 'ignore',
      },
    );
    directory.#child = child;
    await accepting(child, port);
    return directory;
  }

  add(ldif: string): void {
    const login = ['-x', '-H', this.url, '-D', DS_ACCOUNT.dn, '-w', DS_ACCOUNT.password];
    execFileSync('ldapadd', login, { input: ldif, stdio: ['pipe', 'ignore', 'pipe'] });
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

const FOLDERS = ['config', 'config/schema', 'lock', 'tmp', 'cert', 'ldif', 'bak', 'run', 'inst', 'log', 'db'];

function writeInstance(folder: string, port: number, schema: readonly string[]): void {
  for (const name of FOLDERS) mkdirSync(join(folder, name));
  for (const file of ['certmap.conf', 'slapd-collations.conf']) {
    copyFileSync(join('/etc/dirsrv/config', file), join(folder, 'config', file));
  }
  const words: Readonly<Record<string, string>> = {
    schema_dir: join(folder, 'config', 'schema'),
    ...Object.fromEntries(
      ['lock', 'tmp', 'cert', 'ldif', 'bak', 'run', 'inst', 'log', 'db', 'config'].map((name) => [
        `${name}_dir`,
        join(folder, name),
      ]),
    ),
    db_home_dir: join(folder, 'db'),
    db_lib: 'mdb',
    ds_port: String(port),
    ds_user: userInfo().username,
    ds_suffix: DS_BASE,
    ds_bename: 'userRoot',
    fqdn: 'localhost',
    rootdn: DS_ACCOUNT.dn,
    ldapi: join(folder, 'run', 'ldapi'),
    ldapi_enabled: 'off',
    ldapi_autobind: 'off',
  };
  const fill = (template: string): string =>
    readFileSync(join(TEMPLATES, template), 'utf8').replace(/%([a-z_]+)%/g, (all, word: string) => words[word] ?? all);
  const settings = `nsslapd-rootpwstoragescheme: CLEAR\nnsslapd-rootpw: {CLEAR}${DS_ACCOUNT.password}\nnsslapd-listenhost: 127.0.0.1`;
  const dse = fill('template-dse.ldif').replace(/^nsslapd-rootpw: .*$/m, settings);
  writeFileSync(join(folder, 'config', 'dse.ldif'), dse + fill('template-suffix-db.ldif'));
  writeFileSync(join(folder, 'config', 'schema', '99user.ldif'), schemaLdif(schema));
}

/** OpenLDAP's `attributetype (...)` and `objectclass (...)` lines as the entry cn=schema. */
function schemaLdif(files: readonly string[]): string {
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n'));
  const entry = lines.flatMap((line) => {
    const [, kind, definition] = /^(attributetype|objectclass) (\(.*\))$/.exec(line) ?? [];
    return kind === undefined
      ? []
      : [`${kind === 'attributetype' ? 'attributeTypes' : 'objectClasses'}: ${definition}`];
  });
  return `dn: cn=schema\nobjectClass: top\nobjectClass: ldapSubentry\nobjectClass: subschema\ncn: schema\n${entry.join('\n')}\n`;
}
