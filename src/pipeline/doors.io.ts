/**
 * A listener as a receive thread serves it under one configuration revision: its host access table, policies, TLS and
 * profile (`certificate-stages.io.ts`), built once and never per connection. Sessions keep the doors of the revision
 * they began with; the last one to leave closes them.
 * Effects: TLS contexts; connections to directories through the queries.
 */
import { effectivePolicy, type EffectivePolicy } from '../config/effective-policy.ts';
import { profileNamed, profileNames } from '../config/listener-profiles.ts';
import type { Config, ListenerConfig, Material } from '../config/schema.ts';
import type { ListenerProfiles } from '../identity/identify.io.ts';
import { exemptionOf } from '../identity/exemption.ts';
import { asksForCertificate } from '../identity/identity-verdict.ts';
import type { AuthAnswer, CheckAllowed } from '../identity/smtp-auth-verdict.ts';
import { type LdapQueries, openQueries } from '../ldap/queries.io.ts';
import type { Login } from '../ldap/query.ts';
import type { CompiledHat } from '../policy/host-access-table.ts';
import { DEMONSTRATION } from '../tls/demonstration-certificate.io.ts';
import { stapleAt, stapleKey, type Staples } from '../tls/stapling.ts';
import { TlsDoor } from '../tls/tls-doors.io.ts';
import { buildTrustStore, type TrustStore } from '../tls/trust-store.ts';
import { certificateStages, type StageBuild, type StageParts } from './certificate-stages.io.ts';
import type { CompiledRevision } from './thread-messages.ts';

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

/** `staples`: for the gateway's own certificates, as they are now. */
export type DoorParts = StageParts & { readonly staples: () => Staples };

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

type Build = StageBuild & { readonly parts: DoorParts };

function buildDoor(name: string, build: Build & { listener: ListenerConfig }): Door {
  const { config, material, hats, slots, number } = build.revision;
  const { listener, parts } = build;
  const hat = hats[name];
  if (hat === undefined) throw new Error(`listener ${name} has no compiled host access table`);
  const profile = buildProfile(listener, build);
  const policies = new Map<string, EffectivePolicy>();
  const tlsDoors = new Map<boolean, TlsDoor>();
  const tlsDoor = (ask: boolean): TlsDoor =>
    kept(tlsDoors, ask, () => new TlsDoor(tlsOptions(name, listener, { config, material, ask, parts })));
  // Both kinds now, so that a bad key or cipher list fails the revision and not a session. Nobody connects to a trace.
  if (parts.ldapTrace === undefined) for (const ask of [false, true]) tlsDoor(ask);
  return {
    name,
    index: slots[name] ?? 0,
    revision: number,
    config: listener,
    hostname: config.hostname,
    hat,
    profile,
    policy: (policy) => kept(policies, policy, () => effectivePolicy(config, name, policy)),
    tls: (policy) => tlsDoor(asksForCertificate(policy.verifyClientCertificate, profile?.type)),
  };
}

function kept<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
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
