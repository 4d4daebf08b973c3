/**
 * What an administrator has suspended, kept: on stable storage first, so that it holds after a restart, then in the flags
 * that receive and delivery threads look at, then in log and metrics. One change at a time.
 * AsyncOS: suspend, suspendlistener, suspenddel and their resume; workqueue pause.
 * Effects: the queue's store, shared memory, the log, metrics; tells the threads.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { SuspendOrder } from '../admin/control-calls.ts';
import { GatewayError, whyOf } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import {
  listenerMark,
  type Mark,
  NOTHING_SUSPENDED,
  parseStanding,
  resumeListeners,
  type Standing,
  SuspensionFlags,
  suspendListeners,
  withDelivery,
} from '../core/suspension.ts';
import type { MailLog } from '../log/mail-event.ts';
import type { Metrics } from '../log/metrics.ts';
import type { QueueClient } from '../queue/queue-client.io.ts';
import { WORK_QUEUE } from '../queue/work-queue.ts';

const SUSPENSION = 'suspension';
const LEFT_AT_A_TIME = 500;
const LOOK_AGAIN_MS = 1_000;

export type SuspensionKeeperParts = {
  readonly queue: QueueClient;
  readonly listeners: number;
  readonly clock: Clock;
  readonly log: MailLog;
  readonly metrics: Metrics;
  /** The flags say something else now. */
  readonly tell: () => void;
};

type Listeners = Readonly<Record<string, number>>;

export class SuspensionKeeper {
  readonly #parts: SuspensionKeeperParts;
  readonly flags: SuspensionFlags;
  #standing: Standing = NOTHING_SUSPENDED;
  /** Listeners of the configuration in force, with the places of their flags. */
  #slots: Listeners = {};
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(parts: SuspensionKeeperParts) {
    this.#parts = parts;
    this.flags = SuspensionFlags.create(parts.listeners);
  }

  /** With what held before the restart. */
  static async open(parts: SuspensionKeeperParts): Promise<SuspensionKeeper> {
    const keeper = new SuspensionKeeper(parts);
    const kept = await parts.queue.standing();
    const workQueue = kept.get(WORK_QUEUE);
    keeper.#standing = {
      ...parseStanding(kept.get(SUSPENSION)),
      ...(workQueue === undefined ? {} : { workQueue: JSON.parse(workQueue) as Mark }),
    };
    if (workQueue === undefined) void keeper.#emptyWorkQueue();
    return keeper;
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** Before a revision is adopted: a listener that it adds may be suspended already. */
  configure(slots: Listeners): void {
    this.#slots = slots;
    this.#show();
  }

  suspend(order: SuspendOrder): Promise<Standing> {
    return this.#change(order, (standing, mark) => {
      const receiving = order.listeners === undefined ? standing : suspendListeners(standing, order.listeners, mark);
      return order.delivery === true ? withDelivery(receiving, standing.delivery ?? mark) : receiving;
    });
  }

  resume(order: SuspendOrder): Promise<Standing> {
    return this.#change(order, (standing) => {
      const known = Object.keys(this.#slots);
      const receiving = order.listeners === undefined ? standing : resumeListeners(standing, order.listeners, known);
      return order.delivery === true ? withDelivery(receiving, undefined) : receiving;
    });
  }

  pauseWorkQueue(by: string, reason: string | undefined): Promise<Standing> {
    return this.#inTurn(async () => {
      if (this.#standing.workQueue !== undefined) return this.#standing;
      const { queue, log } = this.#parts;
      const workQueue = this.#mark({ by, reason });
      await queue.keep(WORK_QUEUE, JSON.stringify(workQueue));
      this.#standing = { ...this.#standing, workQueue };
      this.#show();
      log.emit({ event: 'suspension', of: 'work-queue', suspended: true, ...said({ by, reason }) });
      return this.#standing;
    });
  }

  resumeWorkQueue(by: string): Promise<Standing> {
    return this.#inTurn(async () => {
      if (this.#standing.workQueue === undefined) return this.#standing;
      const { queue, log } = this.#parts;
      await queue.keep(WORK_QUEUE, null);
      const { workQueue: _, ...rest } = this.#standing;
      this.#standing = rest;
      this.#show();
      log.emit({ event: 'suspension', of: 'work-queue', suspended: false, by });
      void this.#emptyWorkQueue();
      return this.#standing;
    });
  }

  close(): void {
    this.#closed = true;
  }

  /** In bounded steps, until nothing is left; what somebody had claimed in it may come back and is seen to later. */
  async #emptyWorkQueue(): Promise<void> {
    const { queue, clock, log } = this.#parts;
    try {
      while (!this.#closed && this.#standing.workQueue === undefined) {
        if ((await queue.leaveWorkQueue(clock.now(), LEFT_AT_A_TIME)) > 0) continue;
        if ((await queue.workQueue()).messages === 0) return;
        await wait(LOOK_AGAIN_MS, undefined, { ref: false });
      }
    } catch (error) {
      if (this.#closed) return;
      const why = whyOf(error);
      log.emit({ event: 'system', level: 'critical', text: `the work queue cannot be emptied yet: ${why}` });
      setTimeout(() => void this.#emptyWorkQueue(), LOOK_AGAIN_MS * 10).unref();
    }
  }

  #change(order: SuspendOrder, next: (standing: Standing, mark: Mark) => Standing): Promise<Standing> {
    return this.#inTurn(async () => {
      const { listeners = [] } = order;
      const unknown = listeners === 'all' ? undefined : listeners.find((name) => !Object.hasOwn(this.#slots, name));
      if (unknown !== undefined) throw new GatewayError('config', `there is no listener ${unknown}`);
      const before = this.#standing;
      const after = next(before, this.#mark(order));
      const { workQueue: _, ...kept } = after;
      await this.#parts.queue.keep(SUSPENSION, JSON.stringify(kept));
      this.#standing = after;
      this.#show();
      this.#report(before, order);
      this.#parts.tell();
      return after;
    });
  }

  #report(before: Standing, order: SuspendOrder): void {
    const { log } = this.#parts;
    for (const listener of Object.keys(this.#slots)) {
      const suspended = listenerMark(this.#standing, listener) !== undefined;
      if (suspended !== (listenerMark(before, listener) !== undefined))
        log.emit({ event: 'suspension', of: 'receiving', suspended, listener, ...said(order) });
    }
    const suspended = this.#standing.delivery !== undefined;
    if (suspended !== (before.delivery !== undefined))
      log.emit({ event: 'suspension', of: 'delivery', suspended, ...said(order) });
  }

  #show(): void {
    const { metrics } = this.#parts;
    const { delivery, workQueue } = this.#standing;
    this.flags.show(this.#standing, this.#slots);
    for (const listener of Object.keys(this.#slots))
      metrics.set('sallyport_receiving_suspended', listenerMark(this.#standing, listener) === undefined ? 0 : 1, {
        listener,
      });
    metrics.set('sallyport_delivery_suspended', delivery === undefined ? 0 : 1);
    metrics.set('sallyport_work_queue_paused', workQueue === undefined ? 0 : 1);
  }

  #mark(order: { readonly by: string; readonly reason?: string | undefined }): Mark {
    return { sinceMs: this.#parts.clock.now(), ...said(order) };
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

const said = ({ by, reason }: { readonly by: string; readonly reason?: string | undefined }) => ({
  by,
  ...(reason === undefined ? {} : { reason }),
});
