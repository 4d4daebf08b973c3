/** Samples of the events of alerts, for `mail-event-samples.ts`. Pure. */
import type { MailEventSample } from './mail-event-samples.ts';

type Name = 'alert-sent' | 'alert-failed';

export const ALERT_EVENT_SAMPLES: { readonly [N in Name]: MailEventSample<N> } = {
  'alert-sent': {
    means: 'A recipient’s mail server took an alert.',
    sample: {
      event: 'alert-sent',
      class: 'system',
      severity: 'warning',
      recipient: 'ops@example.com',
      subject: '[Warning]-[gw.example.com]: (System) thread receive-1 ended unexpectedly and is replaced',
    },
  },
  'alert-failed': {
    means: 'An alert could not be sent; it is tried again at `nextAttemptMs`, or given up.',
    sample: {
      event: 'alert-failed',
      class: 'directory',
      severity: 'critical',
      recipient: 'ops@example.com',
      subject: '[Critical]-[gw.example.com]: (Directory) LDAP server corp host ldap://ldap.example.com is down',
      why: '4.4.1 ECONNREFUSED at the connection',
      nextAttemptMs: 1_795_613_460_000,
    },
  },
};
