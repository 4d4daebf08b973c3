/**
 * A mail flow policy with every value filled in: what the file says under its name, else what is built in under that
 * name, else `mailFlowPolicies.default`, else the general default. AsyncOS: Use Default. Pure.
 */
import { BUILT_IN_POLICIES, DEFAULT_POLICY_PARAMETERS } from './built-in-policies.ts';
import type { Config, ListenerConfig, MailFlowPolicyConfig } from './schema.ts';

export type EffectivePolicy = {
  readonly name: string;
  readonly behavior: 'accept' | 'relay' | 'reject' | 'tcpRefuse' | 'continue';
  readonly tls: 'off' | 'preferred' | 'required';
  readonly verifyClientCertificate: boolean;
  readonly smtpAuth: 'off' | 'preferred' | 'required';
  readonly requireTlsToOfferSmtpAuth: boolean;
  readonly maxConnectionsPerAddress: number;
  readonly maxMessagesPerConnection: number;
  readonly maxRecipientsPerMessage: number;
  readonly maxMessageBytes: number;
  readonly banner: { readonly code: number; readonly text: string };
  readonly rejectBanner: { readonly code: number; readonly text: string };
  /** Host name in the greeting; '' is no host name. */
  readonly bannerHostname: string;
};

const MAX_CONCURRENCY = { public: 1000, private: 600 } as const;

const own = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

/**
 * `policyName` as a host access table of that listener gives it. A name that does not exist (which `check` refuses)
 * yields a policy that rejects: unknown is never yes.
 */
export function effectivePolicy(config: Config, _listener: string, policyName: string): EffectivePolicy {
  const { default: shared = {} } = config.mailFlowPolicies;
  const named = own(config.mailFlowPolicies, policyName);
  const builtIn = own(BUILT_IN_POLICIES, policyName);
  const known = named !== undefined || builtIn !== undefined;
  const layers: MailFlowPolicyConfig[] = [
    named ?? {},
    builtIn ?? (known ? {} : { behavior: 'reject' }),
    shared,
    DEFAULT_POLICY_PARAMETERS,
  ];
  const filled = Object.assign({}, ...layers.reverse()) as MailFlowPolicyConfig & typeof DEFAULT_POLICY_PARAMETERS;
  const { maxMessageSize, bannerHostname = config.hostname, ...rest } = filled;
  return { ...rest, name: policyName, maxMessageBytes: maxMessageSize, bannerHostname };
}

/** Concurrent connections to a listener. */
export const effectiveMaxConcurrency = (listener: ListenerConfig): number =>
  listener.maxConcurrency ?? MAX_CONCURRENCY[listener.type];
