/**
 * The thread's end of `thread.io.ts`: answers the control thread's requests with what the handlers do, and carries log
 * lines up. Effects: messages to the control thread.
 */
import { parentPort } from 'node:worker_threads';
import { AlertCollector } from '../alerts/alert-collector.io.ts';
import { collectSoon, giveBackStart } from '../core/collect.io.ts';
import { whyOf } from '../core/errors.ts';
import { systemClock } from '../core/system-clock.io.ts';
import { ClientLedger } from '../log/client-history.ts';
import type { MailLog } from '../log/mail-event.ts';
import type { Metrics, MetricsSnapshot } from '../log/metrics.ts';
import { openMailLog } from '../log/writer.io.ts';
import type { PointRequest } from '../tls/crl-points.ts';
import { givesUpMemory } from '../tls/crl-memory.ts';
import { type CrlSet, EMPTY_CRL_SET } from '../tls/revocation.ts';
import type { Staples } from '../tls/stapling.ts';
import type { CompiledRevision, FromThread, ThreadStart, ToThread } from './thread-messages.ts';

export type ThreadHandlers = {
  /** Build everything of a revision without using it yet; rejecting leaves the running one untouched. */
  prepare(revision: CompiledRevision): Promise<void>;
  adopt(number: number): void;
  abandon(number: number): void;
  crls(set: CrlSet): void;
  staples(staples: Staples): void;
  metrics(): MetricsSnapshot | Promise<MetricsSnapshot>;
  stop(deadlineMs: number): Promise<void>;
};

const up = (message: FromThread): void => parentPort?.postMessage(message);

export const tellPoints = (requests: readonly PointRequest[]): void => up({ type: 'crl-points', requests });

/** Alerts that the thread's own events raise. */
const alerts = new AlertCollector((raised) => up({ type: 'alerts', alerts: raised }));

/** The thread's log: its lines and what its events raise go up. `flush` it before the thread ends. */
export const openThreadLog = ({ logFormat }: ThreadStart, metrics: Metrics): MailLog & { flush(): void } =>
  openMailLog({
    format: logFormat,
    write: (text) => up({ type: 'log', text }),
    onEvent: alerts.see,
    clock: systemClock,
    metrics,
  });

/** Short, so that who has just tried something finds it in a dry run. */
const HISTORY_EVERY_MS = 1000;

/** A ledger whose contents go to the control thread every second; `sendHistory` sends the rest. */
export function reportHistory(): ClientLedger {
  const ledger = new ClientLedger();
  setInterval(() => sendHistory(ledger), HISTORY_EVERY_MS).unref();
  return ledger;
}

export function sendHistory(ledger: ClientLedger): void {
  const batch = ledger.take();
  if (batch !== undefined) up({ type: 'history', batch });
}

export function serveControlThread(handlers: ThreadHandlers): void {
  parentPort?.on('message', (message: ToThread) => {
    answer(handlers, message).then(
      (metrics) => up({ type: 'reply', id: message.id, ok: true, ...(metrics === undefined ? {} : { metrics }) }),
      (error: unknown) => up({ type: 'reply', id: message.id, ok: false, why: whyOf(error) }),
    );
  });
}

let lastCrls: CrlSet = EMPTY_CRL_SET;
let started = false;

async function answer(handlers: ThreadHandlers, message: ToThread): Promise<MetricsSnapshot | undefined> {
  switch (message.type) {
    case 'prepare':
      await handlers.prepare(message.revision);
      return undefined;
    case 'adopt':
      if (!started) giveBackStart();
      started = true;
      handlers.adopt(message.number);
      return undefined;
    case 'abandon':
      handlers.abandon(message.number);
      return undefined;
    case 'crls':
      handlers.crls(message.crls);
      if (givesUpMemory(lastCrls, message.crls)) collectSoon();
      lastCrls = message.crls;
      return undefined;
    case 'staples':
      handlers.staples(message.staples);
      return undefined;
    case 'metrics':
      return handlers.metrics();
    case 'stop':
      await handlers.stop(message.deadlineMs);
      alerts.flush();
      return undefined;
  }
}
