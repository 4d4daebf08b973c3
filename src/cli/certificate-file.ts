/**
 * A file of certificates and keys as administrators have them: PEM, DER or PKCS#12, read for the commands of `cert`. What
 * the file is instead of a certificate is said in words. The PKCS#12 library is loaded when such a file comes.
 * RFC 7468, RFC 7292. Pure.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isCertificateLabel, pemBlocks } from '../config/pem.ts';
import { codeOf } from '../core/errors.ts';
import { certificateToken, CERTIFICATE_TOKENS } from '../identity/certificate-fields.ts';
import { type Certificate, parseCertificate } from '../tls/certificate.ts';
import { DerError } from '../tls/der.ts';
import { decodePem } from '../tls/pem.ts';

export type CertificateFile =
  | {
      readonly ok: true;
      readonly format: 'PEM' | 'DER' | 'PKCS#12';
      readonly certificates: readonly Certificate[];
      /** Blocks that cannot be read, and other things an administrator should know. */
      readonly remarks: readonly string[];
      readonly keys: readonly KeyObject[];
    }
  | { readonly ok: false; readonly why: string };

/** Asked at most once, and only where something in the file is encrypted. */
export type AskPassword = () => Promise<string>;

const MAX_CERTIFICATES = 1000;

export async function readCertificateFile(file: Uint8Array, askPassword: AskPassword): Promise<CertificateFile> {
  if (file.length === 0) return { ok: false, why: 'the file is empty' };
  if (file[0] === 0x30) {
    const { looksLikePkcs12, readPkcs12 } = await import('../tls/pkcs12.ts');
    if (!looksLikePkcs12(file)) return readDerFile(file);
    const read = readPkcs12(file, await askPassword());
    if (!read.ok) return { ok: false, why: `PKCS#12: ${read.why}` };
    const { certificates, remarks } = parseAll(read.certificates);
    return { ok: true, format: 'PKCS#12', certificates, remarks, keys: read.keys };
  }
  return readPemFile(file, askPassword);
}

function readDerFile(file: Uint8Array): CertificateFile {
  const { certificates, remarks } = parseAll([file]);
  const [remark] = remarks;
  if (certificates.length > 0) return { ok: true, format: 'DER', certificates, remarks: [], keys: [] };
  const key = keyOf({ key: Buffer.from(file), format: 'der', type: 'pkcs8' });
  if (typeof key !== 'string') return { ok: true, format: 'DER', certificates: [], remarks: [], keys: [key] };
  return { ok: false, why: `neither a certificate, a private key nor PKCS#12 in DER (${remark})` };
}

async function readPemFile(file: Uint8Array, askPassword: AskPassword): Promise<CertificateFile> {
  const { blocks, cut } = pemBlocks(Buffer.from(file).toString('latin1'));
  if (blocks.length === 0) {
    return { ok: false, why: cut ? 'it is cut off: a PEM block has no end' : 'neither PEM, DER nor PKCS#12' };
  }
  const { certificates, remarks } = parseAll(
    blocks.filter(({ label }) => isCertificateLabel(label)).map(({ pem }) => derOfBlock(pem)),
  );
  const found = [...remarks, ...(cut ? ['a PEM block at the end is cut off'] : [])];
  const keys: KeyObject[] = [];
  let password: string | undefined;
  for (const { label, pem } of blocks) {
    if (isCertificateLabel(label)) continue;
    if (!label.endsWith('PRIVATE KEY')) {
      found.push(`"${label.slice(0, 40)}" is passed over${ELSEWHERE[label] ?? ''}`);
      continue;
    }
    if (isEncrypted(label, pem)) password ??= await askPassword();
    const key = keyOf({ key: pem, format: 'pem', ...(password === undefined ? {} : { passphrase: password }) });
    if (typeof key === 'string') return { ok: false, why: key };
    keys.push(key);
  }
  return { ok: true, format: 'PEM', certificates, remarks: found, keys };
}

const ELSEWHERE: Readonly<Record<string, string>> = {
  PKCS7: ': turn it into certificates with openssl pkcs7 -print_certs',
  'X509 CRL': ': a revocation list belongs into crl.sources',
};

const isEncrypted = (label: string, pem: string): boolean =>
  label.startsWith('ENCRYPTED') || /^Proc-Type:.*ENCRYPTED/m.test(pem);

/** Undecodable blocks stay what they are: no certificate. */
function derOfBlock(pem: string): Uint8Array | string {
  try {
    return decodePem(pem, /./)[0] ?? 'PEM: empty';
  } catch (error) {
    if (error instanceof DerError) return error.message;
    throw error;
  }
}

function parseAll(encodings: readonly (Uint8Array | string)[]): { certificates: Certificate[]; remarks: string[] } {
  const certificates: Certificate[] = [];
  const remarks: string[] = [];
  for (const [i, encoding] of encodings.slice(0, MAX_CERTIFICATES).entries()) {
    try {
      if (typeof encoding === 'string') throw new DerError(encoding);
      certificates.push(parseCertificate(encoding));
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
      remarks.push(`certificate ${i + 1} of the file cannot be read: ${error.message}`);
    }
  }
  if (encodings.length > MAX_CERTIFICATES) remarks.push(`only the first ${MAX_CERTIFICATES} certificates are read`);
  return { certificates, remarks };
}

function keyOf(input: Parameters<typeof createPrivateKey>[0]): KeyObject | string {
  try {
    return createPrivateKey(input);
  } catch (error) {
    const code = codeOf(error);
    return code === 'ERR_OSSL_BAD_DECRYPT' || code === 'ERR_MISSING_PASSPHRASE'
      ? 'the password of the private key is wrong'
      : 'the private key cannot be read: it is damaged or of an unknown kind';
  }
}

/** A comparison of public keys: that a certificate names a key says nothing about who may use it. */
export function keyBelongsTo(key: KeyObject, { der }: Certificate): boolean {
  try {
    return new X509Certificate(der).checkPrivateKey(key);
  } catch {
    return false; // a public key that the platform cannot read belongs to no key that it could read
  }
}

/** What each token of an LDAP filter becomes for this certificate; tokens without a value are left out. */
export const tokensOf = (certificate: Certificate): readonly (readonly [token: string, values: readonly string[]])[] =>
  CERTIFICATE_TOKENS.flatMap((token) => {
    const values = certificateToken(certificate, token);
    return values === undefined ? [] : [[token, values] as const];
  });
