/**
 * What decided the sessions of recent clients, and how often each rule was hit: kept so that a candidate configuration can
 * be tried on yesterday's clients, and so that a rule nobody needs can be found. A client is a listener, an address, a
 * certificate and a login; its latest session speaks for it. Receive threads gather, the control thread keeps.
 * Pure: the time is handed in, and sizes are bounded.
 */

/** The facts of a client's latest session, as JSON can hold them. */
export type ClientFacts = {
  readonly listener: string;
  readonly remoteAddress: string;
  readonly hostname?: string | undefined;
  readonly tls: boolean;
  /** SHA-256 of the client's certificate, lower-case hexadecimal. */
  readonly certificate?: string | undefined;
  /** What the directory said of the certificate's owner. */
  readonly owner?: RecordedOwner | undefined;
  readonly login?: RecordedLogin | undefined;
  readonly sender: string;
  readonly recipients: readonly string[];
};

export type RecordedOwner =
  | { readonly answer: 'yes'; readonly value: { readonly user: string; readonly by: string } }
  | { readonly answer: 'no' | 'unknown'; readonly why: string };

/** The login as given and what the directory said of it; never the password. */
export type RecordedLogin = { readonly user: string } & (
  | { readonly kind: 'accepted'; readonly allowed: boolean }
  | { readonly kind: 'wrong' | 'unavailable'; readonly why: string }
);

export type SeenClient = {
  readonly key: string;
  readonly facts: ClientFacts;
  readonly sessions: number;
  readonly lastMs: number;
};
/** The client's certificate in DER, then what it sent along. */
export type SeenCertificate = { readonly fingerprint: string; readonly chain: readonly Uint8Array[] };
export type RuleHits = { readonly rule: string; readonly hits: number; readonly lastMs: number };
/** As kept: also when the first hit was. */
export type KeptHits = RuleHits & { readonly firstMs: number };

export type HistoryBatch = {
  readonly clients: readonly SeenClient[];
  readonly certificates: readonly SeenCertificate[];
  readonly hits: readonly RuleHits[];
};

/** Between two batches; more clients are counted by their rules alone. */
const MAX_CLIENTS = 5000;
const MAX_RULES = 100_000;
const MAX_TOLD_CERTIFICATES = 20_000;
/** The keeper forgets a certificate with its last client: one that comes again is told again. */
const TELL_AGAIN_MS = 600_000;

const clientKey = ({ listener, remoteAddress, certificate = '', login }: ClientFacts): string =>
  JSON.stringify([listener, remoteAddress, certificate, login?.user ?? '']);

export class ClientLedger {
  #clients = new Map<string, { facts: ClientFacts; sessions: number; lastMs: number }>();
  #certificates: SeenCertificate[] = [];
  #hits = new Map<string, { hits: number; lastMs: number }>();
  /** Fingerprints whose certificates have been handed on already. */
  readonly #told = new Set<string>();
  #toldSinceMs = 0;

  /** `chain` is asked for only where the certificate is new. */
  note(facts: ClientFacts, chain: () => readonly Uint8Array[], nowMs: number): void {
    const key = clientKey(facts);
    const known = this.#clients.get(key);
    if (known !== undefined) {
      known.facts = facts;
      known.sessions += 1;
      known.lastMs = nowMs;
      return;
    }
    if (this.#clients.size >= MAX_CLIENTS) return;
    this.#clients.set(key, { facts, sessions: 1, lastMs: nowMs });
    const { certificate } = facts;
    if (certificate === undefined) return;
    if (this.#told.size >= MAX_TOLD_CERTIFICATES || nowMs - this.#toldSinceMs > TELL_AGAIN_MS) {
      this.#told.clear();
      this.#toldSinceMs = nowMs;
    }
    if (this.#told.has(certificate)) return;
    this.#told.add(certificate);
    this.#certificates.push({ fingerprint: certificate, chain: chain() });
  }

  hit(rule: string, nowMs: number): void {
    const known = this.#hits.get(rule);
    if (known !== undefined) {
      known.hits += 1;
      known.lastMs = nowMs;
    } else if (this.#hits.size < MAX_RULES) this.#hits.set(rule, { hits: 1, lastMs: nowMs });
  }

  /** What has been gathered since the last call; undefined where that is nothing. */
  take(): HistoryBatch | undefined {
    if (this.#clients.size === 0 && this.#hits.size === 0) return undefined;
    const batch = {
      clients: [...this.#clients].map(([key, client]) => ({ key, ...client })),
      certificates: this.#certificates,
      hits: [...this.#hits].map(([rule, each]) => ({ rule, ...each })),
    };
    this.#clients = new Map();
    this.#certificates = [];
    this.#hits = new Map();
    return batch;
  }
}

/** Names of rules as their hits are counted: by what an administrator wrote, not by its place, which edits move. */
export const RULE = {
  entry: (listener: string, senderGroup: string, entry: string): string =>
    `listeners.${listener}.hat ${senderGroup}: ${entry}`,
  policy: (name: string): string => `mailFlowPolicies.${name}`,
  profile: (name: string): string => `smtpAuthProfiles.${name}`,
  route: (domain: string): string => `smtpRoutes.${domain}`,
  destination: (domain: string): string => `destinationControls.domains.${domain}`,
  exemption: (name: string): string => `exemptions.${name}`,
  /** No rule of the configuration: a user whom `checkAllowed: monitor` let in. */
  monitored: (profile: string, user: string): string => `monitored ${profile}: ${user}`,
} as const;
