/** LDAP servers and queries, SMTP authentication profiles. AsyncOS: ldapconfig, smtpauthconfig. Pure. */
import { z } from 'zod';
import { crlDistributionPoints } from './certificates.ts';
import { mapping, staticMap } from './mapping.ts';
import { aia, ocsp } from './ocsp.ts';
import { durationMs, file, name, named, response, secret, timeLimitMs } from './scalars.ts';

const HOST = 'a directory host is ldap://host:port or ldaps://host:port';

const ldapServer = z.strictObject({
  type: z.enum(['openldap', 'activeDirectory', 'oracle', 'other']).default('other').meta({
    description: 'Make of the directory.',
    asyncos: 'Server Type',
  }),
  hosts: z
    .array(
      z
        .string()
        .regex(/^ldaps?:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?\/?$/, HOST)
        .meta({ value: 'ldap://host:port or ldaps://host:port' }),
    )
    .min(1)
    .optional()
    .meta({ description: 'The directory servers; port 389 or 636 where none is given.', asyncos: 'Host Name(s)' }),
  ldif: file.optional().meta({ description: 'The embedded directory: an LDIF file instead of hosts.' }),
  baseDn: z.string().max(1000).default('').meta({ description: 'Where searches begin.', asyncos: 'Base DN' }),
  bind: z
    .strictObject({
      dn: z.string().min(1).max(1000).meta({ description: 'The gateway’s own account.', asyncos: 'Username' }),
      password: secret(1000).optional().meta({ description: 'Its password.', asyncos: 'Password' }),
      passwordFile: file
        .optional()
        .meta({ description: 'A file with its password instead. The last newline is not part of the password.' }),
    })
    .optional()
    .meta({
      description: 'Who searches; without it searches are anonymous. Exactly one of password and passwordFile.',
      asyncos: 'Authentication Method',
    }),
  startTls: z.boolean().default(false).meta({ description: 'Secure ldap:// hosts with StartTLS.', asyncos: 'Use SSL' }),
  ca: name.optional().meta({
    refersTo: 'certificateAuthorities',
    description:
      'A certificateAuthorities name: the anchors that sign the directory server’s certificate. Needed for ldaps:// and startTls, for the certificate is always verified.',
  }),
  connectTimeout: timeLimitMs.prefault('5s').meta({ description: 'Longest wait for a connection to one host.' }),
  queryTimeout: timeLimitMs.prefault('10s').meta({ description: 'Longest wait for an answer.' }),
  maxConnections: z.number().int().min(1).max(1000).default(10).meta({
    description: 'Connections to one host.',
    asyncos: 'Maximum number of simultaneous connections for each host',
  }),
  strategy: z.enum(['failover', 'loadBalance']).default('failover').meta({
    description: 'failover asks the hosts in the order given, loadBalance in turn.',
    asyncos: 'Multiple host options',
  }),
  cache: z
    .strictObject({
      ttl: durationMs.prefault('15m').meta({
        description: 'How long an answer is kept; 0s asks the directory each time; misses are kept for at most 60s.',
        asyncos: 'Cache TTL',
      }),
      maxEntries: z
        .number()
        .int()
        .min(0)
        .max(10_000_000)
        .default(10_000)
        .meta({ description: 'Answers that are kept.', asyncos: 'Maximum Retained Cache Entries' }),
    })
    .prefault({})
    .meta({
      description: 'Answers of certificate and recipient queries. A bind and an allowance are never cached.',
    }),
});

const filter = z.string().min(1).max(8000).meta({ value: 'LDAP filter with tokens' });
const attribute = z
  .string()
  .regex(/^([A-Za-z][A-Za-z0-9-]{0,127}|\d+(\.\d+)+)$/, 'an attribute is a name of letters, digits and "-", or an OID')
  .meta({ value: 'attribute name' });

const ldapQuery = z.strictObject({
  server: name.meta({ description: 'The ldap.servers entry that is asked.', refersTo: 'ldap.servers' }),
  type: z.enum(['certificate', 'smtpAuth']).meta({
    description: 'certificate finds the owner of a client certificate, smtpAuth the entry of a login name.',
    asyncos: 'Certificate Authentication Query, SMTP Authentication Query',
  }),
  filter: filter.optional().meta({
    description:
      'Must match exactly one entry. Values enter it escaped (RFC 4515 §3). Only certificate queries whose profiles have a mapping without the rule filter do without.',
    asyncos: 'Query String',
  }),
  condition: filter.optional().meta({
    description:
      'Certificate query: what the entry must match besides, whichever mapping rule finds it, such as an account that is not disabled.',
  }),
  baseDn: z.string().max(1000).optional().meta({
    description: 'Where this search begins.',
    asyncos: 'Base DN',
    otherwise: 'the server’s',
  }),
  userIdAttribute: attribute
    .default('uid')
    .meta({ description: 'Certificate query: the attribute that names the user.', asyncos: 'User ID Attribute' }),
  method: z.enum(['bind', 'passwordAttribute']).default('bind').meta({
    description: 'smtpAuth query: check the password by binding as the entry, or against an attribute of it.',
    asyncos: 'Authentication Method',
  }),
  passwordAttribute: attribute
    .default('userPassword')
    .meta({ description: 'The attribute of the method passwordAttribute.', asyncos: 'SMTP Auth password attribute' }),
  allowance: filter.optional().meta({
    description: 'smtpAuth query: who may use a password although a card is the rule. Asked where checkAllowed is set.',
    asyncos: 'SMTP Auth allowance query string',
  }),
});

