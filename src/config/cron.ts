/**
 * Cron expressions: whether one can be understood and ever comes true, and when it does next. The only place that knows
 * the library; without a function it keeps no timer and only computes. Pure.
 */
import { Cron } from 'croner';

/** Any fixed day: an expression that never matches after it never matches at all. */
const SOME_DAY = '2026-01-01T00:00:00';

/** What is wrong with the expression, or undefined. Five fields, or six where the first is the second. */
export function cronFault(expression: string): string | undefined {
  if (expression.length > 200) return 'a cron expression has at most 200 characters';
  if (!/^\S+( +\S+){4,5}$/.test(expression)) {
    return 'a cron expression has five fields: minute, hour, day of month, month, day of week (or six, seconds first)';
  }
  try {
    const next = new Cron(expression).nextRun(SOME_DAY);
    return (next ?? undefined) === undefined ? 'this cron expression never comes true' : undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : 'not understood';
    return `not a cron expression: ${why}`;
  }
}

/** When the expression comes true next after a time, in local time; undefined = never, or not an expression. */
export function nextCronMs(expression: string, afterMs: number): number | undefined {
  if (cronFault(expression) !== undefined) return undefined;
  // oxlint-disable-next-line no-restricted-globals -- a Date carries the time that was handed in
  return new Cron(expression).nextRun(new Date(afterMs))?.getTime();
}
