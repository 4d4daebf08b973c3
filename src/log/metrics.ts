/**
 * Counters and gauges. Each thread keeps its own registry; the control thread merges their snapshots and renders them
 * in the Prometheus text format 0.0.4. Labels are names of the configuration or fixed words, never a user or an
 * address, and the number of series is bounded. Pure.
 */
import type { MailEvent } from './mail-event.ts';

const MAX_SERIES = 2000;
const MAX_LABEL_CHARS = 200;

type Kind = { readonly type: 'counter' | 'gauge'; readonly merge: 'sum' | 'min' | 'max'; readonly help: string };
const counter = (help: string) => ({ type: 'counter', merge: 'sum', help }) as const;
const gauge = (merge: 'sum' | 'min' | 'max', help: string) => ({ type: 'gauge', merge, help }) as const;

const METRICS = {
  sallyport_mail_events_total: counter('Mail events by name.'),
  sallyport_connections_total: counter('Connections by listener.'),
  sallyport_connections_closed_total: counter('Connections that ended, by how.'),
  sallyport_listener_full_total: counter('Connections refused because the listener was full.'),
  sallyport_listener_suspended_total: counter('Connections refused because receiving was suspended.'),
  sallyport_host_access_total: counter('Decisions of the host access table.'),
  sallyport_refused_total: counter('Refusals by stage and listener.'),
  sallyport_tls_success_total: counter('TLS handshakes by protocol.'),
  sallyport_tls_failed_total: counter('TLS handshakes that failed.'),
  sallyport_certificate_identities_total: counter('Client certificates that named a user.'),
  sallyport_certificate_not_used_total: counter('Sessions that went on without an identity from a certificate.'),
  sallyport_certificate_deferred_total: counter('Client certificates whose owner the directory could not tell.'),
  sallyport_smtp_auth_success_total: counter('SMTP AUTH that succeeded.'),
  sallyport_smtp_auth_failed_total: counter('SMTP AUTH that failed.'),
  sallyport_smtp_auth_not_allowed_total: counter('Good passwords of people who are not allowed to use SMTP AUTH.'),
  sallyport_smtp_auth_unavailable_total: counter('SMTP AUTH while the directory could not be asked.'),
  sallyport_messages_received_total: counter('Messages that are on stable storage.'),
  sallyport_message_bytes_total: counter('Bytes of messages that arrived completely.'),
  sallyport_messages_aborted_total: counter('Messages that were not accepted.'),
  sallyport_messages_done_total: counter('Messages whose recipients all have an outcome.'),
  sallyport_recipients_accepted_total: counter('Recipients that were accepted.'),
  sallyport_recipients_rejected_total: counter('Recipients that were rejected.'),
  sallyport_recipients_delivered_total: counter('Recipients whose message the next hop took.'),
  sallyport_recipients_delayed_total: counter('Delivery attempts with a temporary failure, by recipient.'),
  sallyport_recipients_bounced_total: counter('Recipients with a permanent failure.'),
  sallyport_recipients_discarded_total: counter('Recipients whose route is /dev/null.'),
  sallyport_recipients_deleted_total: counter('Recipients that an administrator deleted.'),
  sallyport_bounces_generated_total: counter('Delivery status notifications that were queued.'),
  sallyport_double_bounces_total: counter('Bounces that could not be delivered.'),
  sallyport_delivery_connections_total: counter('Delivery connections.'),
  sallyport_delivery_connections_failed_total: counter('Delivery connections that could not be made.'),
  sallyport_delivery_tls_success_total: counter('Encrypted delivery connections by protocol.'),
  sallyport_delivery_tls_failed_total: counter('TLS handshakes of delivery connections that failed.'),
  sallyport_delivery_tls_required_total: counter('Delivery connections without the TLS that was required.'),
  sallyport_recipients_pending_total: counter('Recipients that had to wait for a period of a recipient limit.'),
  sallyport_crl_updates_total: counter('Revocation lists that were fetched and are good.'),
  sallyport_crl_failures_total: counter('Revocation lists that could not be fetched or are not good.'),
  sallyport_crl_alerts_total: counter('Alerts that a revocation list is about to expire or has expired, by source.'),
  sallyport_crl_entries: gauge('max', 'Entries of a revocation list.'),
  sallyport_crl_age_seconds: gauge('max', 'Time since thisUpdate of a revocation list.'),
  sallyport_crl_next_update_seconds: gauge(
    'min',
    'Time to nextUpdate of a revocation list; negative once it has passed.',
  ),
  sallyport_crl_expiring: gauge('max', 'Whether a revocation list is within the alert time before its nextUpdate.'),
  sallyport_crl_expired: gauge('max', 'Whether a revocation list is past its nextUpdate.'),
  sallyport_crl_next_update_timestamp_seconds: gauge('max', 'When a revocation list promises its successor.'),
  sallyport_certificate_expiry_timestamp_seconds: gauge(
    'min',
    'When the first certificate of a gateway certificate’s file, or of an authority’s, expires.',
  ),
  sallyport_logins_failed_total: counter('Logins of administrators that failed.'),
  sallyport_ocsp_answers_total: counter('Answers of OCSP responders that count, by status.'),
  sallyport_ocsp_failures_total: counter('Questions to OCSP responders that brought no answer.'),
  sallyport_ocsp_staple_failures_total: counter('Attempts to renew a staple that failed, by certificate.'),
  sallyport_ocsp_staple_next_update_timestamp_seconds: gauge('max', 'When a staple of a gateway certificate runs out.'),
  sallyport_issuers_fetched_total: counter('Files with missing issuers that were fetched.'),
  sallyport_issuers_failed_total: counter('Files with missing issuers that could not be had.'),
  sallyport_directory_up: gauge('min', 'Whether a directory server answers.'),
  sallyport_receiving_suspended: gauge('max', 'Whether receiving is suspended, by listener.'),
  sallyport_delivery_suspended: gauge('max', 'Whether delivery is suspended.'),
  sallyport_work_queue_paused: gauge('max', 'Whether the work queue is paused.'),
  sallyport_smtp_routes_down_total: counter('Times that no host of an SMTP route gave a session, by route.'),
  sallyport_alerts_raised_total: counter('Alerts that were raised, by class and severity.'),
  sallyport_alerts_held_back_total: counter(
    'Alerts that were held back as duplicates, or because there were too many.',
  ),
  sallyport_alerts_sent_total: counter('Alert messages that a recipient’s server took.'),
  sallyport_alerts_failed_total: counter('Attempts to send an alert that failed.'),
  sallyport_alerts_given_up_total: counter('Alert messages that were given up.'),
  sallyport_queue_messages: gauge('sum', 'Messages in the queue.'),
  sallyport_queue_active_recipients: gauge('sum', 'Recipients that wait for delivery.'),
  sallyport_queue_oldest_message_timestamp_seconds: gauge('min', 'When the oldest message of the queue was received.'),
} as const satisfies Readonly<Record<string, Kind>>;

