/** A handler for every route of the table: a route without one does not compile. Effects: through the handlers. */
import type { AnyHandler, HandlersOf } from './api-context.ts';
import { ALERT_HANDLERS } from './handlers-alerts.io.ts';
import { ACCOUNT_HANDLERS, AUDIT_HANDLERS } from './handlers-accounts.io.ts';
import { CONFIGURATION_HANDLERS } from './handlers-configuration.io.ts';
import { EXPLANATION_HANDLERS } from './handlers-explanation.io.ts';
import { GATEWAY_HANDLERS } from './handlers-gateway.io.ts';
import { PASSKEY_HANDLERS } from './handlers-passkeys.io.ts';
import { QUEUE_HANDLERS } from './handlers-queue.io.ts';
import { SESSION_HANDLERS } from './handlers-session.io.ts';
import type { Api, ApiKey } from './routes.ts';

const ALL: HandlersOf<Api> = {
  ...SESSION_HANDLERS,
  ...PASSKEY_HANDLERS,
  ...GATEWAY_HANDLERS,
  ...QUEUE_HANDLERS,
  ...CONFIGURATION_HANDLERS,
  ...EXPLANATION_HANDLERS,
  ...ACCOUNT_HANDLERS,
  ...AUDIT_HANDLERS,
  ...ALERT_HANDLERS,
};

/** What a handler takes and answers is checked route by route above; who calls one has matched its route. */
export const HANDLERS = ALL as unknown as Readonly<Record<ApiKey, AnyHandler>>;
