/**
 * Which places of a configuration hold secrets, paths of files, and names of other objects. The schema marks them
 * (`secret`, `file`, `refersTo`); this is the same as plain data, because the control thread of a running gateway masks
 * and renames without loading the schema. A test compares the two. Pure.
 */
import { isList, isMapping, type Json, type Path } from './document.ts';

/** Keys from the root; `*` is any name or index. */
export type Place = readonly string[];

const place = (text: string): Place => text.split('.');

export const SECRET_PLACES: readonly Place[] = [place('certificates.*.keyPem'), place('ldap.servers.*.bind.password')];

export const FILE_PLACES: readonly Place[] = [
  place('certificates.*.certFile'),
  place('certificates.*.keyFile'),
  place('certificateAuthorities.*.file'),
  place('ldap.servers.*.ldif'),
  place('ldap.servers.*.bind.passwordFile'),
];

/** A place that holds a name, and the section that defines the names. */
export const REFERENCE_PLACES: readonly (readonly [place: Place, section: Place])[] = [
  [place('ldap.servers.*.ca'), place('certificateAuthorities')],
  [place('ldap.queries.*.server'), place('ldap.servers')],
  [place('smtpAuthProfiles.*.query'), place('ldap.queries')],
  [place('smtpAuthProfiles.*.trust.*'), place('certificateAuthorities')],
  [place('smtpAuthProfiles.*.allowSmtpAuth'), place('smtpAuthProfiles')],
  [place('listeners.*.certificate'), place('certificates')],
  [place('admin.certificate'), place('certificates')],
  [place('admin.clientCertificate.trust.*'), place('certificateAuthorities')],
  [place('listeners.*.smtpAuthProfile'), place('smtpAuthProfiles')],
  [place('listeners.*.smtpAuthProfile.*'), place('smtpAuthProfiles')],
  [place('listeners.*.hat.*.policy'), place('mailFlowPolicies')],
];

export const isAt = (path: Path, at: Place): boolean =>
  path.length === at.length && at.every((step, i) => step === '*' || step === String(path[i]));

export const isSecret = (path: Path): boolean => SECRET_PLACES.some((at) => isAt(path, at));

/** The document with what stands at these places changed; what is not there stays away. `above` is the document's own path. */
export function mapPlaces(
  document: Json,
  places: readonly Place[],
  change: (value: Json, path: Path) => Json,
  above: Path = [],
): Json {
  const depth = above.length;
  const wanted = places.filter((at) => at.length >= depth && isAt(above, at.slice(0, depth)));
  if (wanted.length === 0) return document;
  // A name may stand where a list of names may stand too.
  const isWhole = !isList(document) || wanted.every((at) => at.length === depth);
  if (isWhole && wanted.some((at) => at.length === depth)) return change(document, above);
  if (isList(document)) return document.map((item, i) => mapPlaces(item, wanted, change, [...above, i]));
  if (!isMapping(document)) return document;
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) => [key, mapPlaces(value, wanted, change, [...above, key])]),
  );
}
