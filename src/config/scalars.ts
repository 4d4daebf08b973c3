/** Scalars that several sections of the configuration share, with the words that `check` uses for them. Pure. */
import { z } from 'zod';
import { parseDurationMs, parseSizeBytes } from '../core/duration.ts';

/** A name by which other sections refer to an object. */
export const name = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/, 'a name has 1 to 64 letters, digits, "-", "_" or "."');

export const named = <T extends z.ZodType>(value: T) => z.record(name, value);

/** In the file `15m`; in the program milliseconds. */
export const durationMs = z
  .string()
  .refine((text) => parseDurationMs(text) !== undefined, 'a duration is a whole number with ms, s, m, h or d, such as 15m')
  .transform((text) => parseDurationMs(text) ?? 0);

/** In the file `10M` or a number; in the program bytes. */
export const sizeBytes = z
  .union([z.string(), z.number().int().nonnegative()], 'a size is a number of bytes or a number with k, M or G, such as 10M')
  .refine((size) => parseSizeBytes(String(size)) !== undefined, 'a size is a number of bytes or a number with k, M or G, such as 10M')
  .transform((size) => parseSizeBytes(String(size)) ?? 0);

/** Code and text of a reply that an administrator words. */
export const response = z.strictObject({
  code: z.number().int().min(400, 'a refusal has a code from 400 to 599').max(599, 'a refusal has a code from 400 to 599'),
  text: z.string().min(1).max(900),
});

/** `127.0.0.1:587`, `[::1]:587` or `:587` (all addresses). */
export const socketAddress = z
  .string()
  .regex(/^(\[[0-9A-Fa-f:.]+\]|[0-9.]*|\*):\d{1,5}$/, 'an address is IPv4:port, [IPv6]:port or :port');

export const file = z.string().min(1);
