/**
 * One directory host: its connections, and whether it is up. Searches share connections that are bound as the gateway's
 * own account before anything is asked; user binds have connections of their own, one bind at a time. A host that fails
 * is left alone for a moment (circuit breaker), then one question tries it again.
 * Effects: connections, timers.
 */
import { whyOf } from '../core/errors.ts';
import type { HostTest, Search } from './directory.ts';
import { DirectoryFailure, type FailureKind, meansHostIsDown } from './directory-failure.ts';
import { LdapConnection, type Outcome } from './ldap-connection.io.ts';
import { type HostTarget, openLdapSocket } from './ldap-socket.io.ts';
import { ldapError, meaningOfBind, serverIsUnavailable } from './result-codes.ts';

export type HostSettings = {
  /** Of this thread, both lanes together. */
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly queryTimeoutMs: number;
  /** Who searches; without it searches are anonymous because the configuration says so. */
  readonly account: { readonly dn: string; readonly password: string } | undefined;
  /** Called when the host goes down and when it is up again. */
  readonly onChange: (url: string, up: boolean, why: string) => void;
};

type Job = {
  readonly run: (connection: LdapConnection, remainingMs: number) => Promise<Outcome>;
  readonly deadlineMs: number;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
};

type Line = { readonly connection: LdapConnection; jobs: number; usedMs: number };

/**
 * A lane holds the connections of one purpose and the jobs that wait for them. A job goes to the least busy connection;
 * when all are busy another is opened, up to the limit that both lanes share. An idle connection of the other lane
 * makes room. When no connection can be had, the jobs that wait fail together, so that an outage answers fast.
 * More searches than `soft` on one connection make another one worthwhile; `hard` is where waiting begins.
 */
type Lane = {
  readonly name: 'service' | 'user';
  readonly soft: number;
  readonly hard: number;
  readonly maxLines: number;
  readonly lines: Line[];
  readonly queue: Job[];
  opening: number;
  /** No new connection before this time: the last attempt failed although others work. */
  notBeforeMs: number;
};

const SOFT_SEARCHES = 8;
const HARD_SEARCHES = 64;
const MAX_WAITING = 10_000;
/** Longer than this a firewall in between may have forgotten the connection. */
const MAX_IDLE_MS = 120_000;
/** How long a host is left alone, first and at most. A refused own bind waits longest, lest the account be locked. */
const HOLD_MS: Readonly<Partial<Record<FailureKind, readonly [first: number, most: number]>>> = {
  timeout: [1000, 5000],
  refused: [5000, 30_000],
};
const SHORT_HOLD_MS: readonly [number, number] = [250, 250];

export class DirectoryHost {
  readonly url: string;
  readonly #target: HostTarget;
  readonly #settings: HostSettings;
  readonly #service: Lane;
  readonly #user: Lane;
  #why = '';
  #up = true;
  #probing = false;
  #heldUntilMs = 0;
  #failures = 0;
  #closing = false;

  constructor(target: HostTarget, settings: HostSettings) {
    this.url = target.url;
    this.#target = target;
    this.#settings = settings;
    const most = settings.maxConnections;
    const lane = { lines: [], queue: [], opening: 0, notBeforeMs: 0 };
    const service = {
      name: 'service',
      soft: SOFT_SEARCHES,
      hard: HARD_SEARCHES,
      maxLines: Math.ceil(most / 2),
    } as const;
    this.#service = { ...lane, ...service, lines: [], queue: [] };
    // One connection is left to the searches, unless there is only one.
    this.#user = { ...lane, name: 'user', soft: 1, hard: 1, maxLines: Math.max(1, most - 1), lines: [], queue: [] };
  }

  /** Up, or down long enough that a question may try it again. */
  get available(): boolean {
    return this.#up || (!this.#probing && performance.now() >= this.#heldUntilMs);
  }
  /** It answered when it was last asked, or was not asked yet. */
  get up(): boolean {
    return this.#up;
  }
  /** Why it is down. */
  get why(): string {
    return this.#why;
  }

  /** Rejects with DirectoryFailure. A connection lost before the answer is retried once on another. */
  search(search: Search): Promise<Outcome> {
    return this.#watched(this.#service, (connection, ms) => connection.search(search, ms));
  }

  bind(dn: string, password: string): Promise<Outcome> {
    return this.#watched(this.#user, (connection, ms) => connection.bind(dn, password, ms));
  }

