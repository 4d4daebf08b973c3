/** The statements of delivery use their indexes: what they cost must not grow with the queue. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { MIGRATIONS, SQL } from './queue-schema.ts';

const database = new DatabaseSync(':memory:');
for (const migration of MIGRATIONS) database.exec(migration);

const planOf = (sql: string): string[] => {
  const parameters = Array.from(sql.matchAll(/\?/g), () => 1);
  return database
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all(...parameters)
    .map(({ detail }) => String(detail));
};

const HOT = [
  'due',
  'dueTimes',
  'retryRecipient',
  'removeRecipient',
  'removeHeldRecipient',
  'reschedule',
  'selected',
  'inWorkQueue',
  'hasRecipient',
  'removeMessage',
  'removeBody',
  'message',
  'body',
  'listMessages',
  'listRecipients',
  'addresses',
  'hold',
  'unhold',
] as const;

for (const name of HOT) {
  test(`${name} searches by an index and sorts nothing`, () => {
    const plan = planOf(SQL[name]);
    assert.ok(plan.length > 0);
    for (const step of plan) assert.doesNotMatch(step, /^SCAN|TEMP B-TREE/, plan.join('; '));
  });
}

test('every statement fits the schema', () => {
  for (const sql of Object.values(SQL)) assert.doesNotThrow(() => database.prepare(sql), sql);
});

test('due recipients are found from the cursor on, not from the beginning', () => {
  assert.match(planOf(SQL.due)[0] ?? '', /USING INDEX recipient_due \(\(next_attempt_ms,mid,rid\)>\(\?,\?,\?\)/);
});
