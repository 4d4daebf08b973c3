/**
 * Which changes of the configuration decide who may sign in: those of `admin`, of the authorities that it trusts, and of
 * the switch that checks their certificates for revocation. An operator who could commit them could make himself an
 * administrator: with an authority of his own that names an administrator's certificate. Pure.
 */
import type { Change, Path } from '../config/configuration-store.ts';
import { isMapping, type Json } from '../config/document.ts';
import type { Config } from '../config/schema.ts';

/** The path of the first such change. */
export function signInChange(changes: readonly Change[], { admin }: Pick<Config, 'admin'>): Path | undefined {
  const trusted = admin?.clientCertificate?.trust ?? [];
  return changes.find((change) => decidesWhoSignsIn(change, trusted))?.path;
}

function decidesWhoSignsIn({ path: [section, name], before, after }: Change, trusted: readonly string[]): boolean {
  // A path that ends above such a place changes all that is under it.
  if (section === undefined || section === 'admin') return true;
  if (section === 'crl') return name === undefined ? checked(before) !== checked(after) : name === 'checkWebInterface';
  if (section !== 'certificateAuthorities') return false;
  return name === undefined ? trusted.length > 0 : trusted.includes(String(name));
}

/** Of the section `crl` as a whole. */
const checked = (crl: Json | undefined): boolean => isMapping(crl) && crl['checkWebInterface'] === true;
