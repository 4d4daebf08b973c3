/**
 * Files of the `cert` commands: certificates and keys in, new files out. A file that is there is never overwritten.
 * Effects: files, standard input for passwords.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { codeOf } from '../core/errors.ts';
import { type CertificateFile, readCertificateFile } from './certificate-file.ts';
import { readPassword } from './password.io.ts';

const MAX_BYTES = 64 * 1024 * 1024;

/** Asks for a password where something in the file is encrypted. */
export async function readCertificates(file: string): Promise<CertificateFile> {
  const bytes = readInput(file);
  return typeof bytes === 'string' ? { ok: false, why: bytes } : await readCertificateFile(bytes, readPassword);
}

/** What is wrong in words. A pipe would be waited for and is refused. */
function readInput(file: string): Uint8Array | string {
  let handle: number | undefined;
  try {
    handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const facts = fstatSync(handle);
    if (facts.isDirectory()) return 'it is a directory';
    if (!facts.isFile()) return 'it is not a regular file';
    if (facts.size > MAX_BYTES) return `it is larger than ${MAX_BYTES} bytes`;
    return readFileSync(handle);
  } catch (error) {
    return `cannot read it: ${codeOf(error) ?? String(error)}`;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

export type NewFile = { readonly file: string; readonly content: string; readonly secret?: boolean };

/** Writes all of them, or none; undefined, or why not. */
export function writeNew(files: readonly NewFile[]): string | undefined {
  const written: string[] = [];
  for (const { file, content, secret = false } of files) {
    try {
      writeFileSync(file, content, { flag: 'wx', mode: secret ? 0o600 : 0o644, flush: true });
      written.push(file);
    } catch (error) {
      for (const each of written) rmSync(each, { force: true });
      const code = codeOf(error) ?? String(error);
      return code === 'EEXIST' ? `${file} is there already: choose another --out` : `cannot write ${file}: ${code}`;
    }
  }
  return undefined;
}
