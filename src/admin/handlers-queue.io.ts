/** The queue and what is suspended. Effects: reads the queue; asks the control thread, and through it delivery. */
import { counted } from '../core/counted.ts';
import { GatewayError } from '../core/errors.ts';
import type { Mid } from '../core/ids.ts';
import {
  comparableHost,
  LAST_MID,
  QUEUE_START,
  type QueueSelection,
  rangeOfToken,
  rangeToken,
} from '../core/queue-selection.ts';
import { systemStatus, type Standing } from '../core/suspension.ts';
import type { HostDelivery } from '../delivery/operations.ts';
import { sumSeries } from '../log/metrics.ts';
import type { SelectedRecipient } from '../queue/queue-client.io.ts';
import { type ApiContext, type Call, callerOf, type HandlersOf } from './api-context.ts';
import type { SuspendOrder } from './control-calls.ts';
import type { Census } from './host-census.io.ts';
import { type Problem, problem } from './problem.ts';
import type { QUEUE_ROUTES } from './routes-queue.ts';

/** Looks of one request: 50,000 recipients; a rare host of a long queue takes several requests. */
const LOOKS = 50;
/** Hosts with most recipients that delivery is asked about, whether it has met them or not. */
const ASKED_HOSTS = 1000;
const MOST_RECIPIENTS = 1000;
const READ_TOGETHER = 20;
const EVERYTHING = { after: QUEUE_START, upTo: LAST_MID };

export const QUEUE_HANDLERS: HandlersOf<typeof QUEUE_ROUTES> = {
  'GET /api/queue/hosts': async ({ query: { sort, limit } }, _, { clock, control, census }) => {
    const counted = await census.take();
    const known = await control.delivery.hosts(counted.hosts.slice(0, ASKED_HOSTS).map(({ host }) => host));
    const rows = known.map((each) => topHost(each, counted));
    const by = SORTED[sort];
    const hosts = rows.toSorted((a, b) => by(b) - by(a) || b.activeRecipients - a.activeRecipients);
    return { body: { nowMs: clock.now(), countedMs: counted.countedMs, hosts: hosts.slice(0, limit) } };
  },

  'GET /api/queue/hosts/{host}': async ({ path }, _, context) => ({
    body: await hostDetails(comparableHost(path.host), context),
  }),

  'GET /api/queue/recipients': async ({ query }, _, context) => {
    const { host, sender, mid, limit, after } = query;
    const selection: QueueSelection =
      host !== undefined
        ? { by: 'host', host }
        : sender !== undefined
          ? { by: 'sender', sender: bare(sender) }
          : mid !== undefined
            ? { by: 'message', mid }
            : { by: 'all' };
    const { recipients, ...rest } = await listRecipients(selection, { limit, after }, context);
    const subjects = query.subjects === 'yes' ? await subjectsOf(recipients, context) : undefined;
    return { body: { recipients: recipients.map((each) => withSubject(each, subjects?.get(each.mid))), ...rest } };
  },

  'GET /api/queue/messages/{mid}': async ({ path: { mid } }, _, context) => {
    const [message] = await context.queue.listMessages({ limit: 1, afterMid: (mid - 1) as never });
    if (message?.mid !== mid) return problem('not-found', `MID ${mid} is not in the queue`);
    const { icid, receivedMs, size: bytes, sender, origin } = message;
    const page = { limit: MOST_RECIPIENTS, after: undefined };
    const { recipients, after } = await listRecipients({ by: 'message', mid }, page, context);
    const header = await context.messageHeader(message.mid);
    const facts = { ...origin, recipients, moreRecipients: after !== undefined };
    const shown = header === undefined ? {} : { header: header.text };
    return { body: { mid, icid, sender, bytes, receivedMs, ...facts, ...shown } };
  },

  'POST /api/queue/delete': async ({ body }, call, context) => {
    const { bounces: _, ...report } = await dispose('delete', body, call, context);
    return { body: report, note: `${counted(report.recipients, 'recipient')}, ${report.inDelivery} in delivery` };
  },

  'POST /api/queue/bounce': async ({ body }, call, context) => {
    const report = await dispose('bounce', body, call, context);
    return { body: report, note: `${counted(report.recipients, 'recipient')}, ${report.inDelivery} in delivery` };
  },

  'POST /api/queue/deliver-now': async ({ body: { selection, after } }, call, { control }) => {
    const haste = { selection: selected(selection), range: rangeOfToken(after ?? ''), by: callerOf(call).name };
    const { recipients, range } = await control.delivery.deliverNow(haste);
    return { body: { recipients, ...going(range) }, note: counted(recipients, 'recipient') };
  },

  'GET /api/queue/work-queue': async (_, __, context) => ({ body: await workQueue(context) }),

  'POST /api/queue/work-queue/pause': async ({ body }, call, context) => {
    await context.control.suspension.pauseWorkQueue(callerOf(call).name, body.reason);
    return { body: await workQueue(context) };
  },

  'POST /api/queue/work-queue/resume': async (_, call, context) => {
    await context.control.suspension.resumeWorkQueue(callerOf(call).name);
    return { body: await workQueue(context) };
  },

  'GET /api/receiving/top': async ({ query }, _, { clock, control }) => ({
    body: { nowMs: clock.now(), hosts: await control.receiving.topIn(query.limit) },
  }),

  'POST /api/suspend': async ({ body }, call, context) =>
    suspension({ ...body, by: callerOf(call).name }, 'suspend', context),

  'POST /api/resume': async ({ body }, call, context) =>
    suspension({ ...body, by: callerOf(call).name }, 'resume', context),
};

