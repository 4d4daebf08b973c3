/**
 * The mail flow policies that exist without being defined, with the values AsyncOS ships. A value that is left out here
 * comes from `mailFlowPolicies.default`, then from the defaults below; an entry of the same name in the file goes first.
 * Deviates: AsyncOS spells out 1000 and 100M for ACCEPTED and TRUSTED; here these are the general defaults, because a
 * `default` policy in the file must be able to change them.
 * Pure.
 */
import type { MailFlowPolicyConfig } from './schema.ts';

const MIB = 1024 * 1024;

export const BUILT_IN_POLICIES: Readonly<Record<string, MailFlowPolicyConfig>> = {
  ACCEPTED: { behavior: 'accept' },
  RELAYED: { behavior: 'relay' },
  TRUSTED: { behavior: 'accept' },
  THROTTLED: {
    behavior: 'accept',
    maxConnectionsPerAddress: 10,
    maxMessagesPerConnection: 10,
    maxRecipientsPerMessage: 20,
    maxMessageSize: MIB,
  },
  BLOCKED: { behavior: 'reject' },
};

/** Default Policy Parameters of a new listener. */
export const DEFAULT_POLICY_PARAMETERS = {
  behavior: 'accept',
  tls: 'off',
  verifyClientCertificate: false,
  smtpAuth: 'off',
  requireTlsToOfferSmtpAuth: false,
  maxConnectionsPerAddress: 1000,
  maxMessagesPerConnection: 1000,
  maxRecipientsPerMessage: 1000,
  maxMessageSize: 100 * MIB,
  banner: { code: 220, text: 'ESMTP' },
  rejectBanner: { code: 554, text: '5.7.1 your access to this mail system has been refused' },
} as const satisfies MailFlowPolicyConfig;

/** The policy of senders that no group matches, where the host access table has no group ALL. */
export const implicitPolicy = (listenerType: 'public' | 'private'): string =>
  listenerType === 'public' ? 'ACCEPTED' : 'BLOCKED';

/** Every policy name a host access table may use; `default` only fills in what others leave out. */
export const policyNames = (defined: Readonly<Record<string, unknown>>): string[] => [
  ...new Set([...Object.keys(defined).filter((key) => key !== 'default'), ...Object.keys(BUILT_IN_POLICIES)]),
];
