/**
 * Alerts as the command line shows them: who is told what (`alertconfig`), and the last ones (`displayalerts`). What an
 * alert tells is made printable. Pure: the time zone is handed in.
 */
import type { RouteOutput } from '../admin/route.ts';
import type { Api } from '../admin/routes.ts';
import { isList, isMapping, type Json, type Mapping } from '../config/document.ts';
import {
  ALERT_CLASSES,
  ALERT_SEVERITIES,
  type AlertClass,
  type AlertSeverity,
  CLASS_TITLE,
  SEVERITY_TITLE,
} from '../core/alert.ts';
import { printable } from '../core/reply.ts';
import { shown } from './form.ts';
import type { Option } from './question.ts';
import { timeText, type Zone } from './queue-view.ts';

export type AlertsShown = RouteOutput<Api['GET /api/alerts']>;
export type AlertShown = AlertsShown['alerts'][number];

/** `all` is every one of them. */
export type Chosen<T> = T | 'all';
const ALL = { value: 'all', label: 'All' } as const;

export const CLASS_OPTIONS: readonly Option<Chosen<AlertClass>>[] = [
  ALL,
  ...ALERT_CLASSES.map((value) => ({ value, label: CLASS_TITLE[value] })),
];
export const SEVERITY_OPTIONS: readonly Option<Chosen<AlertSeverity>>[] = [
  ALL,
  ...ALERT_SEVERITIES.map((value) => ({ value, label: SEVERITY_TITLE[value] })),
];

const severitiesText = (severities: Json): string =>
  isList(severities) && !ALERT_SEVERITIES.every((each) => severities.includes(each))
    ? severities.map((each) => SEVERITY_TITLE[each as AlertSeverity] ?? shown(each)).join(', ')
    : 'All';

/** `Class: All - Severities: Critical; Class: …` */
export function recipientRow(classes: Json): string {
  const entries = Object.entries(isMapping(classes) ? classes : {});
  const title = (name: string): string => (name === 'all' ? 'All' : (CLASS_TITLE[name as AlertClass] ?? name));
  return entries
    .map(([name, severities]) => `Class: ${title(name)} - Severities: ${severitiesText(severities)}`)
    .join('; ');
}

export function alertsHeading(document: Mapping): string {
  const alerts = isMapping(document['alerts']) ? document['alerts'] : {};
  const { recipients, initialWait = '300s', maxWait = '1h', from, smtpHosts }: Mapping = alerts;
  const rows = Object.entries(isMapping(recipients) ? recipients : {});
  return [
    ...(rows.length === 0 ? ['Alerts are sent to nobody.'] : ['Sending alerts to:']),
    ...rows.flatMap(([address, classes]) => [
      address,
      ...recipientRow(classes)
        .split('; ')
        .map((row) => `    ${row}`),
    ]),
    '',
    `Initial wait before sending a duplicate alert: ${shown(initialWait)}`,
    `Maximum wait before sending a duplicate alert: ${shown(maxWait)}`,
    `Alerts will be sent using the ${from === undefined ? 'system-default From Address' : `From Address ${shown(from)}`}.`,
    ...(isList(smtpHosts) ? [`Alerts will be sent by: ${smtpHosts.map(shown).join(', ')}`] : []),
  ].join('\n');
}

/** A recipient's classes as the configuration has them. */
export function subscription(
  classes: readonly Chosen<AlertClass>[],
  severities: readonly Chosen<AlertSeverity>[],
): Mapping {
  const wanted = severities.includes('all') ? 'all' : severities;
  return Object.fromEntries((classes.includes('all') ? ['all'] : classes).map((name) => [name, wanted]));
}

export function alertsText({ alerts }: AlertsShown, zone: Zone): string {
  if (alerts.length === 0) return 'There has been no alert.\n';
  return alerts.map((alert) => alertText(alert, zone)).join('\n');
}

/** As AsyncOS shows an alert: when, what it says, and then what became of it. */
export function alertText(alert: AlertShown, zone: Zone): string {
  const { atMs, severity, class: of, text, raised, recipients, notSent } = alert;
  const why =
    notSent === undefined
      ? []
      : [
          notSent === 'no-recipient'
            ? '    sent to nobody: no recipient wants it'
            : '    not sent: too many in this hour',
        ];
  return [
    timeText(atMs, zone),
    `${SEVERITY_TITLE[severity]} (${CLASS_TITLE[of]}): ${printable(text)}`,
    ...(raised > 1 ? [`    raised ${raised} times since the last message of its kind`] : []),
    ...why,
    ...recipients.map((recipient) => `    ${deliveryText(recipient, zone)}`),
    '',
  ].join('\n');
}

function deliveryText(
  { address, state, attempts, why, nextAttemptMs }: AlertShown['recipients'][number],
  zone: Zone,
): string {
  const told = `${printable(address)}: `;
  if (state === 'sent') return `${told}sent`;
  const tries = `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`;
  const reason = why === undefined ? '' : `: ${printable(why)}`;
  if (state === 'failed') return `${told}given up after ${tries}${reason}`;
  const next = nextAttemptMs === undefined ? '' : `, next attempt ${timeText(nextAttemptMs, zone)}`;
  return attempts === 0 ? `${told}on its way` : `${told}waiting after ${tries}${reason}${next}`;
}
