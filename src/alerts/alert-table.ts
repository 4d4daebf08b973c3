/**
 * Which events are worth an alert: a table from event to class, severity and words. What is not in it raises none. The
 * key says what counts as the same news; it never holds what a client chose freely, or a client could have as many
 * alerts sent as it likes. The events of alerts themselves raise none. AsyncOS: the list of alerts. Pure.
 */
import { SYSTEM_AUTHOR } from '../config/configuration-store.ts';
import type { Alert, AlertSeverity } from '../core/alert.ts';
import { printable } from '../core/reply.ts';
import type { MailEvent } from '../log/mail-event.ts';
import { messageOf } from '../log/mail-log.ts';

type Name = MailEvent['event'];
type Event<N extends Name> = Extract<MailEvent, { event: N }>;
type Row<N extends Name> = (event: Event<N>) => Alert | undefined;

const MAX_TEXT_CHARS = 400;
const MAX_KEY_CHARS = 200;
/** From this many days before its end on, the end of a certificate is more than information. */
const WARNING_DAYS = 30;

/** The alert that an event raises, if any. */
export function alertOf(event: MailEvent): Alert | undefined {
  const row = TABLE[event.event] as ((each: MailEvent) => Alert | undefined) | undefined;
  return row?.(event);
}

/** The words of the log line are the words of the alert. */
const raise = (event: MailEvent, alert: Omit<Alert, 'text'>, text = messageOf(event)): Alert => ({
  ...alert,
  text: printable(text).slice(0, MAX_TEXT_CHARS),
  key: alert.key.slice(0, MAX_KEY_CHARS),
});

const TABLE: { readonly [N in Name]?: Row<N> } = {
  system: (event) => {
    const { level, text, topic } = event;
    if (topic === '' || (topic === undefined && level !== 'critical')) return undefined;
    // Numbers tell one session from another, not one kind of news.
    const key = topic ?? text.replace(/\d+/g, '#');
    return raise(event, { class: 'system', severity: SEVERITY_OF_LEVEL[level], key: `system ${key}` });
  },
  commit: (event) =>
    event.user === SYSTEM_AUTHOR
      ? raise(
          event,
          { class: 'system', severity: 'warning', key: 'rolled back' },
          `the configuration went back to an earlier revision: ${event.comment} (revision ${event.revision} in force)`,
        )
      : undefined,
  audit: (event) =>
    event.outcome === 'too-many-attempts'
      ? raise(event, { class: 'system', severity: 'warning', key: 'lock-out' })
      : undefined,
  'listener-full': (event) =>
    raise(event, { class: 'system', severity: 'warning', key: `listener full ${event.listener}` }),

  'crl-failed': (event) => raise(event, { class: 'certificates', severity: 'warning', key: `crl ${event.source}` }),
  'crl-alert': (event) =>
    raise(event, {
      class: 'certificates',
      severity: event.age === 'expired' ? 'critical' : 'warning',
      key: `crl ${event.age} ${event.source} ${event.issuer}`,
    }),
  expiry: (event) =>
    raise(event, {
      class: 'certificates',
      severity: event.days < 0 ? 'critical' : event.days < WARNING_DAYS ? 'warning' : 'information',
      key: `expiry ${event.of} ${event.name} ${event.subject}`,
    }),
  'staple-failed': (event) =>
    raise(event, { class: 'certificates', severity: 'warning', key: `staple ${event.certificate}` }),
  'ocsp-failed': (event) =>
    raise(event, { class: 'certificates', severity: 'warning', key: `ocsp ${event.responder}` }),

  directory: (event) => {
    const { server, host, up, hostsUp } = event;
    if (up) return raise(event, { class: 'directory', severity: 'information', key: `directory up ${server} ${host}` });
    if (hostsUp > 0)
      return raise(event, { class: 'directory', severity: 'warning', key: `directory ${server} ${host}` });
    const text = `${messageOf(event)}; no host of this server answers`;
    return raise(event, { class: 'directory', severity: 'critical', key: `directory lost ${server}` }, text);
  },

  'destination-without-tls': (event) =>
    event.alert
      ? raise(event, { class: 'system', severity: 'warning', key: `tls required ${event.domain.toLowerCase()}` })
      : undefined,
  'route-down': (event) => raise(event, { class: 'delivery', severity: 'warning', key: `route ${event.route}` }),
  'double-bounce': (event) => raise(event, { class: 'delivery', severity: 'information', key: 'double bounce' }),
};

const SEVERITY_OF_LEVEL: Readonly<Record<Event<'system'>['level'], AlertSeverity>> = {
  critical: 'critical',
  warning: 'warning',
  info: 'information',
};
