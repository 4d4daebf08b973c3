/**
 * The whole configuration, composed from one file per AsyncOS subject. The only source of types, validation and
 * reference: nothing else reads raw configuration. Unknown keys are errors everywhere.
 * Pure. The serving threads import this file's types only, so that zod is loaded once.
 */
import { z } from 'zod';
import { listeners, mailFlowPolicies } from './access.ts';
import { certificateAuthorities, certificates, crl, ssl } from './certificates.ts';
import { bounceProfiles, delivery, smtpRoutes } from './delivery.ts';
import { ldap, smtpAuthProfiles } from './ldap.ts';
import { name, socketAddress } from './scalars.ts';

export const system = z.strictObject({
  receiveThreads: z.union([z.literal('auto'), z.number().int().min(1).max(64)]).default('auto').meta({ description: 'Threads that share the listening ports; auto leaves one core to delivery.' }),
  user: name.optional().meta({ description: 'Account to run as once the ports are bound, when started as root.' }),
  group: name.optional(),
  metrics: socketAddress.optional().meta({ description: 'Loopback address for Prometheus metrics.' }),
  dnsServers: z.array(z.string().min(1)).optional(),
  minFreeSpace: z.union([z.string(), z.number()]).default('64M').meta({ description: 'Below this much free space in the data folder new mail gets 452.' }),
});

export const configSchema = z.strictObject({
  hostname: z.string().min(1).max(255).regex(/^[A-Za-z0-9.-]+$/, 'a host name has letters, digits, "-" and "."'),
  certificates: certificates.default({}),
  certificateAuthorities: certificateAuthorities.default({}),
  ldap: ldap.prefault({}),
  smtpAuthProfiles: smtpAuthProfiles.default({}),
  mailFlowPolicies: mailFlowPolicies.default({}),
  crl: crl.prefault({}),
  ssl: ssl.prefault({}),
  listeners,
  smtpRoutes: smtpRoutes.default({}),
  bounceProfiles: bounceProfiles.prefault({}),
  delivery: delivery.prefault({}),
  system: system.prefault({}),
});

export type Config = z.output<typeof configSchema>;
export type ListenerConfig = Config['listeners'][string];
export type SenderGroupConfig = ListenerConfig['hat'][number];
export type MailFlowPolicyConfig = Config['mailFlowPolicies'][string];
export type LdapServerConfig = Config['ldap']['servers'][string];
export type LdapQueryConfig = Config['ldap']['queries'][string];
export type SmtpAuthProfileConfig = Config['smtpAuthProfiles'][string];
export type CertificateProfileConfig = Extract<SmtpAuthProfileConfig, { type: 'certificate' }>;
export type LdapProfileConfig = Extract<SmtpAuthProfileConfig, { type: 'ldap' }>;
export type CrlConfig = Config['crl'];
export type CrlSourceConfig = CrlConfig['sources'][string];
export type BounceProfileConfig = Config['bounceProfiles']['default'];
export type DeliveryConfig = Config['delivery'];
export type Schedule = CrlSourceConfig['schedule'];

/**
 * What the files that a configuration names contained when it was loaded. Read once, by the control thread, before
 * privileges are dropped; a revision never changes because a file did.
 */
export type Material = {
  readonly certificates: Readonly<Record<string, { readonly certPem: string; readonly keyPem: string }>>;
  readonly authorities: Readonly<Record<string, string>>;
  /** Bind passwords by LDAP server. */
  readonly bindPasswords: Readonly<Record<string, string>>;
  /** LDIF text by LDAP server. */
  readonly ldif: Readonly<Record<string, string>>;
};

/** A numbered configuration as threads receive it (structured clone). Sessions keep theirs to the end. */
export type Revision = { readonly number: number; readonly config: Config; readonly material: Material };
