/**
 * All threads of a running gateway: the receive threads that share the ports, the delivery thread, and the admin thread
 * where somebody needs it. A thread that dies is replaced, so that one bug does not stop the mail; several deaths in a
 * minute end the gateway, because a supervisor that restarts it from clean disk state is then the better answer. The
 * admin thread serves no mail: it may die as often as it likes, and is started ever more slowly.
 * Effects: worker_threads.
 */
import { MessageChannel } from 'node:worker_threads';
import { ConnectionLimits } from './accept/connection-limits.ts';
import { callsOver } from './core/calls.io.ts';
import { GatewayError, whyOf } from './core/errors.ts';
import type { RaisedAlert } from './core/alert.ts';
import type { Clock } from './core/ports.ts';
import type { DeliveryOperations, ReceiveOperations } from './delivery/operations.ts';
import type { HistoryBatch } from './log/client-history.ts';
import type { MailLog } from './log/mail-event.ts';
import type { MetricsSnapshot } from './log/metrics.ts';
import type { CompiledRevision, ThreadStart } from './pipeline/thread-messages.ts';
import { Thread, type ThreadEntry } from './thread.io.ts';
import type { PointRequest } from './tls/crl-points.ts';
import type { CrlSet } from './tls/revocation.ts';
import type { Staples } from './tls/stapling.ts';

const MAX_DEATHS_PER_MINUTE = 3;
const RECEIVE: ThreadEntry = {
  module: new URL('./pipeline/receive-thread.io.ts', import.meta.url),
  start: 'startReceiveThread',
};
const DELIVERY: ThreadEntry = {
  module: new URL('./pipeline/delivery-thread.io.ts', import.meta.url),
  start: 'startDeliveryThread',
};
const ADMIN: ThreadEntry = {
  module: new URL('./admin-thread.io.ts', import.meta.url),
  start: 'startAdminThread',
  maxHeapMb: 256,
};
const DELIVERY_NAME = 'delivery';
const ADMIN_PLACE: ThreadPlace = { name: 'admin', entry: ADMIN, lane: 0 };
const MAX_ADMIN_WAIT_MS = 60_000;

export type ThreadsOptions = {
  readonly receiveThreads: number;
  readonly start: Omit<ThreadStart, 'thread' | 'queuePort' | 'deskPort' | 'operationsPort' | 'lane'>;
  readonly connectQueue: () => ThreadStart['queuePort'];
  /** The admin thread's line to the control thread. */
  readonly connectCalls: () => ThreadStart['queuePort'];
  readonly connectDesk: () => ThreadStart['deskPort'];
  readonly clock: Clock;
  readonly log: MailLog;
  readonly writeLog: (text: string) => void;
  readonly wantPoints: (requests: readonly PointRequest[]) => void;
  readonly keepHistory: (batch: HistoryBatch) => void;
  readonly raiseAlerts: (alerts: readonly RaisedAlert[]) => void;
  /** Called when threads die again and again. */
  readonly onFatal: (why: string) => void;
};

type ThreadOperations = { readonly delivery: DeliveryOperations; readonly receipt: ReceiveOperations };

/** What a thread is, and the thread that takes its place when it dies. */
type ThreadPlace = { readonly name: string; readonly entry: ThreadEntry; readonly lane: number };

export class Threads {
  readonly #options: ThreadsOptions;
  readonly #threads = new Map<string, Thread>();
  /** By thread: what an administrator may ask of it. */
  readonly #operations = new Map<string, ThreadOperations>();
  #revision: CompiledRevision | undefined;
  #crls: CrlSet | undefined;
  #staples: Staples | undefined;
  #deaths: number[] = [];
  #stopping = false;
  #admin: Promise<void> | undefined;
  #adminWaitMs = 0;
  #changing: Promise<unknown> = Promise.resolve();

  constructor(options: ThreadsOptions) {
    this.#options = options;
    this.#spawn({ name: DELIVERY_NAME, entry: DELIVERY, lane: 0 });
    for (let lane = 1; lane <= options.receiveThreads; lane++)
      this.#spawn({ name: `receive-${lane}`, entry: RECEIVE, lane });
  }

  /**
   * Every thread builds the revision, then all adopt it; if one cannot, all forget it and the error says why.
   * `beforeAdoption` is the last that can fail: after it the revision is the one in force, and a thread that dies is
   * replaced by one that has it.
   */
  async change(revision: CompiledRevision, beforeAdoption: () => void = () => undefined): Promise<void> {
    // A thread that is being started gets the revision in force first, or it could end with that one.
    if (revision.config.admin !== undefined) await this.startAdmin();
    else await this.#admin?.catch(() => undefined);
    const changing = this.#change(revision, beforeAdoption);
    this.#changing = changing.catch(() => undefined);
    await changing;
  }