const PURPOSE = 'a purpose is clientAuth, smartCardLogon, none (no extended key usage), any, or a dotted OID';

const certificateProfile = z.strictObject({
  type: z.literal('certificate').meta({ description: 'Identity by client certificate.', asyncos: 'Certificate' }),
  query: name.optional().meta({
    description: 'The ldap.queries entry of type certificate. Only a profile with a staticMap may do without.',
    asyncos: 'Certificate LDAP query',
    refersTo: 'ldap.queries',
  }),
  mapping,
  compareCertificate: z.boolean().default(false).meta({
    description: 'The entry must hold this very certificate in userCertificate; compared octet by octet.',
  }),
  staticMap,
  trust: z
    .array(name.meta({ refersTo: 'certificateAuthorities' }))
    .min(1)
    .meta({ description: 'certificateAuthorities whose clients this profile accepts.' }),
  allowSmtpAuth: name.optional().meta({
    refersTo: 'smtpAuthProfiles',
    description: 'The ldap profile used when no valid client certificate is available.',
    asyncos: 'Allow SMTP AUTH command if client certificate is not available',
  }),
  requirePolicies: z
    .array(
      z
        .string()
        .regex(/^\d+(\.\d+)+$/, 'a policy is a dotted OID')
        .meta({ value: 'dotted OID' }),
    )
    .optional()
    .meta({ description: 'Certificate policies of which one must be valid for the path. RFC 5280 §6.1.1.' }),
  inhibitPolicyMapping: z.boolean().default(false).meta({
    description: 'Policies that an authority maps to others count only as what they are. RFC 5280 §6.1.1 (f).',
  }),
  inhibitAnyPolicy: z.boolean().default(false).meta({
    description: 'An authority’s anyPolicy does not stand for the required ones. RFC 5280 §6.1.1 (g).',
  }),
  extendedKeyUsage: z
    .array(
      z
        .string()
        .regex(/^(clientAuth|smartCardLogon|none|any|\d+(\.\d+)+)$/, PURPOSE)
        .meta({ value: 'clientAuth, smartCardLogon, none, any or dotted OID' }),
    )
    .min(1)
    .default(['clientAuth', 'none'])
    .meta({
      description:
        'Purposes of which a certificate, and every authority above it that names purposes, must allow one. none accepts a certificate without the extension, any does not look at it. RFC 5280 §4.2.1.12.',
    }),
  crlDistributionPoints: crlDistributionPoints.optional().meta({
    description:
      'Fetch the revocation lists that a certificate names itself, beside crl.sources. Without it none is fetched.',
  }),
  ocsp: ocsp.optional().meta({
    description: 'Ask OCSP responders whether a certificate is revoked. Without it revocation lists decide alone.',
    asyncos: 'OCSP',
  }),
  aia: aia.optional().meta({ description: 'Fetch missing issuers. Without it nothing is fetched.' }),
});

const ldapProfile = z.strictObject({
  type: z.literal('ldap').meta({ description: 'Identity by SMTP AUTH against a directory.', asyncos: 'LDAP' }),
  query: name.meta({
    description: 'The ldap.queries entry of type smtpAuth.',
    asyncos: 'SMTP Auth LDAP query',
    refersTo: 'ldap.queries',
  }),
  checkAllowed: z
    .strictObject({
      action: z
        .enum(['reject', 'monitor'])
        .meta({ description: 'What happens to people whom the allowance does not match.' }),
      response: response.optional().meta({ description: 'Reply of the action reject, sent exactly as written.' }),
    })
    .optional()
    .meta({
      description: 'Ask the allowance of the query after a good password; without it the allowance is not asked.',
      asyncos: 'Check with LDAP if user is allowed to use SMTP AUTH Command',
    }),
});

export const ldap = z.strictObject({
  servers: named(ldapServer).default({}).meta({
    description: 'Directories by name. Exactly one of hosts and ldif.',
    asyncos: 'LDAP Server Profile',
    key: 'SERVER',
  }),
  queries: named(ldapQuery).default({}).meta({ description: 'Queries by name.', asyncos: 'LDAP Query', key: 'QUERY' }),
});
export const smtpAuthProfiles = named(z.discriminatedUnion('type', [certificateProfile, ldapProfile]));
