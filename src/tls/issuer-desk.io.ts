/**
 * Fetches files with missing issuers for all receive threads. A client that nobody knows yet can make the gateway ask,
 * so everything is bounded: hosts by the profile's list, size, time, how many at once and how many new ones a minute;
 * what was found and what was not is remembered. What was found once still serves while its server is down: path
 * validation judges it each time. Runs on the control thread. Effects: network, time, log.
 */
import type { Clock } from '../core/ports.ts';
import type { MailLog } from '../log/mail-event.ts';
import { isAllowedUrl } from '../core/allowed-hosts.ts';
import { MAX_ISSUER_FILE_BYTES, readIssuerFile } from './aia.ts';
import type { FoundIssuers, IssuerDeskQuestion } from './desk.ts';
import { download, withinTime } from './http-fetch.io.ts';
import { Turns } from '../core/turns.ts';

const MAX_URLS = 100;
const KEPT_MS = 3_600_000;
/** The server has answered, and it was of no use. */
const USELESS_KEPT_MS = 30_000;
/** It could not be asked: a session that is deferred asks again. */
const UNANSWERED_KEPT_MS = 5000;
const TURNS = { atOnce: 8, mayWait: 64 } as const;
const MAX_NEW_PER_MINUTE = 120;

export type IssuerDeskOptions = {
  readonly clock: Clock;
  readonly log: MailLog;
  readonly authorities: () => readonly string[];
};

type Kept = FoundIssuers & { readonly untilMs: number };

export class IssuerDesk {
  readonly #options: IssuerDeskOptions;
  /** In the order of their last use. */
  readonly #kept = new Map<string, Kept>();
  readonly #fetching = new Map<string, Promise<FoundIssuers>>();
  readonly #turns = new Turns(TURNS);
  readonly #stop = new AbortController();
  #recentMs: number[] = [];

  constructor(options: IssuerDeskOptions) {
    this.#options = options;
  }

  /** What the files hold; none for a file that cannot be had. Never rejects for what a server does. */
  async ask({ urls, allowHosts, timeoutMs }: IssuerDeskQuestion): Promise<FoundIssuers> {
    // Two profiles may allow different hosts: what one has fetched is not for the other.
    const allowed = urls.filter((url) => isAllowedUrl(url, allowHosts));
    const files = await Promise.all(allowed.map((url) => this.#file(url, allowHosts, timeoutMs)));
    return {
      certificates: files.flatMap(({ certificates }) => certificates),
      unanswered: files.some(({ unanswered }) => unanswered),
    };
  }

  stop(): void {
    this.#stop.abort();
  }

  #file(url: string, allowHosts: readonly string[], timeoutMs: number): Promise<FoundIssuers> {
    const nowMs = this.#options.clock.now();
    const kept = this.#kept.get(url);
    if (kept !== undefined && nowMs < kept.untilMs) {
      this.#keep(url, kept);
      return Promise.resolve(kept);
    }
    const underWay = this.#fetching.get(url);
    if (underWay !== undefined) return underWay;
    const mayAsk = this.#mayAskNow(nowMs);
    const fetching = mayAsk ? this.#turns.run(() => this.#fetch(url, allowHosts, timeoutMs)) : undefined;
    if (fetching === undefined) {
      this.#failed(url, 'not fetched: too many files are being asked for');
      return Promise.resolve({ certificates: kept?.certificates ?? [], unanswered: true });
    }
    this.#fetching.set(url, fetching);
    return fetching.finally(() => this.#fetching.delete(url));
  }

  async #fetch(url: string, allowHosts: readonly string[], timeoutMs: number): Promise<FoundIssuers> {
    const { clock, log, authorities } = this.#options;
    const fetched = await withinTime({ timeoutMs, signal: this.#stop.signal }, (signal) =>
      download({
        url,
        accept: 'application/pkix-cert, application/pkcs7-mime, */*',
        maxBytes: MAX_ISSUER_FILE_BYTES,
        mayAsk: (to) => isAllowedUrl(to.href, allowHosts),
        authorities: authorities(),
        signal,
      }),
    );
    const file = fetched.ok ? readIssuerFile(fetched.bytes) : fetched;
    if (file.ok) {
      const { certificates } = file;
      log.emit({ event: 'issuer-fetched', url, certificates: certificates.length });
      return this.#keep(url, { certificates, unanswered: false, untilMs: clock.now() + KEPT_MS });
    }
    this.#failed(url, file.why);
    const certificates = this.#kept.get(url)?.certificates ?? [];
    const unanswered = !fetched.ok && !fetched.lasting;
    const untilMs = clock.now() + (unanswered ? UNANSWERED_KEPT_MS : USELESS_KEPT_MS);
    return this.#keep(url, { certificates, unanswered, untilMs });
  }

  /** Addresses that lead to nothing go before those that have served. */
  #keep(url: string, kept: Kept): Kept {
    this.#kept.delete(url);
    this.#kept.set(url, kept);
    if (this.#kept.size > MAX_URLS) {
      const useless = [...this.#kept].find(([each, { certificates }]) => each !== url && certificates.length === 0);
      this.#kept.delete(useless?.[0] ?? (this.#kept.keys().next().value as string));
    }
    return kept;
  }

  #mayAskNow(nowMs: number): boolean {
    this.#recentMs = this.#recentMs.filter((atMs) => Math.abs(nowMs - atMs) < 60_000);
    if (this.#recentMs.length >= MAX_NEW_PER_MINUTE) return false;
    this.#recentMs.push(nowMs);
    return true;
  }

  #failed(url: string, why: string): void {
    if (!this.#stop.signal.aborted) this.#options.log.emit({ event: 'issuer-failed', url, why });
  }
}
