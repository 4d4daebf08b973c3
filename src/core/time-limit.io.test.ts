/** Time limits: what is late goes on, and nobody hears of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { within } from './time-limit.io.ts';

const never = new Promise<never>(() => undefined);

test('work that is done in time answers, and what it throws arrives', async () => {
  assert.equal(await within(60_000, Promise.resolve('done')), 'done');
  await assert.rejects(within(60_000, Promise.reject(new Error('broken'))), /broken/);
});

test('work that is late answers nothing, or what was said for that case', async () => {
  assert.equal(await within(1, never), undefined);
  assert.equal(await within(1, never, () => 'late'), 'late');
  await assert.rejects(
    within(1, never, () => {
      throw new Error('too late');
    }),
    /too late/,
  );
});
