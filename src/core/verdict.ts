/**
 * Verdict and Answer: the two shapes every decision of the gateway has.
 * A verdict names the rule (a configuration path such as `listeners.submission.hat[0]`, or a row of the contract's
 * truth table) that decided it, so that log, tests, console and `trace` tell the same reason.
 * A look-up answers yes, no or unknown, and unknown is never yes: it leads to `defer`.
 * Pure.
 */
import type { Reply } from './reply.ts';

export type Verdict<T = undefined> =
  | { readonly kind: 'accept'; readonly rule: string; readonly value: T }
  | { readonly kind: 'reject'; readonly rule: string; readonly reply: Reply }
  | { readonly kind: 'defer'; readonly rule: string; readonly reply: Reply }
  | { readonly kind: 'drop'; readonly rule: string };

export type Answer<T> =
  | { readonly answer: 'yes'; readonly value: T }
  | { readonly answer: 'no'; readonly why: string }
  | { readonly answer: 'unknown'; readonly why: string };

export const yes = <T>(value: T): Answer<T> => ({ answer: 'yes', value });
export const no = (why: string): Answer<never> => ({ answer: 'no', why });
export const unknown = (why: string): Answer<never> => ({ answer: 'unknown', why });

export const accept = <T>(rule: string, value: T): Verdict<T> => ({ kind: 'accept', rule, value });
export const reject = (rule: string, reply: Reply): Verdict<never> => ({ kind: 'reject', rule, reply });
