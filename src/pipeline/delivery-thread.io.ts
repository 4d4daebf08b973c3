/**
 * Entry of the delivery thread: its own event loop, so that a slow next hop adds no latency to receipt. The walk itself
 * is `delivery.io.ts`. Effects: through the walk.
 */
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import { serveCalls } from '../core/calls.io.ts';
import { GatewayError } from '../core/errors.ts';
import type { Dcid, Mid } from '../core/ids.ts';
import { SuspensionFlags } from '../core/suspension.ts';
import { systemClock } from '../core/system-clock.io.ts';
import { QueueWork, type QueueWorkParts } from '../delivery/queue-work.io.ts';
import { createDns } from '../delivery/dns.io.ts';
import type { DeliveryOperations } from '../delivery/operations.ts';
import { createMetrics } from '../log/metrics.ts';
import { openMailLog } from '../log/writer.io.ts';
import { nextId, peekCounters } from '../queue/id-counters.ts';
import { connectQueue } from '../queue/queue-client.io.ts';
import { AlertPaths } from './alert-delivery.io.ts';
import { type Delivery, OWNER, startDelivery } from './delivery.io.ts';
import { reportHistory, seeEvent, sendHistory, serveControlThread, writeLog } from './thread-entry.io.ts';
import type { CompiledRevision, ThreadStart } from './thread-messages.ts';

type WorkPorts = Pick<QueueWorkParts, 'queue' | 'clock' | 'log' | 'lastMid'>;

const workOf = (delivery: Delivery, ports: WorkPorts): QueueWork =>
  new QueueWork({
    ...ports,
    owner: OWNER,
    ledger: delivery.ledger,
    withdraw: (matches) => delivery.withdraw(matches),
    stopping: () => delivery.stopping,
    kick: () => delivery.kick(),
    wake: () => delivery.wake(),
  });

const optionsOf = (start: ThreadStart, config: Config) => ({
  config,
  spoolDir: path.join(start.dataDir, 'spool'),
  dns: createDns({ servers: config.system.dnsServers }),
  random: (): number => randomBytes(4).readUInt32BE() / 2 ** 32,
  nextDcid: (): Dcid => nextId(start.ids, 'dcid'),
  nextMid: (): Mid => nextId(start.ids, 'mid'),
});

type Running = { readonly delivery: Delivery | undefined; readonly work: QueueWork | undefined };

/** What an administrator may ask, from the first revision on. */
function operationsOf(running: () => Running, alerts: AlertPaths): DeliveryOperations {
  const now = (): { readonly delivery: Delivery; readonly work: QueueWork } => {
    const { delivery, work } = running();
    if (delivery === undefined || work === undefined) throw new GatewayError('closed', 'delivery has not begun yet');
    return { delivery, work };
  };
  return {
    suspensionChanged: async () => running().delivery?.suspensionChanged(),
    load: async () => now().delivery.load,
    hosts: async (also) => now().delivery.hosts.all(also),
    host: async (host) => {
      const { hosts } = now().delivery;
      return { ...hosts.of(host), addresses: await hosts.addresses(host) };
    },
    dispose: (disposal) => now().work.dispose(disposal),
    deliverNow: (haste) => now().work.deliverNow(haste),
    sendAlert: (mail) => alerts.send(mail),
  };
}

export function startDeliveryThread(start: ThreadStart): void {
  const metrics = createMetrics();
  const log = openMailLog({ format: start.logFormat, write: writeLog, onEvent: seeEvent, clock: systemClock, metrics });
  const queue = connectQueue(start.queuePort);
  const prepared = new Map<number, CompiledRevision>();
  let delivery: Delivery | undefined;
  let work: QueueWork | undefined;
  const alerts = new AlertPaths(systemClock);
  const suspension = new SuspensionFlags(start.suspension);
  const ledger = reportHistory();

  serveCalls(start.operationsPort, { delivery: operationsOf(() => ({ delivery, work }), alerts) });

  serveControlThread({
    async prepare(revision) {
      prepared.set(revision.number, revision);
    },
    adopt(number) {
      const revision = prepared.get(number);
      prepared.clear();
      if (revision === undefined) return;
      const { config } = revision;
      alerts.adopt(config);
      if (delivery !== undefined) {
        delivery.reconfigure(config);
        return;
      }
      delivery = startDelivery({
        ...optionsOf(start, config),
        ...{ queue, clock: systemClock, log, suspended: () => suspension.delivery },
        noteRoute: (rule) => ledger.hit(rule, systemClock.now()),
      });
      work = workOf(delivery, { queue, clock: systemClock, log, lastMid: () => peekCounters(start.ids).mid - 1 });
    },
    abandon(number) {
      prepared.delete(number);
    },
    staples() {
      return undefined;
    },
    crls() {
      // Outbound certificates are not checked against lists yet: opportunistic TLS trusts nobody.
    },
    async metrics() {
      const { messages, activeRecipients, oldestReceivedMs } = await queue.summary();
      metrics.set('sallyport_queue_messages', messages);
      metrics.set('sallyport_queue_active_recipients', activeRecipients);
      metrics.set(
        'sallyport_queue_oldest_message_timestamp_seconds',
        Math.floor((oldestReceivedMs ?? systemClock.now()) / 1000),
      );
      return metrics.snapshot();
    },
    async stop(deadlineMs) {
      await delivery?.stop(deadlineMs);
      alerts.stop();
      sendHistory(ledger);
      log.flush();
    },
  });
}
