/**
 * The queue and what is suspended. AsyncOS: tophosts, hoststatus, showrecipients, showmessage, deleterecipients,
 * bouncerecipients, delivernow, workqueue, topin, suspend, resume. Work on a selection is done in parts of a few seconds:
 * an answer with `after` says that there is more, and where. Pure.
 */
import { z } from 'zod';
import { LAST_MID } from '../core/queue-selection.ts';
import { routesOf } from './route.ts';
import { label, limit, mark, timeMs } from './schemas.ts';

const host = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[\p{L}\p{N}._:[\]-]+$/u, 'a host is a domain, or an address between brackets')
  .meta({ description: 'Recipient host: the domain of recipients.' });
const sender = z.string().max(320).meta({ description: 'Envelope sender; empty or `<>`: bounces.' });
const mid = z.int().positive().max(LAST_MID);
const place = z
  .string()
  .regex(/^\d{1,15}\.\d{1,15}\.\d{1,15}$/, 'not a place that an answer gave')
  .meta({ description: 'Where to go on: `after` of an earlier answer.' });

const selection = z
  .discriminatedUnion('by', [
    z.strictObject({ by: z.literal('all') }),
    z.strictObject({ by: z.literal('host'), host }),
    z.strictObject({ by: z.literal('sender'), sender }),
    z.strictObject({ by: z.literal('message'), mid, rid: z.int().nonnegative().optional() }),
  ])
  .meta({ id: 'QueueSelection', description: 'Which recipients of the queue.' });

const hostState = z.enum(['up', 'down', 'unknown']).meta({ description: 'As of the last connection to its next hop.' });

const topHost = z.strictObject({
  host: z.string(),
  state: hostState,
  activeRecipients: z.int(),
  connectionsOut: z.int().meta({ description: 'Of its next hop, which other hosts may share.' }),
  delivered: z.int(),
  softBounced: z.int(),
  hardBounced: z.int(),
});

const recipient = z
  .strictObject({
    mid: z.int(),
    rid: z.int(),
    recipient: z.string(),
    sender: z.string(),
    bytes: z.int(),
    receivedMs: timeMs,
    attempts: z.int(),
    subject: z.string().optional().meta({ description: 'As the message has it, unfolded.' }),
    state: z.enum(['waiting', 'in-delivery', 'work-queue', 'held']).meta({
      description: '`in-delivery`: delivery has claimed it. `held`: the body of its message is missing.',
    }),
    nextAttemptMs: timeMs.optional(),
    lastError: z.string().optional(),
  })
  .meta({ id: 'QueuedRecipient' });

const disposed = z.strictObject({
  recipients: z.int(),
  messages: z.int().meta({ description: 'Messages of which nothing is left in the queue.' }),
  inDelivery: z.int().meta({ description: 'Selected, and not touched: they are being delivered at this moment.' }),
  after: place.optional(),
});

const suspension = z
  .strictObject({
    systemStatus: z.string(),
    everyListener: mark.optional(),
    listeners: z.record(z.string(), mark),
    delivery: mark.optional(),
    workQueue: mark.optional(),
  })
  .meta({ id: 'Suspension' });

const what = z
  .strictObject({
    listeners: z
      .union([z.literal('all'), z.array(z.string().max(64)).min(1).max(256)])
      .optional()
      .meta({ description: 'Receiving: `all` means listeners that come later, too.' }),
    delivery: z.boolean().default(false),
    reason: label.optional(),
  })
  .refine(({ listeners, delivery }) => listeners !== undefined || delivery, {
    path: ['listeners'],
    error: 'say listeners, delivery, or both',
  });

const workQueue = z
  .strictObject({
    status: z.enum(['operational', 'paused']),
    paused: mark.optional(),
    messages: z.int().meta({ description: 'Waiting in it. While it is operational messages pass through at once.' }),
    more: z.boolean().meta({ description: 'There are more than were counted.' }),
    received: z.int().meta({ description: 'Messages that entered since the start.' }),
    nowMs: timeMs,
  })
  .meta({ id: 'WorkQueue' });

