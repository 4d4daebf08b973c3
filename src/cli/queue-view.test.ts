/** What the command line prints of status, hosts and queue, to the letter. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  hostText,
  messageText,
  recipientsText,
  spanText,
  statusText,
  timeText,
  topHostsText,
  topInText,
  workQueueText,
} from './queue-view.ts';

const GMT = (): number => 0;
const NOON = Date.UTC(2026, 10, 24, 12, 0, 0);

test('times name their zone, spans their units', () => {
  assert.equal(timeText(NOON, GMT), 'Tue Nov 24 12:00:00 2026 GMT');
  assert.equal(
    timeText(NOON, () => 90),
    'Tue Nov 24 13:30:00 2026 +0130',
  );
  assert.equal(
    timeText(NOON, () => -480),
    'Tue Nov 24 04:00:00 2026 -0800',
  );
  assert.deepEqual([0, 29_000, 3_600_000, 81_929_000, 273_601_000].map(spanText), [
    '0s',
    '29s',
    '1h 0m 0s',
    '22h 45m 29s',
    '3d 4h 0m 1s',
  ]);
});

const status = {
  version: '0.1.0',
  hostname: 'gw.example.test',
  systemStatus: 'Delivery suspended; Work queue paused',
  deliverySuspended: { sinceMs: NOON, by: 'alice', reason: 'maintenance' },
  workQueuePaused: { sinceMs: NOON, by: 'bob' },
  ids: { icid: 51_180_368, mid: 99_524_480, dcid: 17_550_674 },
  delivery: { connections: 14, waiting: 3 },
  workQueue: { messages: 100_000, more: true },
  nowMs: NOON + 81_929_000,
  startedMs: NOON,
  revision: 7,
  pid: 1,
  residentBytes: 110 * 1024 * 1024,
  receiveThreads: 1,
  queue: { messages: 7000, activeRecipients: 7166, oldestReceivedMs: NOON },
  listeners: [{ name: 'mx', addresses: [], connections: 2, maxConnections: 300 }],
  rates: {
    sallyport_messages_received_total: { minute: 6000, fiveMinutes: 1200, fifteenMinutes: 400 },
    sallyport_recipients_delivered_total: { minute: 60, fiveMinutes: 12, fifteenMinutes: 4 },
    sallyport_recipients_bounced_total: { minute: 1, fiveMinutes: 2, fifteenMinutes: 3 },
  },
  counters: {
    sallyport_messages_received_total: 62_049_822,
    sallyport_recipients_delivered_total: 5,
    sallyport_recipients_bounced_total: 3,
    sallyport_recipients_deleted_total: 1,
  },
  countersSinceReset: { sallyport_messages_received_total: 290_920, sallyport_recipients_delivered_total: 2 },
  resetMs: NOON,
};

test('status is what AsyncOS prints, with who suspended what', () => {
  assert.equal(
    statusText(status, GMT, false),
    `Enter "status detail" for more information.

Status as of:                  Wed Nov 25 10:45:29 2026 GMT
Up since:                      Tue Nov 24 12:00:00 2026 GMT (22h 45m 29s)
Last counter reset:            Tue Nov 24 12:00:00 2026 GMT
System status:                 Delivery suspended; Work queue paused
  Delivery:                    suspended by alice since Tue Nov 24 12:00:00 2026 GMT: maintenance
  Work queue:                  paused by bob since Tue Nov 24 12:00:00 2026 GMT
Oldest Message:                22h 45m 29s

Counters:                                          Reset            Uptime
  Receiving
    Messages Received                            290,920        62,049,822
    Recipients Received                                0                 0
  Rejection
    Rejected Recipients                                0                 0
    Aborted Messages                                   0                 0
    Discarded Recipients (/dev/null)                   0                 0
  Queue
    Soft Bounced Events                                0                 0
  Completion
    Completed Recipients                               2                 9
  Current IDs
    Message ID (MID)                          99,524,480
    Injection Conn. ID (ICID)                 51,180,368
    Delivery Conn. ID (DCID)                  17,550,674

Gauges:                                          Current
  Connections
    Current Inbound Conn.                              2
    Current Outbound Conn.                            14
  Queue
    Active Recipients                              7,166
    Messages In Queue                              7,000
    Messages In Work Queue             more than 100,000
`,
  );
});

test('status detail has rates as well', () => {
  const detail = statusText(status, GMT, true);
  assert.ok(
    detail.includes(`Rates (Events Per Hour):            1-Minute   5-Minutes  15-Minutes
  Receiving
    Messages Received                  6,000       1,200         400
    Recipients Received                    0           0           0
  Queue
    Soft Bounced Events                    0           0           0
  Completion
    Completed Recipients                  61          14           7
      Hard Bounced Recipients              1           2           3
      Delivered Recipients                60          12           4
`),
    detail,
  );
});

const host = {
  host: 'example.org',
  state: 'down' as const,
  stateMs: NOON,
  stateWhy: 'connection refused\u001b[2J',
  nowMs: NOON + 5000,
  activeRecipients: 3,
  attemptedRecipients: 2,
  unattemptedRecipients: 1,
  oldestReceivedMs: NOON,
  connectionsOut: 0,
  connectionsPending: 1,
  delivered: 10,
  softBounced: 4,
  hardBounced: 2,
  hardBounces: { dns: 0, fiveXX: 1, expired: 0, other: 1 },
  deleted: 1,
  lastActivityMs: NOON,
  last5xx: { text: '550 5.1.1 no such user', atMs: NOON, remoteHost: 'mx.example.org' },
  route: 'no SMTP route',
  addresses: [
    { host: 'mx.example.org', address: '192.0.2.1', port: 25, downUntilMs: NOON + 30_000 },
    { host: 'mx2.example.org', address: '2001:db8::1', port: 25 },
  ],
};

test('hoststatus is what AsyncOS prints, and a host’s words steer no terminal', () => {
  const text = hostText(host, GMT);
  assert.ok(!text.includes('\u001b'), text);
  for (const line of [
    "Host mail status for: 'example.org'",
    'Status as of:                  Tue Nov 24 12:00:05 2026 GMT',
    'Host up/down:                  down (Tue Nov 24 12:00:00 2026 GMT)',
    '      Hard Bounced Recipients                          2',
    '        5XX Hard Bounces                               1',
    '      Unattempted Recipients                           1',
    '    Pending Outbound Connections                       1',
    'Oldest Message                 5s',
    '    192.0.2.1:25                 mx.example.org down, asked again at Tue Nov 24 12:00:30 2026 GMT',
    '    [2001:db8::1]:25             mx2.example.org',
    '550 5.1.1 no such user',
    '(at Tue Nov 24 12:00:00 2026 GMT) Host: mx.example.org',
  ])
    assert.ok(text.split('\n').includes(line), `${line}\n\n${text}`);
});

test('tophosts and topin are tables; a star marks who was down', () => {
  const row = { ...host, activeRecipients: 1234 };
  assert.equal(
    topHostsText({ nowMs: NOON, countedMs: NOON, hosts: [row, { ...row, host: 'b.example', state: 'up' }] }, GMT),
    `Status as of:                  Tue Nov 24 12:00:00 2026 GMT
Hosts marked with '*' were down as of the last delivery attempt.

#   Recipient Host  Active Recip.  Conn. Out  Deliv. Recip.  Soft Bounced  Hard Bounced
1*  example.org             1,234          0             10             4             2
2   b.example               1,234          0             10             4             2
`,
  );
  const sender = { listener: 'mx', remoteAddress: '192.0.2.1', messages: 2, recipients: 3, lastMs: NOON };
  assert.equal(
    topInText({ nowMs: NOON, hosts: [{ ...sender, connectionsIn: 1, connections: 9, atMostTooMany: 2 }] }, GMT),
    `Status as of:                  Tue Nov 24 12:00:00 2026 GMT

#  Remote hostname  Remote IP addr.  listener  Conn. In  Conn. Total  Messages  Recipients
1  192.0.2.1        192.0.2.1        mx               1         <= 9         2           3
`,
  );
});

const waiting = {
  mid: 1527,
  rid: 0,
  recipient: '9554@example.com',
  sender: '',
  bytes: 1230,
  receivedMs: NOON,
  attempts: 2,
  state: 'waiting' as const,
  nextAttemptMs: NOON,
  lastError: '4.2.0 450 later\r\nfake line',
};

test('a recipient has its two lines and a third for what went wrong, whatever a next hop says', () => {
  assert.equal(
    recipientsText([waiting, { ...waiting, rid: 1, state: 'in-delivery', sender: 'a@b.example' }], GMT).split('\n')
      .length,
    9,
  );
  assert.match(
    recipientsText([waiting], GMT),
    /^1527 {9}1,230 {6}<>\n\[0\] {10}\[2\] {8}9554@example\.com +Tue Nov 24 12:00:00 2026 GMT\n {24}4\.2\.0 450 later\?\?fake line\n\n$/,
  );
});

test('a subject stands beside the sender', () => {
  const [line] = recipientsText([{ ...waiting, subject: 'Testing\u0007' }], GMT).split('\n');
  assert.equal(line, '1527         1,230      <>                                       Testing?');
});

test('a message says where it came from; one of the gateway’s own says that', () => {
  const message = {
    mid: 9,
    icid: 4,
    sender: 'alice@example.test',
    bytes: 100,
    receivedMs: NOON,
    listener: 'mx',
    remoteAddress: '192.0.2.1',
    senderGroup: 'ALL',
    user: 'alice',
    recipients: [waiting],
    moreRecipients: true,
    header: 'Received: x\r\n\tby y\r\nSubject: z\r\n',
  };
  const text = messageText(message, GMT);
  assert.match(text, /^User: {26}alice$/m);
  assert.match(text, /and more: showrecipients --mid lists them all\n\nReceived: x\n {4}by y\nSubject: z\n$/);
  const { header: _, user: __, ...bounce } = message;
  assert.match(
    messageText({ ...bounce, icid: 0, sender: '' }, GMT),
    /^Origin: {24}made by the gateway\nEnvelope From: {17}<>$/m,
  );
  assert.match(messageText({ ...bounce, icid: 0 }, GMT), /The body of the message is missing\.\n$/);
});

test('workqueue says who paused it and why', () => {
  const shown = { status: 'paused' as const, messages: 1243, more: false, received: 5, nowMs: NOON };
  const paused = { sinceMs: NOON, by: 'admin', reason: 'checking LDAP server' };
  assert.equal(
    workQueueText({ ...shown, paused }, GMT),
    `Status as of:                  Tue Nov 24 12:00:00 2026 GMT
Status:                        Paused by admin: checking LDAP server
Messages:                      1,243
`,
  );
  assert.match(workQueueText({ ...shown, status: 'operational' }, GMT), /^Status: {24}Operational$/m);
});
