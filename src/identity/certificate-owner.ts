/**
 * Whose certificate is it? A profile's static map is looked at first: a few services (a SPIFFE ID, a fingerprint, a
 * pinned key) need no directory. Then its query asks the directory. Both name the rule that found the user.
 * SPIFFE X509-SVID §2; RFC 7469 §2.4 (pins). Pure but for the directory query that is handed in.
 */
import type { CertificateProfileConfig, StaticMapConfig } from '../config/schema.ts';
import { type Answer, no, yes } from '../core/verdict.ts';
import type { AskOwner } from '../ldap/queries.io.ts';
import type { Certificate } from '../tls/certificate.ts';
import { certificateToken } from './certificate-fields.ts';

/** `by`: the entry of the static map, or the query and its mapping rules. */
export type CertificateOwner = { readonly user: string; readonly by: string };

export type OwnerQuestion = {
  readonly profile: string;
  readonly config: Pick<CertificateProfileConfig, 'query' | 'staticMap'>;
  /** The profile's query; undefined where it has none. */
  readonly ask: AskOwner | undefined;
  /** For `ldaptest`: what the static map said, where there is one. */
  readonly onStaticMap?: (answer: Answer<CertificateOwner>) => void;
};

export type AskCertificateOwner = (certificate: Certificate, nowMs: number) => Promise<Answer<CertificateOwner>>;

/** `no`: nobody's, or several people's; `unknown`: the directory cannot be asked. */
export function certificateOwner({ profile, config, ask, onStaticMap }: OwnerQuestion): AskCertificateOwner {
  const mapped = staticOwners(config.staticMap ?? [], `smtpAuthProfiles.${profile}.staticMap`);
  return async (certificate, nowMs) => {
    const known = mapped(certificate);
    if (config.staticMap !== undefined) onStaticMap?.(known ?? NOT_MAPPED);
    if (known !== undefined) return known;
    if (ask === undefined) return NOT_MAPPED;
    const token = (name: string): readonly string[] | undefined => certificateToken(certificate, name);
    const found = await ask({ token, der: certificate.der }, nowMs);
    if (found.answer !== 'yes') return found;
    const { user, rules } = found.value;
    const query = `ldap.queries.${config.query ?? ''}`;
    return yes({ user, by: rules.join() === 'filter' ? query : `${query} ${rules.join(', ')}` });
  };
}

const NOT_MAPPED = no('not in the static map');

const KEYS = ['uri', 'sha256', 'spki'] as const;

/** Undefined: not in the map. Entries that name different users for one certificate name nobody. */
function staticOwners(
  entries: StaticMapConfig,
  path: string,
): (certificate: Certificate) => Answer<CertificateOwner> | undefined {
  const byValue = new Map<string, CertificateOwner>();
  for (const [i, entry] of entries.entries()) {
    for (const key of KEYS) {
      const value = entry[key];
      if (value !== undefined) byValue.set(`${key} ${value}`, { user: entry.user, by: `${path}[${i}]` });
    }
  }
  if (byValue.size === 0) return () => undefined;
  return (certificate) => {
    const found = KEYS.flatMap((key) =>
      (certificateToken(certificate, key) ?? []).flatMap((value) => byValue.get(`${key} ${value}`) ?? []),
    );
    const [first] = found;
    if (first === undefined) return undefined;
    const others = found.filter(({ user }) => user !== first.user);
    return others.length === 0
      ? yes(first)
      : no(`several users in the static map: ${found.map(({ by }) => by).join(', ')}`);
  };
}
