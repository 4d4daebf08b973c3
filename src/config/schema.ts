/**
 * The whole configuration, composed from one file per AsyncOS subject. The only source of types, validation and
 * reference: nothing else reads raw configuration. Unknown keys are errors everywhere.
 * Pure. The serving threads import this file's types only, so that zod is loaded once.
 */
import { z } from 'zod';
import { listeners, mailFlowPolicies } from './access.ts';
import { admin } from './administration.ts';
import { alerts } from './alerts.ts';
import { certificateAuthorities, certificates, crl, ssl } from './certificates.ts';
import { bounceProfiles, delivery, smtpRoutes } from './delivery.ts';
import { destinationControls } from './destination-controls.ts';
import { exemption } from './exemptions.ts';
import { ldap, smtpAuthProfiles } from './ldap.ts';
import { dnsServer, durationMs, name, named, sizeBytes, socketAddress } from './scalars.ts';

export const system = z.strictObject({
  receiveThreads: z
    .union([z.literal('auto'), z.number().int().min(1).max(64)], 'auto, or a whole number from 1 to 64')
    .default('auto')
    .meta({
      description: 'Threads that share the listening ports; auto leaves one core to delivery.',
      value: 'auto or 1 to 64',
    }),
  user: name.optional().meta({ description: 'Account to run as once the ports are bound, when started as root.' }),
  group: name.optional().meta({ description: 'Group to run as; without it the group of the account.' }),
  metrics: socketAddress.optional().meta({ description: 'Loopback address for Prometheus metrics.' }),
  dnsServers: z
    .array(dnsServer)
    .min(1)
    .optional()
    .meta({ description: 'DNS servers.', asyncos: 'dnsconfig', otherwise: 'those of the system' }),
  clientHistory: durationMs.prefault('7d').meta({
    description:
      'How long the facts that decided a client’s latest session are kept after it, to try a changed configuration on them (dryrun); 0s keeps none. They hold addresses and certificates, never passwords or text.',
  }),
  revisionsKept: z.number().int().min(2).max(100_000).default(1000).meta({
    description:
      'How many revisions of the committed configuration are kept, the one in force among them. A commit removes older ones; to those nobody can roll back.',
  }),
  minFreeSpace: sizeBytes
    .prefault('64M')
    .meta({ description: 'Below this much free space in the data folder new mail gets 452.' }),
});

export const configSchema = z.strictObject({
  hostname: z
    .string()
    .max(255)
    .regex(/^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/, 'a host name has labels of letters, digits and "-" with dots between')
    .meta({
      description: 'The gateway’s own name in greetings, EHLO and Received fields.',
      asyncos: 'sethostname',
      example: 'gw.example.com',
    }),
  certificates: certificates
    .default({})
    .meta({ description: 'Certificates of the gateway by name.', asyncos: 'Certificates', key: 'CERTIFICATE' }),
  certificateAuthorities: certificateAuthorities
    .default({})
    .meta({ description: 'Certificate authorities by name.', asyncos: 'Certificate Authorities', key: 'AUTHORITY' }),
  ldap: ldap.prefault({}).meta({ description: 'Directories and what they are asked.', asyncos: 'LDAP' }),
  smtpAuthProfiles: smtpAuthProfiles.default({}).meta({
    description: 'How people prove who they are, by name: by certificate, or by SMTP AUTH against a directory.',
    asyncos: 'SMTP Authentication Profiles',
    key: 'PROFILE',
  }),
  exemptions: named(exemption).default({}).meta({
    description: 'Who may use a password although the allowance says no, by name: until when, why, granted by whom.',
    key: 'EXEMPTION',
  }),
  mailFlowPolicies: mailFlowPolicies.default({}).meta({
    description:
      'Terms of a connection by name. The policy named default gives what others leave out. Built in, and changed by an entry of the same name: ACCEPTED, RELAYED, TRUSTED, THROTTLED, BLOCKED.',
    asyncos: 'Mail Flow Policies, Default Policy Parameters',
    key: 'POLICY',
  }),
  crl: crl.prefault({}).meta({ description: 'Revocation lists.', asyncos: 'CRL Sources' }),
  ssl: ssl.prefault({}).meta({ description: 'TLS versions and ciphers of all listeners.', asyncos: 'sslconfig' }),
  listeners: listeners.meta({
    description: 'What the gateway listens on, by name; at least one.',
    asyncos: 'Listeners',
    key: 'LISTENER',
  }),
  smtpRoutes: smtpRoutes.default({}),
  bounceProfiles: bounceProfiles
    .prefault({})
    .meta({ description: 'What happens to mail that cannot be delivered.', asyncos: 'bounceconfig' }),
  delivery: delivery.prefault({}).meta({ description: 'Limits of outbound delivery.', asyncos: 'deliveryconfig' }),
  destinationControls: destinationControls
    .prefault({})
    .meta({ description: 'Limits and encryption by destination.', asyncos: 'Destination Controls, destconfig' }),
  alerts: alerts.prefault({}).meta({ description: 'What administrators are told by mail.', asyncos: 'alertconfig' }),
  admin: admin.optional().meta({
    description: 'The HTTP API over TLS. Without it the gateway answers on its control socket only.',
    asyncos: 'interfaceconfig, adminaccessconfig',
  }),
  system: system.prefault({}).meta({ description: 'The machine the gateway runs on.' }),
});

export type Config = z.output<typeof configSchema>;
export type ListenerConfig = Config['listeners'][string];
export type SenderGroupConfig = ListenerConfig['hat'][number];
export type MailFlowPolicyConfig = Config['mailFlowPolicies'][string];
export type LdapServerConfig = Config['ldap']['servers'][string];
export type LdapQueryConfig = Config['ldap']['queries'][string];
export type SmtpAuthProfileConfig = Config['smtpAuthProfiles'][string];
export type CertificateProfileConfig = Extract<SmtpAuthProfileConfig, { type: 'certificate' }>;
export type CrlDistributionPointsConfig = NonNullable<CertificateProfileConfig['crlDistributionPoints']>;
export type { MappingRule } from './mapping.ts';
export type StaticMapConfig = NonNullable<CertificateProfileConfig['staticMap']>;
export type OcspConfig = NonNullable<CertificateProfileConfig['ocsp']>;
export type AiaConfig = NonNullable<CertificateProfileConfig['aia']>;
export type LdapProfileConfig = Extract<SmtpAuthProfileConfig, { type: 'ldap' }>;
export type CrlConfig = Config['crl'];
export type CrlSourceConfig = CrlConfig['sources'][string];
export type BounceProfileConfig = Config['bounceProfiles']['default'];
export type AlertsConfig = Config['alerts'];
export type AdminConfig = NonNullable<Config['admin']>;
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
