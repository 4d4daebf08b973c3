/** How long a self-signed certificate is valid, as a person says it. Pure. */
import type { Understood } from './question.ts';

export const MAX_DAYS = 3660;

export function readDays(text: string): Understood<number> {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return days >= 1 && days <= MAX_DAYS
    ? { ok: true, value: days }
    : { ok: false, why: `Enter a number from 1 to ${MAX_DAYS}.` };
}
