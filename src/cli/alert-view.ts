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
import type { Option, Question, Understood } from './question.ts';
import { timeText, type Zone } from './queue-view.ts';

export type AlertsShown = RouteOutput<Api['GET /api/alerts']>;
export type AlertShown = AlertsShown['alerts'][number];

export const CLASS_OPTIONS: readonly Option<AlertClass>[] = ALERT_CLASSES.map((value) => ({
  value,
  label: CLASS_TITLE[value],
}));
export const SEVERITY_OPTIONS: readonly Option<AlertSeverity>[] = ALERT_SEVERITIES.map((value) => ({
  value,
  label: SEVERITY_TITLE[value],
}));

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

/** Numbers or labels with commas between; `1. All` stands first and counts alone. Undefined is All. */
export function several<T>(
  text: string,
  options: readonly Option<T>[],
  preset = '1',
): Question<readonly T[] | undefined> {
  const labels = ['All', ...options.map(({ label }) => label)];
  return {
    text: [text, ...labels.map((label, i) => `${i + 1}. ${label}`)].join('\n'),
    prompt: `[${preset}]> `,
    understand: (answer) => chosen(answer.trim() || preset, labels, options),
    words: (typed) => labels.filter((label) => label.toLowerCase().startsWith(typed.toLowerCase())),
  };
}

function chosen<T>(
  given: string,
  labels: readonly string[],
  options: readonly Option<T>[],
): Understood<readonly T[] | undefined> {
  const found = new Set<number>();
  for (const word of given.split(',').map((each) => each.trim().toLowerCase())) {
    const at = /^\d{1,3}$/.test(word) ? Number(word) - 1 : labels.findIndex((label) => label.toLowerCase() === word);
    if (at < 0 || at >= labels.length)
      return {
        ok: false,
        why: `${JSON.stringify(word.slice(0, 60))} is no choice. Enter numbers from 1 to ${labels.length}, with commas between.`,
      };
    found.add(at);
  }
  if (found.has(0)) return { ok: true, value: undefined };
  return { ok: true, value: options.filter((_, i) => found.has(i + 1)).map(({ value }) => value) };
}

/** A recipient's classes as the configuration has them. */
export function subscription(
  classes: readonly AlertClass[] | undefined,
  severities: readonly AlertSeverity[] | undefined,
): Mapping {
  const wanted = severities === undefined ? 'all' : [...severities];
  return Object.fromEntries((classes ?? ['all']).map((name) => [name, wanted]));
}

export function alertsText({ alerts }: AlertsShown, zone: Zone): string {
  if (alerts.length === 0) return 'There has been no alert since the start.\n';
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
