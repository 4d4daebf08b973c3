import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effectiveMaxConcurrency, effectivePolicy } from './effective-policy.ts';
import { configSchema } from './schema.ts';

const config = (mailFlowPolicies: object) =>
  configSchema.parse({
    hostname: 'gw.example.test',
    mailFlowPolicies,
    listeners: {
      mx: { type: 'public', address: [':25'], hat: [{ senderGroup: 'ALL', policy: 'ACCEPTED' }] },
      inside: {
        type: 'private',
        address: [':26'],
        maxConcurrency: 7,
        hat: [{ senderGroup: 'ALL', policy: 'BLOCKED' }],
      },
      more: { type: 'private', address: [':27'], hat: [{ senderGroup: 'ALL', policy: 'BLOCKED' }] },
    },
  });

test('the built-in policies exist without being defined', () => {
  const empty = config({});
  const rows = ['ACCEPTED', 'RELAYED', 'TRUSTED', 'THROTTLED', 'BLOCKED'].map((name) =>
    effectivePolicy(empty, 'mx', name),
  );
  assert.deepEqual(
    rows.map(({ behavior }) => behavior),
    ['accept', 'relay', 'accept', 'accept', 'reject'],
  );
  assert.deepEqual(effectivePolicy(empty, 'mx', 'ACCEPTED'), {
    name: 'ACCEPTED',
    behavior: 'accept',
    tls: 'off',
    verifyClientCertificate: false,
    smtpAuth: 'off',
    requireTlsToOfferSmtpAuth: false,
    maxConnectionsPerAddress: 1000,
    maxMessagesPerConnection: 1000,
    maxRecipientsPerMessage: 1000,
    maxMessageBytes: 100 * 1024 * 1024,
    banner: { code: 220, text: 'ESMTP' },
    rejectBanner: { code: 554, text: '5.7.1 your access to this mail system has been refused' },
    bannerHostname: 'gw.example.test',
  });
  const throttled = effectivePolicy(empty, 'mx', 'THROTTLED');
  assert.deepEqual(
    [throttled.maxConnectionsPerAddress, throttled.maxMessagesPerConnection, throttled.maxRecipientsPerMessage],
    [10, 10, 20],
  );
  assert.equal(throttled.maxMessageBytes, 1024 * 1024);
});

test('the file goes before what is built in, and both before the default policy', () => {
  const some = config({
    default: { tls: 'preferred', maxRecipientsPerMessage: 5, behavior: 'relay', maxMessageSize: '5M' },
    THROTTLED: { maxMessagesPerConnection: 3 },
    OWN: { smtpAuth: 'preferred' },
    BLOCKED: {},
  });
  const throttled = effectivePolicy(some, 'mx', 'THROTTLED');
  assert.equal(throttled.maxMessagesPerConnection, 3);
  assert.equal(throttled.maxRecipientsPerMessage, 20);
  assert.equal(throttled.tls, 'preferred');
  assert.equal(throttled.behavior, 'accept');
  const own = effectivePolicy(some, 'mx', 'OWN');
  assert.deepEqual([own.behavior, own.smtpAuth, own.maxRecipientsPerMessage], ['relay', 'preferred', 5]);
  assert.equal(effectivePolicy(some, 'mx', 'ACCEPTED').maxMessageBytes, 5 * 1024 * 1024);
  assert.equal(effectivePolicy(some, 'mx', 'BLOCKED').behavior, 'reject');
});

test('a policy that does not exist lets nobody in, whatever the default policy says', () => {
  const some = config({ default: { behavior: 'relay' } });
  for (const name of ['NONE', 'constructor', 'toString', '__proto__']) {
    assert.equal(effectivePolicy(some, 'mx', name).behavior, 'reject', name);
  }
});

test('a public listener takes 1000 connections and a private one 600, unless it says otherwise', () => {
  const { listeners } = config({});
  const of = (name: string) => {
    const listener = listeners[name];
    assert.ok(listener !== undefined);
    return effectiveMaxConcurrency(listener);
  };
  assert.deepEqual([of('mx'), of('inside'), of('more')], [1000, 7, 600]);
});
