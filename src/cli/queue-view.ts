/**
 * Status, hosts and the queue as the command line prints them, in the shape of AsyncOS: status, hoststatus, tophosts, topin,
 * showrecipients, showmessage, workqueue. What mail says is made printable. Pure: the time zone is handed in.
 */
import type { RouteOutput } from '../admin/route.ts';
import type { Api } from '../admin/routes.ts';
import { grouped } from '../core/counted.ts';
import { printable } from '../core/reply.ts';
import { mailLogTime } from '../log/timestamp.ts';

export type StatusShown = RouteOutput<Api['GET /api/status']>;
export type HostShown = RouteOutput<Api['GET /api/queue/hosts/{host}']>;
export type HostsShown = RouteOutput<Api['GET /api/queue/hosts']>;
export type TopInShown = RouteOutput<Api['GET /api/receiving/top']>;
export type RecipientShown = RouteOutput<Api['GET /api/queue/recipients']>['recipients'][number];
export type MessageShown = RouteOutput<Api['GET /api/queue/messages/{mid}']>;
export type WorkQueueShown = RouteOutput<Api['GET /api/queue/work-queue']>;
export type Mark = NonNullable<StatusShown['deliverySuspended']>;

/** Minutes east of UTC at a time. */
export type Zone = (atMs: number) => number;

const WIDTH = 56;
const SECOND = 18;

/** A name to the left, a number to the right. */
function row(name: string, value: number | string, indent = 2): string {
  const text = typeof value === 'number' ? grouped(value) : value;
  const left = `${' '.repeat(indent)}${name}`;
  return `${left}${text.padStart(Math.max(1 + text.length, WIDTH - left.length))}\n`;
}

/** The same with another number to its right. */
const pair = (name: string, [first, second]: readonly [number | string, number | string], indent = 2): string =>
  `${row(name, first, indent).trimEnd()}${(typeof second === 'number' ? grouped(second) : second).padStart(SECOND)}\n`;

const fact = (name: string, value: string): string => `${name.padEnd(31)}${value}\n`;

