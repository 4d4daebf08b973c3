/**
 * Asks responders about one certificate over HTTP and judges what they send. Sessions, stapling and `cert verify` ask
 * here. RFC 6960 §A.1; RFC 5019 §5 and RFC 9919: short questions without a nonce go as GET, which caches can answer.
 * Effects: network, time, randomness.
 */
import { randomBytes } from 'node:crypto';
import type { OcspConfig } from '../config/schema.ts';
import { isAllowedUrl } from '../core/allowed-hosts.ts';
import type { Clock } from '../core/ports.ts';
import { download, redactedUrl, withinTime } from './http-fetch.io.ts';
import { judgeOcspResponse } from './ocsp.ts';
import { encodeOcspRequest, NONCE_OCTETS, type OcspQuestion } from './ocsp-request.ts';
import { MAX_OCSP_RESPONSE_BYTES } from './ocsp-response.ts';
import type { OcspAttempt, ResponderHealth } from './ocsp-standing.ts';

export type OcspAsk = OcspQuestion & {
  /** Asked in this order until one knows. */
  readonly responders: readonly string[];
  readonly settings: Pick<OcspConfig, 'timeout' | 'hash' | 'nonce' | 'maxAge' | 'allowHosts'>;
};

export type OcspParts = {
  readonly clock: Clock;
  /** PEM, for https. */
  readonly authorities: readonly string[];
  readonly signal: AbortSignal;
  readonly health?: ResponderHealth;
};

/** `response`: as it came, where something came. */
export type AskedResponder = OcspAttempt & { readonly response?: Uint8Array };

const MAX_GET_OCTETS = 255;

/** Never rejects. Stops at the first responder that says good or revoked; they share the time limit. */
export async function askOcsp(ask: OcspAsk, parts: OcspParts): Promise<AskedResponder[]> {
  const { clock, health } = parts;
  const endMs = clock.now() + ask.settings.timeout;
  const attempts: AskedResponder[] = [];
  for (const [i, responder] of ask.responders.entries()) {
    const leftMs = Math.max(1, (endMs - clock.now()) / (ask.responders.length - i));
    const attempt: AskedResponder = health?.isPaused(responder, clock.now())
      ? failed(responder, 'it has not answered several times and is not asked for some seconds')
      : await askOne(responder, Math.ceil(leftMs), ask, parts);
    attempts.push(attempt);
    if (attempt.verdict.ok && attempt.verdict.answer.status !== 'unknown') break;
  }
  return attempts;
}

const failed = (responder: string, why: string): AskedResponder => ({
  responder: redactedUrl(responder),
  verdict: { ok: false, unauthorized: false, why },
});

async function askOne(
  responder: string,
  timeoutMs: number,
  { certificate, issuer, settings }: OcspAsk,
  { clock, authorities, signal, health }: OcspParts,
): Promise<AskedResponder> {
  const nonce = settings.nonce === 'off' ? undefined : randomBytes(NONCE_OCTETS);
  const request = encodeOcspRequest({ certificate, issuer }, settings.hash, nonce);
  const fetched = await withinTime({ timeoutMs, signal }, (either) =>
    send(responder, request, {
      allowHosts: settings.allowHosts,
      byGet: nonce === undefined,
      authorities,
      signal: either,
    }),
  );
  if (!signal.aborted) health?.note(responder, fetched.ok, clock.now());
  if (!fetched.ok) return failed(responder, fetched.why);
  const verdict = judgeOcspResponse({
    certificate,
    issuer,
    response: fetched.bytes,
    nowMs: clock.now(),
    maxAgeMs: settings.maxAge,
    ...(nonce === undefined ? {} : { nonce }),
    nonceRequired: settings.nonce === 'require',
  });
  return { responder: redactedUrl(responder), verdict, response: fetched.bytes };
}

type Sending = {
  readonly allowHosts: readonly string[] | undefined;
  readonly byGet: boolean;
  readonly authorities: readonly string[];
  readonly signal: AbortSignal;
};

function send(responder: string, request: Uint8Array, sending: Sending): Promise<Uint8Array> {
  const { allowHosts = [], byGet, authorities, signal } = sending;
  const url = `${responder.replace(/\/$/, '')}/${encodeURIComponent(Buffer.from(request).toString('base64'))}`;
  const asGet = byGet && url.length <= MAX_GET_OCTETS && !responder.includes('?');
  const { host } = new URL(responder);
  return download({
    url: asGet ? url : responder,
    ...(asGet ? {} : { body: { type: 'application/ocsp-request', bytes: request } }),
    accept: 'application/ocsp-response, */*',
    maxBytes: MAX_OCSP_RESPONSE_BYTES,
    mayAsk: (to) => to.host === host || isAllowedUrl(to.href, allowHosts),
    authorities,
    signal,
  });
}
