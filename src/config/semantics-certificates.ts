/** TLS versions and revocation lists: contradictions, and lists that nobody reads. AsyncOS: sslconfig, CRL Sources. Pure. */
import { type Fault, fault, warning } from '../core/fault.ts';
import type { Config } from './schema.ts';

type Path = Fault['path'];

/** PEM text is in a file or written into the configuration. */
export function pemFaults({ certificates, certificateAuthorities }: Config): Fault[] {
  const exactlyOne = (path: Path, object: object, a: string, b: string): Fault[] => {
    const [first, second] = [a, b].filter((key) => Object.hasOwn(object, key));
    if (first === undefined) return [fault(path, `needs exactly one of ${a} and ${b}`)];
    if (second === undefined) return [];
    return [fault([...path, second], `${a} and ${b} exclude each other; exactly one is allowed`)];
  };
  return [
    ...Object.entries(certificates).flatMap(([name, certificate]) => [
      ...exactlyOne(['certificates', name], certificate, 'certFile', 'certPem'),
      ...exactlyOne(['certificates', name], certificate, 'keyFile', 'keyPem'),
    ]),
    ...Object.entries(certificateAuthorities).flatMap(([name, authority]) =>
      exactlyOne(['certificateAuthorities', name], authority, 'file', 'pem'),
    ),
  ];
}

export function sslFaults({ ssl }: Config): Fault[] {
  if (ssl.minVersion <= ssl.maxVersion) return [];
  return [fault(['ssl', 'minVersion'], `must not be newer than maxVersion, which is ${ssl.maxVersion}`)];
}

export function crlFaults({ crl, smtpAuthProfiles }: Config): Fault[] {
  const sources = Object.entries(crl.sources);
  const fetching = Object.entries(smtpAuthProfiles).filter(
    ([, profile]) => profile.type === 'certificate' && profile.crlDistributionPoints !== undefined,
  );
  // What else speaks about a certificate: then no source is not yet nobody.
  const asking = Object.values(smtpAuthProfiles).some(
    (profile) => profile.type === 'certificate' && profile.ocsp !== undefined && profile.ocsp.mode !== 'off',
  );
  const enabled = sources.filter(([, source]) => source.enabled);
  const found: Fault[] = [];
  const checked = crl.checkInbound || crl.checkOutbound || crl.checkWebInterface;
  for (const [name] of crl.checkInbound ? [] : fetching) {
    const at = ['smtpAuthProfiles', name, 'crlDistributionPoints'];
    found.push(warning(at, 'nothing uses these lists: crl.checkInbound is off'));
  }
  if (checked && enabled.length === 0 && fetching.length === 0 && !asking) {
    const [key = 'checkInbound'] = (['checkInbound', 'checkOutbound', 'checkWebInterface'] as const).filter(
      (k) => crl[k],
    );
    const effect =
      crl.whenNoSource === 'refuse'
        ? 'every certificate will be refused (whenNoSource: refuse)'
        : 'no certificate is checked (whenNoSource: accept)';
    found.push(warning(['crl', key], `there is no enabled source: ${effect}`));
  }
  if (!checked && enabled.length > 0) {
    found.push(
      warning(
        ['crl', 'sources'],
        'nothing uses these lists: checkInbound, checkOutbound and checkWebInterface are off',
      ),
    );
  }
  for (const [name, source] of sources) {
    for (const key of ['primaryUrl', 'secondaryUrl'] as const) {
      if (source.type === 'pem' && /^ldaps?:/.test(source[key] ?? ''))
        found.push(
          fault(['crl', 'sources', name, 'type'], `a list in a directory (${key}) is ASN.1: type must be asn1`),
        );
    }
    if (source.secondaryUrl !== undefined && source.secondaryUrl === source.primaryUrl) {
      found.push(warning(['crl', 'sources', name, 'secondaryUrl'], 'the same as primaryUrl'));
    }
  }
  return found;
}
