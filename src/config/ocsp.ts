/**
 * Questions that a certificate profile asks on the network about a certificate: OCSP, and issuers that are missing. Both
 * go only to hosts that are named here. Pure.
 */
import { z } from 'zod';
import { parseAllowedHost } from '../core/allowed-hosts.ts';
import { DAY_MS } from '../core/duration.ts';
import { durationMs, timeLimitMs } from './scalars.ts';

const MAX_RESPONDERS = 4;
const MAX_AGE_MS = 30 * DAY_MS;

const ALLOWED_HOST =
  'a host is a name, .name for every host below it, or an address ([…] for IPv6), with :port where it is not the usual one';

export const allowHosts = z
  .array(
    z
      .string()
      .refine((entry) => parseAllowedHost(entry) !== undefined, ALLOWED_HOST)
      .meta({ value: 'host, .domain, host:port' }),
  )
  .min(1);

const WEB_URL = 'a URL here starts with http:// or https:// and has a host, and no user name or password';

export const webUrl = z
  .string(WEB_URL)
  .max(1000)
  .regex(/^https?:\/\/\S+$/, WEB_URL)
  .refine((text) => {
    const url = URL.parse(text);
    return !/^https?:\/\/\S+$/.test(text) || (url !== null && url.username === '' && url.password === '');
  }, WEB_URL)
  .meta({ value: 'URL: http:// or https://' });

export const ocsp = z.strictObject({
  mode: z.enum(['off', 'prefer', 'require']).meta({
    description:
      'prefer: an answer stands in for a revocation list, and the list decides where there is none. require: every certificate on the path below the anchor needs an answer. A revocation that either tells counts.',
  }),
  responders: z.array(webUrl).min(1).max(MAX_RESPONDERS).optional().meta({
    description: 'Responders that are asked about every certificate, in this order, before those that it names itself.',
  }),
  allowHosts: allowHosts.optional().meta({
    description:
      'Hosts of responders that a certificate may name (authority information access). No other host is asked.',
  }),
  timeout: timeLimitMs.prefault('5s').meta({ description: 'Longest wait of a session for an answer.' }),
  hash: z.enum(['sha1', 'sha256']).default('sha1').meta({
    description:
      'Names the certificate in the question (CertID). SHA-1 is what every responder knows; it protects nothing.',
  }),
  nonce: z.enum(['off', 'optional', 'require']).default('optional').meta({
    description:
      'optional: sent, and an answer made beforehand, without one, counts too. require: the answer must carry it. A wrong one never counts. RFC 9654.',
  }),
  maxAge: durationMs
    .refine((ms) => ms >= 1000 && ms <= MAX_AGE_MS, 'maxAge is from 1s to 30d')
    .prefault('1h')
    .meta({
      description:
        'An answer is asked for anew after this time, though its nextUpdate is later; should the responder then be down, the answer counts until its nextUpdate. One without nextUpdate counts for this time.',
    }),
  whenUnavailable: z.enum(['crl', 'defer', 'refuse', 'accept']).optional().meta({
    description:
      'No usable answer in time: crl lets the revocation lists decide, defer answers 454 at MAIL FROM and asks again at the next, refuse answers 554, accept lets pass whom no list revokes.',
    otherwise: '`crl` with prefer, `defer` with require',
  }),
  whenNoResponder: z.enum(['crl', 'refuse']).optional().meta({
    description: 'A certificate for which there is no responder that may be asked, or none that speaks for it.',
    otherwise: '`crl` with prefer, `refuse` with require',
  }),
});

export const aia = z.strictObject({
  allowHosts: allowHosts.meta({
    description:
      'Hosts from which an issuer that neither the client nor certificateAuthorities has given is fetched, where a certificate names it (caIssuers; http, https), redirects included. What is fetched is never trusted by itself.',
  }),
  timeout: timeLimitMs.prefault('5s').meta({ description: 'Longest wait of a session for all of them.' }),
});
