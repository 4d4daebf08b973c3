/**
 * `sallyport cert`: certificates of clients, authorities and the gateway at the command line. Here are the commands that
 * look: show, match, chain; the others load what they need. 0 success or yes, 1 no or a fault, 2 wrong usage.
 * AsyncOS: certconfig. Effects: reads files.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Certificate } from '../tls/certificate.ts';
import { describeCertificate, keyWords } from '../tls/certificate-description.ts';
import { diagnoseChain } from '../tls/chain-order.ts';
import { buildTrustStore } from '../tls/trust-store.ts';
import { type Arguments, type ArgumentSpec, parseArguments, type Write } from './arguments.ts';
import { chainIsGood, pemOf, renderChain, refuse, renderFile, type ShownFile } from './cert.ts';
import { readCertificates } from './cert-files.io.ts';
import { type CertificateFile, keyBelongsTo, tokensOf } from './certificate-file.ts';

type Subcommand = {
  readonly usage: string;
  readonly spec: ArgumentSpec;
  /** How many arguments that are no options. */
  readonly files: number;
  readonly run: (parsed: Arguments, write: Write) => Promise<number>;
};

const MAKING = ['organization', 'unit', 'locality', 'state', 'country', 'key', 'key-type', 'out', 'names'];

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  show: { usage: 'show FILE [--json]', spec: { flags: ['json'] }, files: 1, run: show },
  match: { usage: 'match CERTIFICATE KEY', spec: {}, files: 2, run: match },
  chain: { usage: 'chain FILE [--ca FILE]', spec: { options: ['ca'] }, files: 1, run: chain },
  verify: {
    usage: 'verify FILE --profile NAME [--data DIR [--candidate] | --config FILE [--data DIR]] [--json]',
    spec: { options: ['profile', 'config', 'data'], flags: ['candidate', 'json'] },
    files: 1,
    run: async (parsed, write) => (await import('./cert-verify.io.ts')).verify(parsed, write),
  },
  request: {
    usage: `request --names NAME[,NAME...] --out PREFIX [--key FILE | --key-type TYPE]
           [--organization TEXT] [--unit TEXT] [--locality TEXT] [--state TEXT] [--country CC]`,
    spec: { options: MAKING },
    files: 0,
    run: async (parsed, write) => (await import('./cert-make.io.ts')).request(parsed, write),
  },
  'self-signed': {
    usage: 'self-signed --names NAME[,NAME...] --out PREFIX [--days N] [the options of request]',
    spec: { options: [...MAKING, 'days'] },
    files: 0,
    run: async (parsed, write) => (await import('./cert-make.io.ts')).selfSigned(parsed, write),
  },
  import: {
    usage: 'import FILE --out PREFIX',
    spec: { options: ['out'] },
    files: 1,
    run: async (parsed, write) => (await import('./cert-import.io.ts')).importFile(parsed, write),
  },
};

export const CERT_USAGE = `usage: sallyport cert ${Object.values(SUBCOMMANDS)
  .map(({ usage }) => usage)
  .join('\n       sallyport cert ')}\n`;

export async function cert(args: readonly string[], write: Write): Promise<number> {
  const [name = '', ...rest] = args;
  const subcommand = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined;
  if (subcommand === undefined) {
    write(name === '' ? CERT_USAGE : `${CERT_USAGE}there is no command cert ${name}\n`);
    return 2;
  }
  const parsed = parseArguments(rest, subcommand.spec);
  const why = typeof parsed === 'string' ? parsed : filesFault(parsed.rest.length, subcommand.files);
  if (typeof parsed === 'string' || why !== undefined) {
    write(`usage: sallyport cert ${subcommand.usage}\n${why}\n`);
    return 2;
  }
  return await subcommand.run(parsed, write);
}

function filesFault(given: number, wanted: number): string | undefined {
  if (given === wanted) return undefined;
  return wanted === 0 ? 'no file is expected' : `${wanted === 1 ? 'one file is' : `${wanted} files are`} expected`;
}

/** The file's content, or undefined after saying what is wrong with it. */
async function open(file: string, write: Write): Promise<Extract<CertificateFile, { ok: true }> | undefined> {
  const read = await readCertificates(file);
  if (read.ok) return read;
  write(`sallyport: ${file}: ${read.why}\n`);
  return undefined;
}

async function show({ rest: [file = ''], flags }: Arguments, write: Write): Promise<number> {
  const read = await open(file, write);
  if (read === undefined) return 1;
  const nowMs = Date.now();
  const { certificates, keys, remarks, format } = read;
  const shown: ShownFile = {
    file,
    format,
    certificates: certificates.map((certificate) => ({
      fields: describeCertificate(certificate, nowMs),
      tokens: tokensOf(certificate),
    })),
    keys: keys.map((key) => keyLine(key, certificates)),
    remarks,
  };
  write(flags.has('json') ? `${JSON.stringify(shown, null, 2)}\n` : renderFile(shown));
  return remarks.length === 0 && certificates.length + keys.length > 0 ? 0 : 1;
}

function keyLine(key: KeyObject, certificates: readonly Certificate[]): string {
  const place = certificates.findIndex((certificate) => keyBelongsTo(key, certificate));
  return `${keyWords(createPublicKey(key).export({ type: 'spki', format: 'der' }))}, ${place < 0 ? 'belongs to no certificate of the file' : `belongs to certificate ${place + 1}`}`;
}

async function match({ rest: [certificateFile = '', keyFile = ''] }: Arguments, write: Write): Promise<number> {
  const certificate = await open(certificateFile, write);
  if (certificate === undefined) return 1;
  const [first] = certificate.certificates;
  if (first === undefined) {
    return refuse(`${certificateFile}: the file holds no certificate`, write);
  }
  const read = keyFile === certificateFile ? certificate : await open(keyFile, write);
  if (read === undefined) return 1;
  const [key] = read.keys;
  if (key === undefined) {
    return refuse(`${keyFile}: the file holds no private key`, write);
  }
  const place = certificate.certificates.findIndex((each) => keyBelongsTo(key, each));
  if (place === 0) {
    write(`match: the key belongs to the certificate of ${first.subject.rfc4514}\n`);
    return 0;
  }
  const hint =
    place < 0 ? '' : ` (it belongs to certificate ${place + 1} of the file, and the first must be the key's own)`;
  write(`no match: the key does not belong to the certificate of ${first.subject.rfc4514}${hint}\n`);
  return 1;
}

async function chain({ rest: [file = ''], options }: Arguments, write: Write): Promise<number> {
  const read = await open(file, write);
  if (read === undefined) return 1;
  const { certificates, remarks } = read;
  for (const remark of remarks) write(`warning: ${remark}\n`);
  if (certificates.length === 0) {
    return refuse(`${file}: the file holds no certificate`, write);
  }
  const { ca } = options;
  const authorities = ca === undefined ? undefined : await open(ca, write);
  if (ca !== undefined && authorities === undefined) return 1;
  const anchors = authorities && buildTrustStore(authorities.certificates.map(({ der }) => pemOf(der)));
  if (anchors !== undefined && anchors.anchors.length === 0) {
    return refuse(`${ca}: the file holds no self-signed certificate of an authority`, write);
  }
  const diagnosis = diagnoseChain(certificates, Date.now(), anchors);
  write(renderChain(file, certificates, diagnosis));
  return chainIsGood(diagnosis) && remarks.length === 0 ? 0 : 1;
}
