/**
 * The embedded store as the control thread holds it: opens the data folder on a thread of its own, hands out
 * connections for client threads, and closes it.
 * Effects: worker_threads; through the thread, the data folder.
 */
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import { GatewayError, whyOf } from '../core/errors.ts';
import { startWorkerThread } from '../core/worker-thread.io.ts';
import type { MailLog } from '../log/mail-event.ts';
import { createUnderWay } from './commit-company.ts';
import type { FromWorker, StoreStart, ToWorker } from './queue-protocol.ts';

export type OpenStoreOptions = {
  readonly dataDir: string;
  readonly log: MailLog;
  /** Below this much free space new mail is refused with `storage-full`. */
  readonly minFreeBytes?: number;
  /** The store's thread has ended without having been asked to: the gateway cannot go on. */
  readonly onDeath?: (why: string) => void;
};

export type QueueStoreHandle = {
  /** One end of a new connection, for `connectQueue` in any thread. */
  connect(): MessagePort;
  /** Shared memory for `nextId`. */
  readonly ids: SharedArrayBuffer;
  /** Shared memory for `UnderWay`. */
  readonly underWay: SharedArrayBuffer;
  setMinFreeBytes(minFreeBytes: number): void;
  /** Finishes and answers what has arrived, then leaves the data folder to others. */
  close(): Promise<void>;
};

/**
 * Rejects with GatewayError `storage` or `storage-full` and the reason in words: another gateway on the same folder, a
 * damaged database, a full disk. Starting again is then up to the administrator.
 */
export async function openQueueStore({
  dataDir,
  log,
  minFreeBytes = 0,
  onDeath,
}: OpenStoreOptions): Promise<QueueStoreHandle> {
  const underWay = createUnderWay();
  const start: StoreStart = { dataDir, minFreeBytes, underWay };
  const worker = startWorkerThread(new URL('./store-worker.io.ts', import.meta.url), 'startStore', start, {
    name: 'store',
  });
  const send = (message: ToWorker, transfer: readonly MessagePort[] = []): void =>
    worker.postMessage(message, transfer);
  let closing = false;
  let death = 'it ended';
  worker.on('error', (error: unknown) => {
    death = whyOf(error);
  });
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => resolve());
  });
  const ids = await opened(worker, log, ended);
  void ended.then(() => {
    if (closing) return;
    log.emit({ event: 'system', level: 'critical', topic: '', text: `the queue store has stopped: ${death}` });
    onDeath?.(death);
  });
  return {
    ids,
    underWay,
    connect() {
      const { port1, port2 } = new MessageChannel();
      send({ type: 'connect', port: port1 }, [port1]);
      return port2;
    },
    setMinFreeBytes: (bytes) => send({ type: 'limits', minFreeBytes: bytes }),
    close() {
      if (!closing) send({ type: 'close' });
      closing = true;
      return ended;
    },
  };
}

/** The shared counters once the store has opened. Its reports go to the log from then on. */
function opened(worker: Worker, log: MailLog, ended: Promise<void>): Promise<SharedArrayBuffer> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'open') resolve(message.ids);
      else if (message.type === 'system') log.emit({ event: 'system', level: message.level, text: message.text });
      else reject(new GatewayError(message.code, message.message));
    });
    worker.once('error', (error: unknown) =>
      reject(new GatewayError('storage', 'the queue store failed to start', { cause: error })),
    );
    void ended.then(() => reject(new GatewayError('storage', 'the queue store ended while starting')));
  });
}