type TopHost = ReturnType<typeof topHost>;
const SORTED: Readonly<
  Record<'active' | 'connections' | 'delivered' | 'hard-bounced' | 'soft-bounced', (row: TopHost) => number>
> = {
  active: (row) => row.activeRecipients,
  connections: (row) => row.connectionsOut,
  delivered: (row) => row.delivered,
  'hard-bounced': (row) => row.hardBounced,
  'soft-bounced': (row) => row.softBounced,
};

function topHost({ counts, state, connections }: HostDelivery, { byHost }: Census) {
  const { host, delivered, softBounced, hardBounced } = counts;
  return {
    host,
    state: state?.state ?? ('unknown' as const),
    activeRecipients: byHost.get(host)?.recipients ?? 0,
    connectionsOut: connections.established,
    delivered,
    softBounced,
    hardBounced: Object.values(hardBounced).reduce((sum, count) => sum + count, 0),
  };
}

async function hostDetails(host: string, { clock, control, queue, census }: ApiContext) {
  const [counted, delivery] = await Promise.all([census.take(), control.delivery.host(host)]);
  const { counts, state, addresses, connections, rule } = delivery;
  const waiting = counted.byHost.get(host);
  const { recipients = 0, attempted = 0 } = waiting ?? {};
  const [oldest] =
    waiting === undefined ? [] : await queue.listMessages({ limit: 1, afterMid: (waiting.oldestMid - 1) as never });
  const { deleted, hardBounced, lastActivityMs, last5xx } = counts;
  return {
    ...topHost(delivery, counted),
    nowMs: clock.now(),
    attemptedRecipients: attempted,
    unattemptedRecipients: recipients - attempted,
    connectionsPending: connections.connecting,
    deleted,
    hardBounces: hardBounced,
    route: rule,
    addresses: addresses.kind === 'addresses' ? addresses.addresses : [],
    ...(addresses.kind === 'addresses' ? {} : { noAddressWhy: addresses.why }),
    ...(state === undefined ? {} : { stateMs: state.atMs }),
    ...(state?.why === undefined ? {} : { stateWhy: state.why }),
    ...(oldest === undefined || oldest.mid !== waiting?.oldestMid ? {} : { oldestReceivedMs: oldest.receivedMs }),
    ...(lastActivityMs === 0 ? {} : { lastActivityMs }),
    ...(last5xx === undefined ? {} : { last5xx }),
  };
}

type Page = { readonly limit: number; readonly after: string | undefined };

