/**
 * A certificate authority made with the openssl command line, so that what the gateway reads was written by somebody
 * else's code. One folder per authority. Effects: runs openssl, writes files.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DAY_MS = 86_400_000;

export type Credentials = {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
};

export type Issue = {
  /** openssl form: `/O=Example/CN=ADAMS.ALICE.A.1000000001`. */
  readonly subject: string;
  /** Hexadecimal, whole octets. */
  readonly serial: string;
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  /** Lines of an openssl extension section. */
  readonly extensions?: readonly string[];
  /** Arguments of `openssl genpkey`. */
  readonly keyType?: readonly string[];
};

export type CrlIssue = {
  readonly revoked?: readonly string[];
  readonly number?: number;
  readonly thisUpdateMs?: number;
  readonly nextUpdateMs?: number;
};

export const CLIENT_EXTENSIONS = [
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=clientAuth',
];
export const AUTHORITY_EXTENSIONS = [
  'basicConstraints=critical,CA:TRUE',
  'keyUsage=critical,keyCertSign,cRLSign',
  'subjectKeyIdentifier=hash',
];
const EC_KEY = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];

export const openssl = (args: readonly string[]): string =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** `20261122013000Z`, as `openssl ca` wants its dates. */
const asn1Time = (ms: number): string => `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;

/** A self-signed certificate of nobody's authority, or the root of a new one. */
export function selfSigned(
  folder: string,
  name: string,
  issue: Pick<Issue, 'subject' | 'extensions' | 'keyType'>,
): Credentials {
  mkdirSync(folder, { recursive: true });
  const certFile = join(folder, `${name}.pem`);
  const keyFile = join(folder, `${name}.key`);
  openssl(['genpkey', ...(issue.keyType ?? EC_KEY), '-out', keyFile]);
  const extensions = (issue.extensions ?? CLIENT_EXTENSIONS).flatMap((line) => ['-addext', line]);
  const config = join(folder, 'req.cnf');
  writeFileSync(config, '[req]\ndistinguished_name=dn\n[dn]\n');
  openssl([
    'req',
    '-x509',
    '-new',
    '-config',
    config,
    '-key',
    keyFile,
    '-subj',
    issue.subject,
    '-utf8',
    '-days',
    '3650',
    '-out',
    certFile,
    ...extensions,
  ]);
  return load(certFile, keyFile);
}

const load = (certFile: string, keyFile: string): Credentials => ({
  cert: readFileSync(certFile, 'utf8'),
  key: readFileSync(keyFile, 'utf8'),
  certFile,
  keyFile,
});

export class CertificateAuthority {
  readonly own: Credentials;
  readonly #folder: string;
  #files = 0;

  constructor(folder: string, own: Credentials) {
    this.own = own;
    this.#folder = folder;
    mkdirSync(join(folder, 'new'), { recursive: true });
    this.#writeConfig([]);
  }

  static root(folder: string, subject: string): CertificateAuthority {
    return new CertificateAuthority(folder, selfSigned(folder, 'ca', { subject, extensions: AUTHORITY_EXTENSIONS }));
  }

  /** An authority below this one. */
  intermediate(folder: string, issue: Issue): CertificateAuthority {
    return new CertificateAuthority(folder, this.issue({ extensions: AUTHORITY_EXTENSIONS, ...issue }));
  }

  issue(issue: Issue): Credentials {
    const now = Date.now();
    const base = join(this.#folder, `cert-${++this.#files}`);
    this.#writeConfig(issue.extensions ?? CLIENT_EXTENSIONS);
    // `openssl ca` reads an even number of hexadecimal digits.
    writeFileSync(join(this.#folder, 'serial'), `${issue.serial}\n`);
    writeFileSync(join(this.#folder, 'issued.txt'), '');
    openssl(['genpkey', ...(issue.keyType ?? EC_KEY), '-out', `${base}.key`]);
    openssl([
      'req',
      '-new',
      '-config',
      this.#config(),
      '-utf8',
      '-key',
      `${base}.key`,
      '-subj',
      issue.subject,
      '-out',
      `${base}.csr`,
    ]);
    openssl([
      ...[
        'ca',
        '-batch',
        '-notext',
        '-utf8',
        '-preserveDN',
        '-config',
        this.#config(),
        '-in',
        `${base}.csr`,
        '-out',
        `${base}.pem`,
        '-extensions',
        'extensions',
      ],
      ...[
        '-startdate',
        asn1Time(issue.notBeforeMs ?? now - DAY_MS),
        '-enddate',
        asn1Time(issue.notAfterMs ?? now + 30 * DAY_MS),
      ],
    ]);
    return load(`${base}.pem`, `${base}.key`);
  }

  /** A complete CRL in PEM. `number` is the CRL number; a later list has a higher one. */
  crl({ revoked = [], number = 1, thisUpdateMs, nextUpdateMs }: CrlIssue = {}): string {
    const now = Date.now();
    this.#writeConfig([]);
    const out = join(this.#folder, 'list.pem');
    const revokedAt = asn1Time(now - DAY_MS).slice(2);
    const rows = revoked.map(
      (serial) => `R\t350101000000Z\t${revokedAt},keyCompromise\t${serial}\tunknown\t/CN=${serial}\n`,
    );
    writeFileSync(join(this.#folder, 'issued.txt'), rows.join(''));
    writeFileSync(join(this.#folder, 'crlnumber'), `${number.toString(16).padStart(number > 255 ? 4 : 2, '0')}\n`);
    openssl([
      ...['ca', '-gencrl', '-config', this.#config(), '-crlexts', 'crl_extensions', '-out', out],
      ...[
        '-crl_lastupdate',
        asn1Time(thisUpdateMs ?? now - 3_600_000 + number * 1000),
        '-crl_nextupdate',
        asn1Time(nextUpdateMs ?? now + 7 * DAY_MS),
      ],
    ]);
    return readFileSync(out, 'utf8');
  }

  #config(): string {
    return join(this.#folder, 'ca.cnf');
  }

  #writeConfig(extensions: readonly string[]): void {
    writeFileSync(
      this.#config(),
      `[ca]
default_ca=this
[this]
database=${this.#folder}/issued.txt
new_certs_dir=${this.#folder}/new
serial=${this.#folder}/serial
crlnumber=${this.#folder}/crlnumber
certificate=${this.own.certFile}
private_key=${this.own.keyFile}
default_md=sha256
unique_subject=no
policy=any
default_crl_days=7
string_mask=utf8only
[any]
[req]
distinguished_name=dn
string_mask=utf8only
[dn]
[extensions]
authorityKeyIdentifier=keyid
subjectKeyIdentifier=hash
${extensions.filter((line) => !line.startsWith('subjectKeyIdentifier')).join('\n')}
[crl_extensions]
authorityKeyIdentifier=keyid
`,
    );
  }
}

/** DER of the first PEM block. */
export const derOf = (pem: string): Buffer =>
  Buffer.from(/-----BEGIN [^-]+-----([^-]+)-----END/.exec(pem)?.[1] ?? '', 'base64');
