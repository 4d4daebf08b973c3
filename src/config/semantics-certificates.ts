/** TLS versions and revocation lists: contradictions, and lists that nobody reads. AsyncOS: sslconfig, CRL Sources. Pure. */
import { type Fault, fault, warning } from '../core/fault.ts';
import type { Config } from './schema.ts';

export function sslFaults({ ssl }: Config): Fault[] {
  if (ssl.minVersion <= ssl.maxVersion) return [];
  return [fault(['ssl', 'minVersion'], `must not be newer than maxVersion, which is ${ssl.maxVersion}`)];
}

export function crlFaults({ crl, smtpAuthProfiles }: Config): Fault[] {
  const sources = Object.entries(crl.sources);
  const fetching = Object.entries(smtpAuthProfiles).filter(
    ([, profile]) => profile.type === 'certificate' && profile.crlDistributionPoints !== undefined,
  );
  const enabled = sources.filter(([, source]) => source.enabled);
  const found: Fault[] = [];
  const checked = crl.checkInbound || crl.checkOutbound || crl.checkWebInterface;
  for (const [name] of crl.checkInbound ? [] : fetching) {
    const at = ['smtpAuthProfiles', name, 'crlDistributionPoints'];
    found.push(warning(at, 'nothing uses these lists: crl.checkInbound is off'));
  }
  if (checked && enabled.length === 0 && fetching.length === 0) {
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
    if (source.secondaryUrl !== undefined && source.secondaryUrl === source.primaryUrl) {
      found.push(warning(['crl', 'sources', name, 'secondaryUrl'], 'the same as primaryUrl'));
    }
  }
  return found;
}
