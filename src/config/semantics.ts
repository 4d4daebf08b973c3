/**
 * What a configuration means beyond its shape: names that lead nowhere, settings that contradict each other, settings
 * that let everybody in or nobody. Each subject has its file; this one runs them. Pure.
 */
import type { Fault } from '../core/fault.ts';
import type { Config } from './schema.ts';
import { adminFaults } from './semantics-administration.ts';
import { alertFaults } from './semantics-alerts.ts';
import { crlFaults, pemFaults, sslFaults } from './semantics-certificates.ts';
import { routeFaults } from './semantics-delivery.ts';
import { destinationFaults } from './semantics-destinations.ts';
import { addressFaults, listenerFaults } from './semantics-listeners.ts';
import { exemptionFaults } from './semantics-exemptions.ts';
import { ldapFaults, profileFaults } from './semantics-ldap.ts';
import { ocspFaults } from './semantics-ocsp.ts';
import { policyFaults } from './semantics-policies.ts';

/** What the schema alone cannot see: references, contradictions, what one section demands of another. */
export function semanticFaults(config: Config): Fault[] {
  return [
    ...pemFaults(config),
    ...sslFaults(config),
    ...crlFaults(config),
    ...ldapFaults(config),
    ...profileFaults(config),
    ...ocspFaults(config),
    ...addressFaults(config),
    ...listenerFaults(config),
    ...policyFaults(config),
    ...routeFaults(config),
    ...destinationFaults(config),
    ...exemptionFaults(config),
    ...alertFaults(config),
    ...adminFaults(config),
  ];
}
