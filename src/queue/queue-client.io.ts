/**
 * The queue as a client thread sees it: the QueueStore port over a MessagePort to the store's thread. Requests of one
 * turn of the event loop travel together, and messages that were received at about the same time share a commit: one
 * waits a moment where others are on their way. If the store dies, or the client closes, everything pending rejects.
 * Effects: the port, which keeps the thread alive only while an answer is awaited; a timer.
 */
import type { MessagePort } from 'node:worker_threads';
import { GatewayError } from '../core/errors.ts';
import type { Mid } from '../core/ids.ts';
import type { Body, DueRecipient, NewMessage, QueueStore, QueueSummary } from '../core/ports.ts';
import { awaitsCompany, LONGEST_WAIT_MS } from './commit-company.ts';
import type {
  BodyReply,
  ClaimReply,
  FromStore,
  HastenReply,
  HostPage,
  HostRecipients,
  MessagePage,
  QueuedMessage,
  RequestBody,
  SelectReply,
  SelectRequest,
  StoreRequest,
  StoreStats,
} from './queue-protocol.ts';
import { dueRecipient, type MessageRows, messageRows, settlementRow } from './queue-rows.ts';
import { QUEUE_START, type QueuePlace, type QueueRange, type QueueSelection } from '../core/queue-selection.ts';
import { IN_WORK_QUEUE_MS, type WorkQueueCount } from './work-queue.ts';

export type MessageFilter = {
  readonly limit: number;
  /** Only messages with a higher MID. */
  readonly afterMid?: Mid;
  /** Only messages with a recipient in this domain. */
  readonly domain?: string;
};

/**
 * `accept` and the bounces of `settle` take an inline body over: if it fills its ArrayBuffer, the memory moves to the
 * store and the caller's array is empty afterwards. If `accept` rejects, a spooled body is gone as well, unless the
 * store itself has died: then it is removed when the store opens again.
 */
export type QueueClient = QueueStore & {
  /** Called once at first, then when recipients may be due that were not before; again only after the next `claim`. */
  onArrival(callback: () => void): void;
  /** By MID. Walks the queue in pages; several pages are not one moment. */
  listMessages(filter: MessageFilter): Promise<readonly QueuedMessage[]>;
  /** Recipients in the queue by host, most first. Walks the whole queue in pages; several pages are not one moment. */
  hosts(): Promise<readonly HostRecipients[]>;
  /** One look at a selection, in the order of MID and RID: bounded work, so it may find less than asked for and go on. */
  select(request: SelectRequest): Promise<SelectedRecipients>;
  /** Makes the next attempt of a selection now, as far as nobody works on it: a bounded part of the queue. */
  hasten(selection: QueueSelection, range: QueueRange, nowMs: number): Promise<HastenReply>;
  /** What waits in the work queue. */
  workQueue(): Promise<WorkQueueCount>;
  /** Takes the oldest out of the work queue into delivery; says how many recipients. */
  leaveWorkQueue(nowMs: number, limit: number): Promise<number>;
  /** What was said to hold after a restart, by name; `keep` changes it, `null` forgets it. */
  standing(): Promise<ReadonlyMap<string, string>>;
  keep(name: string, value: string | null): Promise<void>;
  stats(): Promise<StoreStats>;
  /** Everything pending rejects with GatewayError `closed`, and what this client has claimed is free again. */
  close(): void;
};

/** A recipient as a selection finds it. */
export type SelectedRecipient = DueRecipient & {
  /** Absent where it is held because the message's body is missing, or waits in the work queue. */
  readonly nextAttemptMs?: number;
  readonly inWorkQueue?: true;
  /** Somebody works on it. */
  readonly leased: boolean;
};
export type SelectedRecipients = {
  readonly recipients: readonly SelectedRecipient[];
  /** Left out of a claim because somebody works on them. */
  readonly busy: readonly QueuePlace[];
  readonly after?: QueuePlace;
};

export type QueueClientOptions = {
  /** Messages that this thread is receiving, those that wait for `accept` included. Without it nobody is waited for. */
  readonly underWay?: () => number;
};

