/**
 * Certificates of the gateway, certificate authorities of its clients, revocation lists, TLS versions.
 * AsyncOS: certconfig, CRL Sources, sslconfig. Pure.
 */
import { z } from 'zod';
import { DAY_MS } from '../core/duration.ts';
import { cronFault } from './cron.ts';
import { allowHosts, webUrl } from './ocsp.ts';
import { durationMs, file, named, pem, secret, sizeBytes, timeLimitMs } from './scalars.ts';

const MAX_SCHEDULE_MS = 24 * DAY_MS;

export const certificate = z.strictObject({
  certFile: file
    .optional()
    .meta({ description: 'A PEM file: the certificate, then its intermediates. Or certPem; exactly one of the two.' }),
  certPem: pem.optional().meta({ description: 'The same, written here.' }),
  keyFile: file
    .optional()
    .meta({ description: 'A PEM file: the private key, not encrypted. Or keyPem; exactly one of the two.' }),
  keyPem: secret(65_536).optional().meta({ description: 'The same, written here.', value: 'PEM' }),
  ocspStapling: z
    .union([z.boolean(), webUrl], 'true, false, or the http:// or https:// URL of the responder')
    .default(true)
    .meta({
      description:
        'Send clients that ask for it a fresh OCSP answer about this certificate: from the responder that the certificate names, or from this one. A certificate that names none is not stapled.',
      value: '`true`, `false` or URL',
    }),
});

const certificateAuthority = z.strictObject({
  file: file.optional().meta({
    description:
      'A PEM file: self-signed certificates are anchors, all others intermediates or CRL signers. Public CAs are never added. Or pem; exactly one of the two.',
  }),
  pem: pem.optional().meta({ description: 'The same, written here.' }),
});

