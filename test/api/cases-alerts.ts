/** Requests about alerts. */
import type { ApiKey } from '../../src/admin/routes.ts';
import type { Case } from './case.ts';

export const ALERT_CASES = {
  'GET /api/alerts': { good: () => ({}) },
  'POST /api/alerts/test': {
    good: () => ({ body: { recipient: 'ops@example.test' } }),
    problems: { 'not-found': () => ({ body: { recipient: 'nobody@example.test' } }) },
  },
} as const satisfies Partial<Record<ApiKey, Case>>;
