/**
 * What `check` says about the certificate authorities of client certificates: which certificates of a file the path
 * validation cannot read or will not believe, and profiles that no certificate can ever satisfy. Pure.
 */
import type { Config, Material } from '../config/schema.ts';
import { type Fault, warning } from '../core/fault.ts';
import { buildTrustStore, type TrustStore } from './trust-store.ts';

/** For `check`; most are warnings, for a file with one good anchor serves. */
export function faultsOfTrust(config: Config, material: Material): Fault[] {
  const stores = new Map(
    Object.entries(material.authorities).map(([name, text]): [string, TrustStore] => [name, buildTrustStore([text])]),
  );
  const found = [...stores].flatMap(([name, { problems, warnings }]) =>
    [...problems, ...warnings].map((words) => warning(['certificateAuthorities', name, 'file'], words)),
  );
  for (const [name, profile] of Object.entries(config.smtpAuthProfiles)) {
    if (profile.type !== 'certificate') continue;
    const trusted = profile.trust.flatMap((authority) => stores.get(authority) ?? []);
    // A file that could not be read is a fault of its own.
    if (trusted.length === 0 || trusted.some(({ anchors }) => anchors.length > 0)) continue;
    found.push(
      warning(
        ['smtpAuthProfiles', name, 'trust'],
        'no anchor counts, so that every certificate is refused: a self-signed one with a key that is strong enough is needed',
      ),
    );
  }
  return found;
}