async function listRecipients(selection: QueueSelection, { limit, after }: Page, { queue }: ApiContext) {
  const found: ReturnType<typeof queuedRecipient>[] = [];
  let range = rangeOfToken(after ?? '') ?? EVERYTHING;
  for (let look = 0; look < LOOKS && found.length < limit; look++) {
    const page = await queue.select({ selection, range, limit: limit - found.length });
    found.push(...page.recipients.map(queuedRecipient));
    if (page.after === undefined) return { recipients: found };
    range = { after: page.after, upTo: range.upTo };
  }
  return { recipients: found, after: rangeToken(range) };
}

/** A few messages at a time, so that nobody's commit waits behind a page of bodies. */
async function subjectsOf(
  recipients: readonly { readonly mid: Mid }[],
  { messageHeader }: ApiContext,
): Promise<Map<Mid, string>> {
  const subjects = new Map<Mid, string>();
  const mids = [...new Set(recipients.map(({ mid }) => mid))];
  const read = async (mid: Mid): Promise<void> => {
    const subject = (await messageHeader(mid))?.subject;
    if (subject !== undefined) subjects.set(mid, subject);
  };
  while (mids.length > 0) await Promise.all(mids.splice(0, READ_TOGETHER).map(read));
  return subjects;
}

const withSubject = <Row extends object>(row: Row, subject: string | undefined): Row & { subject?: string } =>
  subject === undefined ? row : { ...row, subject };

function queuedRecipient(each: SelectedRecipient) {
  const { mid, recipient, sender, size, receivedMs, attempts, leased, nextAttemptMs, inWorkQueue, lastError } = each;
  const held = nextAttemptMs === undefined && inWorkQueue !== true;
  const state = leased ? 'in-delivery' : held ? 'held' : inWorkQueue === true ? 'work-queue' : 'waiting';
  return {
    mid,
    rid: recipient.rid,
    recipient: recipient.address,
    sender,
    bytes: size,
    receivedMs,
    attempts,
    state: state as 'waiting' | 'in-delivery' | 'work-queue' | 'held',
    ...(nextAttemptMs === undefined ? {} : { nextAttemptMs }),
    ...(lastError === undefined ? {} : { lastError }),
  };
}

type Work = {
  readonly selection: QueueSelection;
  readonly reason?: string | undefined;
  readonly after?: string | undefined;
};

async function dispose(action: 'delete' | 'bounce', work: Work, call: Call, { control, census }: ApiContext) {
  const { range, ...report } = await control.delivery.dispose({
    action,
    selection: selected(work.selection),
    range: rangeOfToken(work.after ?? ''),
    by: callerOf(call).name,
    reason: work.reason,
  });
  census.forget();
  return { ...report, ...going(range) };
}

const going = (range: Parameters<typeof rangeToken>[0] | undefined): { after?: string } =>
  range === undefined ? {} : { after: rangeToken(range) };

const bare = (sender: string): string => (/^<.*>$/s.test(sender) ? sender.slice(1, -1) : sender);

const selected = (selection: QueueSelection): QueueSelection =>
  selection.by === 'sender' ? { by: 'sender', sender: bare(selection.sender) } : selection;

async function workQueue({ control, queue, clock }: ApiContext) {
  const [{ workQueue: paused }, counted, metrics] = await Promise.all([
    control.suspension.standing(),
    queue.workQueue(),
    control.gateway.metrics(),
  ]);
  return {
    status: paused === undefined ? ('operational' as const) : ('paused' as const),
    ...(paused === undefined ? {} : { paused }),
    ...counted,
    received: sumSeries(metrics)['sallyport_messages_received_total'] ?? 0,
    nowMs: clock.now(),
  };
}

async function suspension(
  order: SuspendOrder,
  change: 'suspend' | 'resume',
  { config, control }: ApiContext,
): Promise<Problem | { readonly body: Standing & { readonly systemStatus: string } }> {
  try {
    const standing = await control.suspension[change](order);
    return { body: { systemStatus: systemStatus(standing, Object.keys(config().listeners)), ...standing } };
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'config') return problem('not-found', error.message);
    throw error;
  }
}
