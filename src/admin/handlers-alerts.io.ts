/** The last alerts, and test alerts. Effects: asks the control thread. */
import type { HandlersOf } from './api-context.ts';
import { problem } from './problem.ts';
import type { ALERT_ROUTES } from './routes-alerts.ts';

export const ALERT_HANDLERS: HandlersOf<typeof ALERT_ROUTES> = {
  'GET /api/alerts': async (_, __, { control }) => {
    const { nowMs, alerts } = await control.alerts.list();
    return { body: { nowMs, alerts: [...alerts] } };
  },

  'POST /api/alerts/test': async ({ body: { recipient } }, _, { control }) => {
    const sent = await control.alerts.test(recipient);
    if (sent !== undefined) return { body: sent };
    const who = recipient === undefined ? 'no recipient' : `no recipient ${JSON.stringify(recipient)}`;
    return problem('not-found', `alerts.recipients has ${who}`);
  },
};
