/**
 * The store's thread. Requests of all client threads are collected while a commit is under way and form the next
 * batch: one transaction, one flush to disk, then all answers. Reads and claims of a batch come after its commit, so
 * they see it. A commit that nobody is in a hurry for waits a moment for more. A client that dies leaves no trace: its port closes and what it had claimed is free again.
 * Effects: the database, the spool folder, MessagePorts, a timer.
 */
import fs from 'node:fs';
import path from 'node:path';
import { type MessagePort, parentPort, receiveMessageOnPort } from 'node:worker_threads';
import type { GatewayErrorCode } from '../core/errors.ts';
import { awaitsCompany, LONGEST_WAIT_MS, underWayTogether } from './commit-company.ts';
import { FreeSpace } from './free-space.io.ts';
import { GroupCommit, type PendingChange } from './group-commit.io.ts';
import { createCounters } from './id-counters.ts';
import { Leases } from './leases.ts';
import { QueueDatabase } from './queue-database.io.ts';
import {
  type Change,
  CHANGES,
  type FromStore,
  type FromWorker,
  type Read,
  type StoreRequest,
  type StoreStart,
  type ToStore,
  type ToWorker,
} from './queue-protocol.ts';
import { readQueue } from './queue-reads.io.ts';
import { type RecoveryReport, recover, syncFolderNow } from './recovery.io.ts';
import { Reserve } from './reserve.io.ts';
import { storageFailure } from './store-failure.ts';

/** Requests of one transaction; more wait for the next one. */
const MAX_BATCH = 4096;
/**
 * The log is copied into the database when it has so many bytes and nobody waits, and with more in any case. Copying
 * can need as much space again: the default of system.minFreeSpace is twice the larger limit.
 */
const CHECKPOINT_IDLE_BYTES = 4 * 1024 * 1024;
const CHECKPOINT_BYTES = 32 * 1024 * 1024;
const IDLE_MS = 20;
/** How long patient settlements wait for a commit that is made for others. */
const PATIENCE_MS = 25;
const RESERVE_EVERY_MS = 1000;

/** What a client is told after the batch. */
type Client = {
  readonly port: MessagePort;
  readonly number: number;
  wantsArrivals: boolean;
  /** Told of an arrival and has not claimed since: there is nothing to add. */
  told: boolean;
  tell: boolean;
  done: number[];
  values: [number, unknown][];
  failed: [number, GatewayErrorCode, string][];
  transfer: ArrayBuffer[];
};

type Waiting = { readonly client: Client; readonly request: StoreRequest };

const say = (message: FromWorker): void => parentPort?.postMessage(message);

class StoreThread {
  readonly #clients = new Set<Client>();
  readonly #leases = new Leases();
  readonly #freeSpace: FreeSpace;
  readonly #db: QueueDatabase;
  readonly #commits: GroupCommit;
  readonly #idle: NodeJS.Timeout;
  readonly ids: SharedArrayBuffer;
  #inbox: Waiting[] = [];
  readonly #underWay: Int32Array;
  /** They wait for the next commit, at most until `#waitUntilMs`. */
  #postponed: PendingChange[] = [];
  #waiting: NodeJS.Timeout | undefined;
  #waitUntilMs = Number.POSITIVE_INFINITY;
  #scheduled = false;
  #lastClient = 0;

