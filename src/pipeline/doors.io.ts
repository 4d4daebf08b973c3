/**
 * A listener as a receive thread serves it under one configuration revision: its host access table, policies, TLS and
 * profile, built once and never per connection. Sessions keep the doors of the revision they began with; the last one
 * to leave closes them.
 * Effects: TLS contexts; connections to directories through the queries.
 */
import { effectivePolicy, type EffectivePolicy } from '../config/effective-policy.ts';
import { profileNamed, profileNames } from '../config/listener-profiles.ts';
import type { CertificateProfileConfig, Config, ListenerConfig, Material } from '../config/schema.ts';
import type { Clock } from '../core/ports.ts';
import { certificateNames } from '../identity/certificate-fields.ts';
import { certificateOwner } from '../identity/certificate-owner.ts';
import type { CertificateStages, ListenerProfiles } from '../identity/identify.io.ts';
import { exemptionOf } from '../identity/exemption.ts';
import { asksForCertificate } from '../identity/identity-verdict.ts';
import type { AuthAnswer, CheckAllowed } from '../identity/smtp-auth-verdict.ts';
import { type LdapQueries, openQueries } from '../ldap/queries.io.ts';
import type { Login, Trace as LdapTrace } from '../ldap/query.ts';
import type { MailLog } from '../log/mail-event.ts';
import type { CompiledHat } from '../policy/host-access-table.ts';
import type { Certificate } from '../tls/certificate.ts';
import { createCertificateReader } from '../tls/certificate-memory.ts';
import { bestFailure, createSignatureCache, findPaths } from '../tls/certificate-path.ts';
import { DEMONSTRATION } from '../tls/demonstration-certificate.io.ts';
import { pathRulesOf } from '../tls/path-rules.ts';
import type { AskDesk } from '../tls/desk.ts';
import { fetchMissingIssuers } from '../tls/missing-issuers.io.ts';
import { Responders } from '../tls/responders.io.ts';
import { checkRevocation, type RevocationInput } from '../tls/revocation.ts';
import { stapleAt, stapleKey, type Staples } from '../tls/stapling.ts';
import { TlsDoor } from '../tls/tls-doors.io.ts';
import { buildTrustStore, type TrustStore } from '../tls/trust-store.ts';
import type { CrlSeeker } from './crl-seeker.io.ts';
import type { CompiledRevision } from './thread-messages.ts';

const MAX_KEPT_SIGNATURES = 10_000;
const MAX_KEPT_CERTIFICATES = 1000;

export type PasswordProfile = {
  readonly name: string;
  readonly checkAllowed: CheckAllowed | undefined;
  readonly ask: (login: string, password: Login['password']) => Promise<AuthAnswer>;
  /** The exemption in force for this login. */
  readonly exemption: (login: string) => string | undefined;
};

/** The listener's SMTP authentication profile, ready to be asked. */
export type DoorProfile = {
  readonly name: string;
  readonly type: 'certificate' | 'ldap';
  readonly certificate: ListenerProfiles | undefined;
  readonly password: PasswordProfile | undefined;
};

export type Door = {
  readonly name: string;
  /** Its slot in the connection limits. */
  readonly index: number;
  readonly revision: number;
  readonly config: ListenerConfig;
  readonly hostname: string;
  readonly hat: CompiledHat;
  readonly policy: (name: string) => EffectivePolicy;
  readonly profile: DoorProfile | undefined;
  readonly tls: (policy: EffectivePolicy) => TlsDoor;
};

export type DoorParts = {
  readonly clock: Clock;
  readonly log: MailLog;
  readonly receiveThreads: number;
  readonly staples: () => Staples;
  /** Whom to ask about certificates: the control thread. */
  readonly desk: AskDesk;
  /** For `trace`, which makes no handshakes: sees every stage of a query, and nothing is cached. */
  readonly ldapTrace?: LdapTrace | undefined;
  readonly crls: CrlSeeker;
};

export class Doors {
  readonly number: number;
  readonly byAddress: ReadonlyMap<string, Door>;
  readonly #queries: LdapQueries;
  #sessions = 0;
  #retired = false;

