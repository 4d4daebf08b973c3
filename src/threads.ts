/**
 * All threads of a running gateway: the receive threads that share the ports, and the delivery thread. A thread that
 * dies is replaced, so that one bug does not stop the mail; several deaths in a minute end the gateway, because a
 * supervisor that restarts it from clean disk state is then the better answer.
 * Effects: worker_threads.
 */
import { ConnectionLimits } from './accept/connection-limits.ts';
import type { Clock } from './core/ports.ts';
import type { MailLog } from './log/mail-event.ts';
import type { MetricsSnapshot } from './log/metrics.ts';
import type { CompiledRevision, ThreadStart } from './pipeline/thread-messages.ts';
import { Thread, type ThreadEntry } from './thread.ts';
import type { PointRequest } from './tls/crl-points.ts';
import type { CrlSet } from './tls/revocation.ts';

const MAX_DEATHS_PER_MINUTE = 3;
const RECEIVE: ThreadEntry = {
  module: new URL('./pipeline/receive-thread.io.ts', import.meta.url),
  start: 'startReceiveThread',
};
const DELIVERY: ThreadEntry = {
  module: new URL('./pipeline/delivery-thread.io.ts', import.meta.url),
  start: 'startDeliveryThread',
};

export type ThreadsOptions = {
  readonly receiveThreads: number;
  readonly start: Omit<ThreadStart, 'thread' | 'queuePort' | 'lane'>;
  readonly connectQueue: () => ThreadStart['queuePort'];
  readonly clock: Clock;
  readonly log: MailLog;
  readonly writeLog: (text: string) => void;
  readonly wantPoints: (requests: readonly PointRequest[]) => void;
  /** Called when threads die again and again. */
  readonly onFatal: (why: string) => void;
};

type Room = { readonly name: string; readonly entry: ThreadEntry; readonly lane: number };

export class Threads {
  readonly #options: ThreadsOptions;
  readonly #threads = new Map<string, Thread>();
  #revision: CompiledRevision | undefined;
  #crls: CrlSet | undefined;
  #deaths: number[] = [];
  #stopping = false;

  constructor(options: ThreadsOptions) {
    this.#options = options;
    this.#spawn({ name: 'delivery', entry: DELIVERY, lane: 0 });
    for (let lane = 1; lane <= options.receiveThreads; lane++)
      this.#spawn({ name: `receive-${lane}`, entry: RECEIVE, lane });
  }

  /** Every thread builds the revision, then all adopt it; if one cannot, all forget it and the error says why. */
  async change(revision: CompiledRevision, beforeAdoption: () => void = () => undefined): Promise<void> {
    const threads = [...this.#threads.values()];
    const built = await Promise.allSettled(threads.map((thread) => thread.request({ type: 'prepare', revision })));
    const failed = built.find((result) => result.status === 'rejected');
    if (failed !== undefined) {
      await Promise.allSettled(threads.map((thread) => thread.request({ type: 'abandon', number: revision.number })));
      throw failed.reason;
    }
    beforeAdoption();
    await Promise.all(threads.map((thread) => thread.request({ type: 'adopt', number: revision.number })));
    this.#revision = revision;
  }

  async publish(crls: CrlSet): Promise<void> {
    this.#crls = crls;
    await Promise.allSettled([...this.#threads.values()].map((thread) => thread.request({ type: 'crls', crls })));
  }

  async metrics(): Promise<MetricsSnapshot[]> {
    const replies = await Promise.allSettled(
      [...this.#threads.values()].map((thread) => thread.request({ type: 'metrics' })),
    );
    return replies.flatMap((reply) =>
      reply.status === 'fulfilled' && reply.value.metrics ? [reply.value.metrics] : [],
    );
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#threads.values()].map((thread) => thread.stop(deadlineMs)));
  }

  #spawn(room: Room): Thread {
    const { start, connectQueue, writeLog, wantPoints } = this.#options;
    const { name, entry, lane } = room;
    const thread = new Thread(
      entry,
      { ...start, thread: name, lane, queuePort: connectQueue() },
      {
        onLog: writeLog,
        onPoints: wantPoints,
        onDeath: (why) => this.#replace(room, why),
      },
    );
    this.#threads.set(name, thread);
    return thread;
  }

  #replace(room: Room, why: string): void {
    const { name } = room;
    const { clock, log, onFatal } = this.#options;
    if (this.#stopping) return;
    log.emit({ event: 'system', level: 'critical', text: `thread ${name} ended unexpectedly and is replaced: ${why}` });
    const now = clock.now();
    this.#deaths = [...this.#deaths.filter((atMs) => now - atMs < 60_000), now];
    if (this.#deaths.length > MAX_DEATHS_PER_MINUTE) {
      onFatal(`threads keep dying; the last was ${name}: ${why}`);
      return;
    }
    // What the dead thread had counted is forgotten with it.
    new ConnectionLimits(this.#options.start.limits).clearLane(room.lane);
    this.#restore(this.#spawn(room)).catch((error: unknown) =>
      onFatal(`thread ${name} cannot be replaced: ${String(error)}`),
    );
  }

  async #restore(thread: Thread): Promise<void> {
    if (this.#crls !== undefined) await thread.request({ type: 'crls', crls: this.#crls });
    if (this.#revision === undefined) return;
    await thread.request({ type: 'prepare', revision: this.#revision });
    await thread.request({ type: 'adopt', number: this.#revision.number });
  }
}