  /** A connection as a search would have it, opened and ended again. */
  async test(): Promise<HostTest> {
    try {
      const connection = await this.#connect('service', () => undefined);
      connection.end();
      return {
        host: this.url,
        ok: true,
        why: this.#settings.account === undefined ? 'connected (anonymous)' : 'connected',
      };
    } catch (error) {
      return { host: this.url, ok: false, why: whyOf(error) };
    }
  }

  close(): void {
    this.#closing = true;
    for (const lane of [this.#service, this.#user]) {
      this.#failWaiting(lane, new DirectoryFailure('closed', 'the directory is being closed'));
      for (const line of [...lane.lines]) if (line.jobs === 0) line.connection.end();
    }
  }

  async #watched(lane: Lane, run: Job['run']): Promise<Outcome> {
    const probe = !this.#up;
    if (probe) this.#probing = true;
    try {
      const outcome = await this.#retried(lane, run);
      if (serverIsUnavailable(outcome.code)) throw new DirectoryFailure('unavailable', ldapError(outcome.code));
      this.#succeeded();
      return outcome;
    } catch (error) {
      if (error instanceof DirectoryFailure && meansHostIsDown(error.kind)) this.#failed(error);
      throw error;
    } finally {
      if (probe) this.#probing = false;
    }
  }

