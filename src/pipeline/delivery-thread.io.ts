/**
 * Entry of the delivery thread: its own event loop, so that a slow next hop adds no latency to receipt. The walk itself
 * is `delivery.io.ts`. Effects: through the walk.
 */
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { createDns } from '../delivery/dns.io.ts';
import { createMetrics } from '../log/metrics.ts';
import { openMailLog } from '../log/writer.io.ts';
import { nextId } from '../queue/id-counters.ts';
import { connectQueue } from '../queue/queue-client.io.ts';
import { type Delivery, startDelivery } from './delivery.io.ts';
import { reportHistory, sendHistory, serveControlThread, writeLog } from './thread-entry.io.ts';
import type { CompiledRevision, ThreadStart } from './thread-messages.ts';

export function startDeliveryThread(start: ThreadStart): void {
  const clock = { now: (): number => Date.now() };
  const metrics = createMetrics();
  const log = openMailLog({ format: start.logFormat, write: writeLog, clock, metrics });
  const queue = connectQueue(start.queuePort);
  const prepared = new Map<number, CompiledRevision>();
  let delivery: Delivery | undefined;
  const ledger = reportHistory();

  serveControlThread({
    async prepare(revision) {
      prepared.set(revision.number, revision);
    },
    adopt(number) {
      const revision = prepared.get(number);
      prepared.clear();
      if (revision === undefined) return;
      const { config } = revision;
      if (delivery !== undefined) {
        delivery.reconfigure(config);
        return;
      }
      delivery = startDelivery({
        queue,
        config,
        spoolDir: path.join(start.dataDir, 'spool'),
        dns: createDns({ servers: config.system.dnsServers }),
        clock,
        random: () => randomBytes(4).readUInt32BE() / 2 ** 32,
        log,
        nextDcid: () => nextId(start.ids, 'dcid'),
        nextMid: () => nextId(start.ids, 'mid'),
        noteRoute: (rule) => ledger.hit(rule, clock.now()),
      });
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
        Math.floor((oldestReceivedMs ?? clock.now()) / 1000),
      );
      return metrics.snapshot();
    },
    async stop(deadlineMs) {
      await delivery?.stop(deadlineMs);
      sendHistory(ledger);
      log.flush();
    },
  });
}
