/**
 * When a recipient is tried again and when the gateway gives up, by the bounce profile (AsyncOS "Bounce Profiles").
 * The wait doubles from `initialWait` up to `maxWait`. Queue time is looked at right before an attempt, the number of
 * retries right after one, as in AsyncOS.
 * Pure: time and randomness are handed in.
 */
import type { BounceProfileConfig } from '../config/schema.ts';

export type RetryProfile = Pick<BounceProfileConfig, 'maxRetries' | 'maxTimeInQueue' | 'initialWait' | 'maxWait'>;

/** Share of a wait that chance decides, so that what failed together is not tried together for ever. */
const JITTER = 0.1;

/**
 * The wait after the `attempts`-th attempt (from 1). `random` is in [0, 1). Never longer than `maxWait`; up to a tenth
 * longer than the doubled wait below that.
 */
export function retryWaitMs(
  { initialWait, maxWait }: Pick<RetryProfile, 'initialWait' | 'maxWait'>,
  attempts: number,
  random: number,
): number {
  // RFC 5321 §4.5.4.1 wants retries to be delayed, and allows the wait to grow.
  const doubled = initialWait * 2 ** Math.min(Math.max(attempts - 1, 0), 40);
  const spreadMs = JITTER * Math.min(doubled, maxWait);
  return Math.round(Math.min(doubled, maxWait - spreadMs) + random * spreadMs);
}

export type AttemptFacts = { readonly attempts: number; readonly receivedMs: number; readonly nowMs: number };
export type GiveUp = { readonly action: 'give-up'; readonly why: 'retries' | 'queue-time' };

/**
 * Right before an attempt: may it still be made? `attempts` counts those made so far. The first attempt is always
 * made, so that mail that arrived just before a long outage of the gateway itself is not bounced unseen.
 */
export function decideAttempt(profile: RetryProfile, facts: AttemptFacts): { readonly action: 'attempt' } | GiveUp {
  const inQueueMs = facts.nowMs - facts.receivedMs;
  if (facts.attempts > 0 && inQueueMs > profile.maxTimeInQueue) return { action: 'give-up', why: 'queue-time' };
  return { action: 'attempt' };
}

/** Right after a soft failure. `attempts` includes the one that just failed; the first is no retry. */
export function decideRetry(
  profile: RetryProfile,
  facts: Pick<AttemptFacts, 'attempts' | 'nowMs'> & { readonly random: number },
): { readonly action: 'retry'; readonly nextAttemptMs: number } | GiveUp {
  if (facts.attempts > profile.maxRetries) return { action: 'give-up', why: 'retries' };
  return { action: 'retry', nextAttemptMs: facts.nowMs + retryWaitMs(profile, facts.attempts, facts.random) };
}
