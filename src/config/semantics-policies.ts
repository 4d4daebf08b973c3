/**
 * Mail flow policies where a listener uses them: what the listener's profile cannot do, what TLS settings rule out, and
 * who could relay without saying who they are. The fault stands at the reference, for the same policy may be right on
 * another listener. AsyncOS: Verify Client Certificate, SMTP Authentication. Pure.
 */
import { type Fault, fault, warning } from '../core/fault.ts';
import { BUILT_IN_POLICIES, implicitPolicy } from './built-in-policies.ts';
import { type EffectivePolicy, effectivePolicy } from './effective-policy.ts';
import { profileNamed, profileNames } from './listener-profiles.ts';
import type { Config, ListenerConfig } from './schema.ts';

type Path = readonly (string | number)[];
type Use = {
  /** Where the file names the policy; the host access table itself where the group ALL is not written. */
  readonly path: Path;
  readonly policy: EffectivePolicy;
  readonly listener: ListenerConfig;
  readonly config: Config;
  readonly takesEverybody: boolean;
};

export function policyFaults(config: Config): Fault[] {
  const uses = Object.keys(config.listeners).flatMap((name) => usesOf(config, name));
  return [...uses.flatMap(useFaults), ...unusedFaults(config, uses), ...demonstrationWarnings(config, uses)];
}

const EVERYBODY = new Set(['0.0.0.0/0', '::/0', '0/0', 'ALL']);

function usesOf(config: Config, name: string): Use[] {
  const listener = config.listeners[name] as ListenerConfig;
  const path = ['listeners', name, 'hat'];
  const uses = listener.hat.map(
    ({ senderGroup, senders = [], policy }, i): Use => ({
      path: [...path, i, 'policy'],
      policy: effectivePolicy(config, name, policy),
      listener,
      config,
      takesEverybody: senderGroup === 'ALL' || senders.some((sender) => EVERYBODY.has(sender)),
    }),
  );
  if (listener.hat.some(({ senderGroup }) => senderGroup === 'ALL')) return uses;
  const policy = effectivePolicy(config, name, implicitPolicy(listener.type));
  return [...uses, { path, policy, listener, config, takesEverybody: true }];
}

const letsIn = ({ behavior }: EffectivePolicy): boolean => behavior === 'accept' || behavior === 'relay';

function useFaults(use: Use): Fault[] {
  const { policy, config } = use;
  const exists = Object.hasOwn(config.mailFlowPolicies, policy.name) || Object.hasOwn(BUILT_IN_POLICIES, policy.name);
  if (!exists) return [];
  // What a policy inherits from `default` means nothing where nobody is let in.
  const said = config.mailFlowPolicies[policy.name]?.verifyClientCertificate === true;
  return [
    ...(letsIn(policy) || said ? verifyFaults(use) : []),
    ...(letsIn(policy) ? [...smtpAuthFaults(use), ...openRelayWarnings(use)] : []),
  ];
}

function verifyFaults({ path, policy, listener, config }: Use): Fault[] {
  if (!policy.verifyClientCertificate) return [];
  const { name, tls } = policy;
  const found: Fault[] = [];
  if (tls === 'off') found.push(fault(path, `${name} has ${VERIFY_WITHOUT_TLS}`));
  const profile = profileOf(listener, config);
  if (profile === 'dangling' || profile?.type === 'certificate') return found;
  const has =
    profile === undefined
      ? 'has no smtpAuthProfile'
      : `has the ${profile.type} profile "${profileNames(listener).join()}"`;
  found.push(
    fault(
      path,
      `${name} has verifyClientCertificate, but the listener ${has}; it needs a smtpAuthProfile of type certificate`,
    ),
  );
  return found;
}

const VERIFY_WITHOUT_TLS = 'verifyClientCertificate with tls: off; it needs tls: preferred or required';

/** `dangling`: named, but not there, which another fault says. Of several profiles the one that checks passwords. */
function profileOf(listener: ListenerConfig, config: Config) {
  const profiles = profileNames(listener).map((name) => profileNamed(config, name) ?? 'dangling');
  if (profiles.includes('dangling')) return 'dangling';
  const known = profiles.filter((profile) => profile !== 'dangling');
  return known.find((profile) => profile.type === 'certificate' && profile.allowSmtpAuth !== undefined) ?? known[0];
}

function smtpAuthFaults({ path, policy, listener, config }: Use): Fault[] {
  const { name, smtpAuth } = policy;
  if (smtpAuth === 'off') return [];
  const profile = profileOf(listener, config);
  if (profile === 'dangling') return [];
  if (profile === undefined) {
    return [fault(path, `${name} has smtpAuth: ${smtpAuth}, but the listener has no smtpAuthProfile`)];
  }
  const takesPasswords = profile.type === 'ldap' || profile.allowSmtpAuth !== undefined;
  const clear = listener.tlsMode === 'starttls' && policy.tls !== 'required';
  if (!clear) return [];
  if (policy.verifyClientCertificate && policy.tls === 'off') return []; // a fault already
  if (policy.tls === 'off' && (policy.requireTlsToOfferSmtpAuth || !takesPasswords)) {
    return [
      warning(path, `${name} has tls: off, so that nobody can authenticate; tls: preferred or required is needed`),
    ];
  }
  if (takesPasswords && !policy.requireTlsToOfferSmtpAuth) {
    return [
      warning(path, `${name} takes passwords in the clear; set requireTlsToOfferSmtpAuth: true or tls: required`),
    ];
  }
  return [];
}

function openRelayWarnings({ path, policy, listener, takesEverybody }: Use): Fault[] {
  const relays = policy.behavior === 'relay' || listener.type === 'private';
  const identified = policy.smtpAuth === 'required' || (policy.verifyClientCertificate && policy.tls === 'required');
  if (!takesEverybody || !relays || identified) return [];
  return [
    warning(
      path,
      `open relay: ${policy.name} takes mail for any recipient from everybody; set smtpAuth: required, or name the senders`,
    ),
  ];
}

/** A contradiction inside a policy that no listener uses, so that it cannot wait for its first use. */
function unusedFaults(config: Config, uses: readonly Use[]): Fault[] {
  const used = new Set(uses.map(({ policy }) => policy.name));
  return Object.entries(config.mailFlowPolicies).flatMap(([name, { verifyClientCertificate }]) => {
    if (name === 'default' || used.has(name) || verifyClientCertificate !== true) return [];
    if (effectivePolicy(config, '', name).tls !== 'off') return [];
    return [fault(['mailFlowPolicies', name, 'verifyClientCertificate'], VERIFY_WITHOUT_TLS)];
  });
}

function demonstrationWarnings(config: Config, uses: readonly Use[]): Fault[] {
  return Object.entries(config.listeners).flatMap(([name, listener]) => {
    if (listener.certificate !== undefined) return [];
    const usesTls =
      listener.tlsMode === 'implicit' ||
      uses.some((use) => use.listener === listener && letsIn(use.policy) && use.policy.tls !== 'off');
    if (!usesTls) return [];
    return [
      warning(
        ['listeners', name],
        'no certificate assigned: a demonstration certificate is used, and it is not secure',
      ),
    ];
  });
}
