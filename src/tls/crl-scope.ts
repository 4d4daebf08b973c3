/**
 * Which certificates a revocation list speaks about: issuingDistributionPoint of the list against cRLDistributionPoints
 * of the certificate. RFC 5280 §5.2.5, §4.2.1.13, §6.3.3 (b), (d). Pure; throws DerError only.
 */
import type { Certificate } from './certificate.ts';
import {
  type DistributionPoint,
  type DistributionPointName,
  type GeneralName,
  parseBits,
  parseDistributionPointName,
} from './certificate-extensions.ts';
import { childrenOf, contentOf, DerError, type DerNode, expectTag, readDer, Tag } from './der.ts';
import { keyWithRdn, type Name } from './distinguished-name.ts';

export type CrlScope = {
  /** Keys of the distribution point's names; absent = the list is not for certain distribution points. */
  readonly names?: readonly string[];
  readonly only?: 'user' | 'ca' | 'attribute';
  /** onlySomeReasons, bit n as `1 << n`; absent = all. */
  readonly reasons?: number;
  readonly indirect: boolean;
};

/** ReasonFlags 1 to 8 (RFC 5280 §4.2.1.13). */
export const ALL_REASONS = 0b1_1111_1110;
export const WHOLE_SCOPE: CrlScope = { indirect: false };

/** IssuingDistributionPoint. `issuer` is the issuer of the list. */
export function parseScope(value: Uint8Array, issuer: Name): CrlScope {
  const only: ('user' | 'ca' | 'attribute')[] = [];
  let scope: CrlScope = WHOLE_SCOPE;
  let previous = -1;
  for (const field of childrenOf(expectTag(readDer(value), Tag.sequence, 'issuing distribution point'), 6)) {
    const number = field.tag & 0x1f;
    if (number <= previous) throw new DerError('issuing distribution point: elements out of order');
    previous = number;
    if (field.tag === Tag.context(0, true))
      scope = { ...scope, names: nameKeys(parseDistributionPointName(field), issuer) };
    else if (field.tag === Tag.context(1) && readImplicitBoolean(field)) only.push('user');
    else if (field.tag === Tag.context(2) && readImplicitBoolean(field)) only.push('ca');
    else if (field.tag === Tag.context(3)) scope = { ...scope, reasons: parseBits(field) & ALL_REASONS };
    else if (field.tag === Tag.context(4)) scope = { ...scope, indirect: readImplicitBoolean(field) };
    else if (field.tag === Tag.context(5) && readImplicitBoolean(field)) only.push('attribute');
    else if (![Tag.context(1), Tag.context(2), Tag.context(5)].includes(field.tag))
      throw new DerError('issuing distribution point malformed');
  }
  // RFC 5280 §5.2.5: at most one of the three.
  if (only.length > 1) throw new DerError('issuing distribution point: scopes exclude each other');
  return only[0] === undefined ? scope : { ...scope, only: only[0] };
}

function readImplicitBoolean(node: DerNode): boolean {
  const content = contentOf(node);
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw new DerError('boolean malformed');
  return content[0] === 0xff;
}

/** Names that are the same name have the same key. `issuer` is the CRL issuer that a relative name hangs below. */
function nameKeys(name: DistributionPointName, issuer: Name): string[] {
  if (name.relativeName !== undefined) return [`dn:${keyWithRdn(issuer, name.relativeName)}`];
  return (name.fullName ?? []).flatMap(generalNameKey);
}

function generalNameKey(name: GeneralName): string[] {
  switch (name.kind) {
    case 'directoryName':
      return [`dn:${name.name.key}`];
    case 'uri':
    case 'dNSName':
    case 'rfc822Name':
      return [`${name.kind}:${name.text}`];
    case 'iPAddress':
      return [`ip:${Buffer.from(name.bytes).toString('hex')}`];
    case 'registeredID':
      return [`oid:${name.oid}`];
    case 'otherName':
    case 'x400Address':
    case 'ediPartyName':
    case 'malformed':
      return [];
  }
}

/** A distribution point of a certificate in the words of this file. */
export type PointOfCertificate = {
  readonly names: readonly string[] | undefined;
  readonly reasons: number;
  /** Keys of the names that may issue the list instead of the certificate's issuer. */
  readonly crlIssuers: readonly string[] | undefined;
};

/**
 * The distribution points of a certificate, and at the end the one that RFC 5280 §6.3.3 assumes for every list of the
 * certificate's issuer.
 */
export function pointsOf(certificate: Certificate): PointOfCertificate[] {
  const points = (certificate.crlDistributionPoints ?? []).map((point) => pointOf(point, certificate.issuer));
  const assumed = { names: [`dn:${certificate.issuer.key}`], reasons: ALL_REASONS, crlIssuers: undefined };
  return [...points, assumed];
}

function pointOf({ name, reasons, crlIssuer }: DistributionPoint, issuer: Name): PointOfCertificate {
  const directories = crlIssuer?.flatMap((each) => (each.kind === 'directoryName' ? [each.name] : []));
  // RFC 5280 §4.2.1.13: a relative name hangs below cRLIssuer, else below the certificate's issuer.
  const base = directories?.length === 1 ? (directories[0] as Name) : issuer;
  return {
    names: name === undefined ? undefined : nameKeys(name, base),
    reasons: reasons === undefined ? ALL_REASONS : reasons & ALL_REASONS,
    crlIssuers: directories?.map(({ key }) => key),
  };
}

export type ScopedList = { readonly issuerKey: string; readonly scope: CrlScope };

/** For which reasons the list speaks about the certificate through this point; 0 = not at all. RFC 5280 §6.3.3 (b), (d). */
export function reasonsCovered(list: ScopedList, certificate: Certificate, point: PointOfCertificate): number {
  const { scope } = list;
  // (b) (1): a list of somebody else must be named by the certificate and be indirect.
  if (point.crlIssuers === undefined) {
    if (list.issuerKey !== certificate.issuer.key) return 0;
  } else if (
    !point.crlIssuers.includes(list.issuerKey) ||
    (!scope.indirect && list.issuerKey !== certificate.issuer.key)
  )
    return 0;
  // (b) (2) (i)
  const wanted = point.names ?? point.crlIssuers?.map((key) => `dn:${key}`) ?? [];
  if (scope.names !== undefined && !scope.names.some((name) => wanted.includes(name))) return 0;
  // (b) (2) (ii) to (iv)
  const isCa = certificate.basicConstraints?.ca === true;
  if (scope.only === 'attribute' || (scope.only === 'user' && isCa) || (scope.only === 'ca' && !isCa)) return 0;
  return (scope.reasons ?? ALL_REASONS) & point.reasons;
}
