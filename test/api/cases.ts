/** A case for every route of the API, whatever its subject. */
import type { ApiKey } from '../../src/admin/routes.ts';
import type { Case } from './case.ts';
import { ACCOUNT_CASES, SESSION_CASES } from './cases-accounts.ts';
import { ALERT_CASES } from './cases-alerts.ts';
import { CONFIGURATION_CASES } from './cases-configuration.ts';
import { EXPLANATION_CASES } from './cases-explanation.ts';
import { GATEWAY_CASES } from './cases-gateway.ts';
import { QUEUE_CASES } from './cases-queue.ts';
import { PASSKEY_CASES } from './cases-passkeys.ts';

/** A route without a case does not compile. */
export const CASES: Readonly<Record<ApiKey, Case>> = {
  ...SESSION_CASES,
  ...ACCOUNT_CASES,
  ...PASSKEY_CASES,
  ...GATEWAY_CASES,
  ...QUEUE_CASES,
  ...CONFIGURATION_CASES,
  ...EXPLANATION_CASES,
  ...ALERT_CASES,
};
