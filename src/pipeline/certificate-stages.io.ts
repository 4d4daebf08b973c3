/**
 * The stages that judge a client certificate for one profile: path, revocation, missing issuers, owner, put together as
 * the profile's configuration says and asked by `CertificateCheck`. Built once per revision, never per connection.
 * RFC 5280 §6; certificate SMTP authentication profile of AsyncOS.
 * Effects: the directory through the queries, the control thread's desk.
 */
import type { CertificateProfileConfig, Config } from '../config/schema.ts';
import type { Clock } from '../core/ports.ts';
import { certificateNames } from '../identity/certificate-fields.ts';
import { certificateOwner } from '../identity/certificate-owner.ts';
import type { CertificateStages } from '../identity/identify.io.ts';
import { type LdapQueries, openQueries } from '../ldap/queries.io.ts';
import type { Trace as LdapTrace } from '../ldap/query.ts';
import type { MailLog } from '../log/mail-event.ts';
import type { Certificate } from '../tls/certificate.ts';
import { createCertificateReader } from '../tls/certificate-memory.ts';
import { bestFailure, createSignatureCache, findPaths } from '../tls/certificate-path.ts';
import type { AskDesk } from '../tls/desk.ts';
import { fetchMissingIssuers } from '../tls/missing-issuers.io.ts';
import { pathRulesOf } from '../tls/path-rules.ts';
import { Responders } from '../tls/responders.io.ts';
import { checkRevocation, type RevocationInput } from '../tls/revocation.ts';
import { buildTrustStore, type TrustStore } from '../tls/trust-store.ts';
import type { CrlSeeker } from './crl-seeker.io.ts';
import type { CompiledRevision } from './thread-messages.ts';

const MAX_KEPT_SIGNATURES = 10_000;
const MAX_KEPT_CERTIFICATES = 1000;

export type StageParts = {
  readonly clock: Clock;
  readonly log: MailLog;
  /** They share what the directory's server allows. */
  readonly receiveThreads: number;
  /** Whom to ask about certificates: the control thread. */
  readonly desk: AskDesk;
  /** For `trace`, which makes no handshakes: sees every stage of a query, and nothing is cached. */
  readonly ldapTrace?: LdapTrace | undefined;
  readonly crls: CrlSeeker;
};

export type StageBuild = {
  readonly revision: CompiledRevision;
  readonly parts: StageParts;
  readonly queries: LdapQueries;
};

/** The stages of a certificate profile without a listener, for the command line. Undefined: there is none of that name. */
export function openProfileStages(
  name: string,
  revision: CompiledRevision,
  parts: StageParts,
): { readonly stages: CertificateStages; readonly close: () => void } | undefined {
  const { smtpAuthProfiles } = revision.config;
  const profile = Object.hasOwn(smtpAuthProfiles, name) ? smtpAuthProfiles[name] : undefined;
  if (profile?.type !== 'certificate') return undefined;
  const queries = openQueries(revision.config, revision.material, parts);
  return { stages: certificateStages(name, profile, { revision, parts, queries }), close: () => queries.close() };
}

export function certificateStages(
  name: string,
  profile: CertificateProfileConfig,
  { revision, queries, parts }: StageBuild,
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
  { config, parts }: { readonly config: Config; readonly parts: StageParts },
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
    path,
    crls: crls.set,
    settings,
    nowMs,
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
  { trustStore, parts }: { readonly trustStore: TrustStore; readonly parts: StageParts },
): Pick<CertificateStages, 'fetchIssuers'> {
  if (aia === undefined) return {};
  const { desk, clock } = parts;
  return {
    fetchIssuers: (leaf, presented) => fetchMissingIssuers({ leaf, presented, trustStore, settings: aia, desk, clock }),
  };
}