type Pending = { readonly resolve: (value: unknown) => void; readonly reject: (error: GatewayError) => void };

/** The client's end of a port that `QueueStoreHandle.connect` gave. */
export function connectQueue(port: MessagePort, { underWay = () => 0 }: QueueClientOptions = {}): QueueClient {
  const link = new StoreLink(port, underWay);
  return {
    async accept(message) {
      const rows = rowsOf(message);
      await link.request({ op: 'accept', rows }, buffersOf([rows]));
    },
    async claim(owner, nowMs, leaseMs, limit) {
      const rows = (await link.request({ op: 'claim', owner, nowMs, leaseMs, limit })) as ClaimReply;
      return rows.map(dueRecipient);
    },
    async release(owner, rows) {
      await link.request({ op: 'release', owner, rows: rows.map(({ mid, rid }) => [mid, rid]) });
    },
    async readBody(mid) {
      return bodyOf((await link.request({ op: 'readBody', mid })) as BodyReply);
    },
    async settle(settlements, bounces) {
      const rows = bounces.map(rowsOf);
      // To drop a message once more after a crash does no harm; to deliver it once more does.
      const patient = bounces.length === 0 && settlements.every(({ outcome }) => outcome === 'dropped');
      const request = { op: 'settle', settlements: settlements.map(settlementRow), bounces: rows, patient } as const;
      return (await link.request(request, buffersOf(rows))) as readonly Mid[];
    },
    nextDueMs: () => link.request({ op: 'nextDue' }) as Promise<number | undefined>,
    summary: () => link.request({ op: 'summary' }) as Promise<QueueSummary>,
    stats: () => link.request({ op: 'stats' }) as Promise<StoreStats>,
    onArrival: (callback) => link.listen(callback),
    listMessages: (filter) => listMessages(link, filter),
    hosts: () => hosts(link),
    select: async (request) => selectedRecipients((await link.request({ op: 'select', ...request })) as SelectReply),
    hasten: (selection, range, nowMs) =>
      link.request({ op: 'hasten', selection, range, nowMs }) as Promise<HastenReply>,
    workQueue: () => link.request({ op: 'workQueue' }) as Promise<WorkQueueCount>,
    leaveWorkQueue: (nowMs, limit) => link.request({ op: 'leaveWorkQueue', nowMs, limit }) as Promise<number>,
    standing: () => link.request({ op: 'standing' }) as Promise<ReadonlyMap<string, string>>,
    async keep(name, value) {
      await link.request({ op: 'keep', name, value });
    },
    close: () => link.close(),
  };
}

class StoreLink {
  readonly #port: MessagePort;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners: (() => void)[] = [];
  readonly #underWay: () => number;
  #outbox: StoreRequest[] = [];
  #transfer: ArrayBuffer[] = [];
  /** Messages to accept in the outbox. */
  #accepts = 0;
  #sending: NodeJS.Immediate | undefined;
  #waiting: NodeJS.Timeout | undefined;
  #lastId = 0;
  #ended: GatewayError | undefined;

