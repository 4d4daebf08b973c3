/**
 * Certificates and authorities of the configuration as objects of the command line: read from where they are, taken over
 * from files and from what was pasted. A private key goes into the configuration as a secret and is never shown.
 * Effects: files, standard input for passwords.
 */
import path from 'node:path';
import { isMapping, type Mapping, valueAt } from '../config/document.ts';
import { printable } from '../core/reply.ts';
import { describeCertificate } from '../tls/certificate-description.ts';
import type { Certificate } from '../tls/certificate.ts';
import { buildTrustStore } from '../tls/trust-store.ts';
import { inOrder, ownWithChain } from './cert-import.io.ts';
import { pemOf } from './cert.ts';
import { readCertificates } from './cert-files.io.ts';
import { type CertificateFile, readCertificateFile } from './certificate-file.ts';
import type { CertificateRow } from './certificate-table.ts';
import type { Editor } from './editor.io.ts';
import { shown } from './form.ts';
import { readPassword } from './password.io.ts';

export type Section = 'certificates' | 'certificateAuthorities';

export const NOUNS: Readonly<Record<Section, string>> = {
  certificates: 'certificate',
  certificateAuthorities: 'certificate authority',
};

/** The text and the file keys of an entry. */
const KEYS = {
  certificates: { text: 'certPem', file: 'certFile' },
  certificateAuthorities: { text: 'pem', file: 'file' },
} as const;

export async function entriesOf(editor: Editor, section: Section): Promise<Mapping> {
  const found = valueAt(await editor.document(), [section]);
  return isMapping(found) ? found : {};
}

/** What the entry holds, wherever it is. */
export async function readEntry(editor: Editor, section: Section, name: string): Promise<CertificateFile> {
  const entry = (await entriesOf(editor, section))[name];
  const { text, file } = KEYS[section];
  if (!isMapping(entry)) return { ok: false, why: `there is no ${NOUNS[section]} ${name}` };
  if (entry[text] !== undefined) return await readText(shown(entry[text]));
  const base = path.dirname(editor.session.status.file ?? '/');
  return await readCertificates(path.resolve(base, shown(entry[file] ?? '')));
}

export const readText = (text: string): Promise<CertificateFile> =>
  readCertificateFile(Buffer.from(text), readPassword);

/** One row for each entry; an authority's with its first anchor. */
export async function rowsOf(editor: Editor, section: Section): Promise<CertificateRow[]> {
  const rows: CertificateRow[] = [];
  for (const name of Object.keys(await entriesOf(editor, section))) {
    const read = await readEntry(editor, section, name);
    const [certificate] = read.ok ? read.certificates : [];
    rows.push({ name, certificate, ...(read.ok ? {} : { why: read.why }) });
  }
  return rows;
}

export function describedLines(certificates: readonly Certificate[]): string {
  return certificates
    .map((certificate, i) => {
      const fields = describeCertificate(certificate, Date.now()).map(
        ({ name, values }) => `  ${name}: ${values.join('; ')}`,
      );
      return [`certificate ${i + 1} of ${certificates.length}`, ...fields].map((row) => `${printable(row)}\n`).join('');
    })
    .join('');
}

export type Taken =
  | { readonly ok: true; readonly value: Mapping; readonly remarks: readonly string[] }
  | { readonly ok: false; readonly why: string };

/** A certificate with its key, as an entry of `certificates`. */
export function asCertificate(read: CertificateFile): Taken {
  if (!read.ok) return read;
  const taken = ownWithChain(read.certificates, read.keys);
  if (typeof taken === 'string') return { ok: false, why: taken };
  const { chain, keyPem, warnings } = taken;
  return {
    ok: true,
    value: { certPem: chain.map(({ der }) => pemOf(der)).join(''), keyPem },
    remarks: [...read.remarks, ...warnings],
  };
}

/** What a CA sent for the key that is there: its public key must be the one of the present certificate. */
export function renewed(read: CertificateFile, present: CertificateFile, entry: Mapping): Taken {
  if (!read.ok) return read;
  if (!present.ok) return present;
  const [former] = present.certificates;
  const own = read.certificates.find(({ spki }) => former !== undefined && Buffer.compare(spki, former.spki) === 0);
  if (own === undefined)
    return {
      ok: false,
      why: 'it is not for the private key that is here: none of the certificates has its public key',
    };
  const { chain, warnings } = inOrder(own, read.certificates);
  const { certFile: _, ...rest } = entry;
  return {
    ok: true,
    value: { ...rest, certPem: chain.map(({ der }) => pemOf(der)).join('') },
    remarks: [...read.remarks, ...warnings],
  };
}

/** An entry of `certificateAuthorities`; something in it must be an anchor. */
export function asAuthority(read: CertificateFile): Taken {
  if (!read.ok) return read;
  if (read.certificates.length === 0) return { ok: false, why: 'there is no certificate' };
  const pem = read.certificates.map(({ der }) => pemOf(der)).join('');
  const { anchors } = buildTrustStore([pem]);
  if (anchors.length === 0)
    return { ok: false, why: 'there is no self-signed certificate of an authority: an anchor is needed' };
  return { ok: true, value: { pem }, remarks: read.remarks };
}
