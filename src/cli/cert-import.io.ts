/**
 * `sallyport cert import`: takes over a certificate with its key, from PKCS#12 or PEM in any order, for `certificates`
 * of the configuration: the key's certificate first, its intermediates behind it, no root. No file is overwritten.
 * Effects: files.
 */
import type { KeyObject } from 'node:crypto';
import type { Certificate } from '../tls/certificate.ts';
import { diagnoseChain } from '../tls/chain-order.ts';
import type { Arguments, Write } from './arguments.ts';
import { configurationOf, pemOf, refuse } from './cert.ts';
import { readCertificates, writeNew } from './cert-files.io.ts';
import { keyBelongsTo } from './certificate-file.ts';

export async function importFile({ rest: [file = ''], options }: Arguments, write: Write): Promise<number> {
  const { out } = options;
  if (out === undefined) return refuse('--out is needed: the new files begin with it', write);
  const read = await readCertificates(file);
  if (!read.ok) return refuse(`${file}: ${read.why}`, write);
  for (const remark of read.remarks) write(`warning: ${remark}\n`);
  const taken = ownWithChain(read.certificates, read.keys);
  if (typeof taken === 'string') return refuse(`${file}: ${taken}`, write);
  const { own, keyPem, chain, warnings } = taken;
  const why = writeNew([
    { file: `${out}.key`, content: keyPem, secret: true },
    { file: `${out}.pem`, content: chain.map(({ der }) => pemOf(der)).join('') },
  ]);
  if (why !== undefined) return refuse(why, write);
  write(`${out}.key: the private key, not encrypted\n`);
  write(
    `${out}.pem: ${chain.length === 1 ? 'the certificate' : `the certificate and ${chain.length - 1} of its authorities`} of ${own.subject.rfc4514}\n`,
  );
  for (const words of warnings) write(`warning: ${words}\n`);
  write(configurationOf(out, undefined));
  return 0;
}

export type Taken = {
  readonly own: Certificate;
  /** PKCS #8, not encrypted. */
  readonly keyPem: string;
  /** The certificate, then its intermediates; no root. */
  readonly chain: readonly Certificate[];
  readonly warnings: readonly string[];
};

/** A certificate with its key and its authorities in their order, whatever the order they came in; or why not. */
export function ownWithChain(certificates: readonly Certificate[], keys: readonly KeyObject[]): Taken | string {
  const chosen = chooseOwn(certificates, keys);
  if (typeof chosen === 'string') return chosen;
  const { own, key } = chosen;
  return { ...inOrder(own, certificates), own, keyPem: key.export({ type: 'pkcs8', format: 'pem' }) as string };
}

export function inOrder(own: Certificate, certificates: readonly Certificate[]): Pick<Taken, 'chain' | 'warnings'> {
  const sorted = [own, ...certificates.filter((each) => each !== own)];
  const { order, findings } = diagnoseChain(sorted, Date.now());
  const chain = order.map((place) => sorted[place - 1] as Certificate);
  return {
    chain: chain.filter((each, i) => i === 0 || each.subject.key !== each.issuer.key),
    warnings: findings
      .filter(
        ({ severity, words }) => severity === 'fault' && !/^(out of order|certificate \d+ .*not part)/.test(words),
      )
      .map(({ words }) => words),
  };
}

function chooseOwn(
  certificates: readonly Certificate[],
  keys: readonly KeyObject[],
): { readonly own: Certificate; readonly key: KeyObject } | string {
  if (certificates.length === 0) return 'the file holds no certificate';
  if (keys.length === 0) return 'the file holds no private key';
  for (const key of keys) {
    const own = certificates.find((certificate) => keyBelongsTo(key, certificate));
    if (own !== undefined) return { own, key };
  }
  return 'the private key belongs to none of the certificates';
}
