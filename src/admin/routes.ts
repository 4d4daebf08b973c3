/** The one route table of the API: every subject's routes. To add a
 * route: its subject's table here, a handler, a case in test/api, then `node scripts/docs.ts`. Pure. */
import { ALERT_ROUTES } from './routes-alerts.ts';
import { ACCOUNT_ROUTES, AUDIT_ROUTES } from './routes-accounts.ts';
import { CONFIGURATION_ROUTES } from './routes-configuration.ts';
import { EXPLANATION_ROUTES } from './routes-explanation.ts';
import { GATEWAY_ROUTES } from './routes-gateway.ts';
import { PASSKEY_ROUTES } from './routes-passkeys.ts';
import { QUEUE_ROUTES } from './routes-queue.ts';
import { SESSION_ROUTES } from './routes-session.ts';
import type { RouteKey } from './route.ts';

export const ROUTES = {
  ...SESSION_ROUTES,
  ...PASSKEY_ROUTES,
  ...GATEWAY_ROUTES,
  ...QUEUE_ROUTES,
  ...CONFIGURATION_ROUTES,
  ...EXPLANATION_ROUTES,
  ...ACCOUNT_ROUTES,
  ...AUDIT_ROUTES,
  ...ALERT_ROUTES,
} as const;

export type Api = typeof ROUTES;
export type ApiKey = keyof Api & RouteKey;
export const ROUTE_KEYS = Object.keys(ROUTES) as ApiKey[];
