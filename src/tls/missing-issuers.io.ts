/**
 * Climbs from a client's certificate towards an anchor and has the issuers fetched that nobody has given, level by
 * level, within the profile's time limit. What is found is as untrusted as what the client sent.
 * Effects: the desk, the time.
 */
import type { AiaConfig } from '../config/schema.ts';
import type { Clock } from '../core/ports.ts';
import { issuersAmong, missingIssuers } from './aia.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import type { AskDesk, FoundIssuers } from './desk.ts';
import type { TrustStore } from './trust-store.ts';

export type IssuerSearch = {
  readonly leaf: Certificate;
  /** DER, as the client sent them. */
  readonly presented: readonly Uint8Array[];
  readonly trustStore: TrustStore;
  readonly settings: AiaConfig;
  readonly desk: AskDesk;
  readonly clock: Clock;
};

const MAX_LEVELS = 4;
const MAX_FOUND = 8;
const MAX_PRESENTED = 16;

/** What was fetched and can be an issuer on the way up. Never rejects. */
export async function fetchMissingIssuers(search: IssuerSearch): Promise<FoundIssuers> {
  const { leaf, presented, trustStore, settings, desk, clock } = search;
  const { allowHosts, timeout } = settings;
  const endMs = clock.now() + timeout;
  const sent = presented.slice(0, MAX_PRESENTED).flatMap((der) => readCertificate(der) ?? []);
  const found: Certificate[] = [];
  const asked = new Set<string>();
  let unanswered = false;
  for (let level = 0; level < MAX_LEVELS && found.length < MAX_FOUND; level++) {
    const climb = { leaf, known: [...sent, ...found], trustStore, allowHosts };
    const urls = missingIssuers(climb).filter((url) => !asked.has(url));
    if (urls.length === 0) break;
    const leftMs = endMs - clock.now();
    // Without an answer nobody knows what there is further up.
    const answer =
      leftMs > 0 ? await desk.ask({ kind: 'issuers', urls, allowHosts, timeoutMs: leftMs }, leftMs) : undefined;
    unanswered ||= answer?.unanswered ?? true;
    if (answer === undefined) break;
    for (const url of urls) asked.add(url);
    found.push(...issuersAmong(answer.certificates, [leaf, ...sent, ...found]));
  }
  return { certificates: found.slice(0, MAX_FOUND).map(({ der }) => der), unanswered };
}
