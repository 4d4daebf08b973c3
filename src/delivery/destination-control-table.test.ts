/** Destination Controls: which row holds for a domain, what it says, and recipients per period. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileControls, controlFor } from './destination-control-table.ts';
import { RecipientLimits } from './recipient-limits.ts';

type Controls = Parameters<typeof compileControls>[0]['destinationControls'];
const delivery = {
  maxConnections: 500,
  maxConnectionsPerHost: 20,
  maxMessagesPerConnection: 50,
  connectTimeout: 1,
  commandTimeout: 1,
  dataTimeout: 1,
};
const compiled = (common: Controls['default'], domains: Controls['domains'] = {}) =>
  compileControls({ delivery, destinationControls: { sendTlsRequiredAlert: false, default: common, domains } });

test('without destination controls everything is as the delivery section says, with TLS where it is offered', () => {
  assert.deepEqual(controlFor(compiled({}), 'example.com'), {
    rule: 'destinationControls.default',
    tls: 'preferred',
    maxConnections: 20,
    maxMessagesPerConnection: 50,
    recipientLimit: undefined,
    byDomain: false,
  });
});

test('the domain itself counts first, then the longest .partial, which is not the domain itself, then default', () => {
  const rows = { 'example.com': {}, '.example.com': {}, '.eu.example.com': {}, 'bücher.example': {} };
  const ruleOf = (domain: string): string =>
    controlFor(compiled({}, rows), domain).rule.replace(/^destinationControls\.(domains\.)?/, '');
  assert.deepEqual(
    ['example.com', 'EXAMPLE.com.', 'a.example.com', 'b.eu.example.com', 'eu.example.com', 'xn--bcher-kva.example']
      .concat(['example.org', '', '-no-domain-'])
      .map(ruleOf),
    ['example.com', 'example.com', '.example.com', '.eu.example.com', '.example.com', 'bücher.example'].concat([
      'default',
      'default',
      'default',
    ]),
  );
});

test('what a row leaves out, default says; none lifts its limit', () => {
  const common = { tls: 'off', maxConnections: 3, recipientLimit: { recipients: 9, minutes: 5 } } as const;
  const table = compiled(common, { 'a.test': { tls: 'required' }, 'b.test': { recipientLimit: 'none' } });
  const { rule: _, ...a } = controlFor(table, 'a.test');
  assert.deepEqual(a, {
    tls: 'required',
    maxConnections: 3,
    maxMessagesPerConnection: 50,
    recipientLimit: { recipients: 9, minutes: 5 },
    byDomain: true,
  });
  assert.equal(controlFor(table, 'b.test').recipientLimit, undefined);
  assert.ok(controlFor(table, 'c.test').byDomain, 'a limit counts for each domain');
});

const MINUTE_MS = 60_000;

test('recipients above the limit wait for the end of the period that the first of them began', () => {
  const limits = new RecipientLimits();
  const limit = { recipients: 10, minutes: 5 };
  assert.deepEqual(limits.take('a', limit, 7, 1000), { granted: 7, untilMs: 1000 + 5 * MINUTE_MS });
  assert.deepEqual(limits.take('a', limit, 7, 2000), { granted: 3, untilMs: 1000 + 5 * MINUTE_MS });
  assert.equal(limits.take('a', limit, 1, 1000 + 5 * MINUTE_MS - 1).granted, 0);
  assert.equal(limits.take('b', limit, 1, 2000).granted, 1);
  assert.deepEqual(limits.take('a', limit, 99, 1000 + 5 * MINUTE_MS), { granted: 10, untilMs: 1000 + 10 * MINUTE_MS });
});

test('delivernow begins every period anew, and so does a clock that was set back', () => {
  const limits = new RecipientLimits();
  const limit = { recipients: 1, minutes: 60 };
  limits.take('a', limit, 1, 0);
  assert.equal(limits.take('a', limit, 1, 1).granted, 0);
  limits.reset();
  assert.equal(limits.take('a', limit, 1, 2).granted, 1);
  assert.equal(limits.take('a', limit, 1, -10 * 60 * MINUTE_MS).granted, 1);
});