export type MetricName = keyof typeof METRICS;
type NameOf<T> = { [N in MetricName]: (typeof METRICS)[N]['type'] extends T ? N : never }[MetricName];
export type CounterName = NameOf<'counter'>;
export type GaugeName = NameOf<'gauge'>;
export type Labels = Readonly<Record<string, string>>;

/** Values by series, a series being written as Prometheus writes it: `name{label="value"}`. Structured-clone data. */
export type MetricsSnapshot = { readonly series: ReadonlyMap<string, number> };

/** Counted without labels, and shown as 0 from the start, so that an alert on them has something to watch. */
const FROM_ZERO: readonly CounterName[] = [
  'sallyport_tls_failed_total',
  'sallyport_certificate_deferred_total',
  'sallyport_smtp_auth_not_allowed_total',
  'sallyport_messages_received_total',
  'sallyport_message_bytes_total',
  'sallyport_messages_aborted_total',
  'sallyport_messages_done_total',
  'sallyport_recipients_accepted_total',
  'sallyport_recipients_delivered_total',
  'sallyport_recipients_delayed_total',
  'sallyport_recipients_bounced_total',
  'sallyport_recipients_discarded_total',
  'sallyport_recipients_deleted_total',
  'sallyport_bounces_generated_total',
  'sallyport_double_bounces_total',
  'sallyport_delivery_connections_total',
  'sallyport_delivery_connections_failed_total',
  'sallyport_delivery_tls_failed_total',
  'sallyport_delivery_tls_required_total',
  'sallyport_recipients_pending_total',
  'sallyport_ocsp_failures_total',
  'sallyport_issuers_fetched_total',
  'sallyport_issuers_failed_total',
];

export class Metrics {
  readonly #series = new Map<string, number>(FROM_ZERO.map((name) => [name, 0]));

  add(name: CounterName, by = 1, labels?: Labels): void {
    const key = this.#key(name, labels);
    this.#series.set(key, (this.#series.get(key) ?? 0) + by);
  }

  set(name: GaugeName, value: number, labels?: Labels): void {
    this.#series.set(this.#key(name, labels), value);
  }

