/**
 * The SMTP authentication profiles of a listener: one, or several certificate profiles in the order in which they are
 * asked. Whose authorities give a certificate a valid path decides about it. Pure.
 */
import type { Config, ListenerConfig, SmtpAuthProfileConfig } from './schema.ts';

export const profileNames = ({ smtpAuthProfile }: Pick<ListenerConfig, 'smtpAuthProfile'>): readonly string[] =>
  typeof smtpAuthProfile === 'string' ? [smtpAuthProfile] : (smtpAuthProfile ?? []);

export const profileNamed = ({ smtpAuthProfiles }: Config, name: string): SmtpAuthProfileConfig | undefined =>
  Object.hasOwn(smtpAuthProfiles, name) ? smtpAuthProfiles[name] : undefined;
