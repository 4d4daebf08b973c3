/** Requests about the gateway itself. */
import type { ApiKey } from '../../src/admin/routes.ts';
import type { Case } from './case.ts';

export const GATEWAY_CASES = {
  'GET /api/openapi.json': { good: () => ({}) },
  'GET /api/status': { good: () => ({}) },
  'POST /api/counters/reset': { good: () => ({ body: { hits: true } }) },
  'GET /api/metrics': { good: () => ({}) },
  'GET /api/crl': { good: () => ({}) },
  'POST /api/crl/update': {
    good: () => ({ body: { source: 'cac' } }),
    problems: { 'not-found': () => ({ body: { source: 'nowhere' } }) },
  },
} as const satisfies Partial<Record<ApiKey, Case>>;
