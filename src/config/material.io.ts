/**
 * Reads the files that a configuration names: certificates with their keys, authorities, bind passwords, LDIF. Each
 * fault carries the key that names the file, the path as it is written there, and the reason in words.
 * Effects: reads files.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import { codeOf, whyOf } from '../core/errors.ts';
import { type Fault, fault } from '../core/fault.ts';
import { checkAuthority, checkGatewayCertificate } from './certificate-checks.ts';
import type { Config, Material } from './schema.ts';

type Path = readonly (string | number)[];

const MIB = 1024 * 1024;
const MAX_BYTES = { pem: MIB, authorities: 64 * MIB, password: 64 * 1024, ldif: 512 * MIB } as const;

export type MaterialResult = { readonly material: Material; readonly faults: readonly Fault[] };

/**
 * What cannot be read is missing from `material` and named in `faults`. `baseDir` is the configuration file's folder;
 * without one (the configuration store) a relative path leads nowhere, which `document-files.ts` reports.
 */
export function readMaterial(config: Config, baseDir: string | undefined, nowMs: number): MaterialResult {
  const faults: Fault[] = [];
  const reader = new MaterialReader(baseDir, faults);
  const certificates = readGatewayCertificates(config, reader, nowMs);
  const authorities: Record<string, string> = {};
  for (const [name, { file, pem }] of Object.entries(config.certificateAuthorities)) {
    const at = ['certificateAuthorities', name, file === undefined ? 'pem' : 'file'];
    const text = file === undefined ? pem : reader.read(at, file, 'authorities');
    if (text === undefined) continue;
    const found = checkAuthority(at, text, nowMs);
    faults.push(...found);
    if (!found.some(({ severity }) => severity === 'error')) authorities[name] = text;
  }
  faults.push(...cipherFaults(config));
  return { material: { certificates, authorities, ...readDirectories(config, reader) }, faults };
}

function readGatewayCertificates(config: Config, reader: MaterialReader, nowMs: number): Material['certificates'] {
  const certificates: Record<string, { certPem: string; keyPem: string }> = {};
  for (const [name, { certFile, certPem, keyFile, keyPem }] of Object.entries(config.certificates)) {
    const certAt = ['certificates', name, certFile === undefined ? 'certPem' : 'certFile'];
    const keyAt = ['certificates', name, keyFile === undefined ? 'keyPem' : 'keyFile'];
    const cert = certFile === undefined ? certPem : reader.read(certAt, certFile, 'pem');
    const key = keyFile === undefined ? keyPem : reader.read(keyAt, keyFile, 'pem');
    if (cert === undefined || key === undefined) continue;
    const { certificate, faults } = checkGatewayCertificate(
      { path: certAt, text: cert },
      { path: keyAt, text: key },
      nowMs,
    );
    reader.faults.push(...faults);
    if (certificate === undefined) continue;
    const why = contextRefusal({ cert: certificate.certPem, key: certificate.keyPem });
    if (why === undefined) certificates[name] = certificate;
    else reader.faults.push(fault(certAt, `the TLS library refuses the certificate: ${why}`));
  }
  return certificates;
}

function readDirectories(config: Config, reader: MaterialReader): Pick<Material, 'bindPasswords' | 'ldif'> {
  const bindPasswords: Record<string, string> = {};
  const ldif: Record<string, string> = {};
  for (const [name, server] of Object.entries(config.ldap.servers)) {
    const at = ['ldap', 'servers', name];
    if (server.ldif !== undefined) {
      const text = reader.read([...at, 'ldif'], server.ldif, 'ldif');
      if (text !== undefined) ldif[name] = text;
    }
    const { password, passwordFile } = server.bind ?? {};
    const secret =
      password ??
      (passwordFile === undefined ? undefined : readPassword([...at, 'bind', 'passwordFile'], passwordFile, reader));
    if (secret !== undefined) bindPasswords[name] = secret;
  }
  return { bindPasswords, ldif };
}

function readPassword(at: Path, file: string, reader: MaterialReader): string | undefined {
  const text = reader.read(at, file, 'password')?.replace(/\r?\n$/, '');
  // A bind without a password succeeds anonymously (RFC 4513 §5.1.2), which would look like a good one.
  if (text === '') reader.faults.push(fault(at, `${file} is empty; a password is needed`));
  return text === '' ? undefined : text;
}

function cipherFaults({ ssl }: Config): Fault[] {
  if (ssl.ciphers === undefined) return [];
  const why = contextRefusal({ ciphers: ssl.ciphers });
  return why === undefined ? [] : [fault(['ssl', 'ciphers'], `not a cipher list that the TLS library knows: ${why}`)];
}

/** Why no TLS context can be built of this, in the library's words without its numbers. */
function contextRefusal(options: Parameters<typeof createSecureContext>[0]): string | undefined {
  try {
    createSecureContext(options);
    return undefined;
  } catch (error) {
    const message = whyOf(error);
    return message.replace(/^error:[0-9A-F]+:[^:]*:[^:]*:/, '');
  }
}

class MaterialReader {
  readonly faults: Fault[];
  readonly #baseDir: string | undefined;

  constructor(baseDir: string | undefined, faults: Fault[]) {
    this.#baseDir = baseDir;
    this.faults = faults;
  }

  read(at: Path, file: string, kind: keyof typeof MAX_BYTES): string | undefined {
    // PEM files carry remarks in any encoding between their ASCII blocks.
    const encoding = kind === 'pem' || kind === 'authorities' ? 'latin1' : 'utf-8';
    if (this.#baseDir === undefined && !path.isAbsolute(file)) return undefined;
    const read = readTextFile(path.resolve(this.#baseDir ?? '/', file), MAX_BYTES[kind], encoding);
    if (read.ok) return read.text;
    this.faults.push(fault(at, `cannot read ${file}: ${read.why}`));
    return undefined;
  }
}

export type TextFile = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly why: string };

/** A regular file of at most `maxBytes`; a pipe could wait for ever. */
export function readTextFile(file: string, maxBytes: number, encoding: 'utf-8' | 'latin1' = 'utf-8'): TextFile {
  let handle: number | undefined;
  try {
    handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK); // opening a pipe would wait for its writer
    const facts = fstatSync(handle);
    if (facts.isDirectory()) return { ok: false, why: 'it is a directory' };
    if (!facts.isFile()) return { ok: false, why: 'it is not a regular file' };
    if (facts.size > maxBytes) return { ok: false, why: `it is larger than ${maxBytes} bytes` };
    const bytes = readFileSync(handle);
    return { ok: true, text: new TextDecoder(encoding, { fatal: true }).decode(bytes) };
  } catch (error) {
    return { ok: false, why: systemError(error) };
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

const ERROR_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many open files',
  ENXIO: 'it is not a regular file',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
  ERR_INVALID_ARG_VALUE: 'the path contains a character that is not allowed',
};

function systemError(error: unknown): string {
  const code = codeOf(error) ?? 'unknown error';
  return ERROR_WORDS[code] ?? code;
}
