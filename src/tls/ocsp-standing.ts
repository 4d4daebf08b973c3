/**
 * From what responders said to what is known about a certificate, and for how long: an answer counts until its
 * nextUpdate and is asked for anew after maxAge; the lack of one is remembered for seconds only. An older answer never
 * takes the place of a newer one, and a responder that is down does not undo an answer that still counts.
 * RFC 6960 §2.4, §3.2. Pure.
 */
import type { OcspVerdict } from './ocsp.ts';
import type { OcspStanding } from './ocsp-policy.ts';

export type OcspAttempt = { readonly responder: string; readonly verdict: OcspVerdict };

/** How soon a responder that gave no answer is asked again about the same certificate. */
export const RETRY_MS = 5000;
/** A certificate that is just being issued may not be known yet. */
const UNKNOWN_MS = 60_000;

/** The first good or revoked one counts, then an `unknown`. */
export function standingOf(attempts: readonly OcspAttempt[], maxAgeMs: number, nowMs: number): OcspStanding {
  const answers = attempts.flatMap(({ responder, verdict }) =>
    verdict.ok ? [{ responder, answer: verdict.answer }] : [],
  );
  const found = answers.find(({ answer }) => answer.status !== 'unknown') ?? answers[0];
  if (found !== undefined) {
    const soonest = found.answer.status === 'unknown' ? Math.min(UNKNOWN_MS, maxAgeMs) : maxAgeMs;
    return { kind: 'answer', ...found, askAgainMs: Math.min(found.answer.countsUntilMs, nowMs + soonest) };
  }
  const failures = attempts.flatMap(({ responder, verdict }) =>
    verdict.ok ? [] : [{ words: `${responder}: ${verdict.why}`, unauthorized: verdict.unauthorized }],
  );
  return {
    kind: 'none',
    cause: failures.every(({ unauthorized }) => unauthorized) ? 'unauthorized' : 'unavailable',
    why: failures.map(({ words }) => words).join('; '),
    askAgainMs: nowMs + RETRY_MS,
  };
}

/** What is known after asking again. */
export function succeed(before: OcspStanding | undefined, now: OcspStanding, nowMs: number): OcspStanding {
  if (before?.kind !== 'answer' || before.answer.countsUntilMs <= nowMs) return now;
  if (now.kind === 'answer' && now.answer.thisUpdateMs >= before.answer.thisUpdateMs) return now;
  return { ...before, askAgainMs: Math.min(before.answer.countsUntilMs, nowMs + RETRY_MS) };
}

/** The standings by key, the ones used longest ago going first. */
export class OcspCache {
  readonly #max: number;
  readonly #standings = new Map<string, OcspStanding>();

  constructor(maxEntries: number) {
    this.#max = maxEntries;
  }

  /** Whatever is there, fresh or not. */
  get(key: string): OcspStanding | undefined {
    const standing = this.#standings.get(key);
    if (standing !== undefined) this.set(key, standing);
    return standing;
  }

  set(key: string, standing: OcspStanding): void {
    this.#standings.delete(key);
    this.#standings.set(key, standing);
    if (this.#standings.size > this.#max) this.#standings.delete(this.#standings.keys().next().value as string);
  }
}

/** Whether it may be used without asking. A clock that was set back makes everything worth asking again. */
export const isFresh = (standing: OcspStanding | undefined, nowMs: number): standing is OcspStanding =>
  standing !== undefined && nowMs < standing.askAgainMs;

const MAX_FAILURES = 3;
const PAUSE_MS = 5000;
const MAX_HOSTS = 1000;

/** Responders that do not answer are left alone for a while, so that not every session waits for the time limit. */
export class ResponderHealth {
  readonly #failures = new Map<string, { count: number; lastMs: number }>();

  isPaused(responder: string, nowMs: number): boolean {
    const known = this.#failures.get(originOf(responder));
    return known !== undefined && known.count >= MAX_FAILURES && Math.abs(nowMs - known.lastMs) < PAUSE_MS;
  }

  note(responder: string, answers: boolean, nowMs: number): void {
    const origin = originOf(responder);
    const count = (this.#failures.get(origin)?.count ?? 0) + 1;
    this.#failures.delete(origin);
    if (answers) return;
    this.#failures.set(origin, { count, lastMs: nowMs });
    if (this.#failures.size > MAX_HOSTS) this.#failures.delete(this.#failures.keys().next().value as string);
  }
}

const originOf = (url: string): string => URL.parse(url)?.origin ?? url;
