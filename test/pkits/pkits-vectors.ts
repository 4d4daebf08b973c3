/**
 * The NIST Public Key Interoperability Test Suite (PKITS, version 1.0.1, RSA 2048 / SHA-256 edition) as Debian's package
 * python3-cryptography-vectors installs it. Effects: reads the vectors.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDERS = [
  process.env['PKITS_DATA'],
  '/usr/lib/python3/dist-packages/cryptography_vectors/x509/PKITS_data',
].filter((folder) => folder !== undefined);

/** The folder with `certs` and `crls`. Throws in words where the vectors are missing: a suite that did not run has failed. */
export function pkitsFolder(): string {
  const folder = FOLDERS.find((candidate) => existsSync(join(candidate, 'certs')));
  if (folder !== undefined) return folder;
  throw new Error('the PKITS vectors are missing: apt-get install python3-cryptography-vectors, or set PKITS_DATA');
}

export const ANCHOR = 'TrustAnchorRootCertificate';

/** DER by file name without `.crt`. */
export const pkitsCertificates = (): ReadonlyMap<string, Uint8Array> => filesOf('certs', '.crt');

/** Revocation lists, DER by file name without `.crl`. */
export const pkitsLists = (): ReadonlyMap<string, Uint8Array> => filesOf('crls', '.crl');

/** End certificates with their keys, PKCS#12 by file name without `.p12`. */
export const pkitsKeys = (): ReadonlyMap<string, Uint8Array> => filesOf('pkcs12', '.p12');
export const PKCS12_PASSWORD = 'password';

function filesOf(name: string, extension: string): ReadonlyMap<string, Uint8Array> {
  const folder = join(pkitsFolder(), name);
  const files = readdirSync(folder).filter((file) => file.endsWith(extension));
  return new Map(files.sort().map((file) => [file.slice(0, -extension.length), readFileSync(join(folder, file))]));
}
