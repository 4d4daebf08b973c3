/** Exemptions: the profiles they count in must exist and ask an allowance. Pure. */
import { type Fault, fault } from '../core/fault.ts';
import type { Config } from './schema.ts';
import { danglingReference } from './semantics-references.ts';

export function exemptionFaults({ exemptions, smtpAuthProfiles }: Config): Fault[] {
  const asking = Object.keys(smtpAuthProfiles).filter((name) => {
    const profile = smtpAuthProfiles[name];
    return profile?.type === 'ldap' && profile.checkAllowed !== undefined;
  });
  const section = 'smtpAuthProfiles of type ldap with checkAllowed';
  return Object.entries(exemptions).flatMap(([name, { profiles }]) => {
    if (profiles !== undefined)
      return profiles.flatMap((profile, i) =>
        danglingReference({ path: ['exemptions', name, 'profiles', i], name: profile, section, exist: asking }),
      );
    return asking.length > 0 ? [] : [fault(['exemptions', name], `nothing asks: there are no ${section}`)];
  });
}
