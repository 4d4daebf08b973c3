/**
 * Client certificates that were read a while ago, so that a client that comes again is not read again; what hangs on
 * the object, such as the signatures that were verified, is found with it. Octets say the same at any time: nothing
 * that is kept here can become untrue, and no verdict is kept.
 * Pure: memory only, bounded.
 */
import { type Certificate, readCertificate } from './certificate.ts';

/** Undefined: malformed. */
export type CertificateReader = (der: Uint8Array) => Certificate | undefined;

/** Anybody may show certificates of any length: together they are no more than so many honest ones. */
const OCTETS_PER_ENTRY = 2048;

/** Keeps the latest `maxEntries` certificates, fewer if they are long; about 8 KB each. */
export function createCertificateReader(maxEntries: number): CertificateReader {
  const known = new Map<string, Certificate>();
  let total = 0;
  return (der) => {
    const octets = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('latin1');
    const certificate = known.get(octets) ?? readCertificate(der);
    if (certificate === undefined) return undefined;
    if (!known.delete(octets)) total += octets.length; // to the end: the one that nobody showed for longest goes first
    known.set(octets, certificate);
    for (const oldest of known.keys()) {
      if (known.size <= maxEntries && total <= maxEntries * OCTETS_PER_ENTRY) break;
      known.delete(oldest);
      total -= oldest.length;
    }
    return certificate;
  };
}
