/**
 * `sallyport cert request`, `self-signed`: makes a key with a request for a CA, or with a certificate that signs itself, for
 * `certificates` of the configuration. Keys are written readable for their owner alone, and no file is overwritten.
 * Effects: key generation, files.
 */
import { inDays } from '../core/counted.ts';
import { randomBytes, type KeyObject } from 'node:crypto';
import { DAY_MS } from '../core/duration.ts';
import { isIp } from '../core/network.ts';
import {
  certificateRequest,
  KEY_TYPES,
  keyFault,
  newKey,
  selfSignedCertificate,
  type Wanted,
} from '../tls/certificate-request.ts';
import type { Arguments, Write } from './arguments.ts';
import { configurationOf, refuse } from './cert.ts';
import { MAX_DAYS, readDays } from './certificate-days.ts';
import { type NewFile, readCertificates, writeNew } from './cert-files.io.ts';

export async function request({ options }: Arguments, write: Write): Promise<number> {
  const asked = await prepare(options);
  if (typeof asked === 'string') return refuse(asked, write);
  const { wanted, key, keyFiles, out } = asked;
  const file = `${out}.csr`;
  const why = writeNew([...keyFiles, { file, content: await certificateRequest(wanted, key) }]);
  if (why !== undefined) return refuse(why, write);
  for (const made of keyFiles) write(`${made.file}: the private key\n`);
  write(`${file}: the request; give it to the CA, and put the certificate it sends before its intermediates\n`);
  return 0;
}

export async function selfSigned({ options }: Arguments, write: Write): Promise<number> {
  const read = readDays(options['days'] ?? '365');
  if (!read.ok) return refuse(`--days is a whole number from 1 to ${MAX_DAYS}`, write);
  const days = read.value;
  const asked = await prepare(options);
  if (typeof asked === 'string') return refuse(asked, write);
  const { wanted, key, keyFiles, out } = asked;
  const file = `${out}.pem`;
  const why = writeNew([...keyFiles, { file, content: await selfSignedFor(wanted, key, days) }]);
  if (why !== undefined) return refuse(why, write);
  for (const made of keyFiles) write(`${made.file}: the private key\n`);
  write(`${file}: the certificate, for ${inDays(days)}; clients trust it only where it is installed\n`);
  write(configurationOf(out, options['key']));
  return 0;
}

export async function selfSignedFor(wanted: Wanted, key: KeyObject, days: number): Promise<string> {
  const notBeforeMs = Date.now() - 3_600_000;
  return await selfSignedCertificate(wanted, key, {
    // Twenty octets at most and positive (RFC 5280 §4.1.2.2).
    serialHex: `01${randomBytes(15).toString('hex')}`,
    notBeforeMs,
    notAfterMs: notBeforeMs + days * DAY_MS,
  });
}

type Asked = {
  readonly wanted: Wanted;
  readonly key: KeyObject;
  /** Empty where the key was given. */
  readonly keyFiles: readonly NewFile[];
  readonly out: string;
};

async function prepare(options: Arguments['options']): Promise<Asked | string> {
  const { out, names = '', country } = options;
  if (out === undefined) return '--out is needed: the new files begin with it';
  const list = namesOf(names);
  if (typeof list === 'string') return `--names${list}`;
  if (country !== undefined && !/^[A-Z]{2}$/.test(country)) return '--country is two capital letters';
  const key = await keyFrom(options);
  if (typeof key === 'string') return key;
  const keyFiles = options['key'] === undefined ? [keyFile(out, key)] : [];
  const { organization, unit, locality, state } = options;
  return { wanted: { names: list, organization, unit, locality, state, country }, key, keyFiles, out };
}

/** Host names and addresses of a certificate, or why they will not do. */
export function namesOf(text: string): string[] | string {
  const list = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (list.length === 0) return ' is needed: host names and addresses, with commas between';
  const odd = list.find((name) => !isIp(name) && !HOST_NAME.test(name));
  return odd === undefined ? list : `: ${JSON.stringify(odd)} is neither a host name nor an address`;
}

const HOST_NAME = /^(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/;

const keyFile = (out: string, key: KeyObject): NewFile => ({
  file: `${out}.key`,
  content: key.export({ type: 'pkcs8', format: 'pem' }) as string,
  secret: true,
});

async function keyFrom({ key: file, 'key-type': type = 'p256' }: Arguments['options']): Promise<KeyObject | string> {
  if (file === undefined) {
    const known = KEY_TYPES.find((each) => each === type);
    return known === undefined ? `--key-type is one of ${KEY_TYPES.join(', ')}` : newKey(known);
  }
  const read = await readCertificates(file);
  if (!read.ok) return `${file}: ${read.why}`;
  const [key] = read.keys;
  if (key === undefined) return `${file}: the file holds no private key`;
  const why = keyFault(key);
  return why === undefined ? key : `${file}: ${why}`;
}
