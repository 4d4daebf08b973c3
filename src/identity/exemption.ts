/**
 * Is this login exempted from the allowance now? An exemption names a person, an end, a reason and who granted it; it
 * lets nobody in whose password is wrong. Pure.
 */
import type { Config } from '../config/schema.ts';

export type Exemptions = Config['exemptions'];

export type ExemptionFacts = {
  readonly login: string;
  /** The listener's, for logins and exemptions without a domain. */
  readonly defaultDomain: string | undefined;
  /** SMTP authentication profile of type ldap. */
  readonly profile: string;
  readonly nowMs: number;
};

/** The name of the exemption that is in force, or undefined. */
export function exemptionOf(exemptions: Exemptions, facts: ExemptionFacts): string | undefined {
  const login = asAddress(facts.login, facts.defaultDomain);
  return Object.entries(exemptions).find(
    ([, { user, until, profiles }]) =>
      facts.nowMs <= until &&
      asAddress(user, facts.defaultDomain) === login &&
      (profiles === undefined || profiles.includes(facts.profile)),
  )?.[0];
}

function asAddress(user: string, defaultDomain: string | undefined): string {
  const lower = user.toLowerCase();
  return lower.includes('@') || defaultDomain === undefined ? lower : `${lower}@${defaultDomain.toLowerCase()}`;
}