const READS = {
  'GET /api/queue/hosts': {
    operation: 'listHosts',
    summary: 'Recipient hosts: active recipients, connections, outcomes since the start.',
    least: 'help-desk',
    query: z.strictObject({
      sort: z.enum(['active', 'connections', 'delivered', 'hard-bounced', 'soft-bounced']).default('active'),
      limit: limit(1000, 20),
    }),
    response: z.strictObject({ nowMs: timeMs, countedMs: timeMs, hosts: z.array(topHost) }),
  },
  'GET /api/queue/hosts/{host}': {
    operation: 'getHost',
    summary: 'One recipient host: recipients, outcomes, route, addresses, last 5XX.',
    least: 'help-desk',
    path: z.strictObject({ host }),
    response: topHost.extend({
      nowMs: timeMs,
      stateMs: timeMs.optional(),
      stateWhy: z.string().optional(),
      attemptedRecipients: z.int(),
      unattemptedRecipients: z.int(),
      oldestReceivedMs: timeMs.optional(),
      connectionsPending: z.int(),
      deleted: z.int(),
      hardBounces: z.strictObject({ dns: z.int(), fiveXX: z.int(), expired: z.int(), other: z.int() }),
      lastActivityMs: timeMs.optional(),
      last5xx: z.strictObject({ text: z.string(), atMs: timeMs, remoteHost: z.string().optional() }).optional(),
      route: z.string().meta({ description: 'The row of SMTP routes that decides, or `no SMTP route`.' }),
      addresses: z.array(
        z.strictObject({
          host: z.string(),
          address: z.string(),
          port: z.int(),
          downUntilMs: timeMs.optional().meta({ description: 'It failed and is left alone until then.' }),
        }),
      ),
      noAddressWhy: z.string().optional(),
    }),
  },
  'GET /api/queue/recipients': {
    operation: 'listRecipients',
    summary: 'Recipients in the queue, by MID: all, or those of one host, sender or message.',
    least: 'help-desk',
    query: z
      .strictObject({
        host: host.optional(),
        sender: sender.optional(),
        mid: z.coerce.number().pipe(mid).optional(),
        subjects: z.enum(['yes', 'no']).default('no').meta({ description: 'Reads the messages for their subjects.' }),
        limit: limit(1000, 100),
        after: place.optional(),
      })
      .refine((query) => [query.host, query.sender, query.mid].filter((each) => each !== undefined).length <= 1, {
        path: ['host'],
        error: 'only one of host, sender and mid',
      }),
    response: z.strictObject({ recipients: z.array(recipient), after: place.optional() }),
  },
  'GET /api/queue/messages/{mid}': {
    operation: 'getMessage',
    summary: 'One message of the queue: where it came from, its recipients, its header.',
    least: 'operator',
    path: z.strictObject({ mid: z.coerce.number().pipe(mid) }),
    response: z.strictObject({
      mid: z.int(),
      icid: z.int(),
      sender: z.string(),
      bytes: z.int(),
      receivedMs: timeMs,
      listener: z.string(),
      remoteAddress: z.string(),
      senderGroup: z.string(),
      user: z.string().optional(),
      certificate: z.string().optional(),
      recipients: z.array(recipient),
      moreRecipients: z.boolean(),
      header: z.string().optional().meta({ description: 'Cut after 32 kB; absent where the body is missing.' }),
    }),
    problems: ['not-found'],
  },
  'GET /api/queue/work-queue': {
    operation: 'getWorkQueue',
    summary: 'Whether the work queue is paused, and what waits in it.',
    least: 'help-desk',
    response: workQueue,
  },
  'GET /api/receiving/top': {
    operation: 'listTopIn',
    summary: 'Who connects most: connections now and since the start, messages and recipients accepted.',
    least: 'help-desk',
    query: z.strictObject({ limit: limit(1000, 20) }),
    response: z.strictObject({
      nowMs: timeMs,
      hosts: z.array(
        z.strictObject({
          listener: z.string(),
          remoteAddress: z.string(),
          hostname: z.string().optional(),
          connectionsIn: z.int(),
          connections: z.int().meta({ description: 'Since the start.' }),
          atMostTooMany: z.int().meta({ description: 'By so many `connections` may be too high.' }),
          messages: z.int(),
          recipients: z.int(),
          lastMs: timeMs,
        }),
      ),
    }),
  },
} as const;

const CHANGES = {
  'POST /api/queue/delete': {
    operation: 'deleteRecipients',
    summary: 'Deletes recipients from the queue; nobody is told. Not those being delivered at this moment.',
    least: 'operator',
    body: z.strictObject({ selection, reason: label.optional(), after: place.optional() }),
    response: disposed,
    recorded: ['selection', 'reason', 'after'],
  },
  'POST /api/queue/bounce': {
    operation: 'bounceRecipients',
    summary: 'Bounces recipients to their senders. Not those being delivered at this moment.',
    least: 'operator',
    body: z.strictObject({
      selection,
      reason: label.optional().meta({ description: 'The sender reads it.' }),
      after: place.optional(),
    }),
    response: disposed.extend({ bounces: z.int().meta({ description: 'Notifications that were queued.' }) }),
    recorded: ['selection', 'reason', 'after'],
  },
  'POST /api/queue/deliver-now': {
    operation: 'deliverNow',
    summary: 'Makes the next attempt of recipients now.',
    least: 'operator',
    body: z.strictObject({ selection, after: place.optional() }),
    response: z.strictObject({ recipients: z.int(), after: place.optional() }),
    recorded: ['selection', 'after'],
  },
  'POST /api/queue/work-queue/pause': {
    operation: 'pauseWorkQueue',
    summary: 'New messages wait in the work queue; what is queued for delivery goes on.',
    least: 'operator',
    body: z.strictObject({ reason: label.optional() }),
    response: workQueue,
    recorded: ['reason'],
  },
  'POST /api/queue/work-queue/resume': {
    operation: 'resumeWorkQueue',
    summary: 'What waits in the work queue is delivered.',
    least: 'operator',
    response: workQueue,
  },
  'POST /api/suspend': {
    operation: 'suspend',
    summary: 'Suspends receiving, delivery or both, over restarts. What is under way ends by itself.',
    least: 'operator',
    body: what,
    response: suspension,
    problems: ['not-found'],
    recorded: ['listeners', 'delivery', 'reason'],
  },
  'POST /api/resume': {
    operation: 'resume',
    summary: 'Resumes receiving, delivery or both.',
    least: 'operator',
    body: what,
    response: suspension,
    problems: ['not-found'],
    recorded: ['listeners', 'delivery', 'reason'],
  },
} as const;

export const QUEUE_ROUTES = routesOf('Queue')({ ...READS, ...CHANGES });