  constructor(port: MessagePort, underWay: () => number) {
    this.#port = port;
    this.#underWay = underWay;
    port.on('message', (message: FromStore) => this.#receive(message));
    port.on('close', () => this.#end(new GatewayError('storage', 'the queue store has stopped')));
    port.unref();
  }

  request(body: RequestBody, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (this.#pending.size === 0) this.#port.ref();
    const id = ++this.#lastId;
    this.#outbox.push({ ...body, id });
    this.#transfer.push(...transfer);
    if (body.op === 'accept') this.#accepts++;
    this.#schedule(body.op === 'accept' && awaitsCompany(this.#accepts, this.#underWay()));
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
  }

  listen(callback: () => void): void {
    this.#listeners.push(callback);
    // A store that stops is reported by the next request; there is nobody to tell here.
    if (this.#listeners.length === 1) this.request({ op: 'onArrival' }).catch(() => {});
  }

  close(): void {
    this.#end(new GatewayError('closed', 'the queue is closed'));
    this.#port.close();
  }

  #schedule(mayWait: boolean): void {
    if (this.#sending !== undefined) return;
    if (mayWait) this.#waiting ??= setTimeout(() => this.#send(), LONGEST_WAIT_MS);
    else this.#sending = setImmediate(() => this.#send());
  }

  #send(): void {
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
    this.#sending = undefined;
    const requests = this.#outbox;
    if (this.#ended !== undefined || requests.length === 0) return;
    const transfer = this.#transfer;
    this.#outbox = [];
    this.#transfer = [];
    this.#accepts = 0;
    this.#port.postMessage(requests, transfer);
  }

  #receive({ done, values, failed, arrived }: FromStore): void {
    for (const id of done) this.#take(id)?.resolve(undefined);
    for (const [id, value] of values) this.#take(id)?.resolve(value);
    for (const [id, code, message] of failed) this.#take(id)?.reject(new GatewayError(code, message));
    if (this.#pending.size === 0) this.#port.unref();
    if (arrived) for (const listener of this.#listeners) listener();
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #end(why: GatewayError): void {
    this.#ended ??= why;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(this.#ended);
  }
}

/** Throws GatewayError for a message that nobody should get: it would stay in the queue for ever. */
function rowsOf(message: NewMessage): MessageRows {
  if (message.envelope.recipients.length === 0)
    throw new GatewayError('storage', `MID ${message.mid} has no recipients`);
  const rows = messageRows(message);
  return rows.bytes === undefined ? rows : { ...rows, bytes: ownMemory(rows.bytes) };
}

/** A view into memory that others use, such as Node's buffer pool, is copied; else the memory itself can move. */
function ownMemory(bytes: Uint8Array): Uint8Array {
  const whole = bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
  return whole ? bytes : new Uint8Array(bytes);
}

const buffersOf = (messages: readonly MessageRows[]): ArrayBuffer[] =>
  messages.flatMap(({ bytes }) => (bytes?.buffer instanceof ArrayBuffer ? [bytes.buffer] : []));

const bodyOf = (reply: BodyReply): Body =>
  'bytes' in reply ? { kind: 'inline', bytes: reply.bytes } : { kind: 'spooled', file: reply.file, size: reply.size };

async function listMessages(link: StoreLink, { limit, afterMid, domain }: MessageFilter): Promise<QueuedMessage[]> {
  const found: QueuedMessage[] = [];
  const filter = domain === undefined ? {} : { domain: domain.toLowerCase() };
  let after: number | undefined = afterMid ?? -1;
  while (after !== undefined && found.length < limit) {
    const request = { op: 'listMessages', afterMid: after, limit: limit - found.length, ...filter } as const;
    const page = (await link.request(request)) as MessagePage;
    found.push(...page.messages);
    after = page.after;
  }
  return found.slice(0, limit);
}

async function hosts(link: StoreLink): Promise<HostRecipients[]> {
  const found = new Map<string, HostRecipients>();
  for (let after: QueuePlace | undefined = QUEUE_START; after !== undefined; ) {
    const page = (await link.request({ op: 'hosts', after })) as HostPage;
    for (const each of page.hosts) {
      const { host, recipients, attempted, oldestMid } = found.get(each.host) ?? {
        ...each,
        recipients: 0,
        attempted: 0,
      };
      found.set(host, {
        host,
        recipients: recipients + each.recipients,
        attempted: attempted + each.attempted,
        oldestMid,
      });
    }
    after = page.after;
  }
  return [...found.values()].sort((a, b) => b.recipients - a.recipients);
}

function selectedRecipients({ rows, leased, busy, after }: SelectReply): SelectedRecipients {
  const taken = new Set(leased);
  const recipients = rows.map((row, index): SelectedRecipient => {
    const [dueMs] = row;
    const when =
      dueMs === null ? {} : dueMs === IN_WORK_QUEUE_MS ? { inWorkQueue: true as const } : { nextAttemptMs: dueMs };
    return { ...dueRecipient(row), ...when, leased: taken.has(index) };
  });
  return { recipients, busy, ...(after === undefined ? {} : { after }) };
}
