/** Samples of the events of alerts and of destination controls, for `mail-event-samples.ts`. Pure. */
import type { Dcid, Mid, Rid } from '../core/ids.ts';
import type { MailEventSample } from './mail-event-samples.ts';

type Name = 'alert-sent' | 'alert-failed' | 'pending' | 'dcid-tls-required' | 'destination-without-tls';

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
  pending: {
    means: 'The destination has had its recipients of this period: these wait, which is no attempt.',
    sample: {
      event: 'pending',
      mid: 6 as Mid,
      rids: [0 as Rid],
      domain: 'example.com',
      rule: 'destinationControls.domains.example.com',
      untilMs: 1_795_613_460_000,
    },
  },
  'dcid-tls-required': {
    means: 'The destination requires TLS and this host did not give it; nothing was sent to it.',
    sample: {
      event: 'dcid-tls-required',
      dcid: 8 as Dcid,
      remoteAddress: '192.0.2.25',
      why: 'TLS is required: STARTTLS is not offered',
    },
  },
  'destination-without-tls': {
    means:
      'The destination requires TLS and no host gave a session with it; its mail waits. `alert`: sendTlsRequiredAlert.',
    sample: {
      event: 'destination-without-tls',
      domain: 'example.com',
      rule: 'destinationControls.domains.example.com',
      why: 'TLS is required: STARTTLS is not offered',
      alert: true,
    },
  },
};
