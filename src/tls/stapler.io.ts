/**
 * Keeps the OCSP answers fresh that listeners staple to their certificates. Runs on the control thread; receive threads
 * only ever see answers that were verified and good. The last one is kept on disk and stapled from the start on.
 * Effects: network, timers, log, files through its disk.
 */
import type { Config, Material } from '../config/schema.ts';
import type { Clock } from '../core/ports.ts';
import type { MailLog } from '../log/mail-event.ts';
import type { OcspVerdict } from './ocsp.ts';
import { type AskedResponder, askOcsp } from './ocsp-client.io.ts';
import type { OcspDisk } from './ocsp-disk.io.ts';
import { keptUntilMs, restoredAnswer } from './ocsp-kept.ts';
import {
  renewalAtMs,
  retryAtMs,
  type Staple,
  stapleOf,
  type Staples,
  type StapleTarget,
  stapleTargets,
} from './stapling.ts';

export type StaplerOptions = {
  readonly clock: Clock;
  readonly log: MailLog;
  /** Resolves when every thread has them. */
  readonly publish: (staples: Staples) => Promise<void>;
  readonly disk: OcspDisk;
};

const SETTINGS = { timeout: 15_000, hash: 'sha1', nonce: 'off', maxAge: 3_600_000 } as const;

type Running = { readonly target: StapleTarget; failures: number; timer: NodeJS.Timeout | undefined };

export class Stapler {
  readonly #options: StaplerOptions;
  readonly #stop = new AbortController();
  #running = new Map<string, Running>();
  #staples: Record<string, Staple> = {};
  #authorities: readonly string[] = [];

  constructor(options: StaplerOptions) {
    this.#options = options;
  }

  /**
   * At start and at every revision: what is stapled already stays, what is new is taken from disk and asked for at once.
   * Resolves when the threads have what was on disk.
   */
  async configure(config: Config, material: Material): Promise<void> {
    this.#authorities = Object.values(material.authorities);
    const before = this.#running;
    const begun: Running[] = [];
    this.#running = new Map();
    for (const target of stapleTargets(config, material)) {
      if ('why' in target) {
        this.#options.log.emit({ event: 'staple-failed', certificate: target.name, why: target.why });
        continue;
      }
      const known = before.get(keyOf(target));
      before.delete(keyOf(target));
      const running = known ?? { target, failures: 0, timer: undefined };
      this.#running.set(keyOf(target), running);
      if (known === undefined) begun.push(running);
    }
    for (const { timer } of before.values()) clearTimeout(timer);
    const wanted = new Set([...this.#running.values()].map(({ target }) => target.sha256));
    this.#staples = Object.fromEntries(Object.entries(this.#staples).filter(([sha256]) => wanted.has(sha256)));
    await Promise.all(begun.map(({ target }) => this.#recall(target)));
    await this.#options.publish(this.#staples);
    for (const running of begun) void this.#renew(running);
  }

  /** From an earlier run, verified again. */
  async #recall(target: StapleTarget): Promise<void> {
    const { disk, clock } = this.#options;
    const { sha256 } = target;
    const kept = await disk.read(diskKeyOf(target));
    const answer = kept && restoredAnswer(kept, target, clock.now());
    if (kept === undefined || answer?.status !== 'good' || sha256 in this.#staples) return;
    this.#staples = { ...this.#staples, [sha256]: { response: kept.response, countsUntilMs: answer.countsUntilMs } };
  }

  stop(): void {
    this.#stop.abort();
    for (const { timer } of this.#running.values()) clearTimeout(timer);
  }

  async #renew(running: Running): Promise<void> {
    const { clock } = this.#options;
    const { certificate, issuer, responders } = running.target;
    const attempts = await askOcsp(
      { certificate, issuer, responders, settings: SETTINGS },
      { clock, authorities: this.#authorities, signal: this.#stop.signal },
    );
    if (this.#stop.signal.aborted || this.#running.get(keyOf(running.target)) !== running) return;
    const staple = await this.#take(running.target, attempts);
    running.failures = staple === undefined ? running.failures + 1 : 0;
    const nowMs = clock.now();
    const nextMs = staple === undefined ? retryAtMs(running.failures, nowMs) : renewalAtMs(staple, nowMs);
    running.timer = setTimeout(() => void this.#renew(running), nextMs - nowMs);
    running.timer.unref();
  }

  /** The first good answer. One that says revoked also ends what was stapled so far. */
  async #take(target: StapleTarget, attempts: readonly AskedResponder[]): Promise<Staple | undefined> {
    const { log, publish, disk } = this.#options;
    const { name, sha256 } = target;
    for (const { responder, verdict, response } of attempts) {
      const staple = stapleOf(verdict, response);
      if (typeof staple === 'string') {
        log.emit({ event: 'staple-failed', certificate: name, responder, why: staple });
        if (!verdict.ok || verdict.answer.status !== 'revoked') continue;
        const { [sha256]: _, ...others } = this.#staples;
        this.#staples = others;
        await Promise.all([publish(this.#staples), disk.remove(diskKeyOf(target))]);
        return undefined;
      }
      this.#staples = { ...this.#staples, [sha256]: staple };
      await Promise.all([publish(this.#staples), this.#keep(target, responder, verdict, staple)]);
      const nextUpdateMs = verdict.ok ? verdict.answer.nextUpdateMs : undefined;
      log.emit({
        event: 'staple-updated',
        certificate: name,
        responder,
        ...(nextUpdateMs === undefined ? {} : { nextUpdateMs }),
      });
      return staple;
    }
    return undefined;
  }

  async #keep(target: StapleTarget, responder: string, verdict: OcspVerdict, { response }: Staple): Promise<void> {
    const { clock, disk } = this.#options;
    const nowMs = clock.now();
    const endMs = verdict.ok ? keptUntilMs(verdict.answer, nowMs) : undefined;
    if (endMs === undefined) return;
    await disk.save(diskKeyOf(target), endMs, { responder, receivedMs: nowMs, nonce: 'notSent', response });
  }
}

const diskKeyOf = ({ sha256 }: StapleTarget): string => `staple ${sha256}`;
const keyOf = ({ name, sha256, responders }: StapleTarget): string => [name, sha256, ...responders].join(' ');
