/** Host access tables in AsyncOS's text format. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostAccessText, parseHostAccess } from './host-access-text.ts';

const ASYNCOS = `# exported
$THROTTLED
    ACCEPT { spam_check = "on" max_msgs_per_session = 10
             max_rcpts_per_msg = 25 max_message_size = 1048576 tls = "on" }
$BLOCKED
    REJECT
WHITELIST:
    192.0.2.1
    .partner.example (a partner)
    $TRUSTED (My trusted senders)
.spamdomain.example REJECT (spam)
251.192.1. TCPREFUSE
ALL
    $ACCEPTED { tls = "require" max_concurrency = 300 }
`;

test('a table of an AsyncOS machine is read', () => {
  assert.deepEqual(parseHostAccess(ASYNCOS), {
    ok: true,
    groups: [
      { senderGroup: 'WHITELIST', senders: ['192.0.2.1', '.partner.example (a partner)'], policy: 'TRUSTED' },
      { senderGroup: 'LINE_11', senders: ['.spamdomain.example'], policy: 'BLOCKED' },
      { senderGroup: 'LINE_12', senders: ['251.192.1.'], policy: 'TCPREFUSE' },
      { senderGroup: 'ALL', policy: 'ACCEPTED' },
    ],
    policies: {
      THROTTLED: {
        behavior: 'accept',
        maxMessagesPerConnection: 10,
        maxRecipientsPerMessage: 25,
        maxMessageSize: 1048576,
        tls: 'preferred',
      },
      BLOCKED: { behavior: 'reject' },
      TCPREFUSE: { behavior: 'tcpRefuse' },
      default: { tls: 'required', maxConnectionsPerAddress: 300 },
    },
    unknown: ['spam_check'],
  });
});

test('what was written is read again', () => {
  const listener = {
    hat: [
      { senderGroup: 'RELAYLIST', senders: ['10.0.0.0/8', '.example.com'], policy: 'MINE' },
      { senderGroup: 'ALL', policy: 'BLOCKED' },
    ],
  };
  const policies = {
    MINE: { behavior: 'relay', tls: 'required', maxMessageSize: '10M', verifyClientCertificate: true },
  };
  const text = hostAccessText({ mailFlowPolicies: policies }, listener);
  assert.deepEqual(parseHostAccess(text), {
    ok: true,
    groups: listener.hat,
    policies: { MINE: { ...policies.MINE, maxMessageSize: 10 * 1024 * 1024 } },
    unknown: [],
  });
});

for (const [text, why] of [
  ['', 'there is no sender group'],
  ['GROUP:\n    192.0.2.1\n', 'line 1: GROUP:: the last line of an entry is its policy, such as $RELAYED, or a rule'],
  [
    '$P\n    MAYBE\n',
    'line 1: $P: a policy is ACCEPT, RELAY, REJECT, TCPREFUSE or CONTINUE, with { keyword = value } behind it',
  ],
] as const) {
  test(`${JSON.stringify(text)} is no table: ${why}`, () =>
    assert.deepEqual(parseHostAccess(text), { ok: false, why }));
}
