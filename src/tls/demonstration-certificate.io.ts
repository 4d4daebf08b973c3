/**
 * The demonstration certificate: what a listener without a certificate of its own presents. It is made on first use,
 * kept in the data folder, and warned about at every start: nobody can tell it from an attacker's.
 * AsyncOS term: demonstration certificate. Effects: files in the data folder; key generation.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { DAY_MS } from '../core/duration.ts';

/** The name under which a revision's material holds it; no configured certificate can be called so. */
export const DEMONSTRATION = '(demonstration)';

const YEAR_MS = 365 * DAY_MS;

/** PEM of certificate and key; made for this host name at the first call, later the ones that are kept. */
export async function demonstrationCertificate(
  dataDir: string,
  hostname: string,
): Promise<{ certPem: string; keyPem: string }> {
  const file = path.join(dataDir, 'demonstration-certificate.pem');
  const kept = readKept(file, hostname);
  if (kept !== undefined) return kept;
  // Only whoever makes one loads the libraries for it.
  const { certificatePem, issueCertificate, keyPem } = await import('./certificate-issuance.ts');
  const nowMs = Date.now();
  const issued = await issueCertificate({
    kind: 'server',
    hostname,
    commonName: 'Sallyport Demonstration Certificate',
    organization: 'not secure',
    serialHex: `01${randomBytes(15).toString('hex')}`,
    notBeforeMs: nowMs - 3_600_000,
    notAfterMs: nowMs + 10 * YEAR_MS,
  });
  const made = { certPem: certificatePem(issued), keyPem: await keyPem(issued) };
  fs.mkdirSync(dataDir, { recursive: true, mode: 0o750 });
  const temporary = `${file}.new`;
  fs.writeFileSync(temporary, `${hostname}\n${made.certPem}${made.keyPem}`, { mode: 0o600, flush: true });
  fs.renameSync(temporary, file);
  return made;
}

/** First line: the host name it was made for; a gateway that was renamed gets a new one. */
function readKept(file: string, hostname: string): { certPem: string; keyPem: string } | undefined {
  if (!fs.existsSync(file)) return undefined;
  const text = fs.readFileSync(file, 'utf8');
  const keyAt = text.indexOf('-----BEGIN PRIVATE KEY-----');
  const certAt = text.indexOf('-----BEGIN CERTIFICATE-----');
  if (!text.startsWith(`${hostname}\n`) || keyAt < certAt || certAt < 0) return undefined;
  return { certPem: text.slice(certAt, keyAt), keyPem: text.slice(keyAt) };
}
