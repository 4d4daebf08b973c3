/**
 * One worker thread as the control thread sees it: requests with answers, log lines coming up, and the news that it
 * died. Effects: worker_threads.
 */
import type { Worker } from 'node:worker_threads';
import type { RaisedAlert } from './core/alert.ts';
import { stackOf } from './core/errors.ts';
import { within } from './core/time-limit.io.ts';
import { startWorkerThread } from './core/worker-thread.io.ts';
import type { HistoryBatch } from './log/client-history.ts';
import type { FromThread, ThreadStart, ToThread } from './pipeline/thread-messages.ts';
import type { PointRequest } from './tls/crl-points.ts';

type Request = ToThread extends infer Each ? (Each extends { id: number } ? Omit<Each, 'id'> : never) : never;
type Pending = {
  readonly resolve: (reply: FromThread & { type: 'reply' }) => void;
  readonly reject: (error: Error) => void;
};

/** A module and its export that begins the thread. A thread that needs more than `maxHeapMb` ends, and no other. */
export type ThreadEntry = { readonly module: URL; readonly start: string; readonly maxHeapMb?: number };

export type ThreadEvents = {
  readonly onLog: (text: string) => void;
  readonly onPoints: (requests: readonly PointRequest[]) => void;
  readonly onHistory: (batch: HistoryBatch) => void;
  readonly onAlerts: (alerts: readonly RaisedAlert[]) => void;
  readonly onDeath: (why: string) => void;
};

export class Thread {
  readonly name: string;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #expected = false;
  #dead = false;

  constructor(entry: ThreadEntry, start: ThreadStart, events: ThreadEvents) {
    this.name = start.thread;
    const { maxHeapMb } = entry;
    this.#worker = startWorkerThread(entry.module, entry.start, start, {
      transferList: [
        start.queuePort,
        start.deskPort,
        start.operationsPort,
        ...(start.calls === undefined ? [] : [start.calls]),
      ],
      name: start.thread,
      ...(maxHeapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } }),
    });
    this.#worker.on('message', (message: FromThread) => {
      if (message.type === 'log') events.onLog(message.text);
      else if (message.type === 'crl-points') events.onPoints(message.requests);
      else if (message.type === 'history') events.onHistory(message.batch);
      else if (message.type === 'alerts') events.onAlerts(message.alerts);
      else this.#answer(message);
    });
    this.#worker.on('error', (error: unknown) => this.#died(stackOf(error), events));
    this.#worker.on('exit', (code) => this.#died(`exit code ${code}`, events));
  }

  /** Rejects with the thread's own words when it could not do what was asked, or when it died. */
  async request(message: Request): Promise<FromThread & { type: 'reply'; ok: true }> {
    if (this.#dead) throw new Error(`thread ${this.name} has ended`);
    const id = ++this.#lastId;
    const reply = await new Promise<FromThread & { type: 'reply' }>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ ...message, id });
    });
    if (!reply.ok) throw new Error(reply.why);
    return reply;
  }

  /** Asks the thread to finish within the dead line, then ends it. */
  async stop(deadlineMs: number): Promise<void> {
    this.#expected = true;
    const stopped = this.request({ type: 'stop', deadlineMs }).catch(() => undefined);
    await within(deadlineMs + 500, stopped);
    await this.#worker.terminate();
  }

  #answer(reply: FromThread & { type: 'reply' }): void {
    this.#pending.get(reply.id)?.resolve(reply);
    this.#pending.delete(reply.id);
  }

  #died(why: string, events: ThreadEvents): void {
    this.#dead = true;
    for (const { reject } of this.#pending.values()) reject(new Error(`thread ${this.name} ended: ${why}`));
    this.#pending.clear();
    if (this.#expected) return;
    this.#expected = true;
    events.onDeath(why);
  }
}
