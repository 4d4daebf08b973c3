/**
 * An OCSP answer as it is kept on disk, and what it is worth when it is read again. Kept is the response as it came;
 * at load it is verified anew, against the question that is being asked, so that a file can neither be forged nor stand
 * in for another. Only answers with a nextUpdate are kept: what bounds the life of the others is the time of receipt,
 * which nobody has signed.
 * RFC 6960 §2.4. Pure; never throws.
 */
import { judgeOcspResponse, type OcspAnswer } from './ocsp.ts';
import type { OcspStanding } from './ocsp-policy.ts';
import type { OcspQuestion } from './ocsp-request.ts';
import { MAX_OCSP_RESPONSE_BYTES } from './ocsp-response.ts';

export type KeptAnswer = {
  readonly responder: string;
  readonly receivedMs: number;
  /** Of the answer when it came; a nonce can be checked only once. */
  readonly nonce: OcspAnswer['nonce'];
  readonly response: Uint8Array;
};

/** Base64 and a few words beside it. */
export const MAX_KEPT_BYTES = 2 * MAX_OCSP_RESPONSE_BYTES;
const VERSION = 1;
const MAX_RESPONDER_CHARACTERS = 1000;
const NONCES: readonly unknown[] = ['matched', 'absent', 'notSent'] satisfies OcspAnswer['nonce'][];

/** Until when it is worth keeping; undefined: not at all. */
export function keptUntilMs({ status, nextUpdateMs }: OcspAnswer, nowMs: number): number | undefined {
  return status === 'unknown' || nextUpdateMs === undefined || nextUpdateMs <= nowMs ? undefined : nextUpdateMs;
}

export function encodeKept({ responder, receivedMs, nonce, response }: KeptAnswer): string {
  return JSON.stringify({
    version: VERSION,
    responder,
    receivedMs,
    nonce,
    response: Buffer.from(response).toString('base64'),
  });
}

/** Undefined for anything that `encodeKept` has not written. */
export function decodeKept(bytes: Uint8Array): KeptAnswer | undefined {
  if (bytes.length > MAX_KEPT_BYTES) return undefined;
  let kept: unknown;
  try {
    kept = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof kept !== 'object' || kept === null) return undefined;
  const { version, responder, receivedMs, nonce, response } = kept as Readonly<Record<string, unknown>>;
  if (version !== VERSION || typeof responder !== 'string' || responder.length > MAX_RESPONDER_CHARACTERS)
    return undefined;
  if (typeof receivedMs !== 'number' || typeof response !== 'string' || !NONCES.includes(nonce)) return undefined;
  return {
    responder,
    receivedMs,
    nonce: nonce as OcspAnswer['nonce'],
    response: Uint8Array.from(Buffer.from(response, 'base64')),
  };
}

/** The answer, verified as of now. */
export function restoredAnswer(kept: KeptAnswer, question: OcspQuestion, nowMs: number): OcspAnswer | undefined {
  const verdict = judgeOcspResponse({ ...question, response: kept.response, nowMs, maxAgeMs: 0 });
  if (!verdict.ok || keptUntilMs(verdict.answer, nowMs) === undefined) return undefined;
  return { ...verdict.answer, nonce: kept.nonce };
}

/** As the desk would still know it, had it run on. */
export function restoredStanding(
  kept: KeptAnswer,
  question: OcspQuestion,
  { maxAgeMs, nowMs }: { readonly maxAgeMs: number; readonly nowMs: number },
): OcspStanding | undefined {
  const answer = restoredAnswer(kept, question, nowMs);
  if (answer === undefined) return undefined;
  // A time of receipt that lies in the future is a clock that was set back.
  const receivedMs = Math.min(kept.receivedMs, nowMs);
  const askAgainMs = Math.min(answer.countsUntilMs, receivedMs + maxAgeMs);
  return { kind: 'answer', responder: kept.responder, answer, askAgainMs };
}
