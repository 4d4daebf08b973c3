/** Requests about the queue and what is suspended. Changes that would keep other cases from working are taken back. */
import assert from 'node:assert/strict';
import type { ApiKey } from '../../src/admin/routes.ts';
import type { Case, World } from './case.ts';
import { submit } from '../support/smtp-session.ts';

const resumed = async ({ api }: World): Promise<void> => {
  await api.good('POST /api/resume', { body: { listeners: 'all', delivery: true } });
};
/** A message in the queue that stays there. */
async function queuedMid({ api }: World): Promise<number> {
  await api.good('POST /api/suspend', { body: { delivery: true } });
  const mid = await submit(api.mailPort, { to: 'somebody@waiting.example' });
  assert.ok(mid > 0);
  return mid;
}

export const QUEUE_CASES = {
  'GET /api/queue/hosts': { good: () => ({ query: 'sort=connections&limit=5' }) },
  'GET /api/queue/hosts/{host}': { good: () => ({ path: { host: 'example.org' } }) },
  'GET /api/queue/recipients': { good: () => ({ query: 'host=example.org&subjects=yes' }) },
  'GET /api/queue/messages/{mid}': {
    good: async (world) => ({ path: { mid: String(await queuedMid(world)) } }),
    after: resumed,
    problems: { 'not-found': () => ({ path: { mid: '999999999' } }) },
  },
  'GET /api/queue/work-queue': { good: () => ({}) },
  'GET /api/receiving/top': { good: () => ({}) },
  'POST /api/queue/delete': { good: () => ({ body: { selection: { by: 'host', host: 'example.org' } } }) },
  'POST /api/queue/bounce': {
    good: () => ({ body: { selection: { by: 'sender', sender: '<>' }, reason: 'sent by mistake' } }),
  },
  'POST /api/queue/deliver-now': { good: () => ({ body: { selection: { by: 'all' } } }) },
  'POST /api/queue/work-queue/pause': {
    good: () => ({ body: { reason: 'checking the directory' } }),
    after: async ({ api }) => {
      await api.good('POST /api/queue/work-queue/resume');
    },
  },
  'POST /api/queue/work-queue/resume': { good: () => ({}) },
  'POST /api/suspend': {
    good: () => ({ body: { listeners: 'all', delivery: true, reason: 'maintenance' } }),
    after: resumed,
    problems: { 'not-found': () => ({ body: { listeners: ['nowhere'] } }) },
  },
  'POST /api/resume': {
    good: () => ({ body: { listeners: 'all', delivery: true } }),
    problems: { 'not-found': () => ({ body: { listeners: ['nowhere'] } }) },
  },
} as const satisfies Partial<Record<ApiKey, Case>>;
