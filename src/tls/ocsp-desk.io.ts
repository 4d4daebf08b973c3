/**
 * OCSP for all receive threads: one cache, one question at a time about a certificate, so that a responder is asked once
 * and not once by every thread and session. Answers with a nextUpdate are kept on disk for the time after a restart.
 * Runs on the control thread. Effects: network, time, log, files through its disk.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../core/ports.ts';
import type { MailLog } from '../log/mail-event.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import type { OcspDeskQuestion } from './desk.ts';
import { renderName } from './distinguished-name.ts';
import { type AskedResponder, askOcsp } from './ocsp-client.io.ts';
import type { OcspDisk } from './ocsp-disk.io.ts';
import { keptUntilMs, restoredStanding } from './ocsp-kept.ts';
import type { OcspStanding } from './ocsp-policy.ts';
import { isFresh, OcspCache, ResponderHealth, RETRY_MS, standingOf, succeed } from './ocsp-standing.ts';
import { Turns } from '../core/turns.ts';

const MAX_CACHED = 20_000;
const TURNS = { atOnce: 64, mayWait: 2000 } as const;

export type OcspDeskOptions = {
  readonly clock: Clock;
  readonly log: MailLog;
  /** PEM of every `certificateAuthorities` file, for responders with https. */
  readonly authorities: () => readonly string[];
  /** Without it nothing is kept. */
  readonly disk?: OcspDisk;
};

export class OcspDesk {
  readonly #options: OcspDeskOptions;
  readonly #cache = new OcspCache(MAX_CACHED);
  readonly #asking = new Map<string, Promise<OcspStanding>>();
  readonly #health = new ResponderHealth();
  readonly #turns = new Turns(TURNS);
  readonly #stop = new AbortController();

  constructor(options: OcspDeskOptions) {
    this.#options = options;
  }

  /** From the cache where that is fresh; a question that is under way is joined. Never rejects for what a responder does. */
  async ask(question: OcspDeskQuestion): Promise<OcspStanding> {
    const key = keyOf(question);
    const known = this.#cache.get(key);
    if (isFresh(known, this.#options.clock.now())) return known;
    const underWay = this.#asking.get(key);
    if (underWay !== undefined) return underWay;
    const asking = this.#answer(question, key, known);
    this.#asking.set(key, asking);
    return asking.finally(() => this.#asking.delete(key));
  }

  stop(): void {
    this.#stop.abort();
  }

  /** What was kept does not wait for its turn behind questions that nobody answers. */
  async #answer(question: OcspDeskQuestion, key: string, known: OcspStanding | undefined): Promise<OcspStanding> {
    const before = known ?? (await this.#recall(question, key));
    if (isFresh(before, this.#options.clock.now())) return before;
    return (await this.#turns.run(() => this.#ask(question, key, before))) ?? this.#tooMany(before);
  }

  /** From an earlier run. */
  async #recall({ certificate, issuer, settings }: OcspDeskQuestion, key: string): Promise<OcspStanding | undefined> {
    const { clock, disk } = this.#options;
    const kept = await disk?.read(key);
    if (kept === undefined) return undefined;
    const question = { certificate: parseCertificate(certificate), issuer: parseCertificate(issuer) };
    const standing = restoredStanding(kept, question, { maxAgeMs: settings.maxAge, nowMs: clock.now() });
    if (standing !== undefined) this.#cache.set(key, standing);
    return standing;
  }

  async #ask(question: OcspDeskQuestion, key: string, before: OcspStanding | undefined): Promise<OcspStanding> {
    const { clock, authorities } = this.#options;
    const certificate = parseCertificate(question.certificate);
    const issuer = parseCertificate(question.issuer);
    const { responders, settings } = question;
    const attempts = await askOcsp(
      { certificate, issuer, responders, settings },
      { clock, authorities: authorities(), signal: this.#stop.signal, health: this.#health },
    );
    for (const attempt of attempts) this.#tell(attempt, certificate);
    const nowMs = clock.now();
    const standing = succeed(before, standingOf(attempts, settings.maxAge, nowMs), nowMs);
    this.#cache.set(key, standing);
    if (standing.kind === 'answer' && standing.answer !== answerOf(before)) this.#keep(key, standing, attempts, nowMs);
    return standing;
  }

  /** A newer answer that is not kept itself ends the life of an older one on disk as well. */
  #keep(key: string, { responder, answer }: Answered, attempts: readonly AskedResponder[], nowMs: number): void {
    const { disk } = this.#options;
    const endMs = keptUntilMs(answer, nowMs);
    const response = attempts.find(({ verdict }) => verdict.ok && verdict.answer === answer)?.response;
    if (endMs === undefined || response === undefined) void disk?.remove(key);
    else void disk?.save(key, endMs, { responder, receivedMs: nowMs, nonce: answer.nonce, response });
  }

  #tooMany(before: OcspStanding | undefined): OcspStanding {
    const nowMs = this.#options.clock.now();
    const why = 'too many questions wait for responders';
    return succeed(before, { kind: 'none', cause: 'unavailable', why, askAgainMs: nowMs + RETRY_MS }, nowMs);
  }

  #tell({ responder, verdict }: AskedResponder, { subject, issuer, serialHex }: Certificate): void {
    if (this.#stop.signal.aborted) return;
    const certificate = { subject: renderName(subject), issuer: renderName(issuer), serial: serialHex };
    if (!verdict.ok) {
      this.#options.log.emit({ event: 'ocsp-failed', responder, certificate, why: verdict.why });
      return;
    }
    const { status, nextUpdateMs, signer } = verdict.answer;
    this.#options.log.emit({
      event: 'ocsp-answer',
      responder,
      certificate,
      status,
      signer: signer.name,
      ...(nextUpdateMs === undefined ? {} : { nextUpdateMs }),
    });
  }
}

type Answered = Extract<OcspStanding, { kind: 'answer' }>;
const answerOf = (standing: OcspStanding | undefined): unknown =>
  standing?.kind === 'answer' ? standing.answer : undefined;

/** The certificate is one DER element, so that its end cannot be moved into the issuer. */
function keyOf({ certificate, issuer, responders, settings }: OcspDeskQuestion): string {
  const { hash, nonce, maxAge } = settings;
  const terms = JSON.stringify([responders, hash, nonce, maxAge]);
  return createHash('sha256').update(certificate).update(issuer).update(terms).digest('base64');
}
