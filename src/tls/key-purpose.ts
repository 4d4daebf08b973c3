/**
 * What a client's certificate may be for: which extended key usages a profile accepts, in the leaf and in the
 * authorities above it. Default: clientAuth, or no extension at all. Smart-card logon and other purposes by profile.
 * RFC 5280 §4.2.1.12. Pure.
 */
import type { Certificate } from './certificate.ts';

/** Names that a configuration may use in place of OIDs. */
export const PURPOSE_OIDS = { clientAuth: '1.3.6.1.5.5.7.3.2', smartCardLogon: '1.3.6.1.4.1.311.20.2.2' } as const;
const ANY_EXTENDED_KEY_USAGE = '2.5.29.37.0';

export type KeyPurposes = {
  /** OIDs, of which a certificate needs one. */
  readonly accepted: readonly string[];
  /** A certificate without the extension is accepted. */
  readonly absent: boolean;
  /** The extension is not looked at. */
  readonly any: boolean;
};

/** `words`: clientAuth, smartCardLogon, none (no extension), any, or dotted OIDs. */
export function keyPurposes(words: readonly string[]): KeyPurposes {
  const named = words.filter((word) => word !== 'none' && word !== 'any');
  const oids: Readonly<Record<string, string>> = PURPOSE_OIDS;
  return {
    accepted: named.map((word) => oids[word] ?? word),
    absent: words.includes('none'),
    any: words.includes('any'),
  };
}

export const CLIENT_AUTHENTICATION: KeyPurposes = keyPurposes(['clientAuth', 'none']);

/** Whether the leaf itself is for one of the purposes. Undefined, or why not. */
export function leafPurposeFault({ extendedKeyUsage }: Certificate, wanted: KeyPurposes): string | undefined {
  if (wanted.any) return undefined;
  if (extendedKeyUsage === undefined) return wanted.absent ? undefined : 'no extended key usage';
  return purposesIn(wanted.accepted, extendedKeyUsage).length > 0
    ? undefined
    : `extended key usage without ${namesOf(wanted)}`;
}

/**
 * Whether the authorities (of a path, leaf first) let the leaf be for one of the purposes: in an authority the
 * extension limits what the certificates below can be for. RFC 5280 is silent about that, and every TLS stack does it.
 * Undefined, or the authority that allows none of the purposes that are left.
 */
export function limitingAuthority(path: readonly Certificate[], wanted: KeyPurposes): Certificate | undefined {
  if (wanted.any) return undefined;
  const [leaf, ...authorities] = path;
  // A leaf without the extension is for whatever its profile is about, and that is what the authorities must allow.
  const named = wanted.accepted.length > 0 ? wanted.accepted : CLIENT_AUTHENTICATION.accepted;
  let left = leaf?.extendedKeyUsage === undefined ? named : purposesIn(named, leaf.extendedKeyUsage);
  for (const authority of authorities.toReversed()) {
    if (authority.extendedKeyUsage === undefined) continue;
    left = purposesIn(left, authority.extendedKeyUsage);
    if (left.length === 0) return authority;
  }
  return undefined;
}

/** anyExtendedKeyUsage stands for every purpose, as RFC 5280 §4.2.1.12 says. */
const purposesIn = (wanted: readonly string[], stated: readonly string[]): readonly string[] =>
  stated.includes(ANY_EXTENDED_KEY_USAGE) ? wanted : wanted.filter((oid) => stated.includes(oid));

/** `clientAuth or smartCardLogon`, for words to people. */
export function namesOf({ accepted }: KeyPurposes): string {
  const names = Object.entries(PURPOSE_OIDS);
  return (
    accepted.map((oid) => names.find(([, each]) => each === oid)?.[0] ?? oid).join(' or ') || 'any accepted purpose'
  );
}
