/**
 * Destination Controls: which next hop gets another connection, and which job a connection does next. Limits are the
 * total number of connections and the number that the destination's row allows; next hops take turns. A next hop starts with one connection
 * and may double what is established, so that a host that turns out to be dead costs one attempt, not twenty.
 * Pure: state in memory only.
 */
import type { DueRecipient } from '../core/ports.ts';
import type { HopRoute, Job } from './destination.ts';

export type Limits = { readonly maxConnections: number };

type Hop = {
  /** As the last job has it: a configuration may have changed its hosts and limits. */
  route: HopRoute;
  jobs: Job[];
  /** First job not yet taken; the array is trimmed now and then. */
  next: number;
  connecting: number;
  established: number;
  /** How many connections the hosts allow, as far as they have said so. */
  cap: number;
  /** Connections that wait for work. */
  readonly idle: Set<() => void>;
  /** Of those, how many were woken for a job and have not come back yet. */
  woken: number;
};

/** A connection without work. `over` must be called when it goes on, whatever the reason. */
export type Rest = { readonly work: Promise<void>; readonly over: () => void };

export class DestinationControls {
  #limits: Limits;
  readonly #hops = new Map<string, Hop>();
  #connections = 0;
  #waiting = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  set limits(limits: Limits) {
    this.#limits = limits;
  }
  /** Recipients in jobs that nobody has taken. */
  get waiting(): number {
    return this.#waiting;
  }
  get connections(): number {
    return this.#connections;
  }

  add(job: Job): void {
    const { key } = job.route;
    let hop = this.#hops.get(key);
    if (hop === undefined) {
      hop = {
        route: job.route,
        jobs: [],
        next: 0,
        connecting: 0,
        established: 0,
        cap: Number.POSITIVE_INFINITY,
        idle: new Set(),
        woken: 0,
      };
      this.#hops.set(key, hop);
    }
    hop.route = job.route;
    hop.jobs.push(job);
    this.#waiting += job.rows.length;
    wakeOne(hop);
  }

  /** A next hop that should get one more connection now; it counts as connecting from here on. */
  start(): HopRoute | undefined {
    if (this.#connections >= this.#limits.maxConnections) return undefined;
    for (const [key, hop] of this.#hops) {
      const open = hop.connecting + hop.established;
      if (
        hop.jobs.length - hop.next <= hop.connecting + hop.woken ||
        open >= Math.min(hop.cap, hop.route.control.maxConnections)
      )
        continue;
      if (hop.connecting >= Math.max(1, hop.established)) continue;
      hop.connecting++;
      this.#connections++;
      this.#hops.delete(key); // to the end of the round
      this.#hops.set(key, hop);
      return hop.route;
    }
    return undefined;
  }

  established(key: string): void {
    const hop = this.#hops.get(key);
    if (hop === undefined) return;
    hop.connecting--;
    hop.established++;
  }

  /** The oldest job of this next hop. */
  take(key: string): Job | undefined {
    const hop = this.#hops.get(key);
    const job = hop?.jobs[hop.next];
    if (hop === undefined || job === undefined) return undefined;
    hop.next++;
    if (hop.next === hop.jobs.length || hop.next > 1000) {
      hop.jobs = hop.jobs.slice(hop.next);
      hop.next = 0;
    }
    this.#waiting -= job.rows.length;
    return job;
  }

  /** Connections to a next hop, and recipients that wait for one. */
  load(key: string): { readonly connecting: number; readonly established: number; readonly waiting: number } {
    const hop = this.#hops.get(key);
    if (hop === undefined) return { connecting: 0, established: 0, waiting: 0 };
    const { connecting, established, jobs, next } = hop;
    return { connecting, established, waiting: jobs.slice(next).reduce((sum, job) => sum + job.rows.length, 0) };
  }

  /** Takes recipients out of jobs that nobody has begun; a job without recipients goes. */
  withdraw(matches: (row: DueRecipient) => boolean): DueRecipient[] {
    const taken: DueRecipient[] = [];
    for (const [key, hop] of this.#hops) {
      const jobs: Job[] = [];
      for (const job of hop.jobs.slice(hop.next)) {
        const rows = job.rows.filter((row) => !matches(row));
        if (rows.length === job.rows.length) jobs.push(job);
        else {
          taken.push(...job.rows.filter(matches));
          if (rows.length > 0) jobs.push({ ...job, rows });
        }
      }
      hop.jobs = jobs;
      hop.next = 0;
      this.#forget(key, hop);
    }
    this.#waiting -= taken.length;
    return taken;
  }

  /** Every job that nobody has begun, for a graceful stop. */
  drain(): Job[] {
    const jobs = [...this.#hops.keys()].flatMap((key) => this.#takeAll(key));
    for (const hop of this.#hops.values()) while (hop.idle.size > 0) wakeOne(hop);
    return jobs;
  }

  /** Until a job arrives for this next hop, or a stop wants idle connections to end. */
  rest(key: string): Rest {
    const hop = this.#hops.get(key);
    if (hop === undefined) return { work: Promise.resolve(), over: () => undefined };
    let wake = (): void => undefined;
    const work = new Promise<void>((resolve) => {
      wake = resolve;
    });
    hop.idle.add(wake);
    return {
      work,
      over: () => {
        if (!hop.idle.delete(wake)) hop.woken--;
      },
    };
  }

  /** Whether other connections to this next hop work. */
  busy(key: string): boolean {
    return (this.#hops.get(key)?.established ?? 0) > 0;
  }

  /**
   * A connection that was started did not come about: the jobs that now have to wait. None while other connections
   * work, which then are all that the hosts allow until one of them ends.
   */
  failed(key: string): Job[] {
    const hop = this.#hops.get(key);
    if (hop === undefined) return [];
    this.#connections--;
    hop.connecting--;
    if (hop.established > 0) hop.cap = hop.established;
    const jobs = hop.established > 0 ? [] : this.#takeAll(key);
    this.#forget(key, hop);
    return jobs;
  }

  /** An established connection is over. */
  ended(key: string): void {
    const hop = this.#hops.get(key);
    if (hop === undefined) return;
    this.#connections--;
    hop.established--;
    hop.cap = Number.POSITIVE_INFINITY;
    this.#forget(key, hop);
  }

  #takeAll(key: string): Job[] {
    const jobs: Job[] = [];
    for (let job = this.take(key); job !== undefined; job = this.take(key)) jobs.push(job);
    return jobs;
  }

  #forget(key: string, hop: Hop): void {
    if (hop.connecting + hop.established === 0 && hop.jobs.length === hop.next) this.#hops.delete(key);
  }
}

function wakeOne(hop: Hop): void {
  for (const wake of hop.idle) {
    hop.idle.delete(wake);
    hop.woken++;
    wake();
    return;
  }
}
