/** Shapes that several routes share. Pure. */
import { z } from 'zod';
import { ROLES } from './roles.ts';

export const timeMs = z.int().nonnegative().meta({ description: 'Milliseconds since 1970 (UTC).' });

export const accountName = z
  .string()
  .regex(
    /^[a-z_][a-z0-9_.-]{0,31}$/,
    'a name has 1 to 32 of a-z, 0-9, "_", "." and "-", and begins with a letter or "_"',
  )
  .refine((text) => text !== 'system' && !(text in {}), 'this name is reserved')
  .meta({ description: 'Name of an account.' });

export const role = z
  .enum(ROLES)
  .meta({ description: 'Least to greatest: help-desk, read-only, operator, administrator.' });

export const id = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,1400}$/, 'not an id')
  .meta({ description: 'Id, as the list gives it.' });

export const label = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'must have no control characters');

export const mark = z
  .strictObject({ sinceMs: timeMs, by: z.string(), reason: z.string().optional() })
  .meta({ id: 'Mark', description: 'Since when, by whom, and why.' });

export const limit = (most: number, usual: number) =>
  z.coerce.number().int().min(1).max(most).default(usual).meta({ description: 'At most so many.' });

export const json = z.unknown().meta({ description: 'Any JSON value.' });

export const problemError = z
  .strictObject({
    path: z.string().meta({ description: 'Path of the key as `check` prints it: `listeners.mx.hat[0].policy`.' }),
    keys: z.array(z.union([z.string(), z.number()])).meta({ description: 'The same as keys and indexes.' }),
    detail: z.string(),
    severity: z.enum(['error', 'warning']),
    line: z.int().optional().meta({ description: 'Where the value came from a text.' }),
    column: z.int().optional(),
  })
  .meta({ id: 'ProblemError' });

/** RFC 9457. */
export const problemBody = z
  .looseObject({
    type: z.string().meta({ description: '`urn:sallyport:problem:` and the kind.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    errors: z.array(problemError).optional().meta({ description: 'Each wrong value.' }),
  })
  .meta({ id: 'Problem', description: 'Problem details (RFC 9457).' });
