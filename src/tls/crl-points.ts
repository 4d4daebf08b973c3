/**
 * The revocation lists that certificates and lists name themselves: cRLDistributionPoints and freshestCRL as requests,
 * cut down to the hosts that a profile allows. A request is one distribution point: its addresses lead to the same list.
 * RFC 5280 §4.2.1.13, §4.2.1.15, §5.2.6. Pure.
 */
import type { Config, CrlDistributionPointsConfig } from '../config/schema.ts';
import { isAllowedUrl, type AllowedHosts } from '../core/allowed-hosts.ts';
import type { Certificate } from './certificate.ts';
import type { DistributionPoint } from './certificate-extensions.ts';

/** Addresses of one distribution point, the best first. */
export type PointRequest = readonly string[];

/** `ready`: has had a good list. A point that failed is tried again by the control thread and stays `failed` until then. */
export type PointState = 'fetching' | 'ready' | 'failed';
export type PointStates = ReadonlyMap<string, PointState>;

/** What a profile says about its certificates' own distribution points; `rule` is its path in the configuration. */
export type PointRules = {
  readonly rule: string;
  readonly allowHosts: AllowedHosts;
  readonly whenUnavailable: 'refuse' | 'accept';
  readonly whenExpired: 'refuse' | 'accept';
  readonly grace: number;
};

/** Of each profile that has them: how they are fetched. */
export type PointProfile = Pick<CrlDistributionPointsConfig, 'allowHosts' | 'refresh' | 'maxSize' | 'timeout'>;

/** Without checkInbound nobody asks for them. */
export const pointProfilesOf = ({ crl, smtpAuthProfiles }: Config): PointProfile[] =>
  Object.values(crl.checkInbound ? smtpAuthProfiles : {}).flatMap((profile) =>
    profile.type === 'certificate' && profile.crlDistributionPoints !== undefined
      ? [profile.crlDistributionPoints]
      : [],
  );

const MAX_POINTS = 8;
const MAX_ADDRESSES = 2;

export const pointKey = (request: PointRequest): string => request.join(' ');

/** Every address of the points, as the certificate or list has them. */
export const addressesOf = (points: readonly DistributionPoint[] = []): string[][] =>
  points
    .slice(0, MAX_POINTS)
    .map(({ name }) => (name?.fullName ?? []).flatMap((each) => (each.kind === 'uri' ? [each.text] : [])));

/** The requests that are left of these addresses once hosts, schemes and numbers are bounded. */
export function allowedRequests(addresses: readonly (readonly string[])[], allowHosts: AllowedHosts): PointRequest[] {
  const requests = addresses.slice(0, MAX_POINTS).map((point) => {
    const allowed = point.filter((url) => isAllowedUrl(url, allowHosts));
    // A directory is asked last: it has no way to say that nothing has changed.
    const isWeb = (url: string): boolean => /^https?:/i.test(url);
    return [...allowed.filter(isWeb), ...allowed.filter((url) => !isWeb(url))].slice(0, MAX_ADDRESSES);
  });
  return requests.filter((request) => request.length > 0);
}

const requests = new WeakMap<Certificate, Map<AllowedHosts, readonly PointRequest[]>>();

export function requestsOf(certificate: Certificate, allowHosts: AllowedHosts): readonly PointRequest[] {
  const known = requests.get(certificate) ?? new Map<AllowedHosts, readonly PointRequest[]>();
  let found = known.get(allowHosts);
  if (found === undefined) {
    const { crlDistributionPoints, freshestCrl } = certificate;
    found = allowedRequests([...addressesOf(crlDistributionPoints), ...addressesOf(freshestCrl)], allowHosts);
    known.set(allowHosts, found);
    requests.set(certificate, known);
  }
  return found;
}

/** Whether the certificate names a list that has never been had. */
export const lacksList = (certificate: Certificate, states: PointStates, allowHosts: AllowedHosts): boolean =>
  requestsOf(certificate, allowHosts).some((request) => states.get(pointKey(request)) !== 'ready');

/** What of it is worth waiting for: not asked yet, or being asked. */
export const openRequests = (
  certificates: readonly Certificate[],
  states: PointStates,
  allowHosts: AllowedHosts,
): PointRequest[] =>
  certificates
    .flatMap((certificate) => requestsOf(certificate, allowHosts))
    .filter((request) => ['fetching', undefined].includes(states.get(pointKey(request))));
