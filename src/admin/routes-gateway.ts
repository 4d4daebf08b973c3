/** The gateway itself: status, metrics, revocation lists, and this API's own description. AsyncOS: status, crl. Pure. */
import { z } from 'zod';
import { routesOf } from './route.ts';
import { mark, timeMs } from './schemas.ts';

const crlListing = z
  .strictObject({
    nowMs: timeMs,
    sources: z.array(
      z.strictObject({
        name: z.string(),
        enabled: z.boolean(),
        schedule: z.string(),
        everGood: z.boolean(),
        url: z.string().optional(),
        lastAttemptMs: timeMs.optional(),
        lastSuccessMs: timeMs.optional(),
        lastError: z.string().optional(),
        nextRunMs: timeMs.optional(),
        lists: z.array(
          z.strictObject({
            issuer: z.string(),
            entries: z.int(),
            bytes: z.int(),
            thisUpdateMs: z.int(),
            nextUpdateMs: z.int().optional(),
            crlNumber: z.string().optional(),
            delta: z.boolean(),
            partial: z.boolean(),
            age: z.string(),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'CrlListing' });

const status = z
  .strictObject({
    version: z.string(),
    hostname: z.string(),
    systemStatus: z.string().meta({ description: '`Online`, or what is suspended, in words.' }),
    deliverySuspended: mark.optional(),
    workQueuePaused: mark.optional(),
    ids: z.strictObject({ icid: z.int(), mid: z.int(), dcid: z.int() }).meta({ description: 'The next numbers.' }),
    delivery: z
      .strictObject({ connections: z.int(), waiting: z.int() })
      .optional()
      .meta({ description: 'Connections out, and recipients that wait for one; absent while delivery starts.' }),
    workQueue: z.strictObject({ messages: z.int(), more: z.boolean() }),
    nowMs: timeMs,
    startedMs: timeMs,
    revision: z.int().meta({ description: 'The configuration in force.' }),
    pid: z.int(),
    residentBytes: z.int().meta({ description: 'Memory of the whole gateway.' }),
    receiveThreads: z.int(),
    queue: z.strictObject({
      messages: z.int(),
      activeRecipients: z.int(),
      oldestReceivedMs: timeMs.optional(),
    }),
    listeners: z.array(
      z.strictObject({
        name: z.string(),
        addresses: z.array(z.string()),
        connections: z.int(),
        maxConnections: z.int(),
        suspended: mark.optional(),
      }),
    ),
    rates: z
      .record(z.string(), z.strictObject({ minute: z.int(), fiveMinutes: z.int(), fifteenMinutes: z.int() }))
      .meta({ description: 'Events per hour, from the last minute, 5 and 15 minutes, by counter.' }),
    counters: z
      .record(z.string(), z.number())
      .meta({ description: 'The counters and gauges of the metrics, summed over their labels, since the start.' }),
    countersSinceReset: z
      .record(z.string(), z.number())
      .meta({ description: 'The counters since they were reset; else since the start.' }),
    resetMs: timeMs.optional().meta({ description: 'Absent: not reset since the start.' }),
  })
  .meta({ id: 'Status' });

export const GATEWAY_ROUTES = routesOf('Gateway')({
  'GET /api/openapi.json': {
    operation: 'getOpenApi',
    summary: 'This API as an OpenAPI 3.1 document.',
    least: 'nobody',
    text: { contentType: 'application/json', means: 'The OpenAPI document.' },
  },
  'GET /api/status': {
    operation: 'getStatus',
    summary: 'Version, revision, queue, connections and counters.',
    least: 'help-desk',
    response: status,
  },
  'POST /api/counters/reset': {
    operation: 'resetCounters',
    summary:
      'The counters of `status` begin anew; metrics go on. `hits`: those of rules, exemptions and monitored users, too.',
    least: 'operator',
    body: z.strictObject({ hits: z.boolean().default(false) }),
    response: z.strictObject({ resetMs: timeMs }),
    recorded: ['hits'],
  },
  'GET /api/metrics': {
    operation: 'getMetrics',
    summary: 'Every metric, as Prometheus reads it.',
    least: 'help-desk',
    text: { contentType: 'text/plain; version=0.0.4; charset=utf-8', means: 'Prometheus text format.' },
  },
  'GET /api/crl': {
    operation: 'listCrls',
    summary: 'Revocation lists: entries, age, next update, last error.',
    least: 'help-desk',
    response: crlListing,
  },
  'POST /api/crl/update': {
    operation: 'updateCrls',
    summary: 'Fetches revocation lists now: those of one source, or all.',
    least: 'operator',
    body: z.strictObject({ source: z.string().max(64).optional() }),
    response: crlListing,
    problems: ['not-found'],
    recorded: ['source'],
  },
});
