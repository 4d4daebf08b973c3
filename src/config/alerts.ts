/** Alerts: who is told what by mail, and how often. AsyncOS: alertconfig. Pure. */
import { z } from 'zod';
import { ALERT_SEVERITIES } from '../core/alert.ts';
import { routeHost } from './delivery.ts';
import { durationMs } from './scalars.ts';

/** An address that every mail server takes; `semantics-alerts.ts` looks at its parts. */
const mailAddress = z
  .string()
  .max(254)
  .regex(/^[^\s<>@"]+@[^\s<>@"]+$/, 'an address is local-part@domain')
  .meta({ value: 'local-part@domain' });

const severities = z
  .union(
    [z.literal('all'), z.array(z.enum(ALERT_SEVERITIES)).min(1)],
    'all, or a list of critical, warning, information',
  )
  .transform((given) => (given === 'all' ? [...ALERT_SEVERITIES] : given));

const what = (description: string, asyncos?: string) =>
  severities.optional().meta({
    description,
    value: 'all, or list of critical, warning, information',
    ...(asyncos === undefined ? {} : { asyncos }),
  });

const alertRecipient = z.strictObject({
  all: what('Severities of every class that is not named beside it.', 'All'),
  system: what(
    'The gateway itself: threads, storage, configuration, log-in lock-out, TLS that a destination requires and does not give.',
    'System',
  ),
  certificates: what('Certificates and revocation lists that run out or cannot be fetched, OCSP responders, staples.'),
  directory: what('LDAP servers that go down or come up; critical when the last host of a server is gone.'),
  delivery: what('SMTP routes none of whose hosts answers, bounces that cannot be delivered.', 'Message Delivery'),
});

export const alerts = z.strictObject({
  from: mailAddress.optional().meta({
    description: 'Sender of alerts, in the envelope and in the From field.',
    asyncos: 'From address',
    otherwise: 'alert@ and the hostname',
  }),
  recipients: z.record(z.string(), alertRecipient).default({}).meta({
    description: 'Who gets which alerts, by address: severities by class.',
    asyncos: 'Alert Recipients',
    key: 'ADDRESS',
  }),
  initialWait: durationMs.prefault('300s').meta({
    description:
      'How long alerts like one that was sent are held back; what was held back comes as one message. Each further wait is this one and twice the last. 0s sends every alert.',
    asyncos: 'Initial Number of Seconds to Wait Before Sending a Duplicate Alert',
  }),
  maxWait: durationMs.prefault('1h').meta({
    description: 'The longest of these waits.',
    asyncos: 'Maximum Number of Seconds to Wait Before Sending a Duplicate Alert',
  }),
  smtpHosts: z.array(routeHost).min(1).optional().meta({
    description:
      'Hosts that take alerts, tried in this order. Alerts pass neither work queue, delivery queue, destination controls nor bounce profiles.',
    value: 'list of name, name:port or [address]:port',
    otherwise: 'the SMTP route of the recipient’s domain, else its mail exchangers',
  }),
});
