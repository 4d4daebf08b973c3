/**
 * Climbs from a client's certificate towards an anchor and has the issuers fetched that nobody has given, level by
 * level, within the profile's time limit. What is found is as untrusted as what the client sent.
 * Effects: the desk, the time.
 */
import type { AiaConfig } from '../config/schema.ts';
import type { Clock } from '../core/ports.ts';
import { issuersAmong, missingIssuers } from './aia.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import { DerError } from './der.ts';
import type { AskDesk } from './desk.ts';
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

/** DER of what was fetched and can be an issuer on the way up. Never rejects. */
export async function fetchMissingIssuers(search: IssuerSearch): Promise<readonly Uint8Array[]> {
  const { leaf, presented, trustStore, settings, desk, clock } = search;
  const { allowHosts, timeout } = settings;
  const endMs = clock.now() + timeout;
  const sent = presented.slice(0, MAX_PRESENTED).flatMap(readable);
  const found: Certificate[] = [];
  const asked = new Set<string>();
  for (let level = 0; level < MAX_LEVELS && found.length < MAX_FOUND; level++) {
    const climb = { leaf, known: [...sent, ...found], trustStore, allowHosts };
    const urls = missingIssuers(climb).filter((url) => !asked.has(url));
    const leftMs = endMs - clock.now();
    if (urls.length === 0 || leftMs <= 0) break;
    for (const url of urls) asked.add(url);
    const answer = await desk.ask({ kind: 'issuers', urls, allowHosts, timeoutMs: leftMs }, leftMs);
    found.push(...issuersAmong(answer?.certificates ?? [], [leaf, ...sent, ...found]));
  }
  return found.slice(0, MAX_FOUND).map(({ der }) => der);
}

function readable(der: Uint8Array): Certificate[] {
  try {
    return [parseCertificate(der)];
  } catch (error) {
    if (error instanceof DerError) return [];
    throw error;
  }
}
