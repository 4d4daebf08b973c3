/** The listener in AsyncOS's words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostAccessHeading, listenerRow, listenerSummary, policyTerms, tlsOf } from './listener-summary.ts';

const LISTENER = {
  type: 'public',
  address: ['192.168.2.1:25'],
  hat: [
    { senderGroup: 'RELAYLIST', senders: ['10.0.0.0/8'], policy: 'RELAYED' },
    { senderGroup: 'BAD', senders: ['192.0.2.1'], policy: 'BLOCKED' },
    { senderGroup: 'ALL', policy: 'ACCEPTED' },
  ],
};
const INTERFACES = [{ name: 'PublicNet', address: '192.168.2.1', cidr: '192.168.2.1/24' }];

const withPolicies = (mailFlowPolicies: { [name: string]: { [key: string]: string | number } }) => ({
  listeners: { Inboundmail: LISTENER },
  mailFlowPolicies,
});

test('the summary is the one of the guide', () => {
  const document = withPolicies({ default: { tls: 'required' } });
  const lines = listenerSummary('Inboundmail', { document, interfaces: INTERFACES }).split('\n');
  assert.deepEqual(lines.slice(0, 8), [
    'Name: Inboundmail',
    'Type: Public',
    'Interface: PublicNet (192.168.2.1/24) TCP Port 25',
    'Protocol: SMTP',
    'Default Domain:',
    'Max Concurrency: 1000 (TCP Queue: 50)',
    'Domain map: disabled',
    'TLS: Required',
  ]);
  assert.equal(listenerRow(LISTENER, INTERFACES), '(on PublicNet, 192.168.2.1) SMTP TCP Port 25 Public');
});

test('TLS that differs by sender group is told for each, and who is refused does not count', () => {
  assert.equal(tlsOf(withPolicies({}), LISTENER), 'No');
  assert.equal(tlsOf(withPolicies({ BLOCKED: { tls: 'required' } }), LISTENER), 'No');
  assert.equal(tlsOf(withPolicies({ RELAYED: { tls: 'required' } }), LISTENER), 'Required (RELAYLIST), No (ALL)');
});

test('terms come from the policy, then from what is built in, then from default', () => {
  const document = withPolicies({
    default: { maxRecipientsPerMessage: 7, tls: 'preferred' },
    THROTTLED: { tls: 'off' },
  });
  assert.equal(policyTerms(document, 'THROTTLED')['maxRecipientsPerMessage'], 20);
  assert.equal(policyTerms(document, 'THROTTLED')['tls'], 'off');
  assert.equal(policyTerms(document, 'ACCEPTED')['maxRecipientsPerMessage'], 7);
});

test('the heading of the host access table shows the default policy and counts', () => {
  const heading = hostAccessHeading(withPolicies({ MINE: {} }), LISTENER);
  assert.match(heading, /^Default Policy Parameters\n=+\nMaximum Message Size: 100M\n/);
  assert.match(heading, /There are currently 6 policies defined\.\nThere are currently 3 sender groups\.$/);
});
