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

/** DER by file name without `.crt`. */
export function pkitsCertificates(): ReadonlyMap<string, Uint8Array> {
  const folder = join(pkitsFolder(), 'certs');
  const files = readdirSync(folder).filter((file) => file.endsWith('.crt'));
  return new Map(files.map((file) => [file.slice(0, -4), readFileSync(join(folder, file))]));
}