  async #change(revision: CompiledRevision, beforeAdoption: () => void): Promise<void> {
    const threads = [...this.#threads.values()];
    const built = await Promise.allSettled(threads.map((thread) => thread.request({ type: 'prepare', revision })));
    try {
      const failed = built.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      if (threads.some((thread) => this.#threads.get(thread.name) !== thread))
        throw new Error('a thread was replaced at the same moment: try again');
      beforeAdoption();
    } catch (error) {
      await Promise.allSettled(threads.map((thread) => thread.request({ type: 'abandon', number: revision.number })));
      throw error;
    }
    this.#revision = revision;
    const adopted = threads.map((thread) => thread.request({ type: 'adopt', number: revision.number }));
    const failed = (await Promise.allSettled(adopted)).find((result) => result.status === 'rejected');
    // A thread that died meanwhile has a successor that builds the revision anew.
    if (failed !== undefined && threads.every((thread) => this.#threads.get(thread.name) === thread))
      throw failed.reason;
  }

  /** Resolves once the admin thread serves the revision in force. */
  startAdmin(): Promise<void> {
    if (this.#stopping) return Promise.reject(new Error('the gateway is stopping'));
    this.#admin ??= this.#changing.then(() => this.#openAdmin());
    return this.#admin;
  }

  async publish(crls: CrlSet): Promise<void> {
    this.#crls = crls;
    await Promise.allSettled([...this.#threads.values()].map((thread) => thread.request({ type: 'crls', crls })));
  }

  async publishStaples(staples: Staples): Promise<void> {
    this.#staples = staples;
    await Promise.allSettled([...this.#threads.values()].map((thread) => thread.request({ type: 'staples', staples })));
  }

  async metrics(): Promise<MetricsSnapshot[]> {
    const replies = await Promise.allSettled(
      [...this.#threads.values()].map((thread) => thread.request({ type: 'metrics' })),
    );
    return replies.flatMap((reply) =>
      reply.status === 'fulfilled' && reply.value.metrics ? [reply.value.metrics] : [],
    );
  }

  /** Of the delivery thread that runs now. */
  get delivery(): DeliveryOperations {
    const operations = this.#operations.get(DELIVERY_NAME);
    if (operations === undefined) throw new GatewayError('closed', 'there is no delivery thread');
    return operations.delivery;
  }

  /** Of every receive thread. */
  get receipts(): readonly ReceiveOperations[] {
    return [...this.#operations].flatMap(([name, { receipt }]) => (name.startsWith('receive-') ? [receipt] : []));
  }

  /** The flags of what is suspended say something else; a thread that dies meanwhile begins with them. */
  suspensionChanged(): void {
    for (const thread of [this.delivery, ...this.receipts]) thread.suspensionChanged().catch(() => undefined);
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#threads.values()].map((thread) => thread.stop(deadlineMs)));
  }

  async #openAdmin(): Promise<void> {
    const thread = this.#spawn(ADMIN_PLACE);
    try {
      await this.#restore(thread);
    } catch (error) {
      this.#admin = undefined;
      this.#threads.delete(ADMIN_PLACE.name);
      await thread.stop(0);
      throw error;
    }
  }

  #spawn(place: ThreadPlace): Thread {
    const { start, connectQueue, connectDesk, connectCalls, writeLog, wantPoints, keepHistory, raiseAlerts } =
      this.#options;
    const { name, entry, lane } = place;
    const calls = place === ADMIN_PLACE ? { calls: connectCalls() } : {};
    const { port1, port2: operationsPort } = new MessageChannel();
    this.#operations.set(name, callsOver<ThreadOperations>(port1));
    const ports = { queuePort: connectQueue(), deskPort: connectDesk(), operationsPort, ...calls };
    const thread = new Thread(
      entry,
      { ...start, thread: name, lane, ...ports },
      {
        onLog: writeLog,
        onPoints: wantPoints,
        onHistory: keepHistory,
        onAlerts: raiseAlerts,
        onDeath: (why) => this.#replace(place, why),
      },
    );
    this.#threads.set(name, thread);
    return thread;
  }

  #replace(place: ThreadPlace, why: string): void {
    const { name } = place;
    const { clock, log, onFatal } = this.#options;
    if (this.#stopping) return;
    const text = `thread ${name} ended unexpectedly and is replaced: ${why}`;
    log.emit({ event: 'system', level: 'critical', topic: `thread ${name}`, text });
    if (place === ADMIN_PLACE) {
      this.#replaceAdmin();
      return;
    }
    const now = clock.now();
    this.#deaths = [...this.#deaths.filter((atMs) => now - atMs < 60_000), now];
    if (this.#deaths.length > MAX_DEATHS_PER_MINUTE) {
      onFatal(`threads keep dying; the last was ${name}: ${why}`);
      return;
    }
    // What the dead thread had counted is forgotten with it.
    new ConnectionLimits(this.#options.start.limits).clearLane(place.lane);
    this.#restore(this.#spawn(place)).catch((error: unknown) =>
      onFatal(`thread ${name} cannot be replaced: ${String(error)}`),
    );
  }

  /** Without `admin:` the next connection to the control socket starts it again. */
  #replaceAdmin(): void {
    this.#admin = undefined;
    this.#threads.delete(ADMIN_PLACE.name);
    if (this.#revision?.config.admin === undefined) return;
    this.#adminWaitMs = Math.min(MAX_ADMIN_WAIT_MS, Math.max(1000, this.#adminWaitMs * 2));
    setTimeout(() => {
      this.startAdmin().catch((error: unknown) => {
        const text = `the admin thread cannot be started: ${whyOf(error)}`;
        this.#options.log.emit({ event: 'system', level: 'critical', text });
        if (!this.#stopping) this.#replaceAdmin();
      });
    }, this.#adminWaitMs).unref();
  }

  async #restore(thread: Thread): Promise<void> {
    if (this.#crls !== undefined) await thread.request({ type: 'crls', crls: this.#crls });
    if (this.#staples !== undefined) await thread.request({ type: 'staples', staples: this.#staples });
    let restored: CompiledRevision | undefined;
    // A commit may come in between.
    while (this.#revision !== restored && this.#revision !== undefined) {
      restored = this.#revision;
      await thread.request({ type: 'prepare', revision: restored });
      await thread.request({ type: 'adopt', number: restored.number });
    }
  }
}
