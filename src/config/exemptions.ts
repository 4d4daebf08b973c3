/**
 * Exemptions: who may use a password although the allowance of the directory says no, until when, why, and by whom it was
 * granted; beside what the directory itself allows. For the lost card, the broken reader, the card that is not issued
 * yet. Pure.
 */
import { z } from 'zod';
import { name } from './scalars.ts';

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const UNTIL = 'a day such as "2026-12-31" (to its end, UTC), or a time such as "2026-12-31T18:00:00Z"';

/** Milliseconds since 1970; undefined for what is no day or time. */
function untilMs(text: string): number | undefined {
  const iso = DAY.test(text) ? `${text}T23:59:59.999Z` : text;
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{3})?)?Z$/.test(iso)) return undefined;
  const ms = Date.parse(iso);
  // A day that the month does not have would be taken for one of the next.
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== iso.slice(0, 10) ? undefined : ms;
}

const printableText = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\u0000-\u001f\u007f]*$/, 'one line of text');

export const exemption = z.strictObject({
  user: printableText(256).meta({
    description: 'The login, as given or as an address with the listener’s default domain; case does not matter.',
  }),
  until: z
    .string(UNTIL)
    .refine((text) => untilMs(text) !== undefined, UNTIL)
    .transform((text) => untilMs(text) ?? 0)
    .meta({ description: 'When it ends by itself.', value: 'day or time in UTC' }),
  reason: printableText(300).meta({ description: 'Why, for the report.' }),
  grantedBy: printableText(100).meta({ description: 'Who granted it, for the report.' }),
  profiles: z
    .array(name)
    .min(1)
    .optional()
    .meta({ description: 'SMTP authentication profiles of type ldap in which it counts.', otherwise: 'all' }),
});
