/**
 * Entry of a receive thread: it binds the listeners' addresses beside its siblings, serves connections with the doors
 * of the revision in force, and swaps revisions and revocation lists whole. Effects: sockets, directories, the queue.
 */
import type { Socket } from 'node:net';
import path from 'node:path';
import { ConnectionLimits } from '../accept/connection-limits.ts';
import { ListeningSockets } from '../accept/listener.io.ts';
import { TopSenders } from '../accept/top-senders.ts';
import { serveCalls } from '../core/calls.io.ts';
import type { Clock, Dns, QueueStore } from '../core/ports.ts';
import { SuspensionFlags } from '../core/suspension.ts';
import { createDns } from '../delivery/dns.io.ts';
import type { ReceiveOperations } from '../delivery/operations.ts';
import type { ClientLedger } from '../log/client-history.ts';
import type { MailLog } from '../log/mail-event.ts';
import { createMetrics, type MetricsSnapshot } from '../log/metrics.ts';
import { UnderWay } from '../queue/commit-company.ts';
import { nextId } from '../queue/id-counters.ts';
import { connectQueue } from '../queue/queue-client.io.ts';
import { WireClock } from '../smtp/wire.io.ts';
import type { CrlSet } from '../tls/revocation.ts';
import { CrlSeeker } from './crl-seeker.io.ts';
import { DeskLink } from '../tls/desk-link.io.ts';
import type { Staples } from '../tls/stapling.ts';
import { Doors } from './doors.io.ts';
import { isSuspended, receiveConnection } from './receipt.io.ts';
import type { Session } from './receipt-session.ts';
import {
  openThreadLog,
  reportHistory,
  sendHistory,
  serveControlThread,
  tellPoints,
  type ThreadHandlers,
} from './thread-entry.io.ts';
import type { CompiledRevision, ThreadStart } from './thread-messages.ts';

/** What the receipt walk needs of its thread. */
export type ReceiveThread = {
  readonly clock: Clock;
  readonly wireClock: WireClock;
  readonly log: MailLog;
  readonly limits: ConnectionLimits;
  readonly queue: QueueStore;
  readonly spoolDir: string;
  readonly dns: Dns;
  readonly nextId: (kind: 'icid' | 'mid') => number;
  /** Mail transactions that have begun and have not ended. */
  readonly underWay: UnderWay;
  readonly ledger: ClientLedger;
  /** What an administrator has suspended, in shared memory. */
  readonly suspension: SuspensionFlags;
  readonly senders: TopSenders;
  readonly sessions: Set<Session>;
};

/** Of the time for a stop: for the last words to those who did not finish. */
const FAREWELL_MS = 300;

type Prepared = { readonly doors: Doors; readonly dns: Dns; readonly added: readonly string[] };

export function startReceiveThread(start: ThreadStart): void {
  serveControlThread(new ReceiveRoom(start));
}

class ReceiveRoom implements ThreadHandlers {
  readonly #start: ThreadStart;
  readonly #metrics = createMetrics();
  readonly #thread: { -readonly [Key in keyof ReceiveThread]: ReceiveThread[Key] };
  readonly #log: MailLog & { flush(): void };
  readonly #prepared = new Map<number, Prepared>();
  readonly #running = new Set<Promise<void>>();
  readonly #sockets = new ListeningSockets((socket, address) => this.#accept(socket, address));
  readonly #crls = new CrlSeeker(tellPoints);
  #doors: Doors | undefined;
  #staples: Staples = {};
  readonly #desk: DeskLink;

  constructor(start: ThreadStart) {
    this.#start = start;
    this.#desk = new DeskLink(start.deskPort);
    const clock: Clock = { now: () => Date.now() };
    this.#log = openThreadLog(start, this.#metrics);
    const underWay = new UnderWay(start.underWay, start.lane);
    this.#thread = {
      clock,
      wireClock: new WireClock(),
      log: this.#log,
      limits: new ConnectionLimits(start.limits, start.lane),
      queue: connectQueue(start.queuePort, { underWay: () => underWay.count }),
      spoolDir: path.join(start.dataDir, 'spool'),
      dns: createDns({}),
      nextId: (kind) => nextId(start.ids, kind),
      underWay,
      ledger: reportHistory(),
      suspension: new SuspensionFlags(start.suspension),
      senders: new TopSenders(),
      sessions: new Set(),
    };
    serveCalls(start.operationsPort, { receipt: this.#operations() });
  }

  async prepare(revision: CompiledRevision): Promise<void> {
    const { clock, log } = this.#thread;
    const doors = new Doors(revision, {
      clock,
      log,
      receiveThreads: this.#start.receiveThreads,
      crls: this.#crls,
      staples: () => this.#staples,
      desk: this.#desk,
    });
    try {
      const dns = createDns({ servers: revision.config.system.dnsServers });
      // Connections that come before `adopt` on a new address are closed: no door serves it yet.
      this.#prepared.set(revision.number, { doors, dns, added: await this.#sockets.bind(wantedAddresses(revision)) });
    } catch (error) {
      doors.retire();
      throw error;
    }
  }

  adopt(number: number): void {
    const next = this.#prepared.get(number);
    this.#prepared.delete(number);
    if (next === undefined) return;
    this.#doors?.retire();
    this.#doors = next.doors;
    this.#thread.dns = next.dns;
    this.#sockets.keepOnly(new Set(next.doors.byAddress.keys()));
  }

  abandon(number: number): void {
    const next = this.#prepared.get(number);
    this.#prepared.delete(number);
    next?.doors.retire();
    for (const address of next?.added ?? []) this.#sockets.close(address);
  }

  crls(set: CrlSet): void {
    this.#crls.set = set;
  }

  staples(staples: Staples): void {
    this.#staples = staples;
  }

  metrics(): MetricsSnapshot {
    return this.#metrics.snapshot();
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#sockets.closeAll();
    this.#thread.wireClock.stopIdle();
    await this.#ended(deadlineMs - FAREWELL_MS);
    // Whoever is still in the middle of a transaction hears that it will not be finished.
    this.#thread.wireClock.stopAll();
    await this.#ended(FAREWELL_MS);
    sendHistory(this.#thread.ledger);
    this.#log.flush();
  }

  /** Every connection is over, or this much time. */
  async #ended(withinMs: number): Promise<void> {
    const late = new Promise<void>((resolve) => setTimeout(resolve, withinMs).unref());
    await Promise.race([Promise.allSettled(this.#running), late]);
  }

  #operations(): ReceiveOperations {
    const thread = this.#thread;
    return {
      suspensionChanged: async () => {
        for (const session of thread.sessions) if (isSuspended(session, thread)) session.wire.stopWhenIdle();
      },
      topSenders: async (most) => thread.senders.top(most),
    };
  }

  #accept(socket: Socket, address: string): void {
    const doors = this.#doors;
    const door = doors?.byAddress.get(address);
    if (doors === undefined || door === undefined) {
      socket.destroy();
      return;
    }
    doors.enter();
    const connection = receiveConnection(socket, door, this.#thread)
      .catch((error: unknown) => {
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#log.emit({ event: 'system', level: 'critical', topic: 'receipt', text: `receipt failed: ${why}` });
        socket.destroy();
      })
      .finally(() => {
        this.#running.delete(connection);
        doors.leave();
      });
    this.#running.add(connection);
  }
}

const wantedAddresses = ({ config }: CompiledRevision): Map<string, { tcpQueue: number }> =>
  new Map(
    Object.values(config.listeners).flatMap(({ address, tcpQueue }) =>
      address.map((each) => [each, { tcpQueue }] as const),
    ),
  );