export function timeText(atMs: number, zone: Zone): string {
  const minutes = zone(atMs);
  const size = Math.abs(minutes);
  const offset = `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
  return `${mailLogTime(atMs, minutes)} ${minutes === 0 ? 'GMT' : offset}`;
}

const two = (count: number): string => String(count).padStart(2, '0');

/** `22h 45m 29s`, `3d 4h 0m 1s`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first < 0 ? 3 : first)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}

const markText = ({ sinceMs, by, reason }: Mark, zone: Zone): string =>
  `by ${printable(by)} since ${timeText(sinceMs, zone)}${reason === undefined ? '' : `: ${printable(reason)}`}`;

const messagesText = ({ messages, more }: StatusShown['workQueue']): string =>
  `${more ? 'more than ' : ''}${grouped(messages)}`;

export function statusText(status: StatusShown, zone: Zone, detail: boolean): string {
  const { nowMs, startedMs, systemStatus, queue, listeners, deliverySuspended, workQueuePaused } = status;
  const suspended = listeners.flatMap(({ name, suspended: mark }) =>
    mark === undefined ? [] : [fact(`  ${name}:`, `suspended ${markText(mark, zone)}`)],
  );
  return [
    ...(detail ? [] : ['Enter "status detail" for more information.\n\n']),
    fact('Status as of:', timeText(nowMs, zone)),
    fact('Up since:', `${timeText(startedMs, zone)} (${spanText(nowMs - startedMs)})`),
    fact('Last counter reset:', status.resetMs === undefined ? 'Never' : timeText(status.resetMs, zone)),
    fact('System status:', systemStatus),
    ...suspended,
    ...(deliverySuspended === undefined ? [] : [fact('  Delivery:', `suspended ${markText(deliverySuspended, zone)}`)]),
    ...(workQueuePaused === undefined ? [] : [fact('  Work queue:', `paused ${markText(workQueuePaused, zone)}`)]),
    fact(
      'Oldest Message:',
      queue.oldestReceivedMs === undefined ? 'No Messages' : spanText(nowMs - queue.oldestReceivedMs),
    ),
    ...(detail ? [fact('Version:', status.version), fact('Configuration revision:', String(status.revision))] : []),
    '\n',
    counters(status, detail),
    '\n',
    ...(detail ? [rates(status), '\n'] : []),
    gauges(status, detail),
  ].join('');
}

function counters({ counters: all, countersSinceReset, ids }: StatusShown, detail: boolean): string {
  const print = (label: string, names: readonly string[], indent = 4): string => {
    const sum = (of: StatusShown['counters']): number =>
      names.reduce((total, name) => total + (of[`sallyport_${name}_total`] ?? 0), 0);
    return pair(label, [sum(countersSinceReset), sum(all)], indent);
  };
  return [
    pair('Counters:', ['Reset', 'Uptime'], 0),
    '  Receiving\n',
    print('Messages Received', ['messages_received']),
    print('Recipients Received', ['recipients_accepted']),
    ...(detail ? [print('Gen. Bounce Recipients', ['bounces_generated'])] : []),
    '  Rejection\n',
    print('Rejected Recipients', ['recipients_rejected']),
    print('Aborted Messages', ['messages_aborted']),
    print('Discarded Recipients (/dev/null)', ['recipients_discarded']),
    '  Queue\n',
    print('Soft Bounced Events', ['recipients_delayed']),
    '  Completion\n',
    print('Completed Recipients', ['recipients_delivered', 'recipients_bounced', 'recipients_deleted']),
    ...(detail
      ? [
          print('Hard Bounced Recipients', ['recipients_bounced'], 6),
          print('Delivered Recipients', ['recipients_delivered'], 6),
          print('Deleted Recipients', ['recipients_deleted'], 6),
        ]
      : []),
    '  Current IDs\n',
    row('Message ID (MID)', ids.mid, 4),
    row('Injection Conn. ID (ICID)', ids.icid, 4),
    row('Delivery Conn. ID (DCID)', ids.dcid, 4),
  ].join('');
}

function rates({ rates: all }: StatusShown): string {
  const columns = (values: readonly string[]): string => values.map((value) => value.padStart(12)).join('');
  const print = (name: string, ...counters: readonly string[]): string => {
    const sum = (column: 'minute' | 'fiveMinutes' | 'fifteenMinutes'): string =>
      grouped(counters.reduce((total, each) => total + (all[`sallyport_${each}_total`]?.[column] ?? 0), 0));
    return `${name.padEnd(32)}${columns([sum('minute'), sum('fiveMinutes'), sum('fifteenMinutes')])}\n`;
  };
  return [
    `${'Rates (Events Per Hour):'.padEnd(32)}${columns(['1-Minute', '5-Minutes', '15-Minutes'])}\n`,
    '  Receiving\n',
    print('    Messages Received', 'messages_received'),
    print('    Recipients Received', 'recipients_accepted'),
    '  Queue\n',
    print('    Soft Bounced Events', 'recipients_delayed'),
    '  Completion\n',
    print('    Completed Recipients', 'recipients_delivered', 'recipients_bounced', 'recipients_deleted'),
    print('      Hard Bounced Recipients', 'recipients_bounced'),
    print('      Delivered Recipients', 'recipients_delivered'),
  ].join('');
}

function gauges({ listeners, delivery, queue, workQueue, residentBytes }: StatusShown, detail: boolean): string {
  return [
    row('Gauges:', 'Current', 0),
    '  Connections\n',
    row(
      'Current Inbound Conn.',
      listeners.reduce((sum, { connections }) => sum + connections, 0),
      4,
    ),
    ...(detail
      ? listeners.map(({ name, connections, maxConnections }) =>
          row(`${name} (at most ${grouped(maxConnections)})`, connections, 6),
        )
      : []),
    row('Current Outbound Conn.', delivery?.connections ?? 'starting', 4),
    '  Queue\n',
    row('Active Recipients', queue.activeRecipients, 4),
    row('Messages In Queue', queue.messages, 4),
    row('Messages In Work Queue', messagesText(workQueue), 4),
    ...(detail ? ['  System\n', row('Memory Used (MB)', Math.round(residentBytes / 1024 / 1024), 4)] : []),
  ].join('');
}

export function hostText(host: HostShown, zone: Zone): string {
  const { nowMs, hardBounces, last5xx, oldestReceivedMs, lastActivityMs, addresses, noAddressWhy } = host;
  const state = host.stateMs === undefined ? host.state : `${host.state} (${timeText(host.stateMs, zone)})`;
  return [
    `Host mail status for: '${printable(host.host)}'\n`,
    fact('Status as of:', timeText(nowMs, zone)),
    fact('Host up/down:', state),
    ...(host.stateWhy === undefined ? [] : [fact('', printable(host.stateWhy))]),
    '\nCounters:\n  Queue\n',
    row('Soft Bounced Events', host.softBounced, 4),
    '  Completion\n',
    row('Completed Recipients', host.hardBounced + host.delivered + host.deleted, 4),
    row('Hard Bounced Recipients', host.hardBounced, 6),
    row('DNS Hard Bounces', hardBounces.dns, 8),
    row('5XX Hard Bounces', hardBounces.fiveXX, 8),
    row('Expired Hard Bounces', hardBounces.expired, 8),
    row('Other Hard Bounces', hardBounces.other, 8),
    row('Delivered Recipients', host.delivered, 6),
    row('Deleted Recipients', host.deleted, 6),
    '\nGauges:\n  Queue\n',
    row('Active Recipients', host.activeRecipients, 4),
    row('Unattempted Recipients', host.unattemptedRecipients, 6),
    row('Attempted Recipients', host.attemptedRecipients, 6),
    '  Connections\n',
    row('Current Outbound Connections', host.connectionsOut, 4),
    row('Pending Outbound Connections', host.connectionsPending, 4),
    '\n',
    fact('Oldest Message', oldestReceivedMs === undefined ? 'No Messages' : spanText(nowMs - oldestReceivedMs)),
    fact('Last Activity', lastActivityMs === undefined ? 'None since the start' : timeText(lastActivityMs, zone)),
    fact('SMTP Route', printable(host.route)),
    'Addresses, in order:\n',
    ...(noAddressWhy === undefined ? [] : [`    ${printable(noAddressWhy)}\n`]),
    ...addresses.map(({ host: name, address, port, downUntilMs }) => {
      const down = downUntilMs === undefined ? '' : ` down, asked again at ${timeText(downUntilMs, zone)}`;
      return `    ${`${address.includes(':') ? `[${address}]` : address}:${port}`.padEnd(28)} ${printable(name)}${down}\n`;
    }),
    '\nLast 5XX Error:\n----------\n',
    last5xx === undefined
      ? 'None\n'
      : `${printable(last5xx.text)}\n(at ${timeText(last5xx.atMs, zone)})${last5xx.remoteHost === undefined ? '' : ` Host: ${printable(last5xx.remoteHost)}`}\n`,
    '----------\n',
  ].join('');
}

/** Columns, the first ones to the left, as many as `left` says. */
function table(heads: readonly string[], rows: readonly (readonly string[])[], left: number): string {
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((cells) => cells[i]?.length ?? 0)));
  const print = (cells: readonly string[]): string =>
    `${cells
      .map((cell, i) => (i < left ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()}\n`;
  return [heads, ...rows].map(print).join('');
}

export function topHostsText({ nowMs, hosts }: HostsShown, zone: Zone): string {
  const rows = hosts.map((host, i) => [
    `${i + 1}${host.state === 'down' ? '*' : ''}`,
    printable(host.host),
    ...[host.activeRecipients, host.connectionsOut, host.delivered, host.softBounced, host.hardBounced].map(grouped),
  ]);
  const heads = ['#', 'Recipient Host', 'Active Recip.', 'Conn. Out', 'Deliv. Recip.', 'Soft Bounced', 'Hard Bounced'];
  return [
    fact('Status as of:', timeText(nowMs, zone)),
    "Hosts marked with '*' were down as of the last delivery attempt.\n\n",
    hosts.length === 0 ? 'There are no recipient hosts.\n' : table(heads, rows, 2),
  ].join('');
}

export function topInText({ nowMs, hosts }: TopInShown, zone: Zone): string {
  const rows = hosts.map((host, i) => [
    String(i + 1),
    printable(host.hostname ?? host.remoteAddress),
    host.remoteAddress,
    host.listener,
    grouped(host.connectionsIn),
    `${host.atMostTooMany > 0 ? '<= ' : ''}${grouped(host.connections)}`,
    grouped(host.messages),
    grouped(host.recipients),
  ]);
  const heads = [
    '#',
    'Remote hostname',
    'Remote IP addr.',
    'listener',
    'Conn. In',
    'Conn. Total',
    'Messages',
    'Recipients',
  ];
  return [
    fact('Status as of:', timeText(nowMs, zone)),
    '\n',
    hosts.length === 0 ? 'Nobody has connected yet.\n' : table(heads, rows, 4),
  ].join('');
}

/** Two lines each, as AsyncOS lists them, and a third where delivery failed. */
export function recipientsText(recipients: readonly RecipientShown[], zone: Zone): string {
  return recipients
    .map((each) => {
      const { mid, rid, bytes, attempts, sender, recipient, subject = '', lastError } = each;
      const from = sender === '' ? '<>' : printable(sender);
      const first =
        `${String(mid).padEnd(12)} ${grouped(bytes).padEnd(10)} ${from.padEnd(40)} ${printable(subject)}`.trimEnd();
      const second = `${`[${rid}]`.padEnd(12)} ${`[${attempts}]`.padEnd(10)} ${printable(recipient).padEnd(40)} ${stateText(each, zone)}`;
      return `${first}\n${second}\n${lastError === undefined ? '' : `${' '.repeat(24)}${printable(lastError)}\n`}\n`;
    })
    .join('');
}

export const RECIPIENTS_HEAD = `${'MID/'.padEnd(12)} ${'Bytes/'.padEnd(10)} ${'Sender/'.padEnd(40)} Subject\n${'[RID]'.padEnd(12)} ${'[Atmps]'.padEnd(10)} ${'Recipient'.padEnd(40)} Next attempt\n\n`;

function stateText({ state, nextAttemptMs }: RecipientShown, zone: Zone): string {
  if (state === 'in-delivery') return 'in delivery';
  if (state === 'work-queue') return 'in the work queue';
  if (state === 'held') return 'held: the body of the message is missing';
  return nextAttemptMs === undefined ? '' : timeText(nextAttemptMs, zone);
}

export function messageText(message: MessageShown, zone: Zone): string {
  const { mid, icid, sender, bytes, receivedMs, listener, remoteAddress, senderGroup, user, certificate } = message;
  const { recipients, moreRecipients, header } = message;
  return [
    `MID ${mid}\n`,
    fact('Received:', timeText(receivedMs, zone)),
    ...(icid === 0
      ? [fact('Origin:', 'made by the gateway')]
      : [
          fact('ICID:', String(icid)),
          fact('Listener:', printable(listener)),
          fact('From host:', `${printable(remoteAddress)} SG ${printable(senderGroup)}`),
        ]),
    ...(user === undefined ? [] : [fact('User:', printable(user))]),
    ...(certificate === undefined ? [] : [fact('Client certificate:', printable(certificate))]),
    fact('Envelope From:', sender === '' ? '<>' : printable(sender)),
    fact('Bytes:', grouped(bytes)),
    '\n',
    RECIPIENTS_HEAD,
    recipientsText(recipients, zone),
    ...(moreRecipients ? ['… and more: showrecipients --mid lists them all\n\n'] : []),
    header === undefined
      ? 'The body of the message is missing.\n'
      : `${header
          .split('\r\n')
          .map((line) => printable(line.replace(/\t/g, '    ')))
          .join('\n')}`,
  ].join('');
}

export function workQueueText(shown: WorkQueueShown, zone: Zone): string {
  const { nowMs, paused } = shown;
  const by = paused === undefined ? '' : printable(paused.by);
  const status =
    paused === undefined
      ? 'Operational'
      : `Paused by ${by}${paused.reason === undefined ? '' : `: ${printable(paused.reason)}`}`;
  return `${fact('Status as of:', timeText(nowMs, zone))}${fact('Status:', status)}${fact('Messages:', messagesText(shown))}`;
}
