/**
 * What of a running gateway runs out: its own certificates with their chains, the certificates of authorities, and the
 * revocation lists it holds. A certificate that a longer one for the same name and key has replaced is left out.
 * A revocation list has only the steps that its life is long enough for, or each new list of a CA that renews its list in
 * time would be told of on arrival; of the moment of its end `crl-age.ts` tells. Pure.
 */
import { X509Certificate } from 'node:crypto';
import { isCertificateLabel, pemBlocks } from '../config/pem.ts';
import type { Material } from '../config/schema.ts';
import { DAY_MS } from '../core/duration.ts';
import { DAYS_BEFORE, type Expiring } from './expiry-schedule.ts';
import type { CrlList } from './revocation.ts';

export type ExpiringThing = Expiring & {
  readonly of: 'certificate' | 'authority' | 'list';
  /** The name in the configuration: of the certificate, the authority, the source. */
  readonly name: string;
  /** Subject of a certificate, issuer of a list. */
  readonly subject: string;
};

/** The gateway's own certificates and every authority, with their last day. */
export function expiringCertificates({ certificates, authorities }: Material): ExpiringThing[] {
  const own = Object.entries(certificates).flatMap(([name, { certPem }]) => thingsOf('certificate', name, certPem));
  return [...own, ...Object.entries(authorities).flatMap(([name, pem]) => thingsOf('authority', name, pem))];
}

function thingsOf(of: 'certificate' | 'authority', name: string, pem: string): ExpiringThing[] {
  const { blocks } = pemBlocks(pem);
  const certificates = blocks.flatMap((block) => (isCertificateLabel(block.label) ? (read(block.pem) ?? []) : []));
  // Of those with the same subject and key the one that lasts longest.
  const lasting = new Map<string, X509Certificate>();
  for (const certificate of certificates) {
    const id = `${certificate.subject}|${publicKeyOf(certificate)}`;
    const former = lasting.get(id);
    if (former === undefined || endOf(certificate) > endOf(former)) lasting.set(id, certificate);
  }
  return [...lasting.values()].map((certificate) => ({
    key: `${of} ${name} ${certificate.fingerprint256}`,
    of,
    name,
    subject: nameOf(certificate),
    endMs: endOf(certificate),
    daysBefore: DAYS_BEFORE,
    firstDayAfter: 0,
  }));
}

/** Of all lists that are held; those without nextUpdate run out never. */
export function expiringLists(lists: readonly CrlList[]): ExpiringThing[] {
  return lists.flatMap(({ source, issuer, sha256, thisUpdateMs, nextUpdateMs }) => {
    if (nextUpdateMs === undefined) return [];
    const lifeDays = (nextUpdateMs - thisUpdateMs) / DAY_MS;
    return [
      {
        key: `list ${source} ${sha256}`,
        of: 'list' as const,
        name: source,
        subject: issuer,
        endMs: nextUpdateMs,
        daysBefore: DAYS_BEFORE.filter((days) => days < lifeDays),
        firstDayAfter: 1,
      },
    ];
  });
}

/** The platform's reader: a certificate that it serves must be told of, even where our own reader is stricter. */
function read(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined; // such a file does not get past `check`
  }
}

const endOf = (certificate: X509Certificate): number => certificate.validToDate.getTime();

/** Most specific RDN first, as logs have names. */
const nameOf = ({ subject }: X509Certificate): string => (subject ?? '').split('\n').reverse().join(',');

function publicKeyOf(certificate: X509Certificate): string {
  try {
    return certificate.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  } catch {
    return certificate.fingerprint256; // a key that cannot be read is like no other
  }
}
