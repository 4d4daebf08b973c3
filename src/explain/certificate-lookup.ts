/**
 * The certificate of a file and whose it is, as `ldaptest --certificate` asks. Here, because it joins two stages (tls,
 * identity) for the command line, which knows neither. Pure but for the directory query that is handed in.
 */
import type { Answer } from '../core/verdict.ts';
import { certificateOwner, type CertificateOwner, type OwnerQuestion } from '../identity/certificate-owner.ts';
import { parseCertificate } from '../tls/certificate.ts';
import { DerError } from '../tls/der.ts';
import { decodePem } from '../tls/pem.ts';
import { CERTIFICATE_LABEL } from '../tls/trust-store.ts';

export type CertificateLookup =
  | { readonly ok: true; readonly owner: (question: OwnerQuestion, nowMs: number) => Promise<Answer<CertificateOwner>> }
  | { readonly ok: false; readonly why: string };

/** The first certificate of a PEM file, or the one of a DER file. */
export function certificateLookup(file: Uint8Array): CertificateLookup {
  const found = certificatesOf(file);
  if (typeof found === 'string') return { ok: false, why: found };
  try {
    const certificate = parseCertificate(found[0] as Uint8Array);
    return { ok: true, owner: (question, nowMs) => certificateOwner(question)(certificate, nowMs) };
  } catch (error) {
    if (error instanceof DerError) return { ok: false, why: malformed(error) };
    throw error;
  }
}

/** Every certificate of a PEM file, or the one of a DER file, as DER; what is wrong with the file in words. */
export function certificatesOf(file: Uint8Array): Uint8Array[] | string {
  try {
    const found = file[0] === 0x30 ? [file] : decodePem(file, CERTIFICATE_LABEL);
    return found.length === 0 ? 'the file holds no certificate' : found;
  } catch (error) {
    if (error instanceof DerError) return malformed(error);
    throw error;
  }
}

const malformed = ({ message }: DerError): string => `the certificate is malformed: ${message}`;
