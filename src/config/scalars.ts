/**
 * Scalars that several sections of the configuration share, with the words that `check` uses for them. The meta key
 * `value` names the notation in the reference documentation. Pure.
 */
import { z } from 'zod';
import { DAY_MS, parseDurationMs, parseSizeBytes } from '../core/duration.ts';
import { canonicalIp, parseAddressPort } from './addresses.ts';
import { MASK } from './configuration-store.ts';
import { isSealedForExport } from './sealed-export.ts';

/** Far below the 2^31 - 1 ms beyond which a timer of the platform fires at once. */
const MAX_TIME_LIMIT_MS = DAY_MS;
const MAX_DURATION_MS = 3660 * DAY_MS;

/**
 * A name by which other sections refer to an object. Words that every JavaScript object answers to are refused, so that
 * looking a name up can never find something that is not in the file.
 */
export const name = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/, 'a name has 1 to 64 letters, digits, "-", "_" or "."')
  .refine((text) => !(text in {}), 'this name is reserved')
  .meta({ value: 'name' });

export const named = <T extends z.ZodType>(value: T) => z.record(name, value);

const DURATION = 'a duration is a whole number with ms, s, m, h or d, such as 15m';

/** In the file `15m`; in the program milliseconds. */
export const durationMs = z
  .string(DURATION)
  .refine((text) => parseDurationMs(text) !== undefined, DURATION)
  .refine((text) => (parseDurationMs(text) ?? 0) <= MAX_DURATION_MS, 'the longest duration is 3660d')
  .transform((text) => parseDurationMs(text) ?? 0)
  .meta({ value: 'duration' });

/** A duration that becomes a timer of the program. */
export const timeLimitMs = durationMs
  .refine((ms) => ms >= 1 && ms <= MAX_TIME_LIMIT_MS, 'a time limit is between 1ms and 24h')
  .meta({ value: 'duration, 1ms to 24h' });

const SIZE = 'a size is a number of bytes or a number with k, M or G, such as 10M';

/** In the file `10M` or a number; in the program bytes. */
export const sizeBytes = z
  .union([z.string(), z.number().int().nonnegative()], SIZE)
  .refine((size) => parseSizeBytes(String(size)) !== undefined, SIZE)
  .transform((size) => parseSizeBytes(String(size)) ?? 0)
  .meta({ value: 'size' });

/** Code and text of a reply that an administrator words. */
export const response = z.strictObject({
  code: z
    .number()
    .int()
    .min(400, 'a refusal has a code from 400 to 599')
    .max(599, 'a refusal has a code from 400 to 599')
    .meta({ description: 'Three-digit reply code, 400 to 599.' }),
  text: z.string().min(1).max(900).meta({ description: 'Text of the reply, sent exactly as written.' }),
});

/** `127.0.0.1:587`, `[::1]:587` or `:587` (all addresses). */
export const socketAddress = z
  .string()
  .refine(
    (text) => parseAddressPort(text) !== undefined,
    'an address is IPv4:port, [IPv6]:port or :port, with a port from 1 to 65535',
  )
  .meta({ value: 'IPv4:port, [IPv6]:port or :port' });

/** A DNS server as the resolver takes it; port 53 where none is given. */
export const dnsServer = z
  .string()
  .refine(
    (text) => canonicalIp(text) !== undefined || (parseAddressPort(text)?.host ?? '') !== '',
    'a DNS server is an IPv4 or IPv6 address, with a port as IPv4:port or [IPv6]:port',
  )
  .meta({ value: 'IP address, IPv4:port or [IPv6]:port' });

/** In the configuration store, which has no folder, the path must be absolute: see `document-places.ts`. */
export const file = z.string().min(1).meta({ value: 'path, relative to the configuration file', file: true });

/** Encrypted in the configuration store and masked wherever a configuration is shown. */
export const secret = (maxChars: number) =>
  z
    .string()
    .min(1)
    .max(maxChars)
    .refine((text) => text !== MASK, 'the secret is masked, so this is a copy that was saved without secrets')
    .refine(
      (text) => !isSealedForExport(text),
      'the secret is encrypted under a passphrase: load the file with sallyport config load',
    )
    .meta({ secret: true });

/** PEM text in the configuration itself. */
export const pem = z.string().min(1).max(1_048_576).meta({ value: 'PEM' });
