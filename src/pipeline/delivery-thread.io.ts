/**
 * Entry of the delivery thread: its own event loop, so that a slow next hop adds no latency to receipt. The walk itself
 * is `delivery.io.ts`. Effects: through the walk.
 */
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import { serveCalls } from '../core/calls.io.ts';
import { GatewayError } from '../core/errors.ts';
import { SuspensionFlags } from '../core/suspension.ts';
import { systemClock } from '../core/system-clock.io.ts';
import { createDns } from '../delivery/dns.io.ts';
import type { DeliveryOperations } from '../delivery/operations.ts';
import { QueueWork } from '../delivery/queue-work.io.ts';
import type { MailLog } from '../log/mail-event.ts';
import { createMetrics, type MetricsSnapshot } from '../log/metrics.ts';
import { nextId, peekCounters } from '../queue/id-counters.ts';
import { connectQueue, type QueueClient } from '../queue/queue-client.io.ts';
import { AlertPaths } from './alert-delivery.io.ts';
import { type Delivery, OWNER, startDelivery } from './delivery.io.ts';
import {
  openThreadLog,
  reportHistory,
  sendHistory,
  serveControlThread,
  type ThreadHandlers,
} from './thread-entry.io.ts';
import type { CompiledRevision, ThreadStart } from './thread-messages.ts';

export function startDeliveryThread(start: ThreadStart): void {
  serveControlThread(new DeliveryThread(start));
}

class DeliveryThread implements ThreadHandlers {
  readonly #start: ThreadStart;
  readonly #metrics = createMetrics();
  readonly #log: MailLog & { flush(): void };
  readonly #queue: QueueClient;
  readonly #alerts = new AlertPaths(systemClock);
  readonly #suspension: SuspensionFlags;
  /** Routes and rows of destination controls that were used. */
  readonly #ledger = reportHistory();
  readonly #prepared = new Map<number, CompiledRevision>();
  /** From the first revision on. */
  #running: { readonly delivery: Delivery; readonly work: QueueWork } | undefined;

  constructor(start: ThreadStart) {
    this.#start = start;
    this.#log = openThreadLog(start, this.#metrics);
    this.#queue = connectQueue(start.queuePort);
    this.#suspension = new SuspensionFlags(start.suspension);
    serveCalls(start.operationsPort, { delivery: this.#operations() });
  }

  async prepare(revision: CompiledRevision): Promise<void> {
    this.#prepared.set(revision.number, revision);
  }

  adopt(number: number): void {
    const config = this.#prepared.get(number)?.config;
    this.#prepared.clear();
    if (config === undefined) return;
    this.#alerts.adopt(config);
    if (this.#running === undefined) this.#running = this.#begin(config);
    else this.#running.delivery.reconfigure(config);
  }

  abandon(number: number): void {
    this.#prepared.delete(number);
  }

  staples(): void {
    // Listeners alone are stapled.
  }

  crls(): void {
    // Outbound certificates are not checked against lists yet: opportunistic TLS trusts nobody.
  }

  async metrics(): Promise<MetricsSnapshot> {
    const { messages, activeRecipients, oldestReceivedMs } = await this.#queue.summary();
    const oldestSeconds = Math.floor((oldestReceivedMs ?? systemClock.now()) / 1000);
    this.#metrics.set('sallyport_queue_messages', messages);
    this.#metrics.set('sallyport_queue_active_recipients', activeRecipients);
    this.#metrics.set('sallyport_queue_oldest_message_timestamp_seconds', oldestSeconds);
    return this.#metrics.snapshot();
  }

  async stop(deadlineMs: number): Promise<void> {
    await this.#running?.delivery.stop(deadlineMs);
    this.#alerts.stop();
    sendHistory(this.#ledger);
    this.#log.flush();
  }

  #begin(config: Config): { readonly delivery: Delivery; readonly work: QueueWork } {
    const { ids, dataDir } = this.#start;
    const ports = { queue: this.#queue, clock: systemClock, log: this.#log };
    const delivery = startDelivery({
      ...ports,
      config,
      spoolDir: path.join(dataDir, 'spool'),
      dns: createDns({ servers: config.system.dnsServers }),
      random: () => randomBytes(4).readUInt32BE() / 2 ** 32,
      nextDcid: () => nextId(ids, 'dcid'),
      nextMid: () => nextId(ids, 'mid'),
      suspended: () => this.#suspension.delivery,
      noteRoute: (rule) => this.#ledger.hit(rule, systemClock.now()),
    });
    const work = new QueueWork({
      ...ports,
      owner: OWNER,
      ledger: delivery.ledger,
      lastMid: () => peekCounters(ids).mid - 1,
      withdraw: (matches) => delivery.withdraw(matches),
      stopping: () => delivery.stopping,
      kick: () => delivery.kick(),
      wake: () => delivery.wake(),
    });
    return { delivery, work };
  }

  /** What an administrator may ask, from the first revision on. */
  #operations(): DeliveryOperations {
    const now = () => {
      if (this.#running === undefined) throw new GatewayError('closed', 'delivery has not begun yet');
      return this.#running;
    };
    return {
      suspensionChanged: async () => this.#running?.delivery.suspensionChanged(),
      load: async () => now().delivery.load,
      hosts: async (also) => now().delivery.hosts.all(also),
      host: async (host) => {
        const { hosts } = now().delivery;
        return { ...hosts.of(host), addresses: await hosts.addresses(host) };
      },
      dispose: (disposal) => now().work.dispose(disposal),
      deliverNow: (haste) => now().work.deliverNow(haste),
      sendAlert: (mail) => this.#alerts.send(mail),
    };
  }
}
