/** Alerts: the last ones, and a test of the way they take. AsyncOS: displayalerts, alertconfig. Pure. */
import { z } from 'zod';
import { ALERT_CLASSES, ALERT_SEVERITIES } from '../core/alert.ts';
import { routesOf } from './route.ts';
import { timeMs } from './schemas.ts';

const alert = z
  .strictObject({
    atMs: timeMs,
    class: z.enum(ALERT_CLASSES),
    severity: z.enum(ALERT_SEVERITIES),
    text: z.string(),
    raised: z.int().meta({ description: 'How often it was raised since the last message of its kind.' }),
    recipients: z.array(
      z.strictObject({
        address: z.string(),
        state: z.enum(['waiting', 'sent', 'failed']),
        attempts: z.int(),
        why: z.string().optional().meta({ description: 'Of the last attempt that failed.' }),
        nextAttemptMs: timeMs.optional(),
      }),
    ),
    notSent: z.enum(['no-recipient', 'too-many']).optional(),
  })
  .meta({ id: 'Alert' });

export const ALERT_ROUTES = routesOf('Alerts')({
  'GET /api/alerts': {
    operation: 'listAlerts',
    summary: 'The last 100 alerts, newest first, and what became of their messages.',
    least: 'help-desk',
    response: z.strictObject({ nowMs: timeMs, alerts: z.array(alert) }).meta({ id: 'AlertListing' }),
  },
  'POST /api/alerts/test': {
    operation: 'testAlerts',
    summary: 'Sends a test alert to one configured recipient, or to all, and waits for the first attempt.',
    least: 'operator',
    body: z.strictObject({ recipient: z.string().max(254).optional() }),
    response: alert,
    problems: ['not-found'],
    recorded: ['recipient'],
  },
});
