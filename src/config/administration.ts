/**
 * The web interface: where the HTTP API listens, how administrators prove who they are, and for how long.
 * AsyncOS: interfaceconfig (HTTPS), adminaccessconfig, "CRL check for the web interface". Accounts are not here: they
 * live in the data folder, so that a configuration can be shown and copied without them. Pure.
 */
import { z } from 'zod';
import { MINUTE_MS } from '../core/duration.ts';
import { parseCidr, parseIp } from '../core/network.ts';
import { durationMs, name, socketAddress } from './scalars.ts';

const ORIGIN = 'an origin is https://host or https://host:port, without a path';

const isOrigin = (text: string): boolean => {
  const url = URL.parse(text);
  return url !== null && url.protocol === 'https:' && url.username === '' && url.password === '' && url.origin === text;
};

const origin = z.string().refine(isOrigin, ORIGIN).meta({ value: 'https://host or https://host:port' });

const network = z
  .string()
  .refine(
    (text) => (text.includes('/') ? parseCidr(text) : parseIp(text)) !== undefined,
    'a network is an address or address/prefix, such as 192.0.2.0/24',
  )
  .meta({ value: 'IP address or network with prefix length' });

const sessionTime = (longest: string) =>
  durationMs.refine((ms) => ms >= MINUTE_MS, 'at least 1m').meta({ value: `duration, at least 1m${longest}` });

const clientCertificateLogin = z.strictObject({
  trust: z
    .array(name.meta({ refersTo: 'certificateAuthorities' }))
    .min(1)
    .meta({ description: 'Certificate authorities whose certificates may log in.' }),
  required: z.boolean().default(false).meta({
    description:
      'Every login over TLS, and every request with an API token, needs a valid certificate of the account, whatever else it brings.',
  }),
});

export const admin = z.strictObject({
  address: z
    .array(socketAddress)
    .min(1)
    .meta({ description: 'Where the HTTP API listens, always with TLS.', asyncos: 'interfaceconfig, HTTPS' }),
  certificate: name.optional().meta({
    refersTo: 'certificates',
    description: 'Name under certificates.',
    otherwise: 'a demonstration certificate',
    asyncos: 'HTTPS certificate',
  }),
  origins: z.array(origin).min(1).optional().meta({
    description:
      'How browsers reach the gateway. Logins by cookie and passkeys work from these origins only; passkeys belong to the host of the first one.',
    otherwise: 'https://HOSTNAME:PORT of each address',
  }),
  accessList: z.array(network).min(1).optional().meta({
    description: 'Networks that may connect to the API.',
    otherwise: 'every network',
    asyncos: 'adminaccessconfig',
  }),
  clientCertificate: clientCertificateLogin.optional().meta({
    description: 'Login by client certificate. Without it no certificate is asked for.',
    asyncos: 'CRL check for the web interface',
  }),
  sessionIdle: sessionTime('').prefault('30m').meta({
    description: 'A session without a request for so long ends.',
    asyncos: 'Web UI Inactivity Timeout',
  }),
  sessionLifetime: sessionTime('').prefault('12h').meta({ description: 'A session ends after this time in any case.' }),
  maxFailedLogins: z.number().int().min(1).max(1000).default(5).meta({
    description: 'Failed logins in a row after which an account, or an address, is locked.',
    asyncos: 'User Account Lock',
  }),
  lockTime: sessionTime(', at most 24h')
    .refine((ms) => ms <= 1440 * MINUTE_MS, 'at most 24h')
    .prefault('15m')
    .meta({ description: 'How long an account or an address stays locked.' }),
});