  snapshot(): MetricsSnapshot {
    return { series: new Map(this.#series) };
  }

  /** Once there are too many series, new ones fall together under their bare name. */
  #key(name: MetricName, labels: Labels | undefined): string {
    if (labels === undefined) return name;
    const key = seriesKey(name, labels);
    return this.#series.size < MAX_SERIES || this.#series.has(key) ? key : name;
  }
}

export const createMetrics = (): Metrics => new Metrics();

function seriesKey(name: MetricName, labels: Labels): string {
  let text = '';
  for (const label in labels) text += `${text === '' ? '' : ','}${label}="${escapeLabel(labels[label] ?? '')}"`;
  return `${name}{${text}}`;
}

const NEEDS_ESCAPE = /["\\\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

function escapeLabel(value: string): string {
  const text = value.length > MAX_LABEL_CHARS ? value.slice(0, MAX_LABEL_CHARS) : value;
  if (!NEEDS_ESCAPE.test(text)) return text;
  const plain = text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/g, '?');
  return plain.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n');
}

/** Counters are summed; gauges as their meaning asks: a directory that one thread finds down is down. */
export function mergeSnapshots(snapshots: readonly MetricsSnapshot[]): MetricsSnapshot {
  const merged = new Map<string, number>();
  for (const { series } of snapshots) {
    for (const [key, value] of series) {
      const before = merged.get(key);
      merged.set(key, before === undefined ? value : MERGE[kindOf(key).merge](before, value));
    }
  }
  return { series: merged };
}

const MERGE = { sum: (a: number, b: number) => a + b, min: Math.min, max: Math.max } as const;

const baseName = (key: string): string => {
  const brace = key.indexOf('{');
  return brace < 0 ? key : key.slice(0, brace);
};
const kindOf = (key: string): Kind => METRICS[baseName(key) as MetricName];

export const isCounter = (name: string): boolean =>
  Object.hasOwn(METRICS, name) && METRICS[name as MetricName].type === 'counter';

/** One number per name: what has labels, merged over them as the name's kind asks. */
export function sumSeries({ series }: MetricsSnapshot): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [key, value] of series) {
    const name = baseName(key);
    const before = sums[name];
    sums[name] = before === undefined ? value : MERGE[kindOf(key).merge](before, value);
  }
  return sums;
}

/** Text format 0.0.4: HELP and TYPE before the series of each name. */
export function renderPrometheus({ series }: MetricsSnapshot): string {
  const byName = Map.groupBy(
    [...series].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ([key]) => baseName(key),
  );
  let text = '';
  for (const [name, { type, help }] of Object.entries(METRICS)) {
    const lines = byName.get(name);
    if (lines === undefined) continue;
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const [key, value] of lines) text += `${key} ${value}\n`;
  }
  return text;
}

/** Every metric with its kind and meaning, for the documentation. */
export const describeMetrics = (): { name: string; type: string; help: string }[] =>
  Object.entries(METRICS).map(([name, { type, help }]) => ({ name, type, help }));

type Name = MailEvent['event'];
type Count<N extends Name> = (metrics: Metrics, event: Extract<MailEvent, { event: N }>) => void;

/** Counts an event: always under its name, and where it says more, there too. */
export function countEvent(metrics: Metrics, event: MailEvent): void {
  metrics.add('sallyport_mail_events_total', 1, { event: event.event });
  (COUNT[event.event] as Count<Name> | undefined)?.(metrics, event);
}

/** The mechanism is a client's word. */
const mechanismOf = (text: string): string => (['PLAIN', 'LOGIN', 'EXTERNAL'].includes(text) ? text : 'other');