  constructor({ dataDir, minFreeBytes, underWay }: StoreStart) {
    this.#underWay = new Int32Array(underWay);
    const spoolDir = path.join(dataDir, 'spool');
    fs.mkdirSync(spoolDir, { recursive: true, mode: 0o700 });
    this.#freeSpace = new FreeSpace(dataDir, minFreeBytes);
    this.#db = QueueDatabase.open(path.join(dataDir, 'queue.db'));
    const report = recover(this.#db, spoolDir);
    syncFolderNow(dataDir);
    sayReport(report);
    this.ids = createCounters(report.ids);
    const { reserved } = report;
    const reserve = new Reserve(path.join(dataDir, 'queue.reserve'));
    reserve.ensure();
    const parts = { db: this.#db, leases: this.#leases, freeSpace: this.#freeSpace, spoolDir, ids: this.ids, reserved };
    this.#commits = new GroupCommit({ ...parts, reserve, onBroken: sayBroken });
    setInterval(() => this.#commits.reserveIds(), RESERVE_EVERY_MS).unref();
    this.#idle = setTimeout(() => this.#commits.checkpointFrom(CHECKPOINT_IDLE_BYTES), IDLE_MS).unref();
  }

  connect(port: MessagePort): void {
    const number = ++this.#lastClient;
    const client = {
      port,
      number,
      wantsArrivals: false,
      told: false,
      tell: false,
      done: [],
      values: [],
      failed: [],
      transfer: [],
    };
    this.#clients.add(client);
    port.on('message', (requests: ToStore) => this.#receive(client, requests));
    port.on('close', () => this.#disconnect(client));
  }

  setLimits(minFreeBytes: number): void {
    this.#freeSpace.minFreeBytes = minFreeBytes;
  }

  /** Finishes what has arrived, then leaves the database as a clean stop should. */
  close(): void {
    while (this.#flush());
    this.#commit(this.#postponed);
    try {
      this.#commits.writeExactIds();
    } finally {
      this.#commits.tryCheckpoint('TRUNCATE');
      this.#db.close();
      for (const { port } of this.#clients) port.close();
    }
  }

  #receive(client: Client, requests: ToStore): void {
    for (const request of requests) this.#inbox.push({ client, request });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
      if (this.#inbox.length > 0) this.#schedule();
      this.#commits.checkpointFrom(CHECKPOINT_BYTES);
      this.#idle.refresh();
    });
  }

  #disconnect(client: Client): void {
    this.#clients.delete(client);
    if (this.#leases.releaseClient(client.number) === 0) return;
    this.#announce();
    for (const other of this.#clients) answer(other);
  }

  /** One batch, answered. False where nothing was waiting. */
  #flush(): boolean {
    this.#drainPorts();
    const batch = this.#inbox.splice(0, MAX_BATCH);
    if (batch.length === 0) return false;
    const changes = [...this.#postponed, ...batch.flatMap(pendingChange)];
    if (this.#mayWait(changes)) this.#postpone(changes);
    else this.#commit(changes);
    for (const waiting of batch) this.#read(waiting);
    for (const client of this.#clients) answer(client);
    return true;
  }

  #commit(changes: readonly PendingChange[]): void {
    clearTimeout(this.#waiting);
    this.#waitUntilMs = Number.POSITIVE_INFINITY;
    this.#postponed = [];
    if (changes.length > 0 && this.#commits.apply(changes)) this.#announce();
  }

  /** Patient settlements, and new messages while other threads have more of them on their way. */
  #mayWait(changes: readonly PendingChange[]): boolean {
    const accepts = changes.filter(isAccept).length;
    if (accepts > 0 && !awaitsCompany(accepts, underWayTogether(this.#underWay))) return false;
    return changes.every((pending) => isAccept(pending) || isPatient(pending));
  }

  #postpone(changes: PendingChange[]): void {
    this.#postponed = changes;
    if (changes.length === 0) return;
    const waitMs = changes.some(isAccept) ? LONGEST_WAIT_MS : PATIENCE_MS;
    const untilMs = performance.now() + waitMs;
    if (untilMs >= this.#waitUntilMs) return;
    clearTimeout(this.#waiting);
    this.#waitUntilMs = untilMs;
    this.#waiting = setTimeout(() => {
      this.#commit(this.#postponed);
      for (const client of this.#clients) answer(client);
    }, waitMs);
  }

  /** Everything that has arrived on any port since, so that it shares the commit. */
  #drainPorts(): void {
    for (const client of this.#clients) {
      while (this.#inbox.length < MAX_BATCH) {
        const received = receiveMessageOnPort(client.port) as { message: ToStore } | undefined;
        if (received === undefined) break;
        for (const request of received.message) this.#inbox.push({ client, request });
      }
    }
  }

  #announce(): void {
    for (const client of this.#clients) if (client.wantsArrivals && !client.told) client.tell = true;
  }

  #read({ client, request }: Waiting): void {
    if (isChange(request)) return;
    if (request.op !== 'onArrival') {
      this.#answerRead(client, request);
      return;
    }
    client.wantsArrivals = true;
    // What became due before anybody listened was announced to nobody.
    client.tell = true;
    client.done.push(request.id);
  }

  #answerRead(client: Client, request: Read & { readonly id: number }): void {
    // A claim in the batch of an arrival has seen it, so both are settled with this answer.
    if (request.op === 'claim') {
      client.told = false;
      client.tell = false;
    }
    try {
      const parts = { db: this.#db, leases: this.#leases, commits: this.#commits };
      const value = readQueue(parts, request, client.number);
      if (request.op === 'readBody') client.transfer.push(...buffersOf(value));
      client.values.push([request.id, value]);
    } catch (error) {
      fail(client, request.id, error);
    }
  }
}

function pendingChange({ client, request }: Waiting): PendingChange[] {
  if (!isChange(request)) return [];
  const { id } = request;
  const done = (value: unknown): void => {
    if (request.op === 'accept') client.done.push(id);
    else client.values.push([id, value]);
  };
  return [{ change: request, done, fail: (error) => fail(client, id, error) }];
}

const isChange = (request: StoreRequest): request is Change & { readonly id: number } =>
  (CHANGES as readonly string[]).includes(request.op);

const isAccept = ({ change }: PendingChange): boolean => change.op === 'accept';
const isPatient = ({ change }: PendingChange): boolean => change.op === 'settle' && change.patient;

function fail(client: Client, id: number, error: unknown): void {
  const { code, message } = storageFailure(error, 'cannot read the queue');
  client.failed.push([id, code, message]);
}

/** Sends what the batch has for a client, if anything. */
function answer(client: Client): void {
  const { port, done, values, failed, transfer, tell: arrived } = client;
  if (done.length === 0 && values.length === 0 && failed.length === 0 && !arrived) return;
  port.postMessage({ done, values, failed, arrived } satisfies FromStore, transfer);
  if (arrived) client.told = true;
  client.tell = false;
  client.done = [];
  client.values = [];
  client.failed = [];
  client.transfer = [];
}

/** A body of its own memory is handed over instead of copied. */
function buffersOf(value: unknown): ArrayBuffer[] {
  const bytes = typeof value === 'object' && value !== null && 'bytes' in value ? value.bytes : undefined;
  const whole = bytes instanceof Uint8Array && bytes.byteLength === bytes.buffer.byteLength;
  return whole && bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [];
}

function sayReport({ orphansRemoved, temporaryRemoved, held, letGo }: RecoveryReport): void {
  const removed = orphansRemoved + temporaryRemoved;
  if (removed > 0)
    say({ type: 'system', level: 'info', text: `removed ${removed} spool files that no message refers to` });
  if (held.length > 0) {
    const text = `held ${held.length} messages whose spool file is missing or incomplete: MID ${someOf(held)}`;
    say({ type: 'system', level: 'critical', text });
  }
  if (letGo.length > 0) say({ type: 'system', level: 'info', text: `spool files are back for MID ${someOf(letGo)}` });
}

const someOf = (mids: readonly number[]): string => mids.slice(0, 20).join(', ') + (mids.length > 20 ? ', …' : '');

const sayBroken = (why: string): void =>
  say({ type: 'system', level: 'critical', text: `the queue cannot be written: ${why}` });

/** Begins the thread (`core/worker-thread.io.ts`). */
export function startStore(start: StoreStart): void {
  let store: StoreThread;
  try {
    store = new StoreThread(start);
  } catch (error) {
    const { code, message } = storageFailure(error, 'cannot open the queue');
    say({ type: 'failed', code, message });
    return;
  }
  parentPort?.on('message', (message: ToWorker) => {
    if (message.type === 'connect') store.connect(message.port);
    else if (message.type === 'limits') store.setLimits(message.minFreeBytes);
    else {
      parentPort?.close();
      store.close();
    }
  });
  say({ type: 'open', ids: store.ids });
}