const LDAP_ENTRY = /^ldaps?:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?\/[^?#]+(\?[^#]*)?$/;

const url = z
  .string()
  .regex(/^(https?|ldaps?|file):\/\/\S+$/, 'a CRL URL starts with http://, https://, ldap://, ldaps:// or file://')
  .refine(
    // Only what has one of the three schemes at all is judged here: one fault, one line.
    (text) => !/^https?:\/\//.test(text) || isWebAddress(text),
    'a CRL URL has a host, and no user name or password (it would appear in logs)',
  )
  .refine(
    (text) => !/^ldaps?:\/\//.test(text) || LDAP_ENTRY.test(text),
    'a CRL in a directory is ldap://host/dn?certificateRevocationList;binary',
  )
  .meta({ value: 'URL: http://, https://, ldap://, ldaps:// or file://' });

function isWebAddress(text: string): boolean {
  const parsed = URL.parse(text);
  return parsed !== null && parsed.hostname !== '' && parsed.username === '' && parsed.password === '';
}

const SCHEDULE =
  'a schedule is manual, { every: 15m }, { daily: "03:30" } or { cron: "30 3 * * *" }; every is from 1s to 24d';

const cron = z.string().superRefine((text, context) => {
  const why = cronFault(text);
  if (why !== undefined) context.addIssue({ code: 'custom', message: `${why}; an example is "30 3 * * *"` });
});

export const schedule = z
  .union(
    [
      z.literal('manual'),
      z.strictObject({
        every: durationMs.refine((ms) => ms >= 1000 && ms <= MAX_SCHEDULE_MS, 'every is from 1s to 24d'),
      }),
      z.strictObject({ daily: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day is "HH:MM"') }),
      z.strictObject({ cron }),
    ],
    SCHEDULE,
  )
  .meta({ value: 'manual, { every: 15m }, { daily: "03:30" } or { cron: "30 3 * * *" }' });

const refuseOrAccept = z.enum(['refuse', 'accept']).default('refuse');

const crlSource = z.strictObject({
  type: z.enum(['pem', 'asn1']).meta({
    description: 'Format of the file: pem (several lists may follow each other) or asn1 (one list in DER).',
    asyncos: 'File Type',
  }),
  primaryUrl: url.meta({ description: 'Where the list is fetched.', asyncos: 'Primary URL' }),
  secondaryUrl: url.optional().meta({
    description: 'Asked when the primary cannot be reached or gives a list that is not good.',
    asyncos: 'Secondary URL',
  }),
  schedule: schedule.prefault({ every: '1h' }).meta({
    description: 'When the list is fetched: every is at least 1s; daily and cron are in local time.',
    asyncos: 'Schedule',
  }),
  enabled: z
    .boolean()
    .default(true)
    .meta({ description: 'A source that is not enabled is neither fetched nor used.', asyncos: 'Enabled' }),
  whenUnavailable: refuseOrAccept.meta({
    description:
      'While this source has never had a good copy: refuse or accept certificates that no other list covers.',
  }),
  whenExpired: refuseOrAccept.meta({ description: 'Once the list is past its nextUpdate and the grace.' }),
  grace: durationMs.prefault('0s').meta({ description: 'Time after nextUpdate in which the list still counts.' }),
  alertBefore: durationMs.optional().meta({
    description:
      'An alert is logged (crl-alert) and sallyport_crl_expiring is 1 from this time before nextUpdate on, and again once it has passed.',
    otherwise: 'the last tenth of the list’s life, at most 1d',
  }),
  maxSize: sizeBytes
    .refine((bytes) => bytes >= 1, 'at least 1 byte')
    .prefault('256M')
    .meta({ description: 'Largest download.' }),
  timeout: timeLimitMs.prefault('60s').meta({ description: 'Longest download.' }),
});

/** Of a certificate profile. The keys it shares with a source mean the same. */
export const crlDistributionPoints = z.strictObject({
  allowHosts: allowHosts.meta({
    description:
      'Hosts from which the lists that a certificate names are fetched (http, https, ldap, ldaps), redirects included. No other host is ever contacted.',
  }),
  refresh: durationMs
    .refine((ms) => ms >= 1000 && ms <= MAX_SCHEDULE_MS, 'refresh is from 1s to 24d')
    .prefault('1h')
    .meta({ description: 'How often a list that was fetched is fetched again; also at the end of its life.' }),
  wait: timeLimitMs.prefault('5s').meta({
    description: 'How long a session waits for a list that is not here yet; then MAIL FROM gets 454 until it is.',
  }),
  whenUnavailable: refuseOrAccept.meta({
    description: 'While no distribution point of a certificate has given a good list. crl.whenNoSource must agree.',
  }),
  whenExpired: refuseOrAccept.meta({ description: 'Once the list is past its nextUpdate and the grace.' }),
  grace: durationMs.prefault('0s').meta({ description: 'Time after nextUpdate in which the list still counts.' }),
  maxSize: sizeBytes
    .refine((bytes) => bytes >= 1, 'at least 1 byte')
    .prefault('64M')
    .meta({ description: 'Largest download.' }),
  timeout: timeLimitMs.prefault('20s').meta({ description: 'Longest download.' }),
});

export const crl = z.strictObject({
  checkInbound: z.boolean().default(false).meta({
    description: 'Every client certificate on the path below the anchor needs a list of its issuer.',
    asyncos: 'CRL check for inbound SMTP TLS',
  }),
  checkOutbound: z.boolean().default(false).meta({
    description: 'The same for the certificates of the hosts that mail is delivered to.',
    asyncos: 'CRL check for outbound SMTP TLS',
  }),
  checkWebInterface: z.boolean().default(false).meta({
    description: 'The same for certificates of administrators.',
    asyncos: 'CRL check for Web Interface',
  }),
  whenNoSource: refuseOrAccept.meta({ description: 'Where no list of an issuer is there at all.' }),
  sources: named(crlSource)
    .default({})
    .meta({ description: 'Revocation lists by name.', asyncos: 'CRL Sources', key: 'SOURCE' }),
});

const tlsVersion = z.enum(['TLSv1.2', 'TLSv1.3']);

export const ssl = z.strictObject({
  minVersion: tlsVersion
    .default('TLSv1.2')
    .meta({ description: 'Oldest protocol version.', asyncos: 'SSL Configuration' }),
  maxVersion: tlsVersion.default('TLSv1.3').meta({ description: 'Newest protocol version.' }),
  ciphers: z.string().min(1).max(2000).optional().meta({
    description: 'OpenSSL cipher list; without it the list of the platform.',
    asyncos: 'SSL Cipher(s) to use',
  }),
});

export const certificates = named(certificate);
export const certificateAuthorities = named(certificateAuthority);
