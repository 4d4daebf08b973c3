/**
 * A client certificate file as the tokens of a certificate query: what `ldaptest --certificate` asks with. Here, because
 * it joins two stages (tls, identity) for the command line, which knows neither. Pure.
 */
import { certificateToken } from './identity/certificate-fields.ts';
import { parseCertificate } from './tls/certificate.ts';
import { DerError } from './tls/der.ts';
import { decodePem } from './tls/pem.ts';

export type CertificateLookup =
  | { readonly ok: true; readonly lookup: (token: string) => readonly string[] | undefined; readonly subject: string }
  | { readonly ok: false; readonly why: string };

/** The first certificate of a PEM file, or the one of a DER file. */
export function certificateLookup(file: Uint8Array): CertificateLookup {
  try {
    const [der] = file[0] === 0x30 ? [file] : decodePem(file, 'CERTIFICATE');
    if (der === undefined) return { ok: false, why: 'the file holds no certificate' };
    const certificate = parseCertificate(der);
    return { ok: true, lookup: (token) => certificateToken(certificate, token), subject: certificate.subject.rfc4514 };
  } catch (error) {
    if (error instanceof DerError) return { ok: false, why: `the certificate is malformed: ${error.message}` };
    throw error;
  }
}

/** Every certificate of a PEM file, or the one of a DER file, as DER; what is wrong with the file in words. */
export function certificatesOf(file: Uint8Array): Uint8Array[] | string {
  try {
    const found = file[0] === 0x30 ? [file] : decodePem(file, 'CERTIFICATE');
    return found.length === 0 ? 'the file holds no certificate' : found;
  } catch (error) {
    if (error instanceof DerError) return `the certificate is malformed: ${error.message}`;
    throw error;
  }
}