  async #retried(lane: Lane, run: Job['run']): Promise<Outcome> {
    const deadlineMs = performance.now() + this.#settings.queryTimeoutMs;
    try {
      return await this.#enqueue(lane, run, deadlineMs);
    } catch (error) {
      if (!(error instanceof DirectoryFailure) || error.kind !== 'lost') throw error;
    }
    try {
      return await this.#enqueue(lane, run, deadlineMs);
    } catch (error) {
      const lostAgain = error instanceof DirectoryFailure && error.kind === 'lost';
      throw lostAgain ? new DirectoryFailure('unreachable', `Server unreachable: ${error.message}`) : error;
    }
  }

  #succeeded(): void {
    this.#failures = 0;
    if (this.#up) return;
    this.#up = true;
    this.#why = '';
    this.#settings.onChange(this.url, true, '');
  }

  #failed({ kind, message }: DirectoryFailure): void {
    const now = performance.now();
    const [first, most] = HOLD_MS[kind] ?? SHORT_HOLD_MS;
    // Questions that fail together are one failure.
    if (this.#up || now >= this.#heldUntilMs) {
      this.#heldUntilMs = now + Math.min(most, first * 2 ** Math.min(this.#failures, 10));
      this.#failures += 1;
    }
    const wasUp = this.#up;
    this.#up = false;
    this.#why = message;
    if (wasUp) this.#settings.onChange(this.url, false, message);
  }

  #enqueue(lane: Lane, run: Job['run'], deadlineMs: number): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (this.#closing) {
        reject(new DirectoryFailure('closed', 'the directory is being closed'));
        return;
      }
      if (lane.queue.length >= MAX_WAITING) {
        reject(new DirectoryFailure('crowded', 'too many questions wait for a connection'));
        return;
      }
      const timer = setTimeout(
        () => {
          lane.queue.splice(lane.queue.indexOf(job), 1);
          const none = lane.lines.length === 0;
          reject(
            none
              ? new DirectoryFailure('timeout', 'Server unreachable: no connection within the time limit')
              : new DirectoryFailure('crowded', 'no connection became free within the time limit'),
          );
        },
        Math.max(1, deadlineMs - performance.now()),
      );
      const job: Job = { run, deadlineMs, timer, resolve, reject };
      lane.queue.push(job);
      this.#serve(lane);
    });
  }

  /** Hands jobs to connections as long as there are both. */
  #serve(lane: Lane): void {
    while (lane.queue.length > 0) {
      const line = this.#leastBusy(lane);
      if (line !== undefined && line.jobs < lane.soft) this.#assign(lane, line);
      else if (lane.opening * lane.soft < lane.queue.length && this.#mayOpen(lane)) this.#open(lane);
      else if (line !== undefined && line.jobs < lane.hard) this.#assign(lane, line);
      else return;
    }
  }

  #leastBusy(lane: Lane): Line | undefined {
    const now = performance.now();
    for (const line of [...lane.lines]) {
      if (line.jobs === 0 && now - line.usedMs > MAX_IDLE_MS) line.connection.end();
    }
    let least: Line | undefined;
    for (const line of lane.lines) if (least === undefined || line.jobs < least.jobs) least = line;
    return least;
  }

  #assign(lane: Lane, line: Line): void {
    const job = lane.queue.shift();
    if (job === undefined) return;
    clearTimeout(job.timer);
    line.jobs += 1;
    const remainingMs = Math.max(1, job.deadlineMs - performance.now());
    void job
      .run(line.connection, remainingMs)
      .then(job.resolve, job.reject)
      .finally(() => {
        line.jobs -= 1;
        line.usedMs = performance.now();
        if (this.#closing && line.jobs === 0) line.connection.end();
        // The other lane may have waited for this connection to become idle.
        this.#serve(lane);
        this.#serve(this.#other(lane));
      });
  }

  #other(lane: Lane): Lane {
    return lane === this.#service ? this.#user : this.#service;
  }

  /** Where all connections are taken it ends an idle one of the other lane, and that opens one here. */
  #mayOpen(lane: Lane): boolean {
    const own = lane.lines.length + lane.opening;
    if (own >= lane.maxLines || (own > 0 && performance.now() < lane.notBeforeMs)) return false;
    const other = this.#other(lane);
    if (own + other.lines.length + other.opening < this.#settings.maxConnections) return true;
    // The last connection of a lane makes room only where the other lane has none.
    const idle = other.lines.find(({ jobs }) => jobs === 0);
    if (idle === undefined || other.queue.length > 0 || (own > 0 && other.lines.length === 1)) return false;
    // Its end serves this lane at once (#forget), which opens the one that is wanted; a second would be one too many.
    idle.connection.end();
    return false;
  }

  #open(lane: Lane): void {
    lane.opening += 1;
    this.#connect(lane.name, (closed) => this.#forget(lane, closed)).then(
      (connection) => {
        lane.opening -= 1;
        if (this.#closing) connection.end();
        else if (connection.open) lane.lines.push({ connection, jobs: 0, usedMs: performance.now() });
        else this.#notOpened(lane, new DirectoryFailure('unreachable', 'Server unreachable: connection closed'));
        this.#serve(lane);
      },
      (error: unknown) => {
        lane.opening -= 1;
        this.#notOpened(lane, error);
      },
    );
  }

  #notOpened(lane: Lane, error: unknown): void {
    lane.notBeforeMs = performance.now() + SHORT_HOLD_MS[0];
    // Others of this lane will take the jobs that wait; without any, waiting would be for nothing.
    if (lane.lines.length === 0 && lane.opening === 0) this.#failWaiting(lane, error);
    this.#serve(this.#other(lane));
  }

  #forget(lane: Lane, closed: LdapConnection): void {
    const at = lane.lines.findIndex(({ connection }) => connection === closed);
    if (at >= 0) lane.lines.splice(at, 1);
    if (this.#closing) return;
    this.#serve(lane);
    this.#serve(this.#other(lane));
  }

  #failWaiting(lane: Lane, error: unknown): void {
    for (const job of lane.queue.splice(0)) {
      clearTimeout(job.timer);
      job.reject(error);
    }
  }

  /** For searches it comes bound as the gateway's own account, or not at all (RFC 4513 §4: unbound is anonymous). */
  async #connect(purpose: Lane['name'], onClose: (connection: LdapConnection) => void): Promise<LdapConnection> {
    const { connectTimeoutMs, queryTimeoutMs, account } = this.#settings;
    const socket = await openLdapSocket(this.#target, connectTimeoutMs);
    const connection = new LdapConnection(socket, onClose);
    if (purpose === 'user' || account === undefined) return connection;
    try {
      const { code } = await connection.bind(account.dn, account.password, queryTimeoutMs);
      if (meaningOfBind(code) === 'right') return connection;
      const kind = serverIsUnavailable(code) ? 'unavailable' : 'refused';
      throw new DirectoryFailure(kind, `LDAP authentication failed: ${ldapError(code)}`);
    } catch (error) {
      connection.destroy('not bound');
      const lost = error instanceof DirectoryFailure && error.kind === 'lost';
      throw lost ? new DirectoryFailure('unreachable', `Server unreachable: ${error.message}`) : error;
    }
  }
}