  constructor(revision: CompiledRevision, parts: DoorParts) {
    this.number = revision.number;
    const { config, material } = revision;
    this.#queries = openQueries(config, material, parts);
    const build: Build = { revision, parts, queries: this.#queries };
    const byAddress = new Map<string, Door>();
    for (const [name, listener] of Object.entries(config.listeners)) {
      const door = buildDoor(name, { ...build, listener });
      for (const address of listener.address) byAddress.set(address, door);
    }
    this.byAddress = byAddress;
  }

  enter(): void {
    this.#sessions += 1;
  }
  leave(): void {
    this.#sessions -= 1;
    this.#closeWhenUnused();
  }
  /** No new sessions; what they share closes when the last has left. */
  retire(): void {
    this.#retired = true;
    this.#closeWhenUnused();
  }
  #closeWhenUnused(): void {
    if (this.#retired && this.#sessions === 0) this.#queries.close();
  }
}

type Build = { readonly revision: CompiledRevision; readonly parts: DoorParts; readonly queries: LdapQueries };

function buildDoor(name: string, build: Build & { listener: ListenerConfig }): Door {
  const { config, material, hats, slots, number } = build.revision;
  const { listener, parts } = build;
  const hat = hats[name];
  if (hat === undefined) throw new Error(`listener ${name} has no compiled host access table`);
  const policies = new Map<string, EffectivePolicy>();
  const profile = buildProfile(listener, build);
  const doors = new Map<boolean, TlsDoor>();
  const door: Door = {
    name,
    index: slots[name] ?? 0,
    revision: number,
    config: listener,
    hostname: config.hostname,
    hat,
    profile,
    policy: (policyName) => {
      const known = policies.get(policyName);
      if (known !== undefined) return known;
      const policy = effectivePolicy(config, name, policyName);
      policies.set(policyName, policy);
      return policy;
    },
    tls: (policy) => {
      const ask = asksForCertificate(policy.verifyClientCertificate, profile?.type);
      const known = doors.get(ask);
      if (known !== undefined) return known;
      const tlsDoor = new TlsDoor(tlsOptions(name, listener, { config, material, ask, parts }));
      doors.set(ask, tlsDoor);
      return tlsDoor;
    },
  };
  // Both kinds now, so that a bad key or cipher list fails the revision and not a session.
  if (build.parts.ldapTrace !== undefined) return door;
  for (const ask of [false, true])
    doors.set(ask, new TlsDoor(tlsOptions(name, listener, { config, material, ask, parts })));
  return door;
}

type TlsBuild = {
  readonly config: Config;
  readonly material: Material;
  readonly ask: boolean;
  readonly parts: DoorParts;
};

function tlsOptions(name: string, listener: ListenerConfig, { config, material, ask, parts }: TlsBuild) {
  const pair = material.certificates[listener.certificate ?? DEMONSTRATION];
  if (pair === undefined) throw new Error(`listener ${name} has no certificate`);
  const authorities = profileNames(listener).flatMap((each) => {
    const profile = profileNamed(config, each);
    return profile?.type === 'certificate' ? profile.trust : [];
  });
  const trust = [...new Set(authorities)].map((authority) => material.authorities[authority] ?? '');
  const { minVersion, maxVersion, ciphers } = config.ssl;
  const stapling = config.certificates[listener.certificate ?? '']?.ocspStapling ?? false;
  const key = stapleKey(pair.certPem, stapling);
  return {
    ...pair,
    ...(key === undefined ? {} : { staple: () => stapleAt(parts.staples(), key, parts.clock.now()) }),
    minVersion,
    maxVersion,
    ...(ciphers === undefined ? {} : { ciphers }),
    sessionContext: `${name}/${ask}`,
    ...(ask ? { ask: { authoritiesPem: trust, nameBytes: subjectBytes(buildTrustStore(trust)) } } : {}),
  };
}

const subjectBytes = (store: TrustStore): number =>
  [...store.anchors, ...store.intermediates].reduce((sum, { subject }) => sum + subject.der.length + 2, 0);

/** One ldap profile, or certificate profiles of which at most one names a way to check passwords. */
function buildProfile(listener: ListenerConfig, build: Build): DoorProfile | undefined {
  const { config } = build.revision;
  const names = profileNames(listener);
  const name = names.join(', ');
  if (names.length === 0) return undefined;
  const profiles = names.flatMap((each) => {
    const profile = profileNamed(config, each);
    return profile?.type === 'certificate' ? [{ name: each, profile }] : [];
  });
  const [first, ...others] = profiles.map((each) => certificateStages(each.name, each.profile, build));
  if (first === undefined) {
    return { name, type: 'ldap', certificate: undefined, password: passwordProfile(name, listener, build) };
  }
  const fallback = profiles.find(({ profile }) => profile.allowSmtpAuth !== undefined)?.profile.allowSmtpAuth;
  const password = fallback === undefined ? undefined : passwordProfile(fallback, listener, build);
  return { name, type: 'certificate', certificate: [first, ...others], password };
}

function passwordProfile(name: string, listener: ListenerConfig, { revision, queries, parts }: Build): PasswordProfile {
  const profile = revision.config.smtpAuthProfiles[name];
  if (profile?.type !== 'ldap') throw new Error(`${name} is not an ldap profile`);
  const query = queries.smtpAuth(profile.query, parts.ldapTrace);
  const { checkAllowed } = profile;
  const { exemptions } = revision.config;
  const { defaultDomain } = listener;
  return {
    name,
    checkAllowed,
    exemption: (login) => exemptionOf(exemptions, { login, defaultDomain, profile: name, nowMs: parts.clock.now() }),
    ask: (login, password) =>
      query({
        login,
        password,
        nowMs: parts.clock.now(),
        defaultDomain: listener.defaultDomain,
        askAllowance: checkAllowed !== undefined,
      }),
  };
}

/** The stages of a certificate profile without a listener, for the command line. Undefined: there is none of that name. */
export function openProfileStages(
  name: string,
  revision: CompiledRevision,
  parts: DoorParts,
): { readonly stages: CertificateStages; readonly close: () => void } | undefined {
  const { smtpAuthProfiles } = revision.config;
  const profile = Object.hasOwn(smtpAuthProfiles, name) ? smtpAuthProfiles[name] : undefined;
  if (profile?.type !== 'certificate') return undefined;
  const queries = openQueries(revision.config, revision.material, parts);
  return { stages: certificateStages(name, profile, { revision, parts, queries }), close: () => queries.close() };
}

function certificateStages(
  name: string,
  profile: CertificateProfileConfig,
  { revision, queries, parts }: Build,
): CertificateStages {
  const { config, material } = revision;
  const rules = pathRulesOf(profile);
  const signatures = createSignatureCache(MAX_KEPT_SIGNATURES);
  const trustStore = buildTrustStore(profile.trust.map((authority) => material.authorities[authority] ?? ''));
  const { query, mapping: mappingRules, compareCertificate } = profile;
  const mapping = { rules: mappingRules, compareCertificate };
  const ask = query === undefined ? undefined : queries.certificate(query, mapping, parts.ldapTrace);
  return {
    profile: name,
    clock: parts.clock,
    parse: createCertificateReader(MAX_KEPT_CERTIFICATES),
    names: certificateNames,
    findPaths: (leaf, presented, nowMs, onChain) =>
      findPaths({
        leaf,
        presented,
        trustStore,
        nowMs,
        signatures,
        ...rules,
        ...(onChain && { onChain }),
      }),
    pathSettings: (nowMs) => ({ nowMs, ...rules }),
    bestFailure,
    ...revocationStages(name, profile, { config, parts }),
    ...issuerStage(profile, { trustStore, parts }),
    owner: certificateOwner({ profile: name, config: profile, ask }),
  };
}

/**
 * By the lists that are here, by those that the certificates name themselves where the profile allows their hosts, and by
 * OCSP where the profile uses it.
 */
function revocationStages(
  name: string,
  { crlDistributionPoints, ocsp }: CertificateProfileConfig,
  { config, parts }: { readonly config: Config; readonly parts: DoorParts },
): Pick<CertificateStages, 'checkRevocation' | 'revocationInput' | 'inquire' | 'askResponders' | 'responderFacts'> {
  const settings = config.crl;
  const { crls, desk } = parts;
  const rule = `smtpAuthProfiles.${name}`;
  const fetching = settings.checkInbound ? crlDistributionPoints : undefined;
  const responders =
    ocsp === undefined || ocsp.mode === 'off' ? undefined : new Responders({ ...ocsp, rule: `${rule}.ocsp` }, desk);
  const means = {
    ...(fetching && { points: { ...fetching, rule: `${rule}.crlDistributionPoints` } }),
    ...(responders && { ocsp: responders }),
  };
  const revocationInput = (path: readonly Certificate[], nowMs: number): RevocationInput => ({
    ...{ path, crls: crls.set, settings, nowMs },
    ...means,
  });
  return {
    revocationInput,
    checkRevocation: (path, nowMs) => {
      if (fetching !== undefined) crls.noteUse(path, fetching.allowHosts, nowMs);
      return checkRevocation(revocationInput(path, nowMs));
    },
    ...(fetching && { inquire: (unknown) => crls.seek(unknown, fetching) }),
    ...(responders && {
      askResponders: (path, nowMs) => responders.ask(path, nowMs),
      responderFacts: (path) => responders.facts(path),
    }),
  };
}

function issuerStage(
  { aia }: CertificateProfileConfig,
  { trustStore, parts }: { readonly trustStore: TrustStore; readonly parts: DoorParts },
): Pick<CertificateStages, 'fetchIssuers'> {
  if (aia === undefined) return {};
  const { desk, clock } = parts;
  return {
    fetchIssuers: (leaf, presented) => fetchMissingIssuers({ leaf, presented, trustStore, settings: aia, desk, clock }),
  };
}