const COUNT: { readonly [N in Name]?: Count<N> } = {
  connection: (m, e) => m.add('sallyport_connections_total', 1, { listener: e.listener }),
  hat: (m, { behavior, senderGroup: sender_group, policy }) =>
    m.add('sallyport_host_access_total', 1, { behavior, sender_group, policy }),
  'listener-full': (m, { listener }) => m.add('sallyport_listener_full_total', 1, { listener }),
  refused: (m, { refusal: { stage, listener } }) => m.add('sallyport_refused_total', 1, { stage, listener }),
  'icid-close': (m, { how }) => m.add('sallyport_connections_closed_total', 1, { how }),
  'tls-success': (m, e) =>
    m.add('sallyport_tls_success_total', 1, { protocol: e.protocol, resumed: e.resumed ? 'yes' : 'no' }),
  'tls-failed': (m) => m.add('sallyport_tls_failed_total'),
  'certificate-ok': (m, { profile }) => m.add('sallyport_certificate_identities_total', 1, { profile }),
  'certificate-not-used': (m, e) =>
    m.add('sallyport_certificate_not_used_total', 1, { certificate: e.certificate === undefined ? 'none' : 'given' }),
  'certificate-deferred': (m) => m.add('sallyport_certificate_deferred_total'),
  'auth-success': (m, e) =>
    m.add('sallyport_smtp_auth_success_total', 1, { profile: e.profile, mechanism: mechanismOf(e.mechanism) }),
  'auth-failed': (m, e) =>
    m.add('sallyport_smtp_auth_failed_total', 1, { profile: e.profile, mechanism: mechanismOf(e.mechanism) }),
  'auth-not-allowed': (m) => m.add('sallyport_smtp_auth_not_allowed_total'),
  'auth-unavailable': (m, { profile }) => m.add('sallyport_smtp_auth_unavailable_total', 1, { profile }),
  'message-queued': (m) => m.add('sallyport_messages_received_total'),
  'message-ready': (m, { bytes }) => m.add('sallyport_message_bytes_total', bytes),
  'message-aborted': (m) => m.add('sallyport_messages_aborted_total'),
  'message-done': (m) => m.add('sallyport_messages_done_total'),
  to: (m) => m.add('sallyport_recipients_accepted_total'),
  'to-rejected': (m, { by }) => m.add('sallyport_recipients_rejected_total', 1, { by }),
  delivered: (m, { rids }) => m.add('sallyport_recipients_delivered_total', rids.length),
  delayed: (m, { rids }) => m.add('sallyport_recipients_delayed_total', rids.length),
  bounced: (m, { rids }) => m.add('sallyport_recipients_bounced_total', rids.length),
  discarded: (m, { rids }) => m.add('sallyport_recipients_discarded_total', rids.length),
  deleted: (m, { rids }) => m.add('sallyport_recipients_deleted_total', rids.length),
  'listener-suspended': (m, { listener }) => m.add('sallyport_listener_suspended_total', 1, { listener }),
  'bounce-generated': (m) => m.add('sallyport_bounces_generated_total'),
  'double-bounce': (m) => m.add('sallyport_double_bounces_total'),
  'route-down': (m, { route }) => m.add('sallyport_smtp_routes_down_total', 1, { route }),
  'dcid-open': (m) => m.add('sallyport_delivery_connections_total'),
  'dcid-failed': (m) => m.add('sallyport_delivery_connections_failed_total'),
  'dcid-tls': (m, e) =>
    m.add('sallyport_delivery_tls_success_total', 1, { protocol: e.protocol, verified: e.verified ? 'yes' : 'no' }),
  'dcid-tls-failed': (m) => m.add('sallyport_delivery_tls_failed_total'),
  'dcid-tls-required': (m) => m.add('sallyport_delivery_tls_required_total'),
  pending: (m, { rids }) => m.add('sallyport_recipients_pending_total', rids.length),
  'crl-updated': (m, { source }) => m.add('sallyport_crl_updates_total', 1, { source }),
  'crl-failed': (m, { source }) => m.add('sallyport_crl_failures_total', 1, { source }),
  'crl-alert': (m, { source, age }) => m.add('sallyport_crl_alerts_total', 1, { source, age }),
  audit: (m, { action, outcome }) => {
    if (/^login/i.test(action) && outcome !== 'done') m.add('sallyport_logins_failed_total');
  },
  'ocsp-answer': (m, { status }) => m.add('sallyport_ocsp_answers_total', 1, { status }),
  'ocsp-failed': (m) => m.add('sallyport_ocsp_failures_total'),
  'staple-updated': (m, { certificate, nextUpdateMs }) => {
    if (nextUpdateMs === undefined) return;
    const seconds = Math.floor(nextUpdateMs / 1000);
    m.set('sallyport_ocsp_staple_next_update_timestamp_seconds', seconds, { certificate });
  },
  'staple-failed': (m, { certificate }) => m.add('sallyport_ocsp_staple_failures_total', 1, { certificate }),
  'issuer-fetched': (m) => m.add('sallyport_issuers_fetched_total'),
  'issuer-failed': (m) => m.add('sallyport_issuers_failed_total'),
  'alert-sent': (m) => m.add('sallyport_alerts_sent_total'),
  'alert-failed': (m, { nextAttemptMs }) => {
    m.add('sallyport_alerts_failed_total');
    if (nextAttemptMs === undefined) m.add('sallyport_alerts_given_up_total');
  },
  directory: (m, { server, host, up }) => m.set('sallyport_directory_up', up ? 1 : 0, { server, host }),
};
