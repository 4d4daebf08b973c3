/** LDAP servers and queries, SMTP authentication profiles. Pure. */
import { z } from 'zod';
import { durationMs, file, name, named, response } from './scalars.ts';

export const ldapServer = z.strictObject({
  type: z.enum(['openldap', 'activeDirectory', 'oracle', 'other']).default('other'),
  hosts: z.array(z.string().regex(/^ldaps?:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?\/?$/, 'a directory host is ldap://host:port or ldaps://host:port')).min(1).optional(),
  ldif: file.optional().meta({ description: 'The embedded directory: an LDIF file instead of hosts.' }),
  baseDn: z.string().default(''),
  bind: z
    .strictObject({
      dn: z.string().min(1),
      password: z.string().min(1).optional(),
      passwordFile: file.optional().meta({ description: 'Its last newline is not part of the password.' }),
    })
    .optional(),
  startTls: z.boolean().default(false),
  ca: name.optional().meta({ description: 'A certificateAuthorities name: the anchors that sign the directory server’s certificate.' }),
  connectTimeout: durationMs.prefault('5s'),
  queryTimeout: durationMs.prefault('10s'),
  maxConnections: z.number().int().min(1).max(1000).default(10),
  strategy: z.enum(['failover', 'loadBalance']).default('failover'),
  cache: z
    .strictObject({
      ttl: durationMs.prefault('15m').meta({ description: '0s asks the directory each time; misses are kept for at most 60s.' }),
      maxEntries: z.number().int().min(0).max(10_000_000).default(10_000),
    })
    .prefault({}),
});

export const ldapQuery = z.strictObject({
  server: name,
  type: z.enum(['certificate', 'smtpAuth']),
  filter: z.string().min(1),
  baseDn: z.string().optional(),
  userIdAttribute: z.string().min(1).default('uid').meta({ description: 'Certificate query: the attribute that names the user.' }),
  method: z.enum(['bind', 'passwordAttribute']).default('bind'),
  passwordAttribute: z.string().min(1).default('userPassword'),
  allowance: z.string().min(1).optional().meta({ description: 'Who may use SMTP AUTH although a card is the rule.', asyncos: 'SMTP Auth allowance query string' }),
});

export const certificateProfile = z.strictObject({
  type: z.literal('certificate'),
  query: name,
  trust: z.array(name).min(1).meta({ description: 'certificateAuthorities whose clients this profile accepts.' }),
  allowSmtpAuth: name.optional().meta({ description: 'The ldap profile used when no valid client certificate is available.', asyncos: 'Allow SMTP AUTH command if client certificate is not available' }),
  requirePolicies: z.array(z.string().regex(/^\d+(\.\d+)+$/, 'a policy is a dotted OID')).optional().meta({ description: 'Certificate policies of which one must be valid for the path.' }),
});

export const ldapProfile = z.strictObject({
  type: z.literal('ldap'),
  query: name,
  checkAllowed: z
    .strictObject({ action: z.enum(['reject', 'monitor']), response: response.optional() })
    .optional()
    .meta({ asyncos: 'Check with LDAP if user is allowed to use SMTP AUTH Command' }),
});

export const ldap = z.strictObject({ servers: named(ldapServer).default({}), queries: named(ldapQuery).default({}) });
export const smtpAuthProfiles = named(z.discriminatedUnion('type', [certificateProfile, ldapProfile]));
