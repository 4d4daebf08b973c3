/** Certificates of the gateway, certificate authorities of its clients, revocation lists. Pure. */
import { z } from 'zod';
import { durationMs, file, named, sizeBytes } from './scalars.ts';

export const certificate = z.strictObject({
  certFile: file.meta({ description: 'PEM: the certificate, then its intermediates.' }),
  keyFile: file.meta({ description: 'PEM: the private key.' }),
});

export const certificateAuthority = z.strictObject({
  file: file.meta({ description: 'PEM: self-signed certificates are anchors, all others intermediates or CRL signers. Public CAs are never added.' }),
});

const url = z
  .string()
  .regex(/^(https?|file):\/\/\S+$/, 'a CRL URL starts with http://, https:// or file://');

export const schedule = z.union(
  [
    z.literal('manual'),
    z.strictObject({ every: durationMs.refine((ms) => ms >= 1000, 'at least 1s') }),
    z.strictObject({ daily: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day is "HH:MM"') }),
    z.strictObject({ cron: z.string().min(9) }),
  ],
  'a schedule is manual, { every: 15m }, { daily: "03:30" } or { cron: "30 3 * * *" }; every is at least 1s',
);

export const crlSource = z.strictObject({
  type: z.enum(['pem', 'asn1']),
  primaryUrl: url,
  secondaryUrl: url.optional(),
  schedule: schedule.prefault({ every: '1h' }),
  enabled: z.boolean().default(true),
  whenUnavailable: z.enum(['refuse', 'accept']).default('refuse').meta({ description: 'While this source has never had a good copy.' }),
  whenExpired: z.enum(['refuse', 'accept']).default('refuse').meta({ description: 'Once the list is past its nextUpdate and the grace.' }),
  grace: durationMs.prefault('0s').meta({ description: 'Time after nextUpdate in which the list still counts.' }),
  maxSize: sizeBytes.prefault('256M'),
  timeout: durationMs.prefault('60s').meta({ description: 'Longest download.' }),
});

export const crl = z.strictObject({
  checkInbound: z.boolean().default(false).meta({ asyncos: 'CRL check for inbound SMTP TLS' }),
  checkOutbound: z.boolean().default(false).meta({ asyncos: 'CRL check for outbound SMTP TLS' }),
  checkWebInterface: z.boolean().default(false).meta({ asyncos: 'CRL check for Web Interface' }),
  whenNoSource: z.enum(['refuse', 'accept']).default('refuse').meta({ description: 'Where no list of an issuer is there at all.' }),
  sources: named(crlSource).default({}),
});

export const ssl = z.strictObject({
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
  maxVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.3'),
  ciphers: z.string().min(1).optional().meta({ description: 'OpenSSL cipher list.' }),
});

export const certificates = named(certificate);
export const certificateAuthorities = named(certificateAuthority);
