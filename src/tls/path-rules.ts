/**
 * What a certificate profile of the configuration demands of a certification path, in the terms of RFC 5280 §6.1.1:
 * purpose and initial policy settings. Sessions, `cert verify` and tests all ask here. Pure.
 */
import type { CertificateProfileConfig } from '../config/schema.ts';
import type { PolicySettings } from './certificate-policies.ts';
import { type KeyPurposes, keyPurposes } from './key-purpose.ts';

export type PathRules = { readonly purpose: KeyPurposes; readonly policies: PolicySettings };

export type ProfilePathSettings = Pick<
  CertificateProfileConfig,
  'extendedKeyUsage' | 'requirePolicies' | 'inhibitPolicyMapping' | 'inhibitAnyPolicy'
>;

/** Of a certificate profile; what it leaves out has the RFC's default. */
export function pathRulesOf(profile: ProfilePathSettings): PathRules {
  const { extendedKeyUsage, requirePolicies = [], inhibitPolicyMapping, inhibitAnyPolicy } = profile;
  // Naming policies means that one of them must be valid: RFC 5280 §6.1.1 (c) and (e) together.
  const required =
    requirePolicies.length === 0 ? {} : { initialPolicySet: requirePolicies, initialExplicitPolicy: true };
  return {
    purpose: keyPurposes(extendedKeyUsage),
    policies: {
      ...required,
      initialPolicyMappingInhibit: inhibitPolicyMapping,
      initialAnyPolicyInhibit: inhibitAnyPolicy,
    },
  };
}
