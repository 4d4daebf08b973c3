/**
 * What the `cert` commands print of certificates and chains. Text that comes from a certificate is shown printable. Pure.
 */
import type { Certificate } from '../tls/certificate.ts';
import type { Field } from '../tls/certificate-description.ts';
import type { ChainDiagnosis } from '../tls/chain-order.ts';
import { printable } from '../core/reply.ts';
import type { Write } from './arguments.ts';

export type ShownCertificate = {
  readonly fields: readonly Field[];
  readonly tokens: readonly (readonly [token: string, values: readonly string[]])[];
};

export type ShownFile = {
  readonly file: string;
  readonly format: string;
  readonly certificates: readonly ShownCertificate[];
  /** In words: of what kind, and to which certificate of the file it belongs. */
  readonly keys: readonly string[];
  readonly remarks: readonly string[];
};

const WIDTH = 24;

/** Every line ends with a newline. */
export function renderFile({ file, format, certificates, keys, remarks }: ShownFile): string {
  const count = certificates.length;
  const counted = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
  const head = `${file}: ${format}, ${counted(count, 'certificate')}, ${counted(keys.length, 'private key')}`;
  return [
    head,
    ...remarks.map((remark) => `warning: ${remark}`),
    ...keys.map((key) => `private key: ${key}`),
    ...certificates.flatMap((certificate, i) => ['', `certificate ${i + 1} of ${count}`, ...linesOf(certificate)]),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

function linesOf({ fields, tokens }: ShownCertificate): string[] {
  return [
    ...fields.flatMap(({ name, values }) => listed(name, values)),
    '  as tokens of an LDAP filter',
    ...tokens.flatMap(([token, values]) => listed(`  {${token}}`, values)),
  ];
}

/** One value a line, the name before the first. */
const listed = (name: string, values: readonly string[]): string[] =>
  values.map((value, i) => `  ${(i === 0 ? name : '').padEnd(WIDTH)}${value}`);

export function renderChain(file: string, certificates: readonly Certificate[], diagnosis: ChainDiagnosis): string {
  const { order, findings } = diagnosis;
  const lines = [
    `${file}: the chain has ${order.length} of ${certificates.length} certificates`,
    ...order.map((place, i) => {
      const { subject, issuer } = certificates[place - 1] as Certificate;
      const from = subject.key === issuer.key ? 'self-issued' : `issued by ${issuer.rfc4514}`;
      return `  ${i + 1}. certificate ${place}: ${subject.rfc4514}, ${from}`;
    }),
    ...findings.map(({ severity, words }) => (severity === 'fault' ? words : `note: ${words}`)),
    chainIsGood(diagnosis) ? 'The chain is complete and in order.' : 'The chain needs repair.',
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

export const chainIsGood = ({ findings }: ChainDiagnosis): boolean =>
  findings.every(({ severity }) => severity !== 'fault');

/** What to write into the configuration for files that were made. The name of the section is the last step of `out`. */
export function configurationOf(out: string, key: string | undefined): string {
  const name = (out.split('/').at(-1) ?? out).replace(/[^\w.-]/g, '-');
  const files = `certFile: ${JSON.stringify(`${out}.pem`)}, keyFile: ${JSON.stringify(key ?? `${out}.key`)}`;
  return `For the configuration:\n  certificates:\n    ${name}: { ${files} }\n`;
}

/** Says what is wrong; the exit code of a fault that was explained. */
export function refuse(why: string, write: Write): 1 {
  write(`sallyport: ${printable(why)}\n`);
  return 1;
}

/** RFC 7468 §3: lines of 64 characters. */
export function pemOf(der: Uint8Array): string {
  const base64 = Buffer.from(der).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
}
