import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { renderFaultPath } from '../core/fault.ts';
import { describedKeys } from './describe.ts';
import { configSchema } from './schema.ts';
import { schemaFaults } from './schema-faults.ts';

const listener = { type: 'private', address: [':25'], hat: [{ senderGroup: 'ALL', policy: 'BLOCKED' }] };
const minimal = { hostname: 'gw.example.test', listeners: { mx: listener } };

function linesFor(data: unknown): string[] {
  const parsed = configSchema.safeParse(data);
  if (parsed.success) return [];
  return schemaFaults(parsed.error.issues, data).map(({ path, message }) => `${renderFaultPath(path)}: ${message}`);
}

test('the smallest configuration has a host name and a listener', () => {
  assert.deepEqual(linesFor(minimal), []);
});

test('a value is never repeated, for it may be a secret', () => {
  const server = { hosts: ['ldap://127.0.0.1'], bind: { dn: 'cn=x', password: 123456, passwordFile: ['hunter2'] } };
  const lines = linesFor({ ...minimal, ldap: { servers: { corp: server } } });
  assert.deepEqual(lines, [
    'ldap.servers.corp.bind.password: must be text, not a number',
    'ldap.servers.corp.bind.passwordFile: must be text, not a list',
  ]);
});

test('the keys of a profile are those of its type', () => {
  const lines = linesFor({ ...minimal, smtpAuthProfiles: { p: { type: 'ldap', query: 'q', trust: ['cac'] } } });
  assert.deepEqual(lines, ['smtpAuthProfiles.p.trust: unknown key; allowed: type, query, checkAllowed']);
});

test('a wrong word is bounded and cannot add a line', () => {
  const [line = ''] = linesFor({ ...minimal, listeners: { mx: { ...listener, type: `x\n${'y'.repeat(5000)}` } } });
  assert.ok(line.length < 200, String(line.length));
  assert.ok(!line.includes('\n'));
});

test('whatever the data, each fault has words', () => {
  const words = [
    'type',
    'hat',
    'query',
    'trust',
    'schedule',
    'every',
    'ldap',
    'servers',
    'listeners',
    'crl',
    'sources',
    'cac',
    'hostname',
    'smtpAuthProfiles',
    'certificate',
  ];
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>(null, true, 0, -1, 1.5, '', 'certificate', 'ldap', 'pem', '15m', 'x'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...words), tie('tree'), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (data) => {
      const parsed = configSchema.safeParse(data);
      if (parsed.success) return;
      const faults = schemaFaults(parsed.error.issues, data);
      assert.ok(faults.length > 0);
      for (const { message } of faults) assert.ok(message.length > 3 && !message.includes('Invalid input'), message);
    }),
    { numRuns: 500, seed: 7 },
  );
});

test('every key of the configuration is described', () => {
  const keys = describedKeys();
  assert.ok(keys.length > 100, String(keys.length));
  assert.deepEqual(
    keys.filter(({ description = '' }) => description.length < 10).map(({ path }) => path),
    [],
  );
});

test('a bound that a value must pass is not said as one that it may reach', () => {
  const schema = z.strictObject({ mid: z.int().positive(), least: z.int().min(1), most: z.int().max(9) });
  const data = { mid: 0, least: 0, most: 10 };
  const parsed = schema.safeParse(data);
  assert.deepEqual(
    parsed.error === undefined ? [] : schemaFaults(parsed.error.issues, data, schema).map(({ message }) => message),
    ['must be more than 0', 'must be at least 1', 'must be at most 9'],
  );
});
